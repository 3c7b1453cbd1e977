import type { PgDatabase } from 'drizzle-orm/pg-core';
import { drizzle, type PostgresJsQueryResultHKT } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import { rejectAsFault } from './fault.ts';

/** Drizzle on the pool, or on one transaction of it: what a query that may be part of a larger change takes. */
export type Executor = PgDatabase<PostgresJsQueryResultHKT>;

export type Sql = postgres.Sql;

/** What `sql.begin` hands to its callback. */
export type SqlInTransaction = postgres.TransactionSql;

/**
 * One pool under two tongues. Values are the same in both: timestamptz is an `Instant` (number), bigint a number, bytea
 * bytes, jsonb an object. In raw `sql` a document is passed as `${sql.json(document)}`, an instant as `${at}::timestamptz`.
 * Only a query made with Drizzle's `.prepare(name)` or with tagged `sql` costs one round trip; the builder's costs two.
 */
export type Database = {
  readonly sql: Sql;
  readonly db: Executor;
  /** Commits what `work` did, or undoes it if `work` rejects; a caught failure of a statement inside still undoes it. */
  readonly transaction: <Value>(work: (executor: Executor) => Promise<Value>) => Promise<Value>;
  /** Lets statements in flight end, then closes the connections. */
  readonly close: () => Promise<void>;
};

/** What a store needs that may also work within a change of somebody else's (`changeConfigurationAtOnce`). */
export type Transactional = Pick<Database, 'db' | 'transaction'> & {
  /** Within a configuration write that has raised the version already. */
  readonly isWithinChange?: true;
};

export type DatabaseOptions = {
  readonly url: Secret | string;
  readonly connections: number;
  readonly applicationName: string;
  readonly statementTimeoutMilliseconds?: number;
  /** Called with the text of every statement sent, BEGIN and COMMIT included: for tests that count round trips. */
  readonly onStatement?: (statement: string) => void;
};

const connectTimeoutSeconds = 10;
/** The driver's own goes up to twenty seconds, in which every request waits although the database is back. */
const longestBackoffSeconds = 0.5;
const closeTimeoutSeconds = 5;
const defaultStatementTimeoutMilliseconds = 15_000;

/** The only place that knows the driver. Connections are opened when first needed. */
export function openDatabase(options: DatabaseOptions): Database {
  const url = options.url instanceof Secret ? options.url.reveal() : options.url;
  const { onStatement } = options;
  const statementTimeout = options.statementTimeoutMilliseconds ?? defaultStatementTimeoutMilliseconds;
  const socket = socketOf(url);
  const settings: postgres.Options<Record<string, postgres.PostgresType>> = {
    ...(socket ?? {}),
    max: options.connections,
    connect_timeout: connectTimeoutSeconds,
    backoff: (retries) => Math.min(3 ** retries / 100, longestBackoffSeconds),
    connection: {
      application_name: options.applicationName,
      // A partitioned table planned anew at each execution costs two to three times the CPU per statement.
      plan_cache_mode: 'force_generic_plan',
      statement_timeout: statementTimeout,
      idle_in_transaction_session_timeout: statementTimeout,
      TimeZone: 'UTC',
    },
    onnotice: () => {},
    ...(onStatement === undefined ? {} : { debug: (_: number, statement: string) => tell(onStatement, statement) }),
  };
  const client = socket === null ? postgres(url, settings) : postgres(settings);
  const db: Executor = drizzle(client);
  setCodecs(client);
  return {
    sql: client,
    db,
    transaction: (work) => rejectAsFault(() => db.transaction(work)),
    close: () => client.end({ timeout: closeTimeoutSeconds }),
  };
}

/** Without the driver's own question, once per connection, after the array types. */
function tell(onStatement: (statement: string) => void, statement: string): void {
  if (!statement.includes('pg_catalog.pg_type')) onStatement(statement);
}

const oid = { int8: '20', json: '114', jsonb: '3802', timestamptz: '1184' } as const;

/**
 * `drizzle(client)` makes the client's codecs for instants and documents pass text through, for raw queries too. These
 * replace them, after it, by ones that raw queries, `columns.ts` and Drizzle's own column types can all live with.
 */
function setCodecs({ options: { parsers, serializers } }: Sql): void {
  const codecs: { readonly [oid: string]: (value: unknown) => unknown } = serializers;
  const table = codecs as { [oid: string]: (value: unknown) => unknown };
  parsers[Number(oid.int8)] = Number;
  parsers[Number(oid.timestamptz)] = readInstant;
  table[oid.timestamptz] = writeInstant;
  table[oid.json] = writeDocument;
  table[oid.jsonb] = writeDocument;
}

/** `2026-11-23 17:14:15.484123+00`, as Postgres writes it in the zone UTC. */
const readInstant = (text: string): Instant => Date.parse(`${text.slice(0, 10)}T${text.slice(11).replace('+00', 'Z')}`);

const writeInstant = (value: unknown): unknown =>
  typeof value === 'number' || value instanceof Date ? new Date(value).toISOString() : value;

/** A text is JSON already: Drizzle's own jsonb column encodes before the driver does. */
const writeDocument = (value: unknown): unknown => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * A Unix socket is named as libpq does it: `postgres://user@localhost/limen?host=/run/postgresql`, or the folder
 * percent-encoded in the host's place. The driver reads neither form.
 */
function socketOf(url: string): { host: string; port: number; user?: string; pass?: string; database?: string } | null {
  const parts = /^postgres(?:ql)?:\/\/(?:([^:@/?]*)(?::([^@/?]*))?@)?([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url);
  if (parts === null) return null;
  const [, user, password, authority = '', database, query] = parts;
  const parameters = new URLSearchParams(query);
  const [encodedHost = '', encodedPort] = authority.split(':');
  const hosts = parameters.get('host') ?? decodeURIComponent(encodedHost);
  // The first of a list; a closing slash is no part of the folder's name.
  const host = hosts.replace(/\/?(,.*)?$/, '');
  if (!host.startsWith('/')) return null;
  return {
    host,
    port: Number(parameters.get('port') ?? encodedPort ?? 5432),
    ...named('user', user ?? parameters.get('user')),
    ...named('pass', password),
    ...named('database', database),
  };
}

const named = <Name extends string>(name: Name, value: string | null | undefined): { [Key in Name]?: string } =>
  value ? ({ [name]: decodeURIComponent(value) } as { [Key in Name]?: string }) : {};
