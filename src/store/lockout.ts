import { type SQL, sql } from 'drizzle-orm';
import type { RealmId } from '../core/ids.ts';
import type {
  Ceiling,
  LockoutAttempt,
  LockState,
  PasswordAudit,
  Reservation,
  SettledFailure,
} from '../core/lockout.ts';
import { unreachable } from '../core/result.ts';
import type { Audit } from './audit.ts';
import type { Database, Executor, Sql } from './database.ts';
import { guarded } from './fault.ts';

/**
 * Lockout counters (tables in drizzle/0002_lockout.sql). Every instant is the database's: `limen_now()`.
 *
 * One row per realm × subject × context. Its list of failures slides with the window: a counter per fixed window would
 * allow nearly twice the threshold across a boundary, and would leave the lock and the attempts in flight in two rows,
 * which no single upsert can decide. The lists are short: neither grows beyond the threshold.
 *
 * An attempt is *reserved* by one upsert. Its DO UPDATE sees the newest version of the row under the row's lock and goes
 * through only while failures + live attempts < threshold; so N parallel guesses are judged one after the other, and the
 * attempts in flight can never take the failures past the threshold. No row came back: a second statement, whose snapshot
 * is newer, says why. An attempt carries the instant when it becomes void; it *settles* only before that, and whoever
 * settles too late gets `void` and must tell nobody the outcome. So a guess is either counted or not answered.
 *
 * Ceilings (prefix, account) are read by the reservation, so a refused one makes no row, and counted by failures alone.
 * They are counters in fixed windows whose end is part of their key, and they overshoot by no more than the hashes that
 * all processes compute at the same time.
 *
 * Rows are made by reservations only, and those come at the rate of hashes (about 25 a second and core). An hour of
 * saturated guessing leaves some 90,000 rows per core, which `removeExpired` deletes in batches by index: cheaper than
 * partitions by window, whose boundaries the rows would have to cross.
 *
 * A known device has a row of its own, which alone decides about it; a failure there counts in the row of its address as
 * well, so that whoever has a device leaves the address fewer tries.
 *
 * Locks are taken in one order everywhere, account rows from the last context to the first (`device:` before `address:`)
 * and then ceilings by key, so that nothing deadlocks.
 */
export type LockoutStore = ReturnType<typeof createLockouts>;

type Subject = { readonly realmId: RealmId; readonly subject: string };

export const createLockouts = (database: Database, audit: Audit) =>
  guarded({
    /** Takes one of the key's remaining tries, or says why there is none. */
    reserve: async (attempt: LockoutAttempt): Promise<Reservation> =>
      (await tryReserve(database.sql, attempt)) ? { kind: 'reserved' } : await explainRefusal(database.sql, attempt),

    /** Counts a wrong password, and locks when it was the last one allowed; its audit rows commit with it. */
    fail: (attempt: LockoutAttempt, refused: PasswordAudit): Promise<SettledFailure> =>
      database.transaction((executor) => fail(executor, audit, attempt, refused)),

    /** Ends a right attempt and clears the failures of its own account and context, never a ceiling. */
    succeed: (attempt: LockoutAttempt, accepted: PasswordAudit): Promise<'settled' | 'void'> =>
      database.transaction(async (executor) => {
        if (!(await settleSuccess(executor, attempt))) return 'void';
        await audit.record(accepted, executor);
        return 'settled';
      }),

    /** Gives the try back at once: no verdict was reached. Unreleased, it becomes void by itself. */
    async release({ id, key }: LockoutAttempt): Promise<void> {
      await database.sql`
        UPDATE lockouts SET in_flight = in_flight - ${id}::text
        WHERE realm_id = ${key.realmId}::uuid AND subject = ${key.subject} AND context = ${key.context}`;
    },

    /** An audit row that goes with no counter. */
    record: (event: PasswordAudit): Promise<void> => audit.record(event),

    /** Ends the locks of a person in all contexts and forgets the failures, the day's too; returns how many were locked. */
    unlock: (subject: Subject, cleared: PasswordAudit): Promise<number> =>
      database.transaction((executor) => unlock(executor, audit, subject, cleared)),

    /** One row per context that counts or locks, newest lock first. Failures are the stored ones, some maybe too old to count. */
    state: (subject: Subject): Promise<readonly LockState[]> => lockState(database.sql, subject),

    /** Deletes rows that no longer say anything, at most `limit` of each table; returns how many. */
    removeExpired: (limit: number): Promise<number> => removeExpired(database.sql, limit),
  });

