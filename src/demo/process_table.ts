import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Other processes of this machine, as far as the demo must know them: who started it, who holds its folder. */
export type ProcessEntry = {
  readonly pid: number;
  readonly parent: number;
  /** Dead, but not yet reaped: it holds nothing, although signals to it succeed. */
  readonly zombie: boolean;
  /** Opaque; with the pid it names a process, whereas a pid alone may have been given to another by now. */
  readonly started: string;
  readonly command: string;
};

/** The process with this pid, or undefined where there is none. */
export function readProcess(pid: number): ProcessEntry | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === 'linux' ? readFromProc(pid) : readFromPs(pid);
}

/** Whether the process that once was seen as `pid` and `started` still runs. */
export function isRunning(pid: number, started: string): boolean {
  const entry = readProcess(pid);
  return entry !== undefined && !entry.zombie && entry.started === started;
}

export function ownProcess(): ProcessEntry {
  const entry = readProcess(process.pid);
  if (entry === undefined)
    throw new Error('the process table does not list this process: is /proc mounted, is ps there?');
  return entry;
}

/** Whether this process is a Postgres whose data folder is `data` (a real path). A shell that stands there is none. */
export function isPostgresOf(entry: ProcessEntry, data: string): boolean {
  if (entry.zombie) return false;
  if (process.platform !== 'linux') return entry.command.includes('postgres') && entry.command.includes(data);
  try {
    const name = readFileSync(`/proc/${entry.pid}/comm`, 'utf8').trim();
    return name === 'postgres' && readlinkSync(`/proc/${entry.pid}/cwd`) === data;
  } catch {
    return false;
  }
}

/** Every running Postgres process of a data folder, its children included; only the system's /proc can tell. */
export function postgresProcessesOf(data: string): readonly ProcessEntry[] {
  if (process.platform !== 'linux') return [];
  const entries = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)));
  return entries.filter((entry): entry is ProcessEntry => entry !== undefined && isPostgresOf(entry, data));
}

function readFromProc(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may itself hold spaces and parentheses (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return {
      pid,
      parent: Number(fields[1]),
      zombie: fields[0] === 'Z' || fields[0] === 'X',
      started: `${fields[19]}@${bootId}`,
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
    };
  } catch {
    return undefined;
  }
}

const psLine = /^\s*(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+[\d:]+\s+\d+)\s*(.*)$/;

/** The same by ps(1), for systems without /proc. */
export function readFromPs(pid: number): ProcessEntry | undefined {
  const { stdout } = Bun.spawnSync(['ps', '-ww', '-o', 'ppid=,stat=,lstart=,command=', '-p', String(pid)], {
    env: { PATH: systemPath, LC_ALL: 'C', TZ: 'UTC' },
    stderr: 'ignore',
  });
  const [, parent, state, started, command] = psLine.exec(stdout.toString().trimEnd()) ?? [];
  if (parent === undefined || state === undefined || started === undefined) return undefined;
  return { pid, parent: Number(parent), zombie: state.startsWith('Z'), started, command: command ?? '' };
}

/** Where system programs are, whatever the caller's environment says. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
