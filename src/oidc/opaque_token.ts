import { newId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { namesIn } from '../core/name_list.ts';
import { open, seal } from '../core/seal.ts';
import { type AccessTokenClaims, readAccessTokenClaims } from './access_token.ts';
import type { Client } from './client.ts';
import type { Realm } from './realm.ts';

/**
 * Access tokens that only this server can read: the claims of a JWT (RFC 9068), sealed instead of signed, and no row. Whom
 * they are for asks introspection (RFC 7662), and so learns at once of what was revoked.
 */
export function isOpaque({ settings }: Pick<Client, 'settings'>, audience: readonly string[]): boolean {
  const { opaqueAccessTokensFor: resources } = settings;
  return resources !== '' && namesIn(resources).some((resource) => audience.includes(resource));
}

export const sealAccessToken = (ring: KeyRing, realm: Pick<Realm, 'id'>, claims: object): string =>
  seal(ring, 'access token', realm.id, { objectId: newId(), plaintext: JSON.stringify(claims) });

/** null: not sealed here for this realm, or by a key that has left the ring. */
export function openAccessToken(ring: KeyRing, realm: Pick<Realm, 'id'>, token: string): AccessTokenClaims | null {
  const opened = open(ring, 'access token', realm.id, token);
  return typeof opened === 'string' ? null : readAccessTokenClaims(JSON.parse(opened.plaintext.toString('utf8')));
}
