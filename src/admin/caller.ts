import { err, ok, type Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import { audienceOf, familyOfJti } from '../oidc/access_token.ts';
import { readBearerToken } from '../oidc/bearer.ts';
import { countsFrom } from '../oidc/client.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import type { Realm } from '../oidc/realm.ts';
import type { AdminPorts, Caller } from './ports.ts';

/** Below the public URL: where the API is, and the resource that its tokens are for (RFC 8707). */
export const adminPath = '/admin/api/v1';

export const noToken = refusal('invalid_token', 'an access token is required', 'RFC 6750 §3');
export const invalidToken = refusal(
  'invalid_token',
  'the access token is not one for this API, or it is expired or revoked',
  'RFC 6750 §3.1',
);

/**
 * Who holds the token: of the default realm, for this API and nobody else, with family, user, session and client alive. A
 * token that another resource would take as well could be brought here by that resource.
 */
export async function authenticate(
  ports: Pick<AdminPorts, 'publicUrl' | 'verifyAccessToken' | 'findClient' | 'readLive'>,
  request: Request,
  realm: Realm,
  now: Instant,
): Promise<Result<Caller, Refusal>> {
  const sent = readBearerToken(request.headers.get('authorization'), null);
  if (!sent.ok) return sent;
  if (sent.value === null) return err(noToken);
  const claims = await ports.verifyAccessToken(sent.value, realm, now);
  const own = ports.publicUrl + adminPath;
  const audience = claims === null ? [] : audienceOf(claims);
  const isForUs = audience.includes(own) && audience.every((name) => name === own || name === realm.issuer);
  // RFC 9449 §7.1: a token that is bound to a key is none for whoever merely has it.
  // RFC 8693 §4.1: nor is one by which somebody acts for its subject, whom a permission is given to in person.
  if (claims === null || !isForUs || 'cnf' in claims || 'act' in claims) return err(invalidToken);
  const client = await ports.findClient(realm, claims.client_id, now);
  if (client === null) return err(invalidToken);
  const { clientId } = client;
  const familyId = familyOfJti(claims.jti);
  if (familyId === null) {
    // Tokens are dated in whole seconds.
    const counts = (claims.iat + 1) * 1000 >= countsFrom(client, realm);
    return counts && claims.sub === clientId ? ok({ kind: 'client', clientId }) : err(invalidToken);
  }
  const family = await ports.readLive(familyId, realm.id);
  if (family === null || family.clientId !== clientId || family.createdAt < countsFrom(client, realm)) {
    return err(invalidToken);
  }
  return family.userId === null ? err(invalidToken) : ok({ kind: 'user', userId: family.userId, clientId });
}
