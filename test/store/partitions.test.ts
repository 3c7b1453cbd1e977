import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { newTimedId } from '../../src/core/ids.ts';
import { longestFamilySeconds } from '../../src/core/settings.ts';
import { coveredUntil, missingRanges, type Range } from '../../src/store/partition_ranges.ts';
import {
  createPartitions,
  dropExpiredPartitions,
  ensurePartitions,
  leavesOf,
  type PartitionedTable,
  partitionedTables,
  partitionedTablesFor,
  partitionsAhead,
} from '../../src/store/partitions.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, storeFixture } from './fixture.ts';

const hour = 3_600_000;
const day = 24 * hour;

describe('missingRanges', () => {
  const width = fc.integer({ min: 1, max: 50 });
  const span = fc
    .tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 300 }))
    .map(([from, length]) => ({ from, to: from + length }));
  /** Disjoint ranges: neighbouring pairs of sorted points. */
  const ranges = fc.uniqueArray(fc.integer({ min: 0, max: 1500 }), { maxLength: 12 }).map((points) => {
    const sorted = points.toSorted((left, right) => left - right);
    return sorted.flatMap((from, index): Range[] => {
      const to = sorted[index + 1];
      return index % 2 === 0 && to !== undefined ? [{ from, to }] : [];
    });
  });
  const holders = (all: readonly Range[], instant: number) =>
    all.filter(({ from, to }) => from <= instant && instant < to).length;

  test('with them every instant of the span lies in exactly one range, and none overlap', () => {
    fc.assert(
      fc.property(ranges, span, width, (existing, wanted, size) => {
        const missing = missingRanges(existing, wanted, size);
        const all = [...existing, ...missing].toSorted((left, right) => left.from - right.from);
        for (let instant = wanted.from; instant < wanted.to; instant++) expect(holders(all, instant)).toBe(1);
        for (const [index, { from, to }] of all.entries()) {
          expect(from).toBeLessThan(to);
          expect(to).toBeLessThanOrEqual(all[index + 1]?.from ?? Number.POSITIVE_INFINITY);
        }
        for (const { from, to } of missing) expect(to - from).toBeLessThanOrEqual(size);
        expect(coveredUntil(all, wanted.from)).toBeGreaterThanOrEqual(wanted.to);
      }),
    );
  });

  test('once made, nothing is missing', () => {
    fc.assert(
      fc.property(ranges, span, width, (existing, wanted, size) => {
        const all = [...existing, ...missingRanges(existing, wanted, size)];
        expect(missingRanges(all, wanted, size)).toEqual([]);
      }),
    );
  });
});

