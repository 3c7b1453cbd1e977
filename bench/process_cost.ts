import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts CPU time in hundredths of a second (proc(5), `_SC_CLK_TCK`). */
const microsecondsPerTick = 10_000;

type Times = { readonly parent: number; readonly own: number; readonly ofReaped: number };

/** CPU time of a process and of all that descend from it, living or reaped; microseconds. */
export function cpuMicroseconds(root: number): number {
  const all = new Map<number, Times>();
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? readTimes(name) : null;
    if (times !== null) all.set(Number(name), times);
  }
  const total = (pid: number): number => {
    const times = all.get(pid);
    if (times === undefined) return 0;
    const children = [...all].filter(([, { parent }]) => parent === pid);
    return times.own + times.ofReaped + children.reduce((sum, [child]) => sum + total(child), 0);
  };
  return total(root) * microsecondsPerTick;
}

/** CPU time of one process alone; microseconds. */
export const ownCpuMicroseconds = (pid: number): number => (readTimes(String(pid))?.own ?? 0) * microsecondsPerTick;

function readTimes(pid: string): Times | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may itself hold spaces and parentheses (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const tick = (index: number): number => Number(fields[index]);
    return { parent: tick(1), own: tick(11) + tick(12), ofReaped: tick(13) + tick(14) };
  } catch {
    return null;
  }
}

/** Resident memory of one process; bytes. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1')) ?? [];
  return Number(kilobytes ?? 0) * 1024;
}

/** Of the last minute: what else the machine did while measuring. */
export const loadAverage = (): number => Number(readFileSync('/proc/loadavg', 'latin1').split(' ')[0]);
