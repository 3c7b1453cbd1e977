import { sql as query } from 'drizzle-orm';
import { brandId, type ClientId, type FamilyId, type RealmId, type UserId } from '../core/ids.ts';
import type { Instant } from '../core/time.ts';
import type { DeviceBirth, UserCodeGuess, UserCodeVerdict, WaitingDevice } from '../oidc/device/ports.ts';
import type { DeviceDecision, DevicePoll, DeviceRedemption } from '../oidc/ports.ts';
import type { Audit } from './audit.ts';
import { clientIsUsed } from './clients.ts';
import type { Database, Executor, Sql } from './database.ts';
import { grantOf } from './family_grant.ts';
import { type GrantColumns, insertFamily } from './family_statements.ts';
import { guarded } from './fault.ts';
import { giveBackCeilings, takeCeilings } from './lockout.ts';
import { statement } from './statement.ts';

/**
 * Devices that wait (RFC 8628; table in drizzle/0005_device_authorizations.sql). A poll is one UPDATE by primary key that
 * changes no indexed column; approval is compare-and-set; the family that redeeming opens has the row's own id, so one
 * INSERT is the single-use gate and nothing here has to be marked as spent.
 */
export const createDeviceAuthorizations = (database: Database) =>
  guarded({
    async open(birth: DeviceBirth): Promise<boolean> {
      const { presenter } = birth;
      const rows = await database.sql`
        INSERT INTO device_authorizations
          (id, realm_id, client_id, code_hash, user_code, scope, audience, address, agent, expires_at, interval_seconds)
        VALUES (${birth.familyId}::uuid, ${birth.realmId}::uuid, ${birth.clientId}, ${birth.codeHash}::bytea,
          ${birth.userCode}, ${birth.scope.join(' ')}, ${[...birth.audience]}::text[], ${presenter.address},
          ${presenter.agent}, limen_now() + make_interval(secs => ${birth.lifetimeSeconds}::integer),
          ${birth.intervalSeconds}::integer)
        ON CONFLICT (realm_id, user_code) DO NOTHING RETURNING id`;
      return rows.length === 1;
    },

    /** The ceilings' rows are locked until the verdict, so N parallel guesses count as N. A right one gives its try back. */
    guess: ({ realmId, userCode, ceilings }: UserCodeGuess): Promise<UserCodeVerdict> =>
      database.transaction(async (executor) => {
        const reached = await takeCeilings(executor, realmId, ceilings);
        if (reached !== null) return { kind: 'crowded', ...reached };
        const device = userCode === null ? null : await findWaiting(executor, realmId, userCode);
        if (device === null) return { kind: 'unknown' };
        await giveBackCeilings(executor, realmId, ceilings);
        return { kind: 'found', device };
      }),

    /** One batch of those that are over: nothing asks for them again, since a device code tells its own expiry. */
    async forgetExpired(limit: number): Promise<number> {
      const gone = await database.sql`
        DELETE FROM device_authorizations WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM device_authorizations WHERE expires_at <= limen_now() LIMIT ${limit} FOR UPDATE SKIP LOCKED
        ))`;
      return gone.count;
    },
  });

type WaitingColumns = {
  readonly id: string;
  readonly client_id: string;
  readonly user_code: string;
  readonly scope: string;
  readonly audience: readonly string[];
  readonly created_at: Instant;
  readonly expires_at: Instant;
  readonly address: string | null;
  readonly agent: string | null;
};

async function findWaiting(executor: Executor, realmId: RealmId, userCode: string): Promise<WaitingDevice | null> {
  const [row] = await executor.execute<WaitingColumns>(query`
    SELECT id, client_id, user_code, scope, audience, created_at, expires_at, address, agent FROM device_authorizations
    WHERE realm_id = ${realmId}::uuid AND user_code = ${userCode} AND status = 'pending' AND limen_now() < expires_at`);
  if (row === undefined) return null;
  return {
    familyId: brandId<FamilyId>(row.id),
    clientId: brandId<ClientId>(row.client_id),
    userCode: row.user_code,
    scope: row.scope.split(' '),
    audience: row.audience,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    address: row.address,
    agent: row.agent,
  };
}

type DecidedColumns = { readonly scope: string; readonly address: string | null; readonly agent: string | null };