describe('partitions', () => {
  let store: Fixture;
  const now = Date.now();

  beforeAll(async () => {
    store = await storeFixture();
    await ensurePartitions(store.database.sql, now);
  }, databaseTimeoutMilliseconds);

  afterAll(() => store.drop());

  const scratch = async (name: string, change: Partial<PartitionedTable> = {}): Promise<PartitionedTable> => {
    const key = change.key ?? 'timed_id';
    await store.database.sql.unsafe(
      key === 'timed_id'
        ? `CREATE TABLE ${name} (id uuid PRIMARY KEY, word text NOT NULL DEFAULT 'x') PARTITION BY RANGE (id)`
        : `CREATE TABLE ${name} (at timestamptz PRIMARY KEY, word text NOT NULL DEFAULT 'x') PARTITION BY RANGE (at)`,
    );
    return {
      table: name,
      key,
      widthSeconds: 3600,
      aheadSeconds: 3 * 3600,
      keepSeconds: 3600,
      fillfactor: 70,
      ...change,
    };
  };

  test('the registry names every partitioned table of the schema', async () => {
    const rows = await store.database.sql`SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY 1`;
    expect(rows.map((row) => row['relname'])).toEqual(partitionedTables.map(({ table }) => table).toSorted());
  });

  test('hot tables have few leaves, all with the fillfactor of their row and the indexes of their parent', async () => {
    for (const partitioned of partitionedTables) {
      const leaves = await leavesOf(store.database.sql, partitioned);
      expect(leaves.length).toBeLessThanOrEqual(16);
      const rows = await store.database.sql`
        SELECT reloptions, (SELECT count(*) FROM pg_index WHERE indrelid = leaf.oid) AS indexes,
               (SELECT count(*) FROM pg_index WHERE indrelid = ${partitioned.table}::regclass) AS parents
        FROM pg_class AS leaf WHERE relname = ANY (${leaves.map(({ name }) => name)})`;
      expect(rows.length).toBe(leaves.length);
      for (const row of rows) {
        expect(row['reloptions']).toEqual([`fillfactor=${partitioned.fillfactor}`]);
        expect(row['indexes']).toBe(row['parents']);
      }
    }
  });

  test('a second time makes nothing, also when eight processes do it at once', async () => {
    expect(await ensurePartitions(store.database.sql, now)).toEqual([]);
    const table = await scratch('eight');
    const made = await Promise.all(Array.from({ length: 8 }, () => ensurePartitions(store.database.sql, now, [table])));
    expect(made.filter((names) => names.length > 0).length).toBe(1);
  });

  test('a family of the longest life, one that ends now, and the next minutes of all tables find their leaf', async () => {
    const { sql } = store.database;
    for (const expiry of [now, now + longestFamilySeconds * 1000]) {
      const [row] = await sql`
        INSERT INTO token_families (id, realm_id, client_id, scope, audience, created_at, rotated_at)
        VALUES (${newTimedId(expiry)}, ${crypto.randomUUID()}, 'c', 'openid', '{}', now(), now())
        RETURNING generation, tableoid::regclass::text AS leaf`;
      expect(row).toMatchObject({ generation: 0, leaf: expect.stringMatching(/^token_families_\d{12}$/) });
    }
    expect(await partitionsAhead(sql, now)).toEqual(
      partitionedTables.map(({ table }) => expect.objectContaining({ table, enough: true })),
    );
  });

  test('an id outside every leaf is refused, never stored', async () => {
    const far = newTimedId(now + 10 * longestFamilySeconds * 1000);
    const insert = store.database.sql`
      INSERT INTO token_families (id, realm_id, client_id, scope, audience, created_at, rotated_at)
      VALUES (${far}, ${crypto.randomUUID()}, 'c', 'openid', '{}', now(), now())`;
    await expect(insert.then(() => 'stored')).rejects.toMatchObject({ code: '23514' });
    await insert.catch(() => {});
  });

  test('readiness sees the day when leaves were not made ahead', async () => {
    const later = now + 200 * day;
    expect((await partitionsAhead(store.database.sql, later)).map(({ enough }) => enough)).not.toContain(true);
  });

  for (const key of ['timed_id', 'instant'] as const) {
    test(`drops what is past its keep and nothing else (${key})`, async () => {
      const { sql } = store.database;
      const table = await scratch(`old_${key}`, { key });
      await ensurePartitions(sql, now - 5 * hour, [table]);
      await ensurePartitions(sql, now, [table]);
      const before = await leavesOf(sql, table);
      const expired = before.filter(({ to }) => to + hour <= now).map(({ name }) => name);
      expect(expired.length).toBeGreaterThan(2);
      expect(await dropExpiredPartitions(sql, now, [table])).toEqual(expired);
      expect(await dropExpiredPartitions(sql, now, [table])).toEqual([]);
      const left = before.filter(({ name }) => !expired.includes(name));
      expect(await leavesOf(sql, table)).toEqual(left);
      expect([...(await sql`SELECT 1 FROM pg_class WHERE relname = ANY (${expired})`)]).toEqual([]);
    });
  }

  test('a change of width goes on where the old leaves end', async () => {
    const { sql } = store.database;
    const narrow = await scratch('widened');
    await ensurePartitions(sql, now, [narrow]);
    const wide = { ...narrow, widthSeconds: 10 * 3600, aheadSeconds: 40 * 3600 };
    await ensurePartitions(sql, now, [wide]);
    expect(coveredUntil(await leavesOf(sql, wide), now)).toBeGreaterThanOrEqual(now + 40 * hour);
  });

  test('a detach that was cut off half-way is finished', async () => {
    const { sql } = store.database;
    const table = await scratch('half_detached');
    await ensurePartitions(sql, now - 20 * hour, [table]);
    const [first] = await leavesOf(sql, table);
    const name = first?.name ?? '';
    // Waits for this transaction, which holds a lock on the table, until its statement timeout.
    const reader = await sql.reserve();
    await reader`BEGIN`;
    await reader`SELECT 1 FROM half_detached`;
    const detach = await sql.reserve();
    await detach`SET statement_timeout = 100`;
    const cut = await detach
      .unsafe(`ALTER TABLE half_detached DETACH PARTITION ${name} CONCURRENTLY`)
      .catch(() => 'cut');
    expect(cut).toBe('cut');
    await detach`RESET statement_timeout`;
    await reader`COMMIT`;
    for (const connection of [reader, detach]) connection.release();
    expect((await leavesOf(sql, table)).filter(({ detachPending }) => detachPending).map((leaf) => leaf.name)).toEqual([
      name,
    ]);
    expect(await createPartitions(store.database, [table]).dropExpired(now)).toContain(name);
    expect([...(await sql`SELECT 1 FROM pg_class WHERE relname = ${name}`)]).toEqual([]);
  });
});

test('what error ids stand for is dropped after as many days as are configured', () => {
  const kept = (refusalDays: number) =>
    partitionedTablesFor({ refusalDays }).find(({ table }) => table === 'refusals')?.keepSeconds;
  expect([kept(7), kept(1), kept(0)]).toEqual([7 * 86_400, 86_400, 0]);
  expect(partitionedTablesFor({ refusalDays: 3 })).toHaveLength(partitionedTables.length);
});
