import { and, eq, gt, gte, isNull, sql } from 'drizzle-orm';
import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { brandId, type ClientId, newId, type RealmId, type SessionId, type UserId } from '../core/ids.ts';
import type { Instant } from '../core/time.ts';
import type { Evidence, UserState } from '../flow/run.ts';
import { bytea, databaseNow, instant, json, secondsFromNow } from './columns.ts';
import { consents } from './consents.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';
import { users } from './users.ts';

export const ssoSessions = pgTable('sso_sessions', {
  id: uuid('id').primaryKey(),
  realmId: uuid('realm_id').notNull(),
  userId: uuid('user_id').notNull(),
  secretHash: bytea('secret_hash').notNull(),
  evidence: json<readonly StoredEvidence[]>('evidence').notNull(),
  createdAt: instant('created_at').notNull(),
  seenAt: instant('seen_at').notNull(),
  expiresAt: instant('expires_at').notNull(),
  endedAt: instant('ended_at'),
  address: text('address'),
  agent: text('agent'),
});

type StoredEvidence = { readonly method: string; readonly at: Instant };

export type NewSession = {
  /** Given where the caller must know it before the row exists. */
  readonly id?: SessionId;
  readonly realmId: RealmId;
  readonly userId: UserId;
  /** SHA-256 of the cookie. */
  readonly secretHash: Uint8Array;
  readonly evidence: readonly Evidence[];
  readonly absoluteLifetimeSeconds: number;
  readonly address: string | null;
  readonly agent: string | null;
};

export type SessionTimes = { readonly id: SessionId; readonly createdAt: Instant; readonly expiresAt: Instant };

export type FoundSession = SessionTimes & {
  readonly user: UserState;
  readonly evidence: readonly Evidence[];
  /** What this user allowed the client that was asked about; null: never asked, or no client was named. */
  readonly consentedScope: readonly string[] | null;
  /** true: `seen_at` is older than a tenth of the idle lifetime; call `touch`. */
  readonly touchDue: boolean;
};

export type SessionQuery = {
  readonly realmId: RealmId;
  readonly secretHash: Uint8Array;
  /** Whose remembered consent to read along. */
  readonly clientId: ClientId | null;
  readonly idleLifetimeSeconds: number;
};

/** How many expired rows one call of `forgetExpired` deletes at most. */
const forgetBatch = 1000;

export const createSsoSessions = (database: Database) => {
  const found = prepareFind(database);
  return guarded({
    /** Within the run's completing transaction. Null: the user is gone or disabled, in this realm at least. */
    create(executor: Executor, session: NewSession): Promise<SessionTimes | null> {
      return createSession(executor, session);
    },

    /** The living session of this cookie, or null. One round trip; every condition is judged by the database. */
    async find({ realmId, secretHash, clientId, idleLifetimeSeconds }: SessionQuery): Promise<FoundSession | null> {
      const [row] = await found.execute({ realmId, secretHash, clientId, idleSeconds: idleLifetimeSeconds });
      if (row === undefined) return null;
      const userId = brandId<UserId>(row.userId);
      return {
        id: brandId<SessionId>(row.id),
        createdAt: row.createdAt,
        expiresAt: row.expiresAt,
        user: { userId, username: row.username, enabled: row.enabled, validFrom: row.validFrom },
        evidence: row.evidence.map(({ method, at }) => ({ method, userId, at })),
        consentedScope: row.consentedScope,
        touchDue: row.touchDue,
      };
    },

    /** Starts the idle lifetime again; an update in place (no index holds `seen_at`). */
    async touch(realmId: RealmId, id: SessionId): Promise<void> {
      await database.db
        .update(ssoSessions)
        .set({ seenAt: databaseNow })
        .where(and(isThe(realmId, id), isNull(ssoSessions.endedAt)))
        .prepare('sso_session_touch')
        .execute();
    },

    /** False: it had ended already, or is none of this realm's. */
    async end(realmId: RealmId, id: SessionId, executor: Executor = database.db): Promise<boolean> {
      const ended = await executor
        .update(ssoSessions)
        .set({ endedAt: databaseNow })
        .where(and(isThe(realmId, id), isNull(ssoSessions.endedAt)))
        .returning({ id: ssoSessions.id })
        .prepare('sso_session_end')
        .execute();
      return ended.length > 0;
    },

    /** Ends all sessions of a user, save the one given; gives those that were alive, for logout delivery. */
    async endAllOfUser(
      realmId: RealmId,
      userId: UserId,
      {
        except = null,
        executor = database.db,
      }: { readonly except?: SessionId | null; readonly executor?: Executor } = {},
    ): Promise<readonly SessionId[]> {
      const ended = await executor
        .update(ssoSessions)
        .set({ endedAt: databaseNow })
        .where(
          and(
            eq(ssoSessions.realmId, realmId),
            eq(ssoSessions.userId, userId),
            isNull(ssoSessions.endedAt),
            except === null ? undefined : sql`${ssoSessions.id} <> ${except}`,
          ),
        )
        .returning({ id: ssoSessions.id });
      return ended.map(({ id }) => brandId<SessionId>(id));
    },

    /** Deletes a batch of sessions past their absolute lifetime, in all realms; gives how many. */
    async forgetExpired(): Promise<number> {
      const gone = await database.sql`
        DELETE FROM sso_sessions WHERE id IN (
          SELECT id FROM sso_sessions WHERE expires_at < limen_now() ORDER BY expires_at LIMIT ${forgetBatch}
        )`;
      return gone.count;
    },
  });
};

