import { sql as query } from 'drizzle-orm';
import { brandId, type ClientId, type RealmId, type SessionId, type UserId } from '../core/ids.ts';
import type { LogoutNotice } from '../oidc/logout/backchannel.ts';
import type { Audit, AuditEventName } from './audit.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';

/**
 * What clients are still to be told of ended sign-ins. drizzle/0004_logout_deliveries.sql queues; here is who takes a row,
 * and what becomes of it. A row is taken by moving its `due_at` ahead, not by a lock: nobody holds a connection while a
 * client takes its time, and what a dead process held is due again.
 */
export type LogoutDelivery = LogoutNotice & {
  readonly id: string;
  /** Which try this is, from 1. A try that another one has overtaken decides nothing any more. */
  readonly attempt: number;
};

type DueColumns = {
  readonly id: string;
  readonly realm_id: string;
  readonly session_id: string;
  readonly user_id: string;
  readonly client_id: string;
  readonly attempts: number;
};

export type FailedAttempt = {
  /** For operators. */
  readonly fault: string;
  readonly retryAfterSeconds: number;
  /** A row is tried no longer than this after it was queued. */
  readonly giveUpAfterSeconds: number;
  /** Nothing answered: the client's other rows wait for this long, lest they all run into the same. null: it answered. */
  readonly pauseClientSeconds: number | null;
};

export const createLogoutDeliveries = (database: Database, audit: Audit) => {
  const { sql, transaction } = database;
  return guarded({
    /** Takes what is due, oldest first; each row for `leaseSeconds`. Several processes never take the same one. */
    async claim(limit: number, leaseSeconds: number): Promise<readonly LogoutDelivery[]> {
      const rows = await sql<DueColumns[]>`
        WITH due AS MATERIALIZED (
          SELECT id FROM logout_deliveries WHERE settled_at IS NULL AND due_at <= limen_now()
          ORDER BY due_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)
        UPDATE logout_deliveries d
        SET attempts = d.attempts + 1, due_at = limen_now() + make_interval(secs => ${leaseSeconds})
        FROM due WHERE d.id = due.id
        RETURNING d.id, d.realm_id, d.session_id, d.user_id, d.client_id, d.attempts`;
      return rows.map(deliveryOf);
    },

    /** Told: whoever else may be trying, it is over. */
    delivered: (delivery: LogoutDelivery): Promise<void> =>
      transaction(async (executor) => {
        const settled = await executor.execute(query`
          UPDATE logout_deliveries SET settled_at = limen_now(), outcome = 'delivered', fault = NULL
          WHERE id = ${delivery.id}::uuid AND settled_at IS NULL RETURNING id`);
        if (settled.length === 1) await note(executor, audit, 'logout.delivered', delivery, null);
      }),

    /** `overtaken`: its lease had run out, and another try decides. */
    failed: (delivery: LogoutDelivery, failed: FailedAttempt): Promise<'waits' | 'given_up' | 'overtaken'> =>
      transaction((executor) => settleFailure(executor, audit, delivery, failed)),

    /** There is nobody to tell any more. */
    abandon: (delivery: LogoutDelivery, why: string): Promise<void> =>
      transaction(async (executor) => {
        if (await giveUp(executor, delivery, why)) await note(executor, audit, 'logout.given_up', delivery, why);
      }),

    /**
     * Queues what became visible only after a session's end: a code that was being redeemed at that moment. Looks back
     * longer than any statement may last; gives how many rows it was.
     */
    async queueLate(): Promise<number> {
      const [row] = await sql<{ queued: number | null }[]>`
        SELECT sum(limen_queue_logouts(realm_id, id, user_id, ended_at))::integer AS queued
        FROM sso_sessions s
        WHERE ended_at > limen_now() - interval '1 minute'
          AND EXISTS (SELECT FROM clients c WHERE c.realm_id = s.realm_id AND c.metadata ? 'backchannel_logout_uri')`;
      return row?.queued ?? 0;
    },

    /** Ends a batch of the sessions that their realm's `valid_from` has killed, so that clients are told; gives how many. */
    async endCutOff(limit: number): Promise<number> {
      const ended = await sql`
        UPDATE sso_sessions SET ended_at = limen_now() WHERE id IN (
          SELECT s.id FROM sso_sessions s JOIN realms r ON r.id = s.realm_id
          WHERE s.ended_at IS NULL AND s.created_at < r.valid_from AND s.expires_at > limen_now()
          LIMIT ${limit} FOR UPDATE OF s SKIP LOCKED)`;
      return ended.count;
    },

    /** Deletes a batch of what was settled more than a day ago (the audit log keeps it); gives how many. */
    async forgetSettled(limit: number): Promise<number> {
      const gone = await sql`
        DELETE FROM logout_deliveries WHERE id IN (
          SELECT id FROM logout_deliveries WHERE settled_at < limen_now() - interval '1 day'
          ORDER BY settled_at LIMIT ${limit})`;
      return gone.count;
    },

    /** Every client that a sign-in was passed on to, by name. */
    async clientsOf(realmId: RealmId, sessionId: SessionId): Promise<readonly ClientId[]> {
      const rows = await sql<{ client_id: string }[]>`
        SELECT client_id FROM limen_clients_of_session(${realmId}::uuid, ${sessionId}::uuid) AS held (client_id)
        ORDER BY client_id`;
      return rows.map(({ client_id }) => brandId<ClientId>(client_id));
    },

    /** For an ID token that no token family stands behind (`response_type=id_token`). False: the session has ended. */
    async noteClient(realmId: RealmId, sessionId: SessionId, clientId: ClientId): Promise<boolean> {
      const [row] = await sql<{ alive: boolean }[]>`
        WITH alive AS (
          SELECT id FROM sso_sessions
          WHERE id = ${sessionId}::uuid AND realm_id = ${realmId}::uuid AND ended_at IS NULL AND expires_at > limen_now()),
        noted AS (
          INSERT INTO session_clients (session_id, client_id) SELECT id, ${clientId} FROM alive ON CONFLICT DO NOTHING)
        SELECT EXISTS (SELECT FROM alive) AS alive`;
      return row?.alive === true;
    },
  });
};

