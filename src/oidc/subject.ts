import { encodeBase64url } from '../core/base64url.ts';
import { hmacSha256 } from '../core/crypto.ts';
import { brandId, type ClientId, isUuid, type SessionId, type UserId } from '../core/ids.ts';
import type { Realm } from './realm.ts';

/** `sub` (OIDC Core §8): the public type, the user's id itself. */
export const subjectOf = (userId: UserId): string => userId;

/** The user whom a subject of this issuer names; null: none. */
export const userOfSubject = (subject: string): UserId | null => (isUuid(subject) ? brandId<UserId>(subject) : null);

/**
 * `sid` (OIDC Front-Channel Logout §3): names the SSO session to one client, differs between clients, and opens nothing.
 */
export const sidOf = (realm: Pick<Realm, 'id' | 'secrets'>, clientId: ClientId, sessionId: SessionId): string =>
  encodeBase64url(
    hmacSha256(realm.secrets.pairwise.reveal(), `sid\n${realm.id}\n${clientId}\n${sessionId}`).subarray(0, 16),
  );
