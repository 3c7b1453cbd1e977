import { encodeBase64url } from '../core/base64url.ts';
import { digest } from '../core/crypto.ts';
import { type Instant, toNumericDate } from '../core/time.ts';
import type { Client } from './client.ts';
import type { Realm } from './realm.ts';
import { claimsOfScope, type StandardClaims } from './standard_claims.ts';
import { sidOf, subjectOf } from './subject.ts';
import type { Grant } from './token_family.ts';

/** Signature algorithms a client may be registered with for ID tokens; the first is the default (OIDC Core §2). */
export const idTokenAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] as const;

export const idTokenAlgorithmOf = (client: Pick<Client, 'idTokenSignedResponseAlg'>): string =>
  client.idTokenSignedResponseAlg ?? idTokenAlgorithms[0];

export type IdTokenFacts = {
  readonly realm: Realm;
  readonly client: Client;
  readonly grant: Grant;
  readonly userClaims: StandardClaims;
  readonly nonce: string | null;
  /** What is returned beside the ID token and vouched for by it (OIDC Core §3.1.3.6, §3.3.2.11); null: nothing. */
  readonly accessToken: string | null;
  readonly code: string | null;
  readonly now: Instant;
};

/**
 * OIDC Core §2. Claims of scopes go to userinfo where an access token is issued, now or for the code; here then only what
 * `claims.id_token` asked for by name (§5.4). Null where the grant has no user or no `openid`.
 */
export function idTokenClaims(facts: IdTokenFacts): { readonly [name: string]: unknown } | null {
  const { realm, client, grant, userClaims, nonce, accessToken, code, now } = facts;
  if (grant.userId === null || !grant.scope.includes('openid')) return null;
  const issuedAt = toNumericDate(now);
  const algorithm = idTokenAlgorithmOf(client);
  const hasUserinfo = accessToken !== null || code !== null;
  return {
    ...releasedClaims(userClaims, [
      ...grant.claims.idToken,
      ...(hasUserinfo ? [] : grant.scope.flatMap(claimsOfScope)),
    ]),
    iss: realm.issuer,
    sub: subjectOf(realm, client, grant.userId),
    aud: client.clientId,
    iat: issuedAt,
    exp: issuedAt + client.settings.idTokenLifetimeSeconds,
    ...(grant.authTime === null ? {} : { auth_time: grant.authTime }),
    ...(nonce === null ? {} : { nonce }),
    ...(grant.acr === null ? {} : { acr: grant.acr }),
    ...(grant.amr.length === 0 ? {} : { amr: grant.amr }),
    ...(grant.sessionId === null ? {} : { sid: sidOf(realm, client.clientId, grant.sessionId) }),
    ...(accessToken === null ? {} : { at_hash: leftHalfHash(algorithm, accessToken) }),
    ...(code === null ? {} : { c_hash: leftHalfHash(algorithm, code) }),
  };
}

function releasedClaims(claims: StandardClaims, names: readonly string[]): { readonly [name: string]: unknown } {
  if (names.length === 0) return {};
  const released = new Set(names);
  return Object.fromEntries(
    Object.entries(claims).filter(([name, value]) => released.has(name) && value !== undefined),
  );
}

/** OIDC Core §3.1.3.6: the left half of the hash that goes with the signature's algorithm. */
export function leftHalfHash(algorithm: string, value: string): string {
  const hash = digest(hashOfAlgorithm(algorithm), value);
  return encodeBase64url(hash.subarray(0, hash.length / 2));
}

function hashOfAlgorithm(algorithm: string): 'sha256' | 'sha384' | 'sha512' {
  if (algorithm.endsWith('384')) return 'sha384';
  return algorithm.endsWith('512') || algorithm.startsWith('Ed') ? 'sha512' : 'sha256';
}
