import { spawn } from 'node:child_process';
import { reasonOf } from '../folder_lock.ts';
import { systemPath } from '../process_table.ts';

/** The whole environment of Postgres: LANG, LD_LIBRARY_PATH and PG* of the caller must not decide what is made. */
export const cleanEnvironment = { PATH: systemPath, LC_ALL: 'C', TZ: 'UTC' } as const;

export type CommandEnd = {
  readonly succeeded: boolean;
  /** Both streams, for a person to read. */
  readonly output: string;
};

export type CommandOptions = {
  /** Account to run as; needs root. */
  readonly userId?: number | undefined;
  readonly input?: string;
  readonly signal?: AbortSignal | undefined;
};

/** Runs a program to its end. A program that cannot be started is an end without success, too. */
export function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<CommandEnd> {
  const { promise, resolve } = Promise.withResolvers<CommandEnd>();
  const [program = '', ...rest] = command;
  const fail = (error: unknown) => resolve({ succeeded: false, output: `${program}: ${reasonOf(error)}` });
  try {
    const child = spawn(program, rest, {
      cwd: '/',
      env: cleanEnvironment,
      detached: true,
      ...accountOf(options.userId),
    });
    const output: string[] = [];
    const collect = (chunk: unknown) => output.push(String(chunk));
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
    const interrupt = () => child.kill('SIGINT');
    options.signal?.addEventListener('abort', interrupt, { once: true });
    child.on('error', fail);
    child.on('close', (code) => {
      options.signal?.removeEventListener('abort', interrupt);
      resolve({ succeeded: code === 0, output: output.join('').trim() });
    });
  } catch (error) {
    fail(error);
  }
  return promise;
}

/** Spawn options; both ids or none. */
export const accountOf = (userId: number | undefined): { uid?: number; gid?: number } =>
  userId === undefined ? {} : { uid: userId, gid: userId };
