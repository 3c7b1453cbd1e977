import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok, type Result } from '../../core/result.ts';
import { reasonOf } from '../folder_lock.ts';
import { runCommand } from './command.ts';
import { interrupted, type StartFault, wasInterrupted } from './faults.ts';
import { abandon, findData, orderOf, type Place, placeOn, type RungName } from './ladder.ts';

export type ClusterOptions = {
  readonly native: string;
  readonly folder: string;
  readonly ladder: readonly RungName[];
  readonly progress: (sentence: string) => void;
  readonly signal?: AbortSignal | undefined;
};

/** A data folder with the database `limen` in it, made where there is none, and the first rung on which Postgres runs. */
export async function prepareCluster(options: ClusterOptions): Promise<Result<Place, StartFault>> {
  const { folder, signal } = options;
  if (findData(folder) === undefined) options.progress('Making a database (once)');
  const refusals: string[] = [];
  for (const rung of orderOf(options.ladder, folder)) {
    const settled = await settle(rung, options);
    if (wasInterrupted(signal)) return err(interrupted);
    if (settled.ok) return settled;
    if (typeof settled.error !== 'string') return err(settled.error);
    refusals.push(`${rung}: ${settled.error.replaceAll(/\s+/g, ' ').trim()}`);
  }
  return err({
    kind: 'initdb_failed',
    sentence: `Postgres cannot be run in ${folder} (${refusals.join('; ')}); see that the folder is writable and the disk has room, start as another user, or set DATABASE_URL to a Postgres of your own and use \`limen serve\`.`,
  });
}

/** A fault ends the ladder; a text says why this rung does not bear, and the next is tried. */
type Settled = Result<Place, StartFault | string>;

async function settle(rung: RungName, options: ClusterOptions): Promise<Settled> {
  try {
    const place = placeOn(rung, options.native, options.folder);
    if (place === undefined) return err('not on this system');
    const existed = existsSync(join(place.data, 'PG_VERSION'));
    const settled = await tryPlace(place, existed, options.signal);
    if (!settled.ok && !existed) abandon(place, options.folder);
    return settled;
  } catch (error) {
    return err(reasonOf(error));
  }
}

async function tryPlace(place: Place, existed: boolean, signal: AbortSignal | undefined): Promise<Settled> {
  const version = await runCommand(place.command('postgres', '--version'), { userId: place.userId, signal });
  if (!version.succeeded) return err(version.output);
  return existed ? checkVersion(place, version.output) : initialise(place, signal);
}

function checkVersion(place: Place, program: string): Settled {
  const data = readFileSync(join(place.data, 'PG_VERSION'), 'utf8').trim();
  const [, major] = /PostgreSQL\) (\d+)/.exec(program) ?? [];
  if (major === data) return ok(place);
  return err({
    kind: 'other_version',
    sentence: `The data in ${place.data} was made by Postgres ${data}, this is Postgres ${major ?? program}; move that folder away to begin anew.`,
  });
}

const initdbOptions = [
  ['-U', 'postgres'],
  ['-A', 'trust'],
  ['-E', 'UTF8'],
  ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-sync', '--no-instructions'],
].flat();

/** All is made beside the data folder and renamed at the end: what was interrupted half-way is not taken for a database. */
async function initialise(place: Place, signal: AbortSignal | undefined): Promise<Settled> {
  const draft = `${place.data}.new`;
  rmSync(draft, { recursive: true, force: true });
  const options = { userId: place.userId, signal };
  const made = await runCommand(place.command('initdb', '-D', draft, ...initdbOptions), options);
  if (!made.succeeded) return err(made.output);
  // Single-user mode: no driver, no port, and the rename covers this step as well.
  const input = 'CREATE DATABASE limen;\n';
  const created = await runCommand(place.command('postgres', '--single', '-D', draft, 'postgres'), {
    ...options,
    input,
  });
  if (!created.succeeded || /ERROR|FATAL|PANIC/.test(created.output)) return err(created.output);
  renameSync(draft, place.data);
  return ok(place);
}
