import { join } from 'node:path';

export const projectFolder = join(import.meta.dir, '..');

export type RunningServer = {
  readonly pid: number;
  /** From the start of the process to its first answer. */
  readonly startMilliseconds: number;
  readonly stop: () => Promise<void>;
};

export type ServerOptions = {
  readonly command: readonly string[];
  readonly environment?: { readonly [name: string]: string };
  /** Answers 200 as soon as the server can do its work. */
  readonly probe: string;
};

const pollMilliseconds = 2;
const deadlineMilliseconds = 20_000;

/** Starts a program and waits for its first answer. */
export async function startServer({ command, environment, probe }: ServerOptions): Promise<RunningServer> {
  const started = performance.now();
  const child = Bun.spawn([...command], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'production', ...environment },
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
  });
  while (!(await answers(probe))) {
    if (child.exitCode !== null) throw new Error(`${command.join(' ')} ended with ${child.exitCode}`);
    if (performance.now() - started > deadlineMilliseconds) {
      child.kill('SIGKILL');
      throw new Error(`${command.join(' ')} does not answer at ${probe}`);
    }
    await Bun.sleep(pollMilliseconds);
  }
  return {
    pid: child.pid,
    startMilliseconds: performance.now() - started,
    async stop() {
      child.kill('SIGTERM');
      await child.exited;
    },
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() });
  const { port } = server;
  await server.stop(true);
  if (port === undefined) throw new Error('no port');
  return port;
}
