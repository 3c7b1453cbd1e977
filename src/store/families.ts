import { sql as query, type SQL } from 'drizzle-orm';
import { brandId, type ClientId, type FamilyId, type RealmId, type SessionId, type UserId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import type {
  DevicePoll,
  DeviceRedemption,
  Families,
  FamilyBirth,
  FamilyBounds,
  LiveFamily,
  Presenter,
  ProofSpent,
  ProofToSpend,
  Redemption,
  Reuse,
  RevocationReason,
  RotatedGrant,
  Rotation,
} from '../oidc/ports.ts';
import type { FamilyRow, Grant } from '../oidc/token_family.ts';
import type { Audit } from './audit.ts';
import type { Database, Executor, Sql } from './database.ts';
import { redeemDevice } from './device_authorizations.ts';
import { grantOf } from './family_grant.ts';
import {
  aliveSession,
  aliveUser,
  type BirthColumns,
  type FamilyColumns,
  type GrantColumns,
  grantColumns,
  insertFamily,
  insertFamilySpending,
  type LiveColumns,
  type Spent,
  selectFamily,
  selectLive,
  selectLiveSpending,
  updateFamily,
  updateFamilyNarrowing,
  updateFamilySpending,
} from './family_statements.ts';
import { guarded } from './fault.ts';

/**
 * Token families: the single-use gate of codes and the rotation of refresh tokens. Redemption is one INSERT and rotation
 * one UPDATE, each autocommitted and carrying every precondition. Only where one matches no row does a second statement
 * read the row: inside the first it would see a snapshot older than the winner's commit, and the loser of an honest race
 * would look like a thief.
 */
export function createFamilies(database: Database, audit: Audit): Families {
  const { sql } = database;
  return guarded({
    redeem: async (birth: FamilyBirth): Promise<Redemption> => {
      const born = await bear(sql, birth);
      if (isSpent(born)) return born;
      if (born !== null) return { kind: 'redeemed', userClaims: born.user_claims ?? {} };
      const replayed = await revoke(database, audit, birth.familyId, birth.realmId, null, {
        reason: 'authorization code replay',
        event: 'code.replayed',
        presenter: birth.presenter,
      });
      if (replayed && birth.frontFamilyId !== null) {
        const reason = 'authorization code replay' as const;
        const ending = { reason, event: 'code.replayed' as const, presenter: birth.presenter };
        await revoke(database, audit, birth.frontFamilyId, birth.realmId, null, ending);
      }
      return { kind: replayed ? 'replayed' : 'ended' };
    },
    redeemDevice: (poll: DevicePoll): Promise<DeviceRedemption> => redeemDevice(sql, poll),
    openFront: async (birth: FamilyBirth): Promise<boolean> => {
      const [row] = await insertFamily(sql, birth);
      return row !== undefined || (await selectLive(sql, birth)).length === 1;
    },
    rotate: async (rotation: Rotation): Promise<RotatedGrant | ProofSpent | null> => {
      const row = await turn(sql, rotation);
      return row === null || isSpent(row) ? row : { grant: grantOf(row), userClaims: row.user_claims ?? {} };
    },
    recover: (rotation: Rotation): Promise<RotatedGrant | null> => recover(database, audit, rotation),
    read: async (familyId: FamilyId, realmId: RealmId, bounds: FamilyBounds): Promise<FamilyRow | null> => {
      const [row] = await selectFamily(sql, { familyId, realmId, bounds });
      return row === undefined ? null : familyOf(row);
    },
    endForReuse: (reuse: Reuse): Promise<void> => endForReuse(database, audit, reuse),
    noteRetry: async (familyId: FamilyId, realmId: RealmId, row: FamilyRow, presenter: Presenter): Promise<void> => {
      const { clientId, userId, sessionId } = row.grant;
      const heir = { generation: row.generation, address: row.address, agent: row.agent };
      const detail = { heir, ageSeconds: Math.round(row.secondsSinceRotation) };
      await audit.record({
        event: 'token.retried',
        realmId,
        clientId,
        userId,
        sessionId,
        familyId,
        ...presenter,
        detail,
      });
    },
    noteMismatch: async (
      familyId: FamilyId,
      realmId: RealmId,
      clientId: ClientId,
      presenter: Presenter,
    ): Promise<void> => {
      await audit.record({
        event: 'token.mismatch',
        realmId,
        clientId,
        familyId,
        ...presenter,
      });
    },
    revoke: (familyId: FamilyId, realmId: RealmId, clientId: ClientId, reason: RevocationReason): Promise<boolean> =>
      revoke(database, audit, familyId, realmId, clientId, { reason, event: 'token.revoked', presenter: nobody }),
    readLive: async (familyId: FamilyId, realmId: RealmId): Promise<LiveFamily | null> => {
      const [row] = await selectLive(sql, { familyId, realmId });
      return row === undefined ? null : liveOf(row);
    },
    readLiveSpending: async (
      familyId: FamilyId,
      realmId: RealmId,
      proof: ProofToSpend,
    ): Promise<LiveFamily | ProofSpent | null> => {
      const row = changeOf(await selectLiveSpending(sql, { familyId, realmId, proofs: [proof] }));
      return row === null || isSpent(row) ? row : liveOf(row);
    },
  });
}

async function bear(sql: Sql, birth: FamilyBirth): Promise<BirthColumns | ProofSpent | null> {
  return birth.proofs.length === 0
    ? ((await insertFamily(sql, birth))[0] ?? null)
    : changeOf(await insertFamilySpending(sql, birth));
}

async function turn(sql: Sql, rotation: Rotation): Promise<GrantColumns | ProofSpent | null> {
  if (rotation.proofs.length > 0) return changeOf(await updateFamilySpending(sql, rotation));
  const { scope, audience } = rotation.narrowing;
  const update = scope === null && audience === null ? updateFamily : updateFamilyNarrowing;
  return (await update(sql, rotation))[0] ?? null;
}

function changeOf<Row>([row]: readonly (Row & Spent)[]): Row | ProofSpent | null {
  if (row === undefined) return unreachable('the statement always gives one row');
  if (row.spent_before !== null) return { kind: 'proof_spent', proof: row.spent_before };
  return row.matched === null ? null : row;
}

const isSpent = (change: object | null): change is ProofSpent => change !== null && 'kind' in change;

const nobody: Presenter = { address: null, agent: null };

const familyOf = (row: FamilyColumns): FamilyRow => ({
  generation: row.generation,
  secretHash: row.secret_hash,
  clientId: brandId<ClientId>(row.client_id),
  revoked: row.revoked,
  alive: row.alive === true,
  secondsSinceRotation: row.seconds_since_rotation,
  senderKey: row.sender_key,
  address: row.address,
  agent: row.agent,
  grant: grantOf(row),
  userClaims: row.user_claims ?? {},
});

const liveOf = (row: LiveColumns): LiveFamily => ({
  createdAt: row.created_at,
  clientId: brandId<ClientId>(row.client_id),
  userId: row.user_id === null ? null : brandId<UserId>(row.user_id),
  sessionId: row.session_id === null ? null : brandId<SessionId>(row.session_id),
  generation: row.generation,
  hasRefreshToken: row.has_refresh_token,
  scope: row.scope.split(' '),
  claims: row.claims ?? { userinfo: [], idToken: [] },
  userClaims: row.user_claims ?? {},
  username: row.username,
});

/**
 * Adoption is compare-and-set on what was read of the row, and commits with its audit event. null: another refresh moved the
 * row first, or the family ended meanwhile.
 */
async function recover(database: Database, audit: Audit, rotation: Rotation): Promise<RotatedGrant | null> {
  const { familyId, realmId, clientId, generation, next, presenter } = rotation;
  return database.transaction(async (executor) => {
    const [row] = await executor.execute<GrantColumns>(query`
      UPDATE token_families f
      SET generation = ${next.generation}, secret_hash = ${next.secretHash}::bytea, rotated_at = limen_now(),
          address = ${presenter.address}, agent = ${presenter.agent}
      WHERE f.id = ${familyId}::uuid AND f.realm_id = ${realmId}::uuid AND f.client_id = ${clientId}
        AND f.generation = ${generation} AND f.secret_hash = ${rotation.secretHash}::bytea AND f.revoked_at IS NULL
        AND (f.sender_key IS NULL OR f.sender_key = ${rotation.senderKey})
        AND ${query.raw(aliveUser)} AND ${query.raw(aliveSession)}
      RETURNING ${query.raw(grantColumns)}`);
    if (row === undefined) return null;
    const detail = { lostGenerations: next.generation - generation - 1, from: generation, to: next.generation };
    await audit.record({ event: 'token.recovered', realmId, clientId, familyId, ...presenter, detail }, executor);
    return { grant: grantOf(row), userClaims: row.user_claims ?? {} };
  });
}

type Ending = {
  readonly reason: RevocationReason | 'authorization code replay';
  readonly event: 'token.revoked' | 'code.replayed';
  readonly presenter: Presenter;
};

/** true if there is such a family, ended just now or before; it is audited once. */
async function revoke(
  { transaction, sql }: Database,
  audit: Audit,
  familyId: FamilyId,
  realmId: RealmId,
  clientId: ClientId | null,
  { reason, event, presenter }: Ending,
): Promise<boolean> {
  const [family] = await sql<{ client_id: string; user_id: string | null; revoked: boolean }[]>`
    SELECT client_id, user_id, revoked_at IS NOT NULL AS revoked FROM token_families
    WHERE id = ${familyId}::uuid AND realm_id = ${realmId}::uuid AND (${clientId}::text IS NULL OR client_id = ${clientId})`;
  if (family === undefined || family.revoked) return family !== undefined;
  await transaction(async (executor) => {
    const ended = await markRevoked(executor, familyId, realmId, reason);
    if (!ended) return;
    const owner = brandId<ClientId>(family.client_id);
    const userId = family.user_id === null ? null : brandId<UserId>(family.user_id);
    await audit.record(
      {
        event,
        realmId,
        clientId: owner,
        userId,
        familyId,
        ...presenter,
        detail: { reason },
      },
      executor,
    );
  });
  return true;
}

/** The whole grant dies with one row; true for the one caller that ended it. */
async function markRevoked(executor: Executor, familyId: FamilyId, realmId: RealmId, reason: string): Promise<boolean> {
  const ended = await executor.execute(query`
    UPDATE token_families SET revoked_at = limen_now(), revoked_reason = ${reason}
    WHERE id = ${familyId}::uuid AND realm_id = ${realmId}::uuid AND revoked_at IS NULL RETURNING id`);
  return ended.length === 1;
}

/** What the policy ends beside the family: a row each, whatever hangs on it; the event is told if there was such a row. */
type Reaction = {
  readonly event: 'session.ended' | 'user.signed_out_everywhere';
  readonly end: (realmId: RealmId, grant: Grant) => SQL;
};
const reactions: { readonly [reaction in Reuse['reaction']]: Reaction | null } = {
  family: null,
  session: {
    event: 'session.ended',
    end: (realmId, { sessionId }) => query`
      UPDATE sso_sessions SET ended_at = limen_now()
      WHERE id = ${sessionId}::uuid AND realm_id = ${realmId}::uuid AND ended_at IS NULL RETURNING id`,
  },
  user: {
    event: 'user.signed_out_everywhere',
    end: (realmId, { userId }) => query`
      UPDATE users SET valid_from = limen_now() WHERE id = ${userId}::uuid AND realm_id = ${realmId}::uuid RETURNING id`,
  },
};

async function react(executor: Executor, audit: Audit, { realmId, row, reaction, presenter }: Reuse): Promise<void> {
  const chosen = reactions[reaction];
  if (chosen === null || (await executor.execute(chosen.end(realmId, row.grant))).length === 0) return;
  const { userId, sessionId } = row.grant;
  const detail = { reason: 'refresh token reuse' };
  await audit.record({ event: chosen.event, realmId, userId, sessionId, ...presenter, detail }, executor);
}

async function endForReuse(database: Database, audit: Audit, reuse: Reuse): Promise<void> {
  const { familyId, realmId, row, reaction, presenter } = reuse;
  const { clientId, userId, sessionId } = row.grant;
  await database.transaction(async (executor) => {
    if (!(await markRevoked(executor, familyId, realmId, 'refresh token reuse'))) return;
    await react(executor, audit, reuse);
    const detail = {
      class: reuse.classification,
      reaction,
      generationGap: reuse.generationGap,
      presented: { generation: reuse.presentedGeneration, address: presenter.address, agent: presenter.agent },
      current: {
        generation: row.generation,
        address: row.address,
        agent: row.agent,
        ageSeconds: Math.round(row.secondsSinceRotation),
      },
    };
    const event = 'token.reuse' as const;
    await audit.record({ event, realmId, clientId, userId, sessionId, familyId, ...presenter, detail }, executor);
  });
}