async function tryReserve(sql: Sql, attempt: LockoutAttempt): Promise<boolean> {
  const { id, key, policy, lifetimeMilliseconds } = attempt;
  const keepSeconds = Math.max(policy.windowSeconds, policy.durationSeconds);
  const rows = await sql`
    INSERT INTO lockouts AS held (realm_id, subject, context, in_flight, expires_at)
    SELECT ${key.realmId}::uuid, ${key.subject}::text, ${key.context}::text,
      jsonb_build_object(${id}::text, limen_now() + make_interval(secs => ${lifetimeMilliseconds / 1000})),
      date_bin('1 hour', limen_now() + make_interval(secs => ${keepSeconds}), 'epoch') + interval '1 hour'
    WHERE NOT EXISTS (${reachedCeilings(sql, attempt)})
    ON CONFLICT (realm_id, subject, context) DO UPDATE SET
      in_flight = limen_live_attempts(held.in_flight, limen_now()) || excluded.in_flight,
      failures = limen_later_than(held.failures, limen_now() - make_interval(secs => ${policy.windowSeconds})),
      locked_until = NULL,
      expires_at = excluded.expires_at
    WHERE (held.locked_until IS NULL OR held.locked_until <= limen_now())
      AND cardinality(limen_later_than(held.failures, limen_now() - make_interval(secs => ${policy.windowSeconds})))
        + limen_count_attempts(limen_live_attempts(held.in_flight, limen_now())) < ${policy.threshold}::integer
    RETURNING 1`;
  return rows.length === 1;
}

/** The attempt's ceilings that are reached in the windows that are running. */
function reachedCeilings(sql: Sql, { key, ceilings: all, alsoIn }: LockoutAttempt) {
  // A known device is judged by its own row alone.
  const ceilings = alsoIn === null ? all : [];
  return sql`
  SELECT asked.position, limen_milliseconds_until(counted.ends_at) AS remaining
  FROM unnest(
    ${ceilings.map((ceiling) => ceiling.key)}::text[],
    ${ceilings.map((ceiling) => ceiling.windowSeconds)}::integer[],
    ${ceilings.map((ceiling) => ceiling.limit)}::integer[]
  ) WITH ORDINALITY AS asked (key, window_seconds, allowed, position)
  JOIN lockout_ceilings AS counted
    ON counted.realm_id = ${key.realmId}::uuid AND counted.key = asked.key
    AND counted.ends_at = limen_window_end(asked.window_seconds) AND counted.failures >= asked.allowed`;
}

type CeilingRow = { readonly position: number; readonly remaining: number };
type HeldRow = {
  readonly lock: number | null;
  readonly live: number;
  readonly recent: number;
  /** Until the oldest failures leave the window and one try is free again. */
  readonly free_in: number | null;
};

/** A ceiling comes first: its answer must not depend on the account. */
async function explainRefusal(sql: Sql, attempt: LockoutAttempt): Promise<Reservation> {
  const [reached] = await sql<CeilingRow[]>`${reachedCeilings(sql, attempt)} ORDER BY position LIMIT 1`;
  if (reached !== undefined) {
    const { of, key } = ceilingAt(attempt, reached.position);
    return { kind: 'ceiling', of, key, remainingMilliseconds: reached.remaining };
  }
  const { key, policy } = attempt;
  const [held] = await sql<HeldRow[]>`
    SELECT
      CASE WHEN locked_until > limen_now() THEN limen_milliseconds_until(locked_until) END AS lock,
      limen_count_attempts(limen_live_attempts(in_flight, limen_now())) AS live,
      cardinality(recent) AS recent,
      limen_milliseconds_until(
        recent[cardinality(recent) - ${policy.threshold}::integer + 1] + make_interval(secs => ${policy.windowSeconds})
      ) AS free_in
    FROM lockouts,
      limen_later_than(failures, limen_now() - make_interval(secs => ${policy.windowSeconds})) AS recent
    WHERE realm_id = ${key.realmId}::uuid AND subject = ${key.subject} AND context = ${key.context}`;
  if (held === undefined) return { kind: 'wait' };
  if (held.lock !== null) return { kind: 'locked', remainingMilliseconds: held.lock };
  // The threshold was lowered below what had been counted.
  const isOver = held.live === 0 && held.recent >= policy.threshold;
  return isOver ? { kind: 'locked', remainingMilliseconds: held.free_in ?? 0 } : { kind: 'wait' };
}