const deliveryOf = (row: DueColumns): LogoutDelivery => ({
  id: row.id,
  realmId: brandId<RealmId>(row.realm_id),
  sessionId: brandId<SessionId>(row.session_id),
  userId: brandId<UserId>(row.user_id),
  clientId: brandId<ClientId>(row.client_id),
  attempt: row.attempts,
});

async function settleFailure(
  executor: Executor,
  audit: Audit,
  delivery: LogoutDelivery,
  { fault, retryAfterSeconds, giveUpAfterSeconds, pauseClientSeconds }: FailedAttempt,
): Promise<'waits' | 'given_up' | 'overtaken'> {
  const waiting = await executor.execute(query`
    UPDATE logout_deliveries
    SET due_at = limen_now() + make_interval(secs => ${retryAfterSeconds}), fault = ${fault}
    WHERE id = ${delivery.id}::uuid AND attempts = ${delivery.attempt} AND settled_at IS NULL
      AND queued_at + make_interval(secs => ${giveUpAfterSeconds}) > limen_now() + make_interval(secs => ${retryAfterSeconds})
    RETURNING id`);
  const isLast = waiting.length === 0 && (await giveUp(executor, delivery, fault));
  if (isLast) await note(executor, audit, 'logout.given_up', delivery, fault);
  if (pauseClientSeconds !== null) await pauseClient(executor, delivery, pauseClientSeconds);
  if (waiting.length === 1) return 'waits';
  return isLast ? 'given_up' : 'overtaken';
}

/** After the own row, and past rows that somebody holds: so two of these never wait for each other. */
const pauseClient = (executor: Executor, { realmId, clientId }: LogoutDelivery, seconds: number) =>
  executor.execute(query`
    UPDATE logout_deliveries SET due_at = limen_now() + make_interval(secs => ${seconds})
    WHERE id IN (
      SELECT id FROM logout_deliveries
      WHERE settled_at IS NULL AND due_at <= limen_now() AND realm_id = ${realmId}::uuid AND client_id = ${clientId}
      FOR UPDATE SKIP LOCKED)`);

async function giveUp(executor: Executor, { id, attempt }: LogoutDelivery, fault: string): Promise<boolean> {
  const settled = await executor.execute(query`
    UPDATE logout_deliveries SET settled_at = limen_now(), outcome = 'given_up', fault = ${fault}
    WHERE id = ${id}::uuid AND attempts = ${attempt} AND settled_at IS NULL RETURNING id`);
  return settled.length === 1;
}

const note = (
  executor: Executor,
  audit: Audit,
  event: AuditEventName,
  { realmId, userId, clientId, sessionId, attempt }: LogoutDelivery,
  fault: string | null,
): Promise<void> => {
  const detail = { attempts: attempt, ...(fault === null ? {} : { fault }) };
  return audit.record({ event, realmId, userId, clientId, sessionId, detail }, executor);
};
