import { sql as query } from 'drizzle-orm';
import { equalConstantTime, hmacSha256 } from '../core/crypto.ts';
import type { KeyRing, RingEntry } from '../core/key_ring.ts';
import { unreachable } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';
import { leavesOf, partitionedTables } from './partitions.ts';

/**
 * The audit log as a chain. Requests write events unchained; one process at a time takes the transactions that are over
 * for everyone (below the snapshot's xmin, so none can still commit among them), hashes their events behind the hash of
 * the checkpoint before, and tags the result with a key that the database does not have. Whoever can only write to the
 * database can neither change, add nor remove an event that is covered without `verify` telling.
 */
export type Checkpoint = {
  readonly seq: number;
  readonly events: number;
  readonly lastEventAt: Instant;
};

/** What is wrong with a checkpoint or with what it covers. */
export type ChainFault =
  /** The events of its transactions are not those that it was made of. */
  | 'altered'
  /** The checkpoint itself was changed, or another one took its place. */
  | 'forged'
  /** Checkpoints before it are gone. */
  | 'gap'
  /** Its key is no longer in LIMEN_SECRETS. */
  | 'unknown key';

export type ChainReport = {
  readonly checkpoints: number;
  readonly events: number;
  /** Checkpoints whose events have been dropped with their partition. */
  readonly forgotten: number;
  /** Events that no checkpoint covers yet. */
  readonly uncovered: number;
  readonly faults: readonly { readonly seq: number; readonly fault: ChainFault }[];
};

type Row = {
  readonly seq: number;
  readonly from_xid: string;
  readonly upto_xid: string;
  readonly events: number;
  readonly first_event_at: Instant;
  readonly last_event_at: Instant;
  readonly previous_hash: Uint8Array;
  readonly hash: Uint8Array;
  readonly key_id: string;
  readonly tag: Uint8Array;
};

type Covered = Pick<Row, 'events' | 'first_event_at' | 'last_event_at' | 'hash'>;

const lock = 'limen audit chain';
const start = { seq: 0, upto_xid: '0', hash: Buffer.alloc(32) };

export const createAuditChain = (database: Database, ring: KeyRing) =>
  guarded({
    /** Covers what is over, in about `most` events; null: there is nothing, or another process is at it. */
    extend: (most: number): Promise<Checkpoint | null> =>
      database.transaction(async (executor) => {
        const [taken] = await executor.execute<{ locked: boolean }>(
          query`SELECT pg_try_advisory_xact_lock(hashtextextended(${lock}, 0)) AS locked`,
        );
        return taken?.locked === true ? extend(executor, ring.newest(), most) : null;
      }),

    /** Recomputes the whole chain. */
    verify: (): Promise<ChainReport> => verify(database, ring),

    /** Deletes a batch of checkpoints whose events have been dropped; gives how many. */
    async forgetDropped(limit: number): Promise<number> {
      const oldest = await oldestKept(database);
      const gone = await database.sql`
        DELETE FROM audit_checkpoints WHERE seq IN (
          SELECT seq FROM audit_checkpoints WHERE last_event_at < ${oldest}::timestamptz ORDER BY seq LIMIT ${limit})`;
      return gone.count;
    },
  });

async function extend(executor: Executor, entry: RingEntry, most: number): Promise<Checkpoint | null> {
  const [last = start] = await executor.execute<Pick<Row, 'seq' | 'upto_xid' | 'hash'>>(
    query`SELECT seq, upto_xid::text, hash FROM audit_checkpoints ORDER BY seq DESC LIMIT 1`,
  );
  const [next] = await executor.execute<{ upto_xid: string }>(query`
    WITH over AS (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin),
    -- A transaction is covered as a whole, however many events it wrote.
    bound AS (SELECT xid FROM audit_events, over WHERE xid > ${last.upto_xid}::xid8 AND xid < over.xmin
              ORDER BY xid OFFSET ${most} LIMIT 1)
    SELECT coalesce((SELECT xid FROM bound), over.xmin)::text AS upto_xid FROM over`);
  const { upto_xid } = next ?? unreachable('a snapshot has an xmin');
  const covered = await coveredBy(executor, { from_xid: last.upto_xid, upto_xid, previous_hash: last.hash });
  if (covered === null) return null;
  const made = {
    ...covered,
    seq: last.seq + 1,
    from_xid: last.upto_xid,
    upto_xid,
    previous_hash: last.hash,
    key_id: entry.keyId,
  };
  await executor.execute(query`
    INSERT INTO audit_checkpoints
      (seq, from_xid, upto_xid, events, first_event_at, last_event_at, previous_hash, hash, key_id, tag)
    VALUES (${made.seq}, ${made.from_xid}::xid8, ${made.upto_xid}::xid8, ${made.events},
            ${made.first_event_at}::timestamptz, ${made.last_event_at}::timestamptz, ${made.previous_hash}::bytea,
            ${made.hash}::bytea, ${made.key_id}, ${tagOf(entry, made)}::bytea)`);
  return { seq: made.seq, events: made.events, lastEventAt: made.last_event_at };
}

