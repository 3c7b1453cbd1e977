import { sql as query } from 'drizzle-orm';
import { equalConstantTime, hmacSha256 } from '../core/crypto.ts';
import type { KeyRing, RingEntry } from '../core/key_ring.ts';
import { unreachable } from '../core/result.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';
import { leavesOf, partitionedTables } from './partitions.ts';

/**
 * The audit log as a chain. Requests write events unchained; one process at a time takes the transactions that are over
 * for everyone (below the snapshot's xmin, so none can still commit among them), hashes their events behind the hash of
 * the checkpoint before, and tags the result, with the time, with a key that the database does not have.
 *
 * Against one who can write to the database and nothing else: a covered event that is changed, added or removed shows in
 * `verify`. So does a chain that was thrown away and made anew by our own processes, because it is tagged long after its
 * events (`coveredLate`). That the newest checkpoints and their events were taken off together shows only to who knows a
 * head from before: every process that is running, which says so in its log, and `verify` where it is given one.
 */
export type Checkpoint = {
  readonly seq: number;
  readonly events: number;
  readonly lastEventAt: Instant;
  /** Hex: with `seq`, the head to compare with later. */
  readonly hash: string;
};

export type Head = Pick<Checkpoint, 'seq' | 'hash'>;

/** What is wrong with a checkpoint or with what it covers. */
export type ChainFault =
  /** The events of its transactions are not those that it was made of. */
  | 'altered'
  /** The checkpoint itself was changed, or another one took its place. */
  | 'forged'
  /** Checkpoints before it are gone. */
  | 'gap'
  /** Its key is no longer in LIMEN_SECRETS. */
  | 'unknown key'
  /** Its events are gone, though it is not yet time for that. */
  | 'dropped early'
  /** The head that was given is not in the chain. */
  | 'head missing';

export type ChainReport = {
  readonly checkpoints: number;
  readonly events: number;
  /** Checkpoints whose events have been dropped with their partition. */
  readonly forgotten: number;
  /** Checkpoints made more than an hour after their newest event: an outage of all processes, or a chain made anew. */
  readonly coveredLate: number;
  /** Events that no checkpoint covers yet. */
  readonly uncovered: number;
  /** null: there is no checkpoint. */
  readonly head: Head | null;
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
  readonly made_at: Instant;
};

type Covered = Pick<Row, 'events' | 'first_event_at' | 'last_event_at' | 'hash'>;

const lock = 'limen audit chain';
const start = { seq: 0, upto_xid: '0', hash: Buffer.alloc(32) };

/** Somebody took checkpoints off, or put another chain in their place. */
export class AuditChainBroken extends Error {
  constructor({ seq }: Head) {
    super(`the audit log no longer has checkpoint ${seq} as this process saw it; run \`limen audit verify\``);
    this.name = 'AuditChainBroken';
  }
}

export const createAuditChain = (database: Database, ring: KeyRing, clock: Clock) => {
  let seen: Head | null = null;
  return guarded({
    /**
     * Covers what is over, in about `most` events; null: there is nothing, or another process is at it. Throws
     * `AuditChainBroken`.
     */
    extend: async (most: number): Promise<Checkpoint | null> => {
      const done = await database.transaction(async (executor) => {
        const [taken] = await executor.execute<{ locked: boolean }>(
          query`SELECT pg_try_advisory_xact_lock(hashtextextended(${lock}, 0)) AS locked`,
        );
        if (taken?.locked !== true) return { head: seen, made: null };
        const last = await lastOf(executor);
        if (seen !== null && !(await holds(executor, seen))) {
          const gone = seen;
          // Said once: after a failover that lost commits the chain must go on.
          seen = null;
          throw new AuditChainBroken(gone);
        }
        const made = await extend(executor, { last, entry: ring.newest(), most, now: clock() });
        return { head: made ?? headOf(last), made };
      });
      seen = done.head;
      return done.made;
    },

    /** Recomputes the whole chain; `head`: one that it had before, and must still have. */
    verify: (head: Head | null = null): Promise<ChainReport> => verify(database, ring, { head, now: clock() }),

    /** Deletes a batch of checkpoints whose events have been dropped; gives how many. */
    async forgetDropped(limit: number): Promise<number> {
      const oldest = await oldestKept(database);
      const gone = await database.sql`
        DELETE FROM audit_checkpoints WHERE seq IN (
          SELECT seq FROM audit_checkpoints WHERE last_event_at < ${oldest}::timestamptz ORDER BY seq LIMIT ${limit})`;
      return gone.count;
    },
  });
};

type Last = Pick<Row, 'seq' | 'upto_xid' | 'hash'>;

