import { type AccessTokenClaims, familyOfJti } from './access_token.ts';
import { type Client, countsFrom } from './client.ts';
import type { Families, LiveFamily } from './ports.ts';
import type { Realm } from './realm.ts';

/** An access token of ours that still counts. `client`: to whom it was issued; `family`: null for a token of its own. */
export type LiveToken = {
  readonly claims: AccessTokenClaims;
  readonly client: Client;
  readonly family: LiveFamily | null;
};

export type LivenessPorts = {
  readonly families: Pick<Families, 'readLive'>;
  /** null: unknown or disabled. */
  readonly findClient: (clientId: string) => Promise<Client | null>;
};

/**
 * Whether a token whose signature and expiry were verified still counts: its client, its family, the family's user and
 * session, in one query. A token of its own is judged by the state of its client. One that was exchanged (RFC 8693) hangs
 * on what it was exchanged for, which is another client's: the family, or else the client that `sub` names. It needs both
 * clients.
 */
export async function liveToken(
  claims: AccessTokenClaims,
  realm: Realm,
  { families, findClient }: LivenessPorts,
): Promise<LiveToken | null> {
  const client = await findClient(claims.client_id);
  if (client === null) return null;
  const familyId = familyOfJti(claims.jti);
  if (familyId === null) {
    // A person always has a family, so whom this token speaks of is a client.
    const subject = claims.sub === client.clientId ? client : await findClient(claims.sub);
    const counts = [client, subject].every((one) => one !== null && isIssuedSince(claims, one, realm));
    return counts ? { claims, client, family: null } : null;
  }
  const family = await families.readLive(familyId, realm.id);
  if (family === null) return null;
  const isOwn = family.clientId === client.clientId;
  const owner = isOwn ? client : await findClient(family.clientId);
  if (owner === null || family.createdAt < countsFrom(owner, realm)) return null;
  return isOwn || isIssuedSince(claims, client, realm) ? { claims, client, family } : null;
}

/** `iat` is cut to whole seconds. */
const isIssuedSince = ({ iat }: AccessTokenClaims, client: Client, realm: Realm): boolean =>
  iat * 1000 >= countsFrom(client, realm) - 1000;
