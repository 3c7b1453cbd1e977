import { sql as query } from 'drizzle-orm';
import {
  brandId,
  type ClientId,
  instantOfTimedId,
  isUuid,
  type RealmId,
  type SessionId,
  type UserId,
} from '../core/ids.ts';
import type { Audit, AuditEventName } from './audit.ts';
import type { createConsents } from './consents.ts';
import type { Database, Executor } from './database.ts';
import { denyApprovedDevices } from './device_authorizations.ts';
import { aliveSession, aliveUser } from './family_statements.ts';
import { guarded } from './fault.ts';
import { countingDevice, oneOf } from './known_devices.ts';
import type { createSsoSessions } from './sso_sessions.ts';
import type { createUsers } from './users.ts';

/**
 * What a person sees of their own account, and what they end of it. Every statement names realm and user, so that whatever
 * id is sent can only be one of their own; each change commits with its audit events.
 */
type Owner = { readonly realmId: RealmId; readonly userId: UserId };
type Presenter = { readonly address: string; readonly agent: string | null };

/** The stores whose changes these are. */
type Parts = {
  readonly audit: Audit;
  readonly consents: Pick<ReturnType<typeof createConsents>, 'revoke'>;
  readonly sessions: Pick<ReturnType<typeof createSsoSessions>, 'endAllOfUser'>;
  readonly users: Pick<ReturnType<typeof createUsers>, 'signOutEverywhere'>;
};

/** So many of a kind are more than anybody reads; the newest are shown. */
const mostShown = 200;

export const createAccount = (database: Database, parts: Parts) => {
  const { transaction } = database;
  const note = (executor: Executor, owner: Owner, by: Presenter, event: AuditEventName, more: object = {}) =>
    parts.audit.record({ event, ...owner, address: by.address, agent: by.agent, ...more }, executor);
  return guarded({
    ...createViews(database),

    endSession: (owner: Owner, id: string, by: Presenter): Promise<boolean> =>
      transaction(async (executor) => {
        if (!isUuid(id)) return false;
        const ended = await executor.execute(query`
          UPDATE sso_sessions SET ended_at = limen_now()
          WHERE id = ${id}::uuid AND realm_id = ${owner.realmId}::uuid AND user_id = ${owner.userId}::uuid
            AND ended_at IS NULL RETURNING id`);
        if (ended.length === 0) return false;
        await note(executor, owner, by, 'session.ended', { sessionId: brandId<SessionId>(id), detail: onPage });
        return true;
      }),

    endOtherSessions: (owner: Owner, keep: SessionId, by: Presenter): Promise<boolean> =>
      transaction(async (executor) => {
        const { realmId, userId } = owner;
        const ended = await parts.sessions.endAllOfUser(realmId, userId, { except: keep, executor });
        for (const sessionId of ended) {
          await note(executor, owner, by, 'session.ended', { sessionId, detail: onPage });
        }
        return ended.length > 0;
      }),

    endEverything: (owner: Owner, by: Presenter): Promise<boolean> =>
      transaction(async (executor) => {
        if (!(await parts.users.signOutEverywhere(owner.realmId, owner.userId, executor))) return false;
        await note(executor, owner, by, 'user.signed_out_everywhere', { detail: onPage });
        return true;
      }),

    revokeAccess: (owner: Owner, id: string, by: Presenter): Promise<boolean> =>
      transaction(async (executor) => {
        const clientId = brandId<ClientId>(id);
        const forgotten = await parts.consents.revoke({ ...owner, clientId }, executor);
        // Before the families: what a device has redeemed by then is among them.
        const devices = await denyApprovedDevices(executor, owner, clientId);
        const families = await executor.execute(query`
          UPDATE token_families SET revoked_at = limen_now(), revoked_reason = 'access revoked by the user'
          WHERE user_id = ${owner.userId}::uuid AND realm_id = ${owner.realmId}::uuid AND client_id = ${clientId}
            AND revoked_at IS NULL RETURNING id`);
        const detail = { ...onPage, families: families.length };
        if (forgotten) await note(executor, owner, by, 'consent.revoked', { clientId, detail });
        if (families.length > 0) await note(executor, owner, by, 'token.revoked', { clientId, detail });
        for (const familyId of devices) {
          await note(executor, owner, by, 'device.denied', { clientId, familyId, detail: onPage });
        }
        return forgotten || families.length > 0 || devices.length > 0;
      }),

    forgetDevice: (owner: Owner, id: string, by: Presenter): Promise<boolean> =>
      transaction(async (executor) => {
        if (!isUuid(id)) return false;
        const gone = await executor.execute(query`
          DELETE FROM known_devices WHERE id = ${id}::uuid AND realm_id = ${owner.realmId}::uuid
            AND user_id = ${owner.userId}::uuid RETURNING id`);
        if (gone.length === 0) return false;
        await note(executor, owner, by, 'device.forgotten', { detail: { device: id } });
        return true;
      }),
  });
};

const onPage = { reason: 'on the account page' } as const;

type SessionRow = {
  readonly id: string;
  readonly created_at: number;
  readonly seen_at: number;
  readonly address: string | null;
  readonly agent: string | null;
};

