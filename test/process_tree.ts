import { readdirSync } from 'node:fs';
import { isRunning, type ProcessEntry, readProcess } from '../src/demo/process_table.ts';

const listed = (): readonly number[] =>
  process.platform === 'linux'
    ? readdirSync('/proc').map(Number)
    : Bun.spawnSync(['ps', '-axo', 'pid=']).stdout.toString().split('\n').map(Number);

/** All that a process has started, and what they have: as they are now. */
export function descendantsOf(pid: number): readonly ProcessEntry[] {
  const entries = listed().flatMap((listedPid) => readProcess(listedPid) ?? []);
  const below = (parent: number): readonly ProcessEntry[] =>
    entries.filter((entry) => entry.parent === parent).flatMap((entry) => [entry, ...below(entry.pid)]);
  return below(pid);
}

/** Waits until none of them runs; the ones that still do after ten seconds. */
export async function survivors(entries: readonly ProcessEntry[]): Promise<readonly ProcessEntry[]> {
  const alive = (): readonly ProcessEntry[] => entries.filter(({ pid, started }) => isRunning(pid, started));
  for (let poll = 0; poll < 200 && alive().length > 0; poll += 1) await Bun.sleep(50);
  return alive();
}