/** Hashed where the events are, whole rows, of which jsonb has one spelling. null: the range has no event. */
async function coveredBy(
  executor: Executor,
  { from_xid, upto_xid, previous_hash }: Pick<Row, 'from_xid' | 'upto_xid' | 'previous_hash'>,
): Promise<Covered | null> {
  const [covered] = await executor.execute<Covered>(query`
    SELECT count(*) AS events, min(limen_instant_of(id)) AS first_event_at, max(limen_instant_of(id)) AS last_event_at,
           sha256(${previous_hash}::bytea
                  || sha256(convert_to(string_agg(to_jsonb(entry)::text, E'\n' ORDER BY xid, id), 'UTF8'))) AS hash
    FROM audit_events AS entry WHERE xid >= ${from_xid}::xid8 AND xid < ${upto_xid}::xid8`);
  return covered === undefined || covered.events === 0 ? null : covered;
}

const tagOf = (entry: RingEntry, row: Omit<Row, 'tag'>): Buffer =>
  hmacSha256(
    entry.derive('audit checkpoint'),
    JSON.stringify([row.seq, row.from_xid, row.upto_xid, row.events, row.first_event_at, row.last_event_at]),
    row.previous_hash,
    row.hash,
  );

async function oldestKept({ sql }: Database): Promise<Instant> {
  const table = partitionedTables.find((one) => one.table === 'audit_events') ?? unreachable('it is partitioned');
  const leaves = await leavesOf(sql, table);
  return Math.min(...leaves.map(({ from }) => from));
}

/** Read in batches, so that a chain of any length can be followed. */
const batchSize = 1000;

async function verify(database: Database, ring: KeyRing): Promise<ChainReport> {
  const { db, sql } = database;
  const oldest = await oldestKept(database);
  const faults: { seq: number; fault: ChainFault }[] = [];
  const counts = { checkpoints: 0, events: 0, forgotten: 0 };
  let former: Row | null = null;
  for (;;) {
    const rows: readonly Row[] = await sql<Row[]>`
      SELECT seq, from_xid::text, upto_xid::text, events, first_event_at, last_event_at, previous_hash, hash, key_id, tag
      FROM audit_checkpoints WHERE seq > ${former?.seq ?? 0} ORDER BY seq LIMIT ${batchSize}`;
    for (const row of rows) {
      const isForgotten = row.first_event_at < oldest;
      const covered = isForgotten ? null : await coveredBy(db, row);
      const fault = faultOf(row, former, { ring, isForgotten, covered });
      if (fault !== null) faults.push({ seq: row.seq, fault });
      counts.checkpoints += 1;
      if (isForgotten) counts.forgotten += 1;
      else counts.events += row.events;
      former = row;
    }
    if (rows.length < batchSize) break;
  }
  const [open] = await sql<{ count: number }[]>`
    SELECT count(*) AS count FROM audit_events WHERE xid >= ${former?.upto_xid ?? start.upto_xid}::xid8`;
  return { ...counts, uncovered: open?.count ?? 0, faults };
}

type Evidence = { readonly ring: KeyRing; readonly isForgotten: boolean; readonly covered: Covered | null };

function faultOf(row: Row, former: Row | null, { ring, isForgotten, covered }: Evidence): ChainFault | null {
  const entry = ring.find(row.key_id);
  if (entry === undefined) return 'unknown key';
  if (!equalConstantTime(tagOf(entry, row), row.tag)) return 'forged';
  // The oldest that is left follows on checkpoints that went with their events.
  const follows =
    former === null
      ? row.seq === start.seq + 1 || isForgotten
      : row.seq === former.seq + 1 &&
        row.from_xid === former.upto_xid &&
        equalConstantTime(row.previous_hash, former.hash);
  if (!follows) return 'gap';
  if (isForgotten) return null;
  return covered !== null && covered.events === row.events && equalConstantTime(covered.hash, row.hash)
    ? null
    : 'altered';
}
