import { encodeBase64url } from '../core/base64url.ts';
import { hmacSha256 } from '../core/crypto.ts';
import { type ClientId, isUuid, type SessionId, type UserId } from '../core/ids.ts';
import type { Client } from './client.ts';
import type { Realm } from './realm.ts';

/** OIDC Core §8. `public`: one name for everyone; `pairwise`: another one in every sector. The first is the default. */
export const subjectTypes = ['public', 'pairwise'] as const;
export type SubjectType = (typeof subjectTypes)[number];

export const isSubjectType = (text: string): text is SubjectType => subjectTypes.some((type) => type === text);

type Named = Pick<Client, 'clientId' | 'metadata' | 'redirectUris'>;

export const subjectTypeOf = ({ metadata }: Pick<Client, 'metadata'>): SubjectType => metadata.subject_type ?? 'public';

/**
 * `sub` (OIDC Core §8, §8.1): what this client calls the user. The salt is the realm's own and outlives every rotation of
 * the key ring; nothing is stored, and only who has the salt can tell whose name it is, by computing it for a candidate.
 */
export const subjectOf = (realm: Pick<Realm, 'id' | 'secrets'>, client: Named, userId: UserId): string =>
  subjectTypeOf(client) === 'public' ? userId : pairwiseSubject(realm, sectorFor(client), userId);

const pairwiseSubject = ({ id, secrets }: Pick<Realm, 'id' | 'secrets'>, sector: string, userId: UserId): string =>
  encodeBase64url(hmacSha256(secrets.pairwise.reveal(), `sub\n${id}\n${sector}\n${userId}`));

/** Whether two clients call every user the same, so that a name may pass from one to the other. */
export function shareSubjects(left: Named, right: Named): boolean {
  const type = subjectTypeOf(left);
  if (type !== subjectTypeOf(right)) return false;
  return type === 'public' || sectorFor(left) === sectorFor(right);
}

/** Registration sees to it that there is a sector; should a later change take it away, the client is one of its own. */
const sectorFor = (client: Named): string => sectorOf(client) ?? `client ${client.clientId}`;

/**
 * OIDC Core §8.1: the host of `sector_identifier_uri`, else the one host of the redirect URIs. null: they have none, or
 * several, or one that is not this client's alone (loopback and private-use schemes belong to every application).
 */
export function sectorOf({ metadata, redirectUris }: Pick<Client, 'metadata' | 'redirectUris'>): string | null {
  const { sector_identifier_uri: stated } = metadata;
  const hosts = new Set((stated === undefined ? redirectUris : [stated]).map(httpsHost));
  const [host = null] = hosts;
  return hosts.size === 1 ? host : null;
}

function httpsHost(uri: string): string | null {
  const url = URL.parse(uri);
  return url?.protocol === 'https:' ? url.hostname : null;
}

/** Whether a subject could be one of this client's; who it names, if anyone, shows once there is a candidate. */
export const isSubject = (client: Pick<Client, 'metadata'>, text: string): boolean =>
  subjectTypeOf(client) === 'public' ? isUuid(text) : /^[A-Za-z0-9_-]{43}$/.test(text);

/**
 * `sid` (OIDC Front-Channel Logout §3): names the SSO session to one client, differs between clients, and opens nothing.
 */
export const sidOf = (realm: Pick<Realm, 'id' | 'secrets'>, clientId: ClientId, sessionId: SessionId): string =>
  encodeBase64url(
    hmacSha256(realm.secrets.pairwise.reveal(), `sid\n${realm.id}\n${clientId}\n${sessionId}`).subarray(0, 16),
  );
