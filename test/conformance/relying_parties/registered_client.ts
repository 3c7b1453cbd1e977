import { exportJWK, generateKeyPair } from 'jose';
import { brandId, type ClientId, type RealmId } from '../../../src/core/ids.ts';
import { systemClock } from '../../../src/core/time.ts';
import { createClients } from '../../../src/store/clients.ts';
import type { Provider } from '../../provider.ts';

/** Where every client of these tests is sent back to; nobody listens there. */
export const redirectUri = 'http://127.0.0.1:4020/callback';
export const signedOutUri = 'http://127.0.0.1:4020/signed-out';

export const alice = { username: 'alice', password: 'alice-in-the-demo' };

/** A private key that can leave nothing but signatures, and its public half. */
export async function newKey(kid: string, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

type Key = Awaited<ReturnType<typeof newKey>>;

/**
 * A confidential client in the default realm that may do what `demo-web` may, by another authentication method.
 * @returns its secret; an empty text for one with keys
 */
export async function registerClient(
  { database, issuer }: Provider,
  { clientId, authMethod, key }: { readonly clientId: string; readonly authMethod: string; readonly key?: Key },
): Promise<string> {
  const [realm] = await database.sql`SELECT id FROM realms WHERE is_default`;
  const created = await createClients(database, { system: {} }).create(
    {
      realmId: brandId<RealmId>(String(realm?.['id'])),
      clientId: brandId<ClientId>(clientId),
      class: 'confidential',
      name: clientId,
      authMethod,
      jwks: key === undefined ? null : { keys: [key.jwk] },
      redirectUris: [redirectUri],
      postLogoutRedirectUris: [signedOutUri],
      grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
      responseTypes: ['code'],
      scope: ['openid', 'profile', 'email', 'orders.read'],
      resources: [],
      introspects: [issuer],
      idTokenSignedResponseAlg: null,
      defaultMaxAgeSeconds: null,
      requireAuthTime: false,
      consent: 'remembered',
      overrides: {},
      metadata: {},
    },
    { withSecret: key === undefined },
    systemClock(),
  );
  if (!created.ok) throw new Error(`${clientId} is refused: ${created.error.kind}`);
  return created.value.secret?.reveal() ?? '';
}
