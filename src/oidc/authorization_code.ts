import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { brandId, type ClientId, type FamilyId, type RealmId, type SessionId, type UserId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { open, seal } from '../core/seal.ts';
import type { Grant } from './token_family.ts';

/**
 * An authorization code is a sealed value: nothing is stored before it is redeemed. The object id of the seal is the id of
 * the family that redeeming creates, so one INSERT is the single-use gate.
 */
const text = Type.String();
const schema = Type.Object({
  client_id: text,
  user_id: text,
  session_id: Type.Union([text, Type.Null()]),
  redirect_uri: text,
  scope: Type.Array(text),
  audience: Type.Array(text),
  nonce: Type.Union([text, Type.Null()]),
  code_challenge: Type.Union([text, Type.Null()]),
  /** The key that must be proved to redeem it (RFC 9449 §10); absent: any, or none. */
  dpop_jkt: Type.Optional(text),
  auth_time: Type.Integer(),
  acr: Type.Union([text, Type.Null()]),
  amr: Type.Array(text),
  claims: Type.Object({ userinfo: Type.Array(text), id_token: Type.Array(text) }),
  /** The family of the access token that was returned beside this code (hybrid response types). */
  front_family_id: Type.Union([text, Type.Null()]),
  /** Milliseconds. */
  expires_at: Type.Integer(),
  issued_at: Type.Integer(),
});
const compiled = TypeCompiler.Compile(schema);

export type CodeContent = Static<typeof schema>;
export type AuthorizationCode = { readonly familyId: FamilyId; readonly content: CodeContent };

export const sealCode = (ring: KeyRing, realmId: RealmId, code: AuthorizationCode): string =>
  seal(ring, 'authorization code', realmId, { objectId: code.familyId, plaintext: JSON.stringify(code.content) });

export function openCode(
  ring: KeyRing,
  realmId: RealmId,
  sealed: string,
): AuthorizationCode | 'malformed' | 'unknown_key' {
  const opened = open(ring, 'authorization code', realmId, sealed);
  if (typeof opened === 'string') return opened;
  const content: unknown = JSON.parse(opened.plaintext.toString('utf8'));
  return compiled.Check(content) ? { familyId: brandId<FamilyId>(opened.objectId), content } : 'malformed';
}

/** What the tokens of a code say. */
export const grantOfCode = (content: CodeContent): Grant => ({
  clientId: brandId<ClientId>(content.client_id),
  userId: brandId<UserId>(content.user_id),
  sessionId: content.session_id === null ? null : brandId<SessionId>(content.session_id),
  scope: content.scope,
  audience: content.audience,
  authTime: content.auth_time,
  acr: content.acr,
  amr: content.amr,
  claims: { userinfo: content.claims.userinfo, idToken: content.claims.id_token },
});
