import { type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { encodeBase64url } from '../core/base64url.ts';
import { equalConstantTime, randomBytes, randomToken, sha256 } from '../core/crypto.ts';
import type { RealmId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { unreachable } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import type { Client, ClientSecretHash } from '../oidc/client.ts';
import type { OpenClientSecret } from '../oidc/client_auth/method.ts';
import { openColumn, sealColumn } from './sealed_column.ts';

/** `hash`: hex of the SHA-256. `sealed`: only where the method computes with the secret itself. */
export type StoredSecret = {
  readonly hash: string;
  readonly created_at: Instant;
  readonly expires_at: Instant | null;
  readonly sealed?: string;
};

/** Whose secret it is, and what it is for. `ring`: without one no secret can be kept sealed. */
export type SecretOwner = Pick<Client, 'realmId' | 'clientId' | 'authMethod'> & { readonly ring: KeyRing | undefined };

const mostSecrets = 2;

/** OIDC Core §9: a MAC is computed with the secret, so that its hash would not do. */
export const isKeptSealed = (authMethod: string): boolean => authMethod === 'client_secret_jwt';

/** 256 random bits; 384 in 64 characters where it is the key of a MAC, as long as HS512 wants it (RFC 7518 §3.2). */
export const newSecret = (authMethod: string): Secret =>
  new Secret(isKeptSealed(authMethod) ? encodeBase64url(randomBytes(48)) : randomToken());

export function kept(secret: Secret, owner: SecretOwner, now: Instant): ClientSecretHash {
  const plaintext = secret.reveal();
  const entry = { hash: sha256(plaintext), createdAt: now, expiresAt: null };
  if (!isKeptSealed(owner.authMethod)) return entry;
  const ring = owner.ring ?? unreachable('a secret that must be sealed is made without a key ring');
  return { ...entry, sealed: sealColumn(ring, placeOf(owner), plaintext) };
}

/** Throws a `SealedColumnFault` where the ring lacks the key. */
export const openClientSecret =
  (ring: KeyRing): OpenClientSecret =>
  (client, { sealed, hash }) => {
    if (sealed === undefined) return null;
    const plaintext = openColumn(ring, placeOf(client), sealed);
    // An entry's expiry is its own: the secret of another entry must not stand in it.
    return equalConstantTime(sha256(plaintext), hash) ? new Secret(plaintext) : null;
  };

const placeOf = ({ realmId, clientId }: { readonly realmId: RealmId; readonly clientId: string }) => ({
  table: 'clients',
  row: `${realmId}:${clientId}`,
  column: 'secrets',
});

/** What only `client_secret_jwt` needs is kept for no other method. */
export const withoutSealed = (secrets: AnyPgColumn): SQL<readonly StoredSecret[]> => sql`
  coalesce((SELECT jsonb_agg(entry - 'sealed' ORDER BY place)
            FROM jsonb_array_elements(${secrets}) WITH ORDINALITY AS list (entry, place)), '[]')`;

/** Of the former secrets the newest that is still valid, until the end of the overlap or its own, whichever is first. */
export function outgoing(
  secrets: readonly ClientSecretHash[],
  overlapSeconds: number,
  now: Instant,
): readonly ClientSecretHash[] {
  const end = now + overlapSeconds * 1000;
  return secrets
    .map((secret) => ({ ...secret, expiresAt: Math.min(secret.expiresAt ?? end, end) }))
    .filter(({ expiresAt }) => expiresAt > now)
    .sort((left, right) => right.createdAt - left.createdAt)
    .slice(0, mostSecrets - 1);
}

export const toStoredSecret = ({ hash, createdAt, expiresAt, sealed }: ClientSecretHash): StoredSecret => ({
  hash: Buffer.from(hash).toString('hex'),
  created_at: createdAt,
  expires_at: expiresAt,
  ...(sealed === undefined ? {} : { sealed }),
});

export const fromStoredSecret = ({ hash, created_at, expires_at, sealed }: StoredSecret): ClientSecretHash => ({
  hash: Buffer.from(hash, 'hex'),
  createdAt: created_at,
  expiresAt: expires_at,
  ...(sealed === undefined ? {} : { sealed }),
});
