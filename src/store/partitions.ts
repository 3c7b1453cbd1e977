import { instantOfTimedId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import { longestFamilySeconds, settings } from '../core/settings.ts';
import type { Instant } from '../core/time.ts';
import type { Database, Sql, SqlInTransaction } from './database.ts';
import { guarded } from './fault.ts';
import { coveredUntil, missingRanges, type Range } from './partition_ranges.ts';

/**
 * A range-partitioned table. `timed_id`: by the instant in the first 48 bits of a uuid key (core/ids.ts); `instant`: by a
 * timestamptz. A leaf is dropped `keepSeconds` after its last instant, when nothing in it can matter any more.
 */
export type PartitionedTable = {
  readonly table: string;
  readonly key: 'timed_id' | 'instant';
  readonly widthSeconds: number;
  /** How far beyond now rows are written. */
  readonly aheadSeconds: number;
  readonly keepSeconds: number;
  /** Below 100 where rows are updated, so that updates stay in their page (HOT). */
  readonly fillfactor: number;
};

const hour = 60 * 60;
const day = 24 * hour;
const longestRunSeconds = settings.runLifetimeSeconds.schema.maximum ?? unreachable('run lifetime is bounded');

/** One row per partitioned table. A generic plan locks every leaf, so widths keep the leaves of hot tables few. */
export const partitionedTables: readonly PartitionedTable[] = [
  // The id's instant is the absolute expiry.
  {
    table: 'token_families',
    key: 'timed_id',
    widthSeconds: 14 * day,
    aheadSeconds: longestFamilySeconds,
    keepSeconds: day,
    fillfactor: 70,
  },
  // The id's instant is the run's expiry.
  {
    table: 'auth_sessions',
    key: 'timed_id',
    widthSeconds: 2 * day,
    aheadSeconds: longestRunSeconds,
    keepSeconds: day,
    fillfactor: 70,
  },
  {
    table: 'audit_events',
    key: 'timed_id',
    widthSeconds: 7 * day,
    aheadSeconds: 28 * day,
    keepSeconds: 400 * day,
    fillfactor: 100,
  },
  // The proof's own end, an hour away at most; a day ahead, so that a worker may be down for one.
  {
    table: 'seen_proofs',
    key: 'instant',
    widthSeconds: 4 * hour,
    aheadSeconds: day,
    keepSeconds: hour,
    fillfactor: 100,
  },
  // What error ids stand for; how long is configured (`partitionedTablesFor`).
  {
    table: 'refusals',
    key: 'timed_id',
    widthSeconds: day,
    aheadSeconds: 2 * day,
    keepSeconds: 7 * day,
    fillfactor: 100,
  },
];

/** With what a deployment says of how long things are kept. */
export const partitionedTablesFor = ({ refusalDays }: { readonly refusalDays: number }): readonly PartitionedTable[] =>
  partitionedTables.map((row) => (row.table === 'refusals' ? { ...row, keepSeconds: refusalDays * day } : row));

export type Leaf = Range & { readonly name: string; readonly detachPending: boolean };

export type Coverage = {
  readonly table: string;
  readonly coveredUntil: Instant;
  /** false: some of the span that rows are written into has no leaf; the process is not ready. */
  readonly enough: boolean;
};

/** One at a time in the cluster; a second one waits. */
const lock = 'limen partitions';

export const createPartitions = (database: Database, tables: readonly PartitionedTable[] = partitionedTables) =>
  guarded({
    /** Makes every leaf that may be written into from now on, and one width more; gives the names of the new ones. */
    ensure(now: Instant): Promise<readonly string[]> {
      return ensurePartitions(database.sql, now, tables);
    },

    /** Drops the leaves in which nothing matters any more, without blocking anyone; gives their names. */
    dropExpired(now: Instant): Promise<readonly string[]> {
      return dropExpiredPartitions(database.sql, now, tables);
    },

    /** For readiness and alerts. */
    ahead(now: Instant): Promise<readonly Coverage[]> {
      return partitionsAhead(database.sql, now, tables);
    },
  });

export async function ensurePartitions(
  sql: Sql,
  now: Instant,
  tables: readonly PartitionedTable[] = partitionedTables,
): Promise<readonly string[]> {
  const created = await sql.begin(async (transaction) => {
    await transaction`SELECT pg_advisory_xact_lock(hashtextextended(${lock}, 0))`;
    const names: string[] = [];
    for (const table of tables) {
      const width = table.widthSeconds * 1000;
      const missing = missingRanges(await leavesOf(transaction, table), neededSpan(table, now), width);
      for (const range of missing) {
        const name = leafName(table, range.from);
        await transaction.unsafe(createLeaf(table, name, range));
        names.push(name);
      }
    }
    return names;
  });
  return created;
}

/**
 * Attached rather than created as a partition, which would lock the parent against all readers. The new table takes its
 * indexes from the parent when it is attached.
 */
function createLeaf(table: PartitionedTable, name: string, { from, to }: Range): string {
  return `
    CREATE TABLE "${name}" (LIKE "${table.table}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
      WITH (fillfactor = ${table.fillfactor});
    ALTER TABLE "${table.table}" ATTACH PARTITION "${name}"
      FOR VALUES FROM (${boundLiteral(table, from)}) TO (${boundLiteral(table, to)})`;
}

export async function dropExpiredPartitions(
  sql: Sql,
  now: Instant,
  tables: readonly PartitionedTable[] = partitionedTables,
): Promise<readonly string[]> {
  // DETACH CONCURRENTLY runs outside transactions, so the lock is the connection's.
  const connection = await sql.reserve();
  try {
    const [taken] = await connection<{ locked: boolean }[]>`
      SELECT pg_try_advisory_lock(hashtextextended(${lock}, 0)) AS locked`;
    if (taken?.locked !== true) return [];
    try {
      const dropped: string[] = [];
      for (const table of tables) {
        for (const leaf of await leavesOf(connection, table)) {
          if (leaf.to + table.keepSeconds * 1000 > now) continue;
          await dropLeaf(connection, table.table, leaf);
          dropped.push(leaf.name);
        }
      }
      return dropped;
    } finally {
      await connection`SELECT pg_advisory_unlock(hashtextextended(${lock}, 0))`;
    }
  } finally {
    connection.release();
  }
}

async function dropLeaf(connection: Sql, table: string, leaf: Leaf): Promise<void> {
  // An earlier try was cut off between the two halves of a concurrent detach.
  const how = leaf.detachPending ? 'FINALIZE' : 'CONCURRENTLY';
  await connection.unsafe(`ALTER TABLE "${table}" DETACH PARTITION "${leaf.name}" ${how}`);
  await connection.unsafe(`DROP TABLE "${leaf.name}"`);
}

export async function partitionsAhead(
  sql: Sql,
  now: Instant,
  tables: readonly PartitionedTable[] = partitionedTables,
): Promise<readonly Coverage[]> {
  const leaves = await Promise.all(tables.map((table) => leavesOf(sql, table)));
  return tables.map((table, index) => {
    const until = coveredUntil(leaves[index] ?? [], now);
    return { table: table.table, coveredUntil: until, enough: until >= now + table.aheadSeconds * 1000 };
  });
}

/** The leaves of a table by their bounds, in order. */
export async function leavesOf(
  sql: Sql | SqlInTransaction,
  { table, key }: PartitionedTable,
): Promise<readonly Leaf[]> {
  const rows = await sql<{ name: string; bound: string; pending: boolean }[]>`
    SELECT leaf.relname AS name, pg_get_expr(leaf.relpartbound, leaf.oid) AS bound, inhdetachpending AS pending
    FROM pg_inherits JOIN pg_class AS leaf ON leaf.oid = inhrelid
    WHERE inhparent = ${table}::regclass ORDER BY leaf.relname`;
  return rows.map(({ name, bound, pending }) => {
    const [from, to] = [...bound.matchAll(/'([^']+)'/g)].map(([, literal = '']) => readBound(key, literal));
    if (from === undefined || to === undefined) unreachable(`the bounds of ${name} are a range`);
    return { name, from, to, detachPending: pending };
  });
}

const neededSpan = ({ widthSeconds, aheadSeconds }: PartitionedTable, now: Instant): Range => ({
  // A process whose clock is behind may still write into the leaf before this one.
  from: now - widthSeconds * 1000,
  to: now + (aheadSeconds + widthSeconds) * 1000,
});

/** `token_families_202611230000`: the first instant, UTC, down to what tells any two leaves apart. */
export const leafName = ({ table }: PartitionedTable, from: Instant): string =>
  `${table}_${new Date(from).toISOString().replace(/\D/g, '').slice(0, 12)}`;

function boundLiteral({ key }: PartitionedTable, instant: Instant): string {
  if (key === 'instant') return `'${new Date(instant).toISOString()}'`;
  const hex = instant.toString(16).padStart(12, '0');
  return `'${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000'`;
}

/** Bounds print in the connection's time zone, which `database.ts` sets to UTC. */
const readBound = (key: PartitionedTable['key'], literal: string): Instant =>
  key === 'timed_id' ? instantOfTimedId(literal) : Date.parse(`${literal.replace(' ', 'T').replace('+00', '')}Z`);