/** In the transaction of the run that asked the person. False: decided or expired meanwhile. */
export async function decideDevice(
  executor: Executor,
  audit: Audit,
  realmId: RealmId,
  { familyId, clientId, userId, approval }: DeviceDecision,
  presenter: { readonly address: string | null; readonly agent: string | null },
): Promise<boolean> {
  const [row] = await executor.execute<DecidedColumns>(query`
    UPDATE device_authorizations SET
      status = ${approval === null ? 'denied' : 'approved'}, decided_at = limen_now(), user_id = ${userId}::uuid,
      session_id = ${approval?.sessionId ?? null}::uuid, auth_time = ${approval?.authTime ?? null}::bigint,
      acr = ${approval?.acr ?? null}, amr = string_to_array(${approval?.amr.join(' ') ?? null}::text, ' ')
    WHERE id = ${familyId}::uuid AND realm_id = ${realmId}::uuid AND client_id = ${clientId}
      AND status = 'pending' AND limen_now() < expires_at
    RETURNING scope, address, agent`);
  if (row === undefined) return false;
  if (approval !== null) await clientIsUsed(executor, realmId, clientId);
  const event = approval === null ? ('device.denied' as const) : ('device.approved' as const);
  const detail = { scope: row.scope, device: { address: row.address, agent: row.agent } };
  const sessionId = approval?.sessionId ?? null;
  await audit.record({ event, realmId, clientId, userId, sessionId, familyId, ...presenter, detail }, executor);
  return true;
}

/**
 * What a person allowed and no device has fetched yet; gives which. Each is spent by a family that is over from the start,
 * so a device that polls at this moment finds either that or, as the first, a family that can be revoked.
 */
export async function denyApprovedDevices(
  executor: Executor,
  { realmId, userId }: { readonly realmId: RealmId; readonly userId: UserId },
  clientId: ClientId,
): Promise<readonly FamilyId[]> {
  const denied = await executor.execute<{ id: string }>(query`
    WITH spent AS (
      INSERT INTO token_families
        (id, realm_id, client_id, user_id, session_id, scope, audience, created_at, rotated_at, revoked_at, revoked_reason)
      SELECT id, realm_id, client_id, user_id, session_id, scope, audience, decided_at, limen_now(), limen_now(),
        'access revoked by the user'
      FROM device_authorizations
      WHERE realm_id = ${realmId}::uuid AND user_id = ${userId}::uuid AND client_id = ${clientId}
        AND status = 'approved' AND expires_at > limen_now()
      ON CONFLICT (id) DO NOTHING
      RETURNING id
    )
    UPDATE device_authorizations d SET status = 'denied', decided_at = limen_now()
    FROM spent WHERE d.id = spent.id
    RETURNING d.id`);
  return denied.map(({ id }) => brandId<FamilyId>(id));
}

type PolledColumns = Omit<GrantColumns, 'user_claims'> & {
  readonly status: 'pending' | 'approved' | 'denied';
  readonly hurried: boolean;
  readonly expired: boolean;
  readonly expires_at: Instant;
  readonly decided_at: Instant | null;
};

/** Networks delay one poll more than the next: half a second is not held against a device. */
const isHurried = `(limen_now() < d.polled_at + make_interval(secs => d.interval_seconds - 0.5))`;

const updatePolled = statement<DevicePoll, PolledColumns>`
  UPDATE device_authorizations d SET
    hurried = coalesce(${isHurried}, false),
    interval_seconds = d.interval_seconds + CASE WHEN ${isHurried} THEN 5 ELSE 0 END,
    polled_at = limen_now()
  WHERE d.id = ${({ familyId }) => familyId}::uuid AND d.realm_id = ${({ realmId }) => realmId}::uuid
    AND d.client_id = ${({ clientId }) => clientId} AND d.code_hash = ${({ codeHash }) => codeHash}::bytea
    AND d.created_at >= ${({ countsFrom }) => countsFrom}::timestamptz
  RETURNING d.status, d.hurried, d.expires_at <= limen_now() AS expired, d.expires_at, d.decided_at,
    d.client_id, d.user_id, d.session_id, d.scope, d.audience, d.auth_time, d.acr, d.amr, NULL::jsonb AS claims`;

/**
 * Once there is a decision the pace does not matter any more. A second redemption is refused and ends nothing: the code
 * has been nowhere but at its device, and one that polls twice at once must not lose what it was given.
 */
export async function redeemDevice(sql: Sql, poll: DevicePoll): Promise<DeviceRedemption> {
  const [row] = await updatePolled(sql, poll);
  if (row === undefined) return { kind: 'ended' };
  if (row.expired) return { kind: 'expired' };
  if (row.status === 'denied') return { kind: 'denied' };
  if (row.status === 'pending' || row.decided_at === null) return { kind: row.hurried ? 'hurried' : 'pending' };
  const grant = grantOf(row);
  const [born] = await insertFamily(sql, {
    familyId: poll.familyId,
    realmId: poll.realmId,
    grant,
    offline: grant.scope.includes('offline_access'),
    secretHash: poll.secretHash,
    codeIssuedAt: row.decided_at,
    codeExpiresAt: row.expires_at,
    frontFamilyId: null,
    senderKey: poll.senderKey,
    presenter: poll.presenter,
    // The token endpoint has spent them: a poll is paced before it redeems.
    proofs: [],
  });
  return born === undefined ? { kind: 'ended' } : { kind: 'redeemed', grant, userClaims: born.user_claims ?? {} };
}