async function lastOf(executor: Executor): Promise<Last> {
  const [last] = await executor.execute<Last>(
    query`SELECT seq, upto_xid::text, hash FROM audit_checkpoints ORDER BY seq DESC LIMIT 1`,
  );
  return last ?? start;
}

async function holds(executor: Executor, { seq, hash }: Head): Promise<boolean> {
  const rows = await executor.execute(
    query`SELECT FROM audit_checkpoints WHERE seq = ${seq} AND hash = ${Buffer.from(hash, 'hex')}::bytea`,
  );
  return rows.length === 1;
}

const headOf = ({ seq, hash }: Pick<Row, 'seq' | 'hash'>): Head | null =>
  seq === start.seq ? null : { seq, hash: Buffer.from(hash).toString('hex') };

type Extending = { readonly last: Last; readonly entry: RingEntry; readonly most: number; readonly now: Instant };

async function extend(executor: Executor, { last, entry, most, now }: Extending): Promise<Checkpoint | null> {
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
    made_at: now,
  };
  await executor.execute(query`
    INSERT INTO audit_checkpoints
      (seq, from_xid, upto_xid, events, first_event_at, last_event_at, previous_hash, hash, key_id, tag,
       made_at)
    VALUES (${made.seq}, ${made.from_xid}::xid8, ${made.upto_xid}::xid8, ${made.events},
            ${made.first_event_at}::timestamptz, ${made.last_event_at}::timestamptz, ${made.previous_hash}::bytea,
            ${made.hash}::bytea, ${made.key_id}, ${tagOf(entry, made)}::bytea, ${made.made_at}::timestamptz)`);
  const { seq, events, last_event_at: lastEventAt } = made;
  return { seq, events, lastEventAt, hash: Buffer.from(made.hash).toString('hex') };
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
    JSON.stringify([
      row.seq,
      row.from_xid,
      row.upto_xid,
      row.events,
      row.first_event_at,
      row.last_event_at,
      row.made_at,
    ]),
    row.previous_hash,
    row.hash,
  );

const eventsTable = partitionedTables.find((one) => one.table === 'audit_events') ?? unreachable('it is partitioned');

async function oldestKept({ sql }: Database): Promise<Instant> {
  const leaves = await leavesOf(sql, eventsTable);
  return Math.min(...leaves.map(({ from }) => from));
}

/** Read in batches, so that a chain of any length can be followed. */
const batchSize = 1000;

/** How long all processes may have been away before it is worth a question. Milliseconds. */
const late = 60 * 60 * 1000;

type Asked = { readonly head: Head | null; readonly now: Instant };

async function verify(database: Database, ring: KeyRing, { head, now }: Asked): Promise<ChainReport> {
  const { db, sql } = database;
  const oldest = await oldestKept(database);
  const faults: { seq: number; fault: ChainFault }[] = [];
  const counts = { checkpoints: 0, events: 0, forgotten: 0, coveredLate: 0 };
  let hasHead = head === null;
  let former: Row | null = null;
  for (;;) {
    const rows: readonly Row[] = await sql<Row[]>`
      SELECT seq, from_xid::text, upto_xid::text, events, first_event_at, last_event_at, previous_hash, hash, key_id, tag,
             made_at
      FROM audit_checkpoints WHERE seq > ${former?.seq ?? 0} ORDER BY seq LIMIT ${batchSize}`;
    for (const row of rows) {
      const isForgotten = row.first_event_at < oldest;
      const covered = isForgotten ? null : await coveredBy(db, row);
      const fault = faultOf(row, former, { ring, isForgotten, covered, now });
      hasHead ||= head?.seq === row.seq && head.hash === Buffer.from(row.hash).toString('hex');
      if (row.made_at - row.last_event_at > late) counts.coveredLate += 1;
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
  if (!hasHead && head !== null) faults.push({ seq: head.seq, fault: 'head missing' });
  return { ...counts, uncovered: open?.count ?? 0, head: former === null ? null : headOf(former), faults };
}

type Evidence = {
  readonly ring: KeyRing;
  readonly isForgotten: boolean;
  readonly covered: Covered | null;
  readonly now: Instant;
};

/** A leaf goes as a whole, so what it holds goes a leaf's width earlier than it had to. */
const mayBeGone = (row: Row, now: Instant): boolean =>
  row.first_event_at < now - (eventsTable.keepSeconds - eventsTable.widthSeconds) * 1000;

function faultOf(row: Row, former: Row | null, { ring, isForgotten, covered, now }: Evidence): ChainFault | null {
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
  if (isForgotten) return mayBeGone(row, now) ? null : 'dropped early';
  return covered !== null && covered.events === row.events && equalConstantTime(covered.hash, row.hash)
    ? null
    : 'altered';
}
