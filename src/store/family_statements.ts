import { type FamilyId, instantOfTimedId, type RealmId } from '../core/ids.ts';
import type { FamilyBirth, FamilyBounds, ProofToSpend, Rotation } from '../oidc/ports.ts';
import type { StandardClaims } from '../oidc/standard_claims.ts';
import type { Grant } from '../oidc/token_family.ts';
import { proofKey } from './seen_proofs.ts';
import { type Fragment, fragment, statement } from './statement.ts';

/** The statements of the token path on `token_families`. Each is one round trip, and carries its conditions itself. */

export type GrantColumns = {
  readonly client_id: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly scope: string;
  readonly audience: readonly string[];
  readonly auth_time: number | null;
  readonly acr: string | null;
  readonly amr: readonly string[] | null;
  readonly claims: Grant['claims'] | null;
  readonly user_claims: StandardClaims | null;
};

/** User and session liveness by primary key, as scalar sub-selects: joins and EXISTS planned far worse here. */
const isSessionAlive = 's.ended_at IS NULL AND s.expires_at > limen_now()';
export const aliveUser = `
  (f.user_id IS NULL OR (SELECT u.enabled AND u.valid_from <= f.created_at FROM users u WHERE u.id = f.user_id))`;
export const aliveSession = `
  (f.offline OR f.session_id IS NULL
   OR (SELECT ${isSessionAlive} FROM sso_sessions s WHERE s.id = f.session_id))`;
/** Only a grant whose ID token was asked for claims of the user costs their reading. */
export const askedUserClaims = `
  CASE WHEN f.claims IS NOT NULL AND jsonb_array_length(f.claims -> 'idToken') > 0
       THEN (SELECT u.claims FROM users u WHERE u.id = f.user_id) END AS user_claims`;
export const grantColumns = `
  f.client_id, f.user_id, f.session_id, f.scope, f.audience, f.auth_time, f.acr, f.amr, f.claims, ${askedUserClaims}`;

type Proving = { readonly proofs: readonly ProofToSpend[] };

/** Beside the columns of a change that spent proofs. `matched` is null where the change met no row. */
export type Spent = { readonly all_fresh: boolean; readonly matched: true | null };

/** Evaluated before the change: whether each proof was spent for the first time (`spending`). */
const allFresh = '(SELECT count(*) FROM spent) = (SELECT count(*) FROM shown)';

/**
 * One statement that spends the proofs and makes a change which depends on `allFresh`. In one order, so that two requests
 * with the same two proofs cannot wait for each other.
 */
const spending = <Input extends Proving, Row extends object>(change: Fragment<Input>) => statement<Input, Row & Spent>`
  WITH shown AS (
    SELECT decode(key, 'hex') AS key, at::timestamptz AS at
    FROM unnest(${({ proofs }) => proofs.map((proof) => proofKey(proof).toString('hex'))}::text[],
                ${({ proofs }) => proofs.map(({ expiresAt }) => new Date(expiresAt).toISOString())}::text[])
         AS proof (key, at)
  ), spent AS (
    INSERT INTO seen_proofs (key, at) SELECT key, at FROM shown ORDER BY key ON CONFLICT DO NOTHING RETURNING key
  ), change AS (${change})
  SELECT ${allFresh} AS all_fresh, made.* FROM (VALUES (1)) AS always
  LEFT JOIN (SELECT true AS matched, change.* FROM change) AS made ON true`;

const bornIn = ({ realmId }: FamilyBirth): RealmId => realmId;
const bornInSession = ({ grant }: FamilyBirth): string | null => grant.sessionId;
const bornAt = ({ codeIssuedAt }: FamilyBirth): number => codeIssuedAt;

/** `created_at` is the code's birth, so that a sign-out between code and redemption finds a family older than itself. */
const birthOf = (condition: string): Fragment<FamilyBirth> => fragment<FamilyBirth>`
  INSERT INTO token_families AS f
    (id, realm_id, client_id, user_id, session_id, offline, secret_hash, scope, audience, auth_time, acr, amr, claims,
     created_at, rotated_at, address, agent)
  SELECT ${({ familyId }) => familyId}::uuid, ${bornIn}::uuid, ${({ grant }) => grant.clientId}, u.id,
         ${bornInSession}::uuid, ${({ offline }) => offline}::boolean, ${({ secretHash }) => secretHash}::bytea,
         ${({ grant }) => grant.scope.join(' ')}, ${({ grant }) => grant.audience}::text[],
         ${({ grant }) => grant.authTime}::bigint, ${({ grant }) => grant.acr}, ${({ grant }) => grant.amr}::text[],
         ${claimsColumn}::jsonb, LEAST(${bornAt}::timestamptz, limen_now()), limen_now(),
         ${({ presenter }) => presenter.address}, ${({ presenter }) => presenter.agent}
  FROM users u
  WHERE u.id = ${({ grant }) => grant.userId}::uuid AND u.realm_id = ${bornIn}::uuid
    AND u.enabled AND u.valid_from <= ${bornAt}::timestamptz
    AND limen_now() < ${({ codeExpiresAt }) => codeExpiresAt}::timestamptz
    AND (${bornInSession}::uuid IS NULL
         OR (SELECT ${isSessionAlive} FROM sso_sessions s WHERE s.id = ${bornInSession}::uuid))
    AND ${condition}
  ON CONFLICT (id) DO NOTHING
  RETURNING ${askedUserClaims}`;