type DeviceRow = Omit<SessionRow, 'seen_at'> & { readonly proved_at: number; readonly is_this: boolean };

type AccessRow = {
  readonly client_id: string;
  readonly scope: readonly string[];
  readonly consented_at: number | null;
  readonly since: number | null;
  readonly last_granted_at: number | null;
  readonly last_used_at: number | null;
  readonly offline: boolean | null;
};

type HistoryRow = {
  readonly id: string;
  readonly event: string;
  readonly client_id: string | null;
  readonly address: string | null;
  readonly agent: string | null;
  readonly reason: string | null;
};

const createViews = ({ sql }: Database) => ({
  /** Those that live, also where they are idle for too long to sign anybody in: what hangs on them lives on. */
  async sessions({ realmId, userId }: Owner) {
    const rows = await sql<SessionRow[]>`
      SELECT s.id, s.created_at, s.seen_at, s.address, s.agent
      FROM sso_sessions s JOIN users u ON u.id = s.user_id AND u.realm_id = s.realm_id
      WHERE s.user_id = ${userId}::uuid AND s.realm_id = ${realmId}::uuid AND s.ended_at IS NULL
        AND s.expires_at > limen_now() AND s.created_at >= u.valid_from
      ORDER BY s.seen_at DESC LIMIT ${mostShown}`;
    return rows.map(({ id, created_at, seen_at, address, agent }) => ({
      id: brandId<SessionId>(id),
      startedAt: created_at,
      seenAt: seen_at,
      address,
      agent,
    }));
  },

  async devices({ realmId, userId }: Owner, tokenHashes: readonly Uint8Array[]) {
    const rows = await sql<DeviceRow[]>`
      SELECT d.id, d.created_at, d.proved_at, d.address, d.agent,
        d.token_hash = ANY (${oneOf(sql, tokenHashes)}) AS is_this
      FROM known_devices d JOIN users u ON u.id = d.user_id AND u.realm_id = d.realm_id
      WHERE d.user_id = ${userId}::uuid AND d.realm_id = ${realmId}::uuid AND ${sql.unsafe(countingDevice)}
      ORDER BY d.proved_at DESC LIMIT ${mostShown}`;
    return rows.map(({ id, created_at, proved_at, address, agent, is_this }) => ({
      id,
      rememberedAt: created_at,
      provedAt: proved_at,
      address,
      agent,
      isThis: is_this,
    }));
  },

  /** By client: what it was allowed, and what it holds that is neither revoked nor over. */
  async access({ realmId, userId }: Owner) {
    const rows = await sql<AccessRow[]>`
      WITH held AS (
        SELECT f.client_id, min(f.created_at) AS since, max(f.created_at) AS last_granted_at,
          max(f.rotated_at) AS last_used_at, bool_or(f.offline) AS offline,
          string_to_array(string_agg(f.scope, ' '), ' ') AS scope
        FROM token_families f
        WHERE f.user_id = ${userId}::uuid AND f.realm_id = ${realmId}::uuid AND f.revoked_at IS NULL
          AND limen_instant_of(f.id) > limen_now() AND ${sql.unsafe(aliveUser)} AND ${sql.unsafe(aliveSession)}
        GROUP BY f.client_id
      ), allowed AS (
        SELECT client_id, scope, granted_at FROM consents
        WHERE user_id = ${userId}::uuid AND realm_id = ${realmId}::uuid
      )
      SELECT client_id, allowed.granted_at AS consented_at, held.since, held.last_granted_at, held.last_used_at,
        held.offline, ARRAY(SELECT DISTINCT unnest(coalesce(held.scope, '{}') || coalesce(allowed.scope, '{}')) ORDER BY 1)
        AS scope
      FROM held FULL JOIN allowed USING (client_id)
      ORDER BY coalesce(held.last_used_at, allowed.granted_at) DESC LIMIT ${mostShown}`;
    return rows.map(accessOf);
  },

  async history(
    { realmId, userId }: Owner,
    {
      events,
      before,
      limit,
    }: { readonly events: readonly string[]; readonly before: string | null; readonly limit: number },
  ) {
    const rows = await sql<HistoryRow[]>`
      SELECT id, event, client_id, address, agent, detail ->> 'reason' AS reason FROM audit_events
      WHERE realm_id = ${realmId}::uuid AND user_id = ${userId}::uuid AND event = ANY (${[...events]}::text[])
        AND (${before}::uuid IS NULL OR id < ${before}::uuid)
      ORDER BY id DESC LIMIT ${limit}`;
    return rows.map(({ id, event, client_id, address, agent, reason }) => ({
      id,
      at: instantOfTimedId(id),
      event,
      clientId: client_id === null ? null : brandId<ClientId>(client_id),
      address,
      agent,
      reason,
    }));
  },
});

function accessOf({ client_id, scope, consented_at, since, last_granted_at, last_used_at, offline }: AccessRow) {
  const isHeld = since !== null && last_granted_at !== null && last_used_at !== null;
  return {
    clientId: brandId<ClientId>(client_id),
    scope,
    consentedAt: consented_at,
    held: isHeld
      ? { since, lastGrantedAt: last_granted_at, lastUsedAt: last_used_at, offline: offline === true }
      : null,
  };
}
