import { compactVerify, createLocalJWKSet, type JWK } from 'jose';
import { type Instant, toNumericDate } from '../core/time.ts';
import { type AccessTokenClaims, readAccessTokenClaims } from '../oidc/access_token.ts';
import type { Client } from '../oidc/client.ts';
import { isOpaque, openAccessToken, sealAccessToken } from '../oidc/opaque_token.ts';
import type { Realm } from '../oidc/realm.ts';
import { type Dependencies, type RealmKeys, signerOf } from './dependencies.ts';
import type { Exchange } from './exchange.ts';

export type VerifyAccessToken = (
  token: string,
  realm: Realm,
  keys: RealmKeys,
  now: Instant,
) => Promise<AccessTokenClaims | null>;

/** An access token for this audience with these claims: signed, or sealed where a resource of its wants no JWT. */
export const writeAccessToken = (
  { ring }: Pick<Dependencies, 'ring'>,
  { realm, keys }: Pick<Exchange, 'realm' | 'keys'>,
  client: Client,
  audience: readonly string[],
  claims: object,
): string | Promise<string> =>
  isOpaque(client, audience)
    ? sealAccessToken(ring, realm, claims)
    : signerOf(keys, client.settings.accessTokenSigningAlgorithm).sign('at+jwt', claims);

/**
 * Access tokens of ours, as they come back (RFC 9068 §4): signature or seal, type, issuer, expiry. Keys are imported once per
 * JWKS, which the configuration cache replaces whenever it changes.
 */
export function createVerifyAccessToken({ ring }: Pick<Dependencies, 'ring'>): VerifyAccessToken {
  const keySets = new WeakMap<object, ReturnType<typeof createLocalJWKSet>>();
  const keySetOf = (jwks: { readonly keys: readonly JWK[] }) => {
    const known = keySets.get(jwks);
    if (known !== undefined) return known;
    const keySet = createLocalJWKSet({ keys: [...jwks.keys] });
    keySets.set(jwks, keySet);
    return keySet;
  };
  return async (token, realm, keys, now) => {
    const isSealed = !token.includes('.');
    const claims = isSealed ? openAccessToken(ring, realm, token) : await verifiedClaims(token, keySetOf(keys.jwks));
    return claims !== null && claims.iss === realm.issuer && claims.exp > toNumericDate(now) ? claims : null;
  };
}

async function verifiedClaims(
  token: string,
  keySet: ReturnType<typeof createLocalJWKSet>,
): Promise<AccessTokenClaims | null> {
  try {
    const { payload, protectedHeader } = await compactVerify(token, keySet);
    if (protectedHeader.typ?.toLowerCase() !== 'at+jwt') return null;
    return readAccessTokenClaims(JSON.parse(new TextDecoder().decode(payload)));
  } catch {
    return null;
  }
}
