import { type Instant, toNumericDate } from '../core/time.ts';
import type { AccessTokenClaims } from './access_token.ts';
import { audienceOf } from './access_token.ts';
import type { Client } from './client.ts';
import { idTokenAlgorithms } from './id_token.ts';
import type { LiveFamily } from './ports.ts';

/** RFC 7662 §2.2. `inactive` says nothing of why: unknown, expired, revoked and not-for-you look the same. */
export type Introspection = { readonly active: false } | { readonly active: true; readonly [member: string]: unknown };

export const inactive: Introspection = { active: false };

/** Only confidential clients, and only tokens whose audience is theirs or one they are registered to introspect. */
export function mayIntrospect(caller: Pick<Client, 'clientId' | 'introspects'>, audience: readonly string[]): boolean {
  return audience.some((name) => name === caller.clientId || caller.introspects.includes(name));
}

export const introspectAccessToken = (claims: AccessTokenClaims, username: string | null): Introspection => ({
  active: true,
  ...claims,
  token_type: 'Bearer',
  ...(username === null ? {} : { username }),
  aud: onlyOrAll(audienceOf(claims)),
});

const onlyOrAll = (audience: readonly string[]): string | readonly string[] =>
  audience.length === 1 ? (audience[0] ?? '') : audience;

export const introspectRefreshToken = (
  family: LiveFamily,
  facts: { readonly issuer: string; readonly subject: string | null; readonly expiresAt: number },
): Introspection => ({
  active: true,
  iss: facts.issuer,
  client_id: family.clientId,
  scope: family.scope.join(' '),
  exp: facts.expiresAt,
  ...(facts.subject === null ? {} : { sub: facts.subject }),
  ...(family.username === null ? {} : { username: family.username }),
});

/** RFC 9701 §5, §10.2: the header's `typ`, and the media type's name. It can be taken for no token of another kind. */
export const introspectionJwtType = 'token-introspection+jwt';

/** RFC 9701 §6. */
export const introspectionAlgorithmOf = ({ metadata }: Pick<Client, 'metadata'>): string =>
  metadata.introspection_signed_response_alg ?? idTokenAlgorithms[0];

/** RFC 9701 §5: for the caller alone. No `sub` and no `exp`, which would make it look like an access token. */
export const introspectionJwtClaims = (issuer: string, caller: string, introspection: Introspection, now: Instant) => ({
  iss: issuer,
  aud: caller,
  iat: toNumericDate(now),
  token_introspection: introspection,
});
