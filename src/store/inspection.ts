import { decodeBase64url } from '../core/base64url.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Database } from './database.ts';
import { DatabaseFault, toFault } from './fault.ts';
import { migrationFiles, planOf } from './migrations.ts';
import { type Coverage, partitionsAhead } from './partitions.ts';

/** What an operator must know of the database before trusting it; read only, so it also works on an empty one. */
export type Inspection = {
  /** As `server_version_num`: 160004 is 16.4. */
  readonly versionNumber: number;
  readonly encoding: string;
  /** true: a standby, which takes no writes. */
  readonly isReadOnly: boolean;
  /** How far the database's clock is ahead of this process's (behind: negative), and how exactly that is known. */
  readonly clockAheadMilliseconds: number;
  readonly clockToleranceMilliseconds: number;
  /** Connections that the server takes in all. */
  readonly connectionLimit: number;
  readonly migrations: {
    readonly pending: readonly string[];
    readonly ahead: readonly string[];
    /** A history that differs from ours, as a sentence. */
    readonly fault: string | null;
  };
  /** What follows needs the schema; null where it is not complete. */
  readonly schema: {
    readonly partitions: readonly Coverage[];
    readonly realms: number;
    /** Ids of the ring entries that sealed something here. */
    readonly sealingKeyIds: readonly string[];
  } | null;
};

/** The inspection, or the code of what kept us from the database (SQLSTATE, or the network's name of the error). */
export async function inspectDatabase(database: Database, clock: Clock): Promise<Result<Inspection, string>> {
  try {
    return ok(await inspect(database, clock));
  } catch (thrown) {
    const fault = toFault(thrown);
    if (fault instanceof DatabaseFault && fault.kind === 'unavailable') return err(fault.code);
    if (fault instanceof DatabaseFault && refusals.has(fault.code.slice(0, 2))) return err(fault.code);
    throw fault;
  }
}

/** SQLSTATE classes: invalid authorization, no such database, insufficient privilege. */
const refusals = new Set(['28', '3D', '42']);

async function inspect(database: Database, clock: Clock): Promise<Inspection> {
  const { sql } = database;
  // The first query opens the connection; the second one's round trip is short, so that its clock means something.
  const [server] = await sql<{ version: string; encoding: string; standby: boolean; connections: string }[]>`
    SELECT current_setting('server_version_num') AS version, current_setting('server_encoding') AS encoding,
      pg_is_in_recovery() AS standby, current_setting('max_connections') AS connections`;
  const asked = clock();
  const [time] = await sql<{ now: Instant }[]>`SELECT clock_timestamp() AS now`;
  const answered = clock();
  const migrations = await inspectMigrations(database);
  const isComplete = migrations.pending.length === 0 && migrations.fault === null;
  return {
    versionNumber: Number(server?.version),
    encoding: server?.encoding ?? '',
    isReadOnly: server?.standby ?? false,
    clockAheadMilliseconds: Math.round((time?.now ?? Number.NaN) - (asked + answered) / 2),
    clockToleranceMilliseconds: Math.ceil((answered - asked) / 2) + 1,
    connectionLimit: Number(server?.connections),
    migrations,
    schema: isComplete ? await inspectSchema(database, time?.now ?? asked) : null,
  };
}

async function inspectMigrations({ sql }: Database): Promise<Inspection['migrations']> {
  const [found] = await sql<{ there: boolean }[]>`SELECT to_regclass('migrations') IS NOT NULL AS there`;
  const rows =
    found?.there === true ? await sql<{ name: string; sha256: string }[]>`SELECT name, sha256 FROM migrations` : [];
  const plan = planOf(migrationFiles(), new Map(rows.map((row) => [row.name, row.sha256])));
  if (!plan.ok) return { pending: [], ahead: [], fault: plan.error.sentence };
  return { pending: plan.value.pending.map((file) => file.name), ahead: plan.value.ahead, fault: null };
}

async function inspectSchema({ sql }: Database, now: Instant): Promise<Inspection['schema']> {
  const partitions = await partitionsAhead(sql, now);
  const [counted] = await sql<{ realms: number }[]>`SELECT count(*) AS realms FROM realms`;
  const rows = await sql<{ head: string }[]>`
    SELECT left(secrets_sealed, 8) AS head FROM realms
    UNION SELECT left(private_sealed, 8) FROM signing_keys WHERE private_sealed IS NOT NULL
    UNION SELECT left(entry ->> 'sealed', 8) FROM clients, jsonb_array_elements(secrets) AS entry WHERE entry ? 'sealed'`;
  const keyIds = rows.map(({ head }) => decodeBase64url(head)?.toString('hex', 1, 5) ?? 'unreadable');
  return { partitions, realms: counted?.realms ?? 0, sealingKeyIds: [...new Set(keyIds)].toSorted() };
}
