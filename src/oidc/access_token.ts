import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { decodeBase64url, encodeBase64url } from '../core/base64url.ts';
import { randomBytes } from '../core/crypto.ts';
import { brandId, bytesOfUuid, type FamilyId, uuidFromBytes } from '../core/ids.ts';
import { type Instant, toNumericDate } from '../core/time.ts';
import { type Actor, actorSchema } from './actor.ts';
import type { Client } from './client.ts';
import type { Realm } from './realm.ts';
import { subjectOf } from './subject.ts';
import type { Grant } from './token_family.ts';

/** RFC 9068. The `jti` of a token that belongs to a family begins with the family's id, so that it can be looked up. */
const familyJtiLength = 16 + 8;

export function newJti(familyId: FamilyId | null): string {
  return encodeBase64url(familyId === null ? randomBytes(16) : Buffer.concat([bytesOfUuid(familyId), randomBytes(8)]));
}

/** null: a token of its own, without a family. */
export function familyOfJti(jti: string): FamilyId | null {
  const bytes = decodeBase64url(jti);
  return bytes?.length === familyJtiLength ? brandId<FamilyId>(uuidFromBytes(bytes)) : null;
}

/** What a token says otherwise because it was exchanged for another one (RFC 8693). */
export type Exchanged = {
  /** Whom the subject token spoke of, by the same name, and to whom it was issued. */
  readonly subject: string;
  readonly subjectClientId: string;
  /** NumericDate: it ends with the tokens that it was exchanged for, if not before. */
  readonly expiresAt: number;
  readonly act: Actor | undefined;
  /** The answer's `issued_token_type` (§2.2.1). */
  readonly issuedTokenType: string;
};

export type AccessTokenFacts = {
  readonly realm: Realm;
  readonly client: Client;
  readonly grant: Pick<Grant, 'userId' | 'audience' | 'authTime' | 'acr'>;
  readonly scope: readonly string[];
  readonly familyId: FamilyId | null;
  readonly now: Instant;
  readonly exchanged?: Exchanged | undefined;
};

export function accessTokenClaims({ realm, client, grant, scope, familyId, now, exchanged }: AccessTokenFacts) {
  const issuedAt = toNumericDate(now);
  const expiresAt = issuedAt + client.settings.accessTokenLifetimeSeconds;
  const [onlyAudience, second] = grant.audience;
  return {
    iss: realm.issuer,
    sub: exchanged?.subject ?? (grant.userId === null ? client.clientId : subjectOf(realm, client, grant.userId)),
    aud: second === undefined ? onlyAudience : grant.audience,
    client_id: client.clientId,
    scope: scope.join(' '),
    jti: newJti(familyId),
    iat: issuedAt,
    exp: exchanged === undefined ? expiresAt : Math.min(expiresAt, exchanged.expiresAt),
    ...(grant.authTime === null ? {} : { auth_time: grant.authTime }),
    ...(grant.acr === null ? {} : { acr: grant.acr }),
    ...(exchanged?.act === undefined ? {} : { act: exchanged.act }),
  };
}

const schema = Type.Object({
  iss: Type.String(),
  sub: Type.String(),
  aud: Type.Union([Type.String(), Type.Array(Type.String())]),
  client_id: Type.String(),
  scope: Type.String(),
  jti: Type.String(),
  iat: Type.Integer(),
  exp: Type.Integer(),
  auth_time: Type.Optional(Type.Integer()),
  acr: Type.Optional(Type.String()),
  act: Type.Optional(actorSchema),
});
const compiled = TypeCompiler.Compile(schema);
export type AccessTokenClaims = Static<typeof schema>;

/** The claims of a token whose signature, type, issuer and expiry the caller has verified. */
export const readAccessTokenClaims = (payload: unknown): AccessTokenClaims | null =>
  compiled.Check(payload) ? payload : null;

export const audienceOf = ({ aud }: Pick<AccessTokenClaims, 'aud'>): readonly string[] =>
  typeof aud === 'string' ? [aud] : aud;
