import { existsSync, lstatSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { err, ok, type Result } from '../../core/result.ts';
import { isPostgresOf, type ProcessEntry, postgresProcessesOf, readProcess } from '../process_table.ts';
import type { StartFault } from './faults.ts';

export type Found = 'nothing' | 'orphan' | 'remains';

/**
 * Ends the server that a killed supervisor left in a data folder, and clears what a killed server left. Postgres itself
 * would refuse: it takes a zombie, or any process that has the old pid by now, for a living server. The caller holds the
 * folder's claim, so nobody's working database is ended.
 */
export async function recover(data: string): Promise<Result<Found, StartFault>> {
  const pidFile = join(data, 'postmaster.pid');
  const remains = readPidFile(data);
  const realData = realpathSync(data);
  const postmaster = remains === undefined ? undefined : readProcess(remains.pid);
  const orphan = postmaster !== undefined && isPostgresOf(postmaster, realData) ? postmaster : undefined;
  if (orphan !== undefined) await endByEscalation([orphan], realData);
  // Without their postmaster, children end as soon as they wait for something; until then they hold its shared memory.
  await endByEscalation(postgresProcessesOf(realData), realData);
  const [survivor] = orphan === undefined ? [] : [orphan].filter((entry) => stillThere(entry, realData));
  if (survivor !== undefined) return err(orphanRemains(survivor.pid, data));
  if (remains === undefined) return ok('nothing');
  rmSync(pidFile, { force: true });
  if (remains.socketFolder !== undefined) removeSocketFolder(remains.socketFolder);
  return ok(orphan === undefined ? 'remains' : 'orphan');
}

export type PidFile = {
  readonly pid: number;
  readonly socketFolder: string | undefined;
  /** The server accepts connections. */
  readonly ready: boolean;
};

/** `postmaster.pid`: pid, data folder, start, port, socket folder, listen address, shared memory, status; one a line. */
export function readPidFile(data: string): PidFile | undefined {
  const path = join(data, 'postmaster.pid');
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'latin1').split('\n');
  return { pid: Number(lines[0]), socketFolder: lines[4]?.trim() || undefined, ready: lines[7]?.trim() === 'ready' };
}

/** Fast shutdown, then immediate, then none: each gets its time. */
const escalation = [
  { signal: 'SIGINT', polls: 100 },
  { signal: 'SIGQUIT', polls: 100 },
  { signal: 'SIGKILL', polls: 40 },
] as const;
const pollMilliseconds = 50;

async function endByEscalation(entries: readonly ProcessEntry[], data: string): Promise<void> {
  for (const { signal, polls } of escalation) {
    const alive = entries.filter((entry) => stillThere(entry, data));
    if (alive.length === 0) return;
    for (const { pid } of alive) sendSignal(pid, signal);
    for (let poll = 0; poll < polls && entries.some((entry) => stillThere(entry, data)); poll++) {
      await Bun.sleep(pollMilliseconds);
    }
  }
}

function stillThere(entry: ProcessEntry, data: string): boolean {
  const now = readProcess(entry.pid);
  return now !== undefined && now.started === entry.started && isPostgresOf(now, data);
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between, or belongs to another account: the next look tells.
  }
}

const orphanRemains = (pid: number, data: string): StartFault => ({
  kind: 'orphan_remains',
  sentence: `Postgres process ${pid} of an earlier start still works in ${data} and does not end; end it (kill ${pid}) and start again.`,
});

/** Only what `newSocketFolder` makes is removed, whatever the file says. */
function removeSocketFolder(path: string): void {
  if (!basename(path).startsWith(socketFolderPrefix) || !existsSync(path)) return;
  if (lstatSync(path).isDirectory()) rmSync(path, { recursive: true, force: true });
}

export const socketFolderPrefix = 'limen-socket-';