export type BirthColumns = Pick<GrantColumns, 'user_claims'>;
export const insertFamily = statement<FamilyBirth, BirthColumns>`${birthOf('true')}`;
export const insertFamilySpending = spending<FamilyBirth, BirthColumns>(birthOf(allFresh));

function claimsColumn({ grant: { claims } }: FamilyBirth): string | null {
  return claims.userinfo.length + claims.idToken.length === 0 ? null : JSON.stringify(claims);
}

const narrowedScope = ({ narrowing }: Rotation): readonly string[] | null => narrowing.scope;
const narrowedAudience = ({ narrowing }: Rotation): readonly string[] | null => narrowing.audience;

/** A request that does not narrow, as most, sends no parameters for it. */
const withinGrant = fragment<Rotation>`
  (${narrowedScope}::text[] IS NULL OR string_to_array(f.scope, ' ') @> ${narrowedScope}::text[])
  AND (${narrowedAudience}::text[] IS NULL OR f.audience @> ${narrowedAudience}::text[])`;

const rotationOf = (condition: string | Fragment<Rotation>): Fragment<Rotation> => fragment<Rotation>`
  UPDATE token_families f
  SET generation = ${({ next }) => next.generation}, secret_hash = ${({ next }) => next.secretHash}::bytea,
      rotated_at = limen_now(), address = ${({ presenter }) => presenter.address},
      agent = ${({ presenter }) => presenter.agent}
  WHERE f.id = ${({ familyId }) => familyId}::uuid AND f.realm_id = ${({ realmId }) => realmId}::uuid
    AND f.client_id = ${({ clientId }) => clientId}
    AND f.generation = ${({ generation }) => generation} AND f.secret_hash = ${({ secretHash }) => secretHash}::bytea
    AND f.revoked_at IS NULL
    AND f.rotated_at > limen_now() - make_interval(secs => ${({ bounds }) => bounds.idleSeconds})
    AND f.created_at >= ${({ bounds }) => bounds.clientValidFrom}::timestamptz
    AND ${({ familyId }) => instantOfTimedId(familyId)}::timestamptz > limen_now()
    AND ${aliveUser} AND ${aliveSession}
    AND ${condition}
  RETURNING ${grantColumns}`;

export const updateFamily = statement<Rotation, GrantColumns>`${rotationOf('true')}`;
export const updateFamilyNarrowing = statement<Rotation, GrantColumns>`${rotationOf(withinGrant)}`;
export const updateFamilySpending = spending<Rotation, GrantColumns>(
  rotationOf(fragment<Rotation>`${withinGrant} AND ${allFresh}`),
);

export type FamilyColumns = GrantColumns & {
  readonly generation: number;
  readonly secret_hash: Uint8Array | null;
  readonly revoked: boolean;
  readonly alive: boolean | null;
  readonly seconds_since_rotation: number;
  readonly address: string | null;
  readonly agent: string | null;
};

export type FamilyKey = { readonly familyId: FamilyId; readonly realmId: RealmId };

export const selectFamily = statement<FamilyKey & { readonly bounds: FamilyBounds }, FamilyColumns>`
  SELECT f.generation, f.secret_hash, f.address, f.agent, f.revoked_at IS NOT NULL AS revoked,
         extract(epoch FROM limen_now() - f.rotated_at)::float8 AS seconds_since_rotation,
         f.rotated_at > limen_now() - make_interval(secs => ${({ bounds }) => bounds.idleSeconds})
           AND f.created_at >= ${({ bounds }) => bounds.clientValidFrom}::timestamptz
           AND ${({ familyId }) => instantOfTimedId(familyId)}::timestamptz > limen_now()
           AND ${aliveUser} AND ${aliveSession} AS alive,
         ${grantColumns}
  FROM token_families f
  WHERE f.id = ${({ familyId }) => familyId}::uuid AND f.realm_id = ${({ realmId }) => realmId}::uuid`;

export type LiveColumns = Omit<GrantColumns, 'audience' | 'auth_time' | 'acr' | 'amr'> & {
  readonly generation: number;
  readonly has_refresh_token: boolean;
  readonly created_at: number;
  readonly username: string | null;
};

export const selectLive = statement<FamilyKey, LiveColumns>`
  SELECT f.client_id, f.user_id, f.session_id, f.scope, f.claims, f.generation, f.created_at,
         f.secret_hash IS NOT NULL AS has_refresh_token, u.username, u.claims AS user_claims
  FROM token_families f LEFT JOIN users u ON u.id = f.user_id
  WHERE f.id = ${({ familyId }) => familyId}::uuid AND f.realm_id = ${({ realmId }) => realmId}::uuid
    AND f.revoked_at IS NULL
    AND ${({ familyId }) => instantOfTimedId(familyId)}::timestamptz > limen_now()
    AND (f.user_id IS NULL OR (u.enabled AND u.valid_from <= f.created_at))
    AND ${aliveSession}`;
