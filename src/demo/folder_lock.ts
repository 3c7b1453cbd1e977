import { linkSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomToken } from '../core/crypto.ts';
import { err, ok, type Result } from '../core/result.ts';
import { isRunning, ownProcess } from './process_table.ts';

declare const claimed: unique symbol;

/** Proof that no other process works in the folder; only `claimFolder` makes it, and `startPostgres` asks for it. */
export type FolderClaim = {
  readonly [claimed]: true;
  /** Real path. */
  readonly folder: string;
  release(): void;
};

export type ClaimFault =
  | { readonly kind: 'taken'; readonly url: string; readonly pid: number; readonly sentence: string }
  | { readonly kind: 'folder_refused'; readonly sentence: string };

type Holder = { readonly pid: number; readonly started: string; readonly url: string };

/**
 * Takes a data folder for this process, making it (mode 0700) where it is missing. Two starters would otherwise end each
 * other's database. The lock names its holder by pid and start time, so what a killed process left is no obstacle.
 *
 * @param url where this process will be found; a second starter is told
 */
export function claimFolder(path: string, url: string): Result<FolderClaim, ClaimFault> {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    const folder = realpathSync(path);
    const lock = join(folder, 'lock');
    const { pid, started } = ownProcess();
    const content = JSON.stringify({ pid, started, url });
    const holder = takeLock(lock, content);
    if (holder !== undefined)
      return err({ kind: 'taken', url: holder.url, pid: holder.pid, sentence: taken(folder, holder) });
    return ok(newClaim(folder, () => readLock(lock) === content && rmSync(lock, { force: true })));
  } catch (error) {
    return err({
      kind: 'folder_refused',
      sentence: `The data folder ${path} cannot be used (${reasonOf(error)}); make it writable for this user or name another with --data-dir.`,
    });
  }
}

const taken = (folder: string, holder: Holder): string =>
  `Limen already runs in ${folder}, at ${holder.url} (process ${holder.pid}); stop it first or name another folder with --data-dir.`;

/** Writes the lock in one step that fails if there is one; answers the living holder, undefined when it is ours. */
function takeLock(lock: string, content: string): Holder | undefined {
  const draft = `${lock}.${randomToken()}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < maximumAttempts; attempt++) {
      if (linked(draft, lock)) return undefined;
      const found = readLock(lock);
      const holder = found === undefined ? undefined : parseHolder(found);
      if (holder !== undefined && isRunning(holder.pid, holder.started)) return holder;
      if (found !== undefined) removeStale(lock, found);
    }
    throw new Error(`${lock} changes all the time`);
  } finally {
    rmSync(draft, { force: true });
  }
}

const maximumAttempts = 10;

/** Another starter may have replaced the stale lock since it was read: then what was moved away goes back. */
function removeStale(lock: string, stale: string): void {
  const aside = `${lock}.${randomToken()}`;
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (readLock(aside) !== stale) linked(aside, lock);
  rmSync(aside, { force: true });
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function readLock(lock: string): string | undefined {
  try {
    return readFileSync(lock, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function parseHolder(content: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(content);
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('pid' in value && 'started' in value && 'url' in value)) return undefined;
    const { pid, started, url } = value;
    if (typeof pid !== 'number' || typeof started !== 'string' || typeof url !== 'string') return undefined;
    return { pid, started, url };
  } catch {
    return undefined;
  }
}

/** The boundary where a folder becomes a claim. */
const newClaim = (folder: string, release: () => void): FolderClaim => ({ folder, release }) as FolderClaim;

/** A system call's error code, such as `EACCES`. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
