import { brandId, type ClientId, type RealmId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { Secret } from '../../src/core/secret.ts';
import { systemClock } from '../../src/core/time.ts';
import { type ClientChange, createClients, type NewClient } from '../../src/store/clients.ts';
import { createRealms } from '../../src/store/realms.ts';
import { createUsers } from '../../src/store/users.ts';
import type { Provider } from '../provider.ts';
import { fail, type Party, redirectUri } from './relying_party.ts';

/** What an operator does behind the endpoints, by the names that a test knows. */

/** Nothing of what is done here opens or seals anything. */
const noRing = new KeyRing([new Secret(new Uint8Array(32))]);

const realmsOf = ({ database }: Provider) => createRealms(database, { ring: noRing, system: {} });

export const realmIdOf = async (provider: Provider, slug = 'main'): Promise<RealmId> =>
  (await realmsOf(provider).show(slug))?.id ?? fail(`no realm ${slug}`);

/** Before anybody has asked for it, so that no process remembers that it does not exist. */
export async function register(provider: Provider, clientId: string, more: Partial<NewClient> = {}): Promise<Party> {
  const draft: NewClient = {
    realmId: await realmIdOf(provider),
    clientId: brandId<ClientId>(clientId),
    class: 'confidential',
    name: clientId,
    authMethod: 'client_secret_basic',
    jwks: null,
    redirectUris: [redirectUri],
    postLogoutRedirectUris: [],
    grantTypes: ['authorization_code', 'refresh_token'],
    responseTypes: ['code'],
    scope: ['openid', 'profile'],
    resources: [],
    introspects: [],
    idTokenSignedResponseAlg: null,
    defaultMaxAgeSeconds: null,
    requireAuthTime: false,
    consent: 'remembered',
    overrides: {},
    metadata: {},
    ...more,
  };
  const withSecret = draft.authMethod.startsWith('client_secret');
  const created = await createClients(provider.database, { system: {} }).create(draft, { withSecret }, systemClock());
  if (!created.ok) return fail(`${clientId} is refused: ${created.error.kind}`);
  return { issuer: provider.issuer, clientId, secret: created.value.secret?.reveal() ?? null, redirectUri };
}

export async function changeClient(provider: Provider, clientId: string, change: ClientChange): Promise<void> {
  const realmId = await realmIdOf(provider);
  const clients = createClients(provider.database, { system: {} });
  const changed = await clients.update(realmId, clientId, () => ({ ok: true, value: change }), systemClock());
  if (!changed.ok) fail(`${clientId} cannot be changed`);
}

export async function rotateSecret(provider: Provider, clientId: string, overlapSeconds: number): Promise<string> {
  const clients = createClients(provider.database, { system: {} });
  const secret = await clients.rotateSecret(await realmIdOf(provider), clientId, { overlapSeconds }, systemClock());
  return secret?.reveal() ?? fail(`no client ${clientId}`);
}

export async function endClient(provider: Provider, clientId: string): Promise<void> {
  const clients = createClients(provider.database, { system: {} });
  if (!(await clients.endEverything(await realmIdOf(provider), clientId))) fail(`no client ${clientId}`);
}

export async function enableRealm(provider: Provider, slug: string, enabled: boolean): Promise<void> {
  const changed = await realmsOf(provider).update(slug, { enabled }, systemClock());
  if (!changed.ok) fail(`the realm ${slug} cannot be changed`);
}

export async function endRealm(provider: Provider, slug: string): Promise<void> {
  if (!(await realmsOf(provider).endEverything(slug))) fail(`no realm ${slug}`);
}

export async function enableUser(provider: Provider, username: string, enabled: boolean): Promise<void> {
  const users = createUsers(provider.database);
  const realmId = await realmIdOf(provider);
  const user = (await users.show(realmId, { username })) ?? fail(`no user ${username}`);
  const changed = await users.update(realmId, user.id, { enabled });
  if (!changed.ok) fail(`${username} cannot be changed`);
}

/** Everything from before now is dead, wherever the person is signed in. */
export async function signOutEverywhere(provider: Provider, username: string): Promise<void> {
  const realmId = await realmIdOf(provider);
  const ended = await provider.database.sql`
    UPDATE users SET valid_from = limen_now() WHERE realm_id = ${realmId} AND username = ${username}`;
  if (ended.count !== 1) fail(`no user ${username}`);
}

/** Waits until what was changed in the configuration is in force: processes read its version each second. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let poll = 0; poll < mostPolls; poll += 1) {
    if (await holds()) return;
    await Bun.sleep(pollMilliseconds);
  }
  throw new Error('it did not come into force');
}

const mostPolls = 200;
const pollMilliseconds = 50;
