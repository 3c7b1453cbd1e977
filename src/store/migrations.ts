import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReservedSql, Sql } from 'postgres';
import { sha256 } from '../core/crypto.ts';
import { err, ok, type Result } from '../core/result.ts';

/** The schema's history: numbered SQL files that are never edited once released. */
export type MigrationFile = { readonly name: string; readonly sql: string };

export type Migrated = {
  /** Applied by this call, in order. */
  readonly applied: readonly string[];
  /** Applied by a newer version of this program, which may run beside this one. */
  readonly ahead: readonly string[];
};

export type MigrationFault = {
  readonly kind: 'altered' | 'out_of_order' | 'failed' | 'unreachable';
  /** The file, where one is at fault. */
  readonly name?: string;
  readonly sentence: string;
};

/** A comment in the file's head that takes it out of a transaction; such a file holds one statement. */
const noTransaction = /^-- limen: no transaction$/m;

/** Any number will do that no other program uses as an advisory lock in this database. */
const lockKey = 5_402_637_113;

/** The files in `drizzle/`, sorted by their number; read from the source folder or from inside the single executable. */
export function migrationFiles(): readonly MigrationFile[] {
  const folder = folderWithFiles();
  return namesIn(folder).map((name) => ({ name, sql: readFileSync(join(folder, name), 'utf8') }));
}

/** `bun build --compile --asset drizzle` puts the folder beside the bundle, which is one file; the source has rooms. */
function folderWithFiles(): string {
  const folder = [join(import.meta.dir, 'drizzle'), join(import.meta.dir, '..', '..', 'drizzle')].find(
    (candidate) => namesIn(candidate).length > 0,
  );
  if (folder === undefined) throw new Error('there are no migrations: build with --asset drizzle');
  return folder;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d{4}_\w+\.sql$/.test(name))
      .sort();
  } catch {
    return [];
  }
}

/**
 * Brings a database up to date, one transaction per file; processes that start together take turns. Needs a direct
 * connection: the lock belongs to a server session, which a transaction pooler would change under it.
 */
export async function migrate(
  sql: Sql,
  files: readonly MigrationFile[],
  progress: (sentence: string) => void = () => {},
): Promise<Result<Migrated, MigrationFault>> {
  const session = await withDatabase(sql.reserve());
  if (!session.ok) return session;
  try {
    const turn = await withDatabase(takeTurn(session.value, progress));
    if (!turn.ok) return turn;
    const before = await withDatabase(readApplied(session.value));
    if (!before.ok) return before;
    const plan = planOf(files, before.value);
    if (!plan.ok) return plan;
    for (const file of plan.value.pending) {
      progress(`Migrating: ${file.name}`);
      const fault = await apply(session.value, file);
      if (fault !== undefined) return err(fault);
    }
    return ok({ applied: plan.value.pending.map(({ name }) => name), ahead: plan.value.ahead });
  } finally {
    // A session that broke has given the lock back already.
    await session.value`SELECT pg_advisory_unlock(${lockKey})`.catch(() => {});
    await session.value`RESET statement_timeout`.catch(() => {});
    session.value.release();
  }
}

async function takeTurn(session: ReservedSql, progress: (sentence: string) => void): Promise<void> {
  // Statements that serve requests are cut after seconds; building an index takes what it takes.
  await session`SET statement_timeout = 0`;
  for (let announced = false; !(await takesLock(session)); announced = true) {
    if (!announced) progress('Another process is migrating this database; waiting for it');
    await Bun.sleep(turnPollMilliseconds);
  }
}

const turnPollMilliseconds = 100;

/** Asked for again and again: a statement that waits for the lock has a snapshot, for which CONCURRENTLY would wait. */
async function takesLock(session: ReservedSql): Promise<boolean> {
  const [row] = await session`SELECT pg_try_advisory_lock(${lockKey}) AS taken`;
  return row?.['taken'] === true;
}

/** SHA-256 by file name. */
type Applied = ReadonlyMap<string, string>;

async function readApplied(session: ReservedSql): Promise<Applied> {
  const [found] = await session`SELECT to_regclass('migrations') IS NOT NULL AS there`;
  if (found?.['there'] !== true) {
    await session`CREATE TABLE migrations (name text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())`;
  }
  const rows = await session`SELECT name, sha256 FROM migrations`;
  return new Map(rows.map((row) => [String(row['name']), String(row['sha256'])]));
}

type Plan = { readonly pending: readonly MigrationFile[]; readonly ahead: readonly string[] };

/** What is to be applied; refuses a history that differs from the database's. */
export function planOf(files: readonly MigrationFile[], applied: Applied): Result<Plan, MigrationFault> {
  const altered = files.find((file) => applied.has(file.name) && applied.get(file.name) !== digestOf(file));
  if (altered !== undefined) {
    return err({
      kind: 'altered',
      name: altered.name,
      sentence: `The migration ${altered.name} is not what was applied to this database; restore the released file and put the change into a new one.`,
    });
  }
  const pending = files.filter(({ name }) => !applied.has(name));
  const newest = [...applied.keys()].sort().at(-1) ?? '';
  const late = pending.find(({ name }) => name < newest);
  if (late !== undefined) {
    return err({
      kind: 'out_of_order',
      name: late.name,
      sentence: `The migration ${late.name} comes before ${newest}, which this database already has; give it a number after that.`,
    });
  }
  const known = new Set(files.map(({ name }) => name));
  return ok({ pending, ahead: [...applied.keys()].filter((name) => !known.has(name)).sort() });
}

const digestOf = (file: MigrationFile): string => sha256(file.sql).toString('hex');

async function apply(session: ReservedSql, file: MigrationFile): Promise<MigrationFault | undefined> {
  const single = noTransaction.test(file.sql);
  const applied = await withDatabase(single ? applyAlone(session, file) : applyInTransaction(session, file));
  if (applied.ok) return undefined;
  const left = single
    ? 'it ran outside a transaction, so look for what it left, such as an invalid index'
    : 'nothing of it was kept';
  return {
    kind: 'failed',
    name: file.name,
    sentence: `The migration ${file.name} failed (${applied.error.reason}); ${left}.`,
  };
}

async function applyInTransaction(session: ReservedSql, file: MigrationFile): Promise<void> {
  await session`BEGIN`;
  try {
    await session.unsafe(file.sql);
    await record(session, file);
    await session`COMMIT`;
  } catch (error) {
    await session`ROLLBACK`.catch(() => {});
    throw error;
  }
}

/** Fails between its two steps at worst, so such a statement is written to bear repetition (`IF NOT EXISTS`). */
async function applyAlone(session: ReservedSql, file: MigrationFile): Promise<void> {
  await session.unsafe(file.sql);
  await record(session, file);
}

const record = (session: ReservedSql, file: MigrationFile) =>
  session`INSERT INTO migrations (name, sha256) VALUES (${file.name}, ${digestOf(file)})`;

type DatabaseFault = { readonly kind: 'unreachable'; readonly reason: string; readonly sentence: string };

/** What the server or the network refuses becomes a value; all else is a bug and goes on as one. */
async function withDatabase<Value>(work: PromiseLike<Value>): Promise<Result<Value, DatabaseFault>> {
  try {
    return ok(await work);
  } catch (error) {
    // postgres.js gives both a code: an SQLSTATE, or the network's.
    if (!(error instanceof Error && 'code' in error)) throw error;
    const reason = error.message;
    return err({
      kind: 'unreachable',
      reason,
      sentence: `The database cannot be migrated (${reason}); see DATABASE_URL.`,
    });
  }
}