const ceilingAt = ({ ceilings }: LockoutAttempt, position: number): Ceiling =>
  ceilings[position - 1] ?? unreachable('a ceiling that nobody asked for');

/** The attempt's row, if the attempt has not become void. */
const isLive = ({ id, key }: LockoutAttempt): SQL => sql`
  realm_id = ${key.realmId}::uuid AND subject = ${key.subject} AND context = ${key.context}
  AND (in_flight ->> ${id}::text)::timestamptz > limen_now()`;

type FailedRow = { readonly lock: number; readonly started: boolean };

async function fail(
  executor: Executor,
  audit: Audit,
  attempt: LockoutAttempt,
  refused: PasswordAudit,
): Promise<SettledFailure> {
  const { id, policy } = attempt;
  const recent = sql`limen_later_than(failures, limen_now() - make_interval(secs => ${policy.windowSeconds}))`;
  const isLast = sql`cardinality(${recent}) + 1 >= ${policy.threshold}::integer`;
  const [counted] = await executor.execute<FailedRow>(sql`
    UPDATE lockouts SET
      in_flight = in_flight - ${id}::text,
      failures = CASE WHEN ${isLast} THEN '{}' ELSE ${recent} || limen_now() END,
      locked_until = CASE
        WHEN ${isLast} THEN limen_now() + make_interval(secs => ${policy.durationSeconds}) ELSE locked_until
      END
    WHERE ${isLive(attempt)}
    RETURNING limen_milliseconds_until(locked_until) AS lock, cardinality(failures) = 0 AS started`);
  if (counted === undefined) return { kind: 'void' };
  if (attempt.alsoIn !== null) await countAlsoIn(executor, attempt, attempt.alsoIn);
  await countCeilings(executor, attempt);
  await audit.record(refused, executor);
  if (!counted.started) return { kind: 'counted', lockedMilliseconds: null };
  const { subject, context } = attempt.key;
  await audit.record(
    {
      ...refused,
      event: 'lockout.started',
      detail: { subject, context, failures: policy.threshold, seconds: policy.durationSeconds },
    },
    executor,
  );
  return { kind: 'counted', lockedMilliseconds: counted.lock };
}

/** Without a reservation there: it may take the failures past the threshold, and locks like any other then. */
async function countAlsoIn(executor: Executor, { key, policy }: LockoutAttempt, context: string): Promise<void> {
  const { threshold, windowSeconds, durationSeconds } = policy;
  const keepSeconds = Math.max(windowSeconds, durationSeconds);
  const recent = sql`limen_later_than(held.failures, limen_now() - make_interval(secs => ${windowSeconds}))`;
  const isLast = sql`cardinality(${recent}) + 1 >= ${threshold}::integer`;
  const end = sql`limen_now() + make_interval(secs => ${durationSeconds})`;
  await executor.execute(sql`
    INSERT INTO lockouts AS held (realm_id, subject, context, failures, locked_until, expires_at)
    SELECT ${key.realmId}::uuid, ${key.subject}, ${context},
      CASE WHEN ${threshold}::integer > 1 THEN ARRAY[limen_now()] ELSE '{}' END,
      CASE WHEN ${threshold}::integer > 1 THEN NULL ELSE ${end} END,
      date_bin('1 hour', limen_now() + make_interval(secs => ${keepSeconds}), 'epoch') + interval '1 hour'
    ON CONFLICT (realm_id, subject, context) DO UPDATE SET
      failures = CASE WHEN ${isLast} THEN '{}' ELSE ${recent} || limen_now() END,
      locked_until = CASE WHEN ${isLast} THEN ${end} END,
      expires_at = excluded.expires_at
    WHERE held.locked_until IS NULL OR held.locked_until <= limen_now()`);
}

/** Two attempts that take their locks in this order never wait for each other. */
const inKeyOrder = (ceilings: readonly Ceiling[]): readonly Ceiling[] =>
  ceilings.toSorted((left, right) => (left.key < right.key ? -1 : 1));

async function countCeilings(executor: Executor, { key, ceilings }: LockoutAttempt): Promise<void> {
  for (const ceiling of inKeyOrder(ceilings)) {
    await executor.execute(sql`
      INSERT INTO lockout_ceilings AS counted (realm_id, key, ends_at, failures)
      VALUES (${key.realmId}::uuid, ${ceiling.key}, limen_window_end(${ceiling.windowSeconds}::integer), 1)
      ON CONFLICT (realm_id, key, ends_at) DO UPDATE SET failures = counted.failures + 1`);
  }
}

