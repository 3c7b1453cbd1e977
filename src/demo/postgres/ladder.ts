import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemPath } from '../process_table.ts';

/** Postgres refuses to run as root. Every way round it makes the server believe, or be, this account. */
const nobody = 65534;

/**
 * - `plain`: as the caller.
 * - `namespace`: the server sees itself as nobody, its files stay the caller's. Also cures an account that no passwd entry
 *   names. Container runtimes often forbid it.
 * - `setpriv`: as nobody, with the one capability that reaches binaries and data under private folders. Without the
 *   securebit, access(2) would drop that capability and Postgres could not find its own path.
 * - `copy`: as nobody, with binaries and data copied to where nobody can reach them.
 */
export type RungName = 'plain' | 'namespace' | 'setpriv' | 'copy';

export const ladderOf = (userId: number): readonly RungName[] =>
  userId === 0 ? ['namespace', 'setpriv', 'copy'] : ['plain', 'namespace'];

const prefixes: { readonly [Name in RungName]: readonly string[] } = {
  plain: [],
  namespace: ['unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`],
  setpriv: [
    'setpriv',
    `--reuid=${nobody}`,
    `--regid=${nobody}`,
    '--clear-groups',
    '--inh-caps=-all,+dac_override',
    '--ambient-caps=-all,+dac_override',
    '--securebits=+no_setuid_fixup',
  ],
  copy: [],
};

/** Where and how the programs of Postgres run. */
export type Place = {
  readonly rung: RungName;
  /** Data folder of the server. */
  readonly data: string;
  /** Account that owns the server's files; undefined: the caller. */
  readonly owner: number | undefined;
  /** Account to spawn as; undefined: the caller. */
  readonly userId: number | undefined;
  command(program: string, ...rest: readonly string[]): readonly string[];
};

/** The place for a rung, with the files of an earlier start moved over to its account; undefined: not on this system. */
export function placeOn(rung: RungName, native: string, folder: string): Place | undefined {
  const [wrapper, ...wrapping] = prefixes[rung];
  const wrapperPath = wrapper === undefined ? undefined : Bun.which(wrapper, { PATH: systemPath });
  if (wrapperPath === null) return undefined;
  const prefix = wrapperPath === undefined ? [] : [wrapperPath, ...wrapping];
  const home = rung === 'copy' ? copyOf(native, folder) : undefined;
  const binaries = home === undefined ? native : join(home, 'native');
  const owner = rung === 'setpriv' || rung === 'copy' ? nobody : undefined;
  const data = home === undefined ? join(folder, 'postgres') : join(home, 'cluster', 'data');
  giveTree(data, owner ?? process.geteuid?.() ?? 0);
  return {
    rung,
    data,
    owner,
    userId: rung === 'copy' ? nobody : undefined,
    command: (program, ...rest) => [...prefix, join(binaries, 'bin', program), ...rest],
  };
}

/** Rungs in the order to try: what an earlier start settled on comes first, for its data is there. */
export function orderOf(ladder: readonly RungName[], folder: string): readonly RungName[] {
  if (findCopy(folder) !== undefined) return ['copy'];
  const data = join(folder, 'postgres');
  if (!existsSync(data) || lstatSync(data).uid !== nobody || !ladder.includes('setpriv')) return ladder;
  return ['setpriv', ...ladder.filter((rung) => rung !== 'setpriv')];
}

/** Where the data is now, if anywhere. */
export function findData(folder: string): string | undefined {
  const home = findCopy(folder);
  const data = home === undefined ? join(folder, 'postgres') : join(home, 'cluster', 'data');
  return existsSync(data) ? data : undefined;
}

const pointerOf = (folder: string): string => join(folder, 'postgres.elsewhere');

/** The folder that the rung `copy` made for this one. */
function findCopy(folder: string): string | undefined {
  const pointer = pointerOf(folder);
  if (!existsSync(pointer)) return undefined;
  const home = readFileSync(pointer, 'utf8').trim();
  if (!home.startsWith('/') || !existsSync(home)) return undefined;
  // /var/tmp is anyone's: after a clean-up another account could have made a folder of that name.
  return lstatSync(home).uid === process.geteuid?.() && lstatSync(home).isDirectory() ? home : undefined;
}

function copyOf(native: string, folder: string): string {
  const known = findCopy(folder);
  if (known !== undefined) return known;
  const home = mkdtempSync('/var/tmp/limen-postgres-');
  const cluster = join(home, 'cluster');
  chmodSync(home, 0o755);
  cpSync(native, join(home, 'native'), { recursive: true, verbatimSymlinks: true });
  mkdirSync(cluster, { mode: 0o700 });
  chownSync(cluster, nobody, nobody);
  const data = join(folder, 'postgres');
  if (existsSync(data)) cpSync(data, join(cluster, 'data'), { recursive: true, verbatimSymlinks: true });
  writeFileSync(pointerOf(folder), home, { mode: 0o600 });
  return home;
}

/** Removes what `placeOn` copied where Postgres does not run there either, so that the next start tries every rung. */
export function abandon(place: Place, folder: string): void {
  const home = place.rung === 'copy' ? findCopy(folder) : undefined;
  if (home === undefined) return;
  rmSync(pointerOf(folder), { force: true });
  rmSync(home, { recursive: true, force: true });
}

/** Hands a folder and all in it to an account, if it has another owner; needs root, as only root's ladder changes owners. */
function giveTree(path: string, userId: number): void {
  if (!existsSync(path) || lstatSync(path).uid === userId) return;
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    lchownSync(join(path, name), userId, userId);
  lchownSync(path, userId, userId);
}