const isThe = (realmId: RealmId, id: SessionId) => and(eq(ssoSessions.realmId, realmId), eq(ssoSessions.id, id));

/** Selecting from the user makes realm and state a condition of the insert itself. */
async function createSession(executor: Executor, session: NewSession): Promise<SessionTimes | null> {
  const evidence: readonly StoredEvidence[] = session.evidence.map(({ method, at }) => ({ method, at }));
  const id = session.id ?? newId<SessionId>();
  const owner = and(eq(users.id, session.userId), eq(users.realmId, session.realmId), users.enabled);
  const [row] = await executor
    .insert(ssoSessions)
    .select((select) =>
      select
        .select({
          id: sql`${id}::uuid`.as('id'),
          realmId: users.realmId,
          userId: users.id,
          secretHash: sql`${session.secretHash}::bytea`.as('secret_hash'),
          evidence: sql`${sql.param(evidence, ssoSessions.evidence)}::jsonb`.as('evidence'),
          createdAt: sql`limen_now()`.as('created_at'),
          seenAt: sql`limen_now()`.as('seen_at'),
          expiresAt: sql`${secondsFromNow(session.absoluteLifetimeSeconds)}`.as('expires_at'),
          endedAt: sql`NULL::timestamptz`.as('ended_at'),
          address: sql`${session.address}::text`.as('address'),
          agent: sql`${session.agent}::text`.as('agent'),
        })
        .from(users)
        .where(owner),
    )
    .returning({ createdAt: ssoSessions.createdAt, expiresAt: ssoSessions.expiresAt })
    .prepare('sso_session_create')
    .execute();
  return row === undefined ? null : { id, ...row };
}

const prepareFind = ({ db }: Database) => {
  const idleSeconds = sql.placeholder('idleSeconds');
  return db
    .select({
      id: ssoSessions.id,
      createdAt: ssoSessions.createdAt,
      expiresAt: ssoSessions.expiresAt,
      evidence: ssoSessions.evidence,
      userId: users.id,
      username: users.username,
      enabled: users.enabled,
      validFrom: users.validFrom,
      consentedScope: consents.scope,
      touchDue: sql<boolean>`${ssoSessions.seenAt} < limen_now() - make_interval(secs => ${idleSeconds} / 10.0)`,
    })
    .from(ssoSessions)
    .innerJoin(users, and(eq(users.id, ssoSessions.userId), eq(users.realmId, ssoSessions.realmId)))
    .leftJoin(
      consents,
      and(
        eq(consents.realmId, ssoSessions.realmId),
        eq(consents.userId, ssoSessions.userId),
        eq(consents.clientId, sql.placeholder('clientId')),
      ),
    )
    .where(
      and(
        eq(ssoSessions.secretHash, sql.placeholder('secretHash')),
        eq(ssoSessions.realmId, sql.placeholder('realmId')),
        isNull(ssoSessions.endedAt),
        gt(ssoSessions.expiresAt, databaseNow),
        sql`${ssoSessions.seenAt} + make_interval(secs => ${idleSeconds}) > limen_now()`,
        users.enabled,
        gte(ssoSessions.createdAt, users.validFrom),
      ),
    )
    .prepare('sso_session_find');
};