/** `waitSeconds`: until its window ends. */
export type ReachedCeiling = { readonly key: string; readonly waitSeconds: number };

/**
 * For codes with counters of their own (design: OTP, action and device codes): takes one try of each ceiling before the
 * verdict, and keeps their rows locked until the transaction ends. null: taken, else the one that is used up.
 */
export async function takeCeilings(
  executor: Executor,
  realmId: RealmId,
  ceilings: readonly Ceiling[],
): Promise<ReachedCeiling | null> {
  const taken: Ceiling[] = [];
  for (const ceiling of inKeyOrder(ceilings)) {
    const rows = await executor.execute(sql`
      INSERT INTO lockout_ceilings AS counted (realm_id, key, ends_at, failures)
      VALUES (${realmId}::uuid, ${ceiling.key}, limen_window_end(${ceiling.windowSeconds}::integer), 1)
      ON CONFLICT (realm_id, key, ends_at) DO UPDATE SET failures = counted.failures + 1
      WHERE counted.failures < ${ceiling.limit}::integer
      RETURNING 1`);
    if (rows.length === 1) taken.push(ceiling);
    else {
      await giveBackCeilings(executor, realmId, taken);
      const [window] = await executor.execute<{ remaining: number }>(sql`
        SELECT limen_milliseconds_until(limen_window_end(${ceiling.windowSeconds}::integer)) AS remaining`);
      return { key: ceiling.key, waitSeconds: Math.max(1, Math.ceil((window?.remaining ?? 0) / 1000)) };
    }
  }
  return null;
}

/** In the same transaction: the try was no failure. */
export async function giveBackCeilings(
  executor: Executor,
  realmId: RealmId,
  ceilings: readonly Ceiling[],
): Promise<void> {
  for (const { key, windowSeconds } of inKeyOrder(ceilings)) {
    await executor.execute(sql`
      UPDATE lockout_ceilings SET failures = failures - 1
      WHERE realm_id = ${realmId}::uuid AND key = ${key} AND failures > 0
        AND ends_at = limen_window_end(${windowSeconds}::integer)`);
  }
}

async function settleSuccess(executor: Executor, attempt: LockoutAttempt): Promise<boolean> {
  const settled = await executor.execute(sql`
    UPDATE lockouts SET in_flight = in_flight - ${attempt.id}::text, failures = '{}'
    WHERE ${isLive(attempt)}
    RETURNING 1`);
  return settled.length === 1;
}

async function unlock(
  executor: Executor,
  audit: Audit,
  { realmId, subject }: Subject,
  cleared: PasswordAudit,
): Promise<number> {
  const contexts = await executor.execute<{ was_locked: boolean }>(sql`
    WITH held AS (
      SELECT context, locked_until > limen_now() AS was_locked FROM lockouts
      WHERE realm_id = ${realmId}::uuid AND subject = ${subject} ORDER BY context DESC FOR UPDATE
    )
    UPDATE lockouts SET failures = '{}', locked_until = NULL FROM held
    WHERE realm_id = ${realmId}::uuid AND subject = ${subject} AND lockouts.context = held.context
    RETURNING coalesce(held.was_locked, false) AS was_locked`);
  await executor.execute(sql`DELETE FROM lockout_ceilings WHERE realm_id = ${realmId}::uuid AND key = ${subject}`);
  const locked = contexts.filter((context) => context.was_locked).length;
  await audit.record({ ...cleared, detail: { ...cleared.detail, subject, contexts: locked } }, executor);
  return locked;
}

async function lockState(sql: Sql, { realmId, subject }: Subject): Promise<readonly LockState[]> {
  return await sql<LockState[]>`
    SELECT context,
      cardinality(failures) AS failures,
      failures[cardinality(failures)] AS "lastFailureAt",
      CASE WHEN locked_until > limen_now() THEN locked_until END AS "lockedUntil",
      limen_count_attempts(limen_live_attempts(in_flight, limen_now())) AS "inFlight"
    FROM lockouts
    WHERE realm_id = ${realmId}::uuid AND subject = ${subject}
    ORDER BY locked_until DESC NULLS LAST, context`;
}

async function removeExpired(sql: Sql, limit: number): Promise<number> {
  const lockouts = await sql`
    DELETE FROM lockouts WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM lockouts WHERE expires_at <= limen_now() LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ))`;
  const ceilings = await sql`
    DELETE FROM lockout_ceilings WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM lockout_ceilings WHERE ends_at <= limen_now() LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ))`;
  return lockouts.count + ceilings.count;
}
