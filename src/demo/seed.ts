import { brandId, type ClientId, type RealmId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { unreachable } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { Clock } from '../core/time.ts';
import { defaultFlow } from '../flow/default_flow.ts';
import { validateDefinition } from '../flow/definition.ts';
import { nodeTypes } from '../flow/nodes/index.ts';
import { createClients } from '../store/clients.ts';
import type { Database } from '../store/database.ts';
import { createFlows } from '../store/flows.ts';
import { createRealms } from '../store/realms.ts';
import { createUsers } from '../store/users.ts';
import { hashPassword } from '../workers/password/index.ts';
import { type DemoClient, type DemoRealm, demoRealms } from './fixtures.ts';

/** What a script needs to use the demo: the content of `demo.json`. */
export type DemoAccess = RealmAccess & {
  readonly relying_party: string;
  readonly realms: { readonly [slug: string]: RealmAccess };
};

export type RealmAccess = {
  readonly issuer: string;
  readonly clients: readonly {
    readonly client_id: string;
    readonly client_secret?: string;
    readonly redirect_uris: readonly string[];
  }[];
  readonly users: readonly { readonly username: string; readonly password: string }[];
};

export type SeedOptions = {
  readonly database: Database;
  readonly ring: KeyRing;
  readonly publicUrl: string;
  readonly relyingPartyUrl: string;
  readonly clock: Clock;
  /** Secrets that an earlier start wrote down, by realm and client. */
  readonly knownSecret: (issuer: string, clientId: string) => string | null;
  readonly progress: (sentence: string) => void;
};

/** Makes what is missing and leaves what is there, except redirect URIs, which follow the ports of this start. */
export async function seed(options: SeedOptions): Promise<DemoAccess> {
  const accesses: (readonly [DemoRealm, RealmAccess])[] = [];
  for (const realm of demoRealms) accesses.push([realm, await seedRealm(options, realm)]);
  const main = accesses.find(([realm]) => realm.isDefault)?.[1] ?? unreachable('the demo has a default realm');
  const others = accesses.filter(([realm]) => !realm.isDefault).map(([realm, access]) => [realm.slug, access] as const);
  return { ...main, relying_party: options.relyingPartyUrl, realms: Object.fromEntries(others) };
}

async function seedRealm(options: SeedOptions, realm: DemoRealm): Promise<RealmAccess> {
  const { database, ring, publicUrl, progress } = options;
  const realms = createRealms(database, { ring, system: {} });
  const known = await realms.show(realm.slug);
  if (known === null) progress(`Seeding the realm ${realm.name}`);
  const realmId = known?.id ?? (await makeRealm(options, realm));
  await Promise.all(realm.users.map((user) => seedUser(database, realmId, user)));
  const issuer = realm.isDefault ? publicUrl : `${publicUrl}/realms/${realm.slug}`;
  const clients: RealmAccess['clients'][number][] = [];
  for (const client of realm.clients) clients.push(await seedClient(options, { realmId, issuer }, client));
  return { issuer, clients, users: realm.users.map(({ username, password }) => ({ username, password })) };
}

async function makeRealm(
  { database, ring, clock }: SeedOptions,
  { slug, name, isDefault }: DemoRealm,
): Promise<RealmId> {
  const created = await createRealms(database, { ring, system: {} }).create({ slug, name, isDefault }, clock());
  if (!created.ok) return unreachable(`the demo realm ${slug} is refused: ${created.error.kind}`);
  const definition = validateDefinition(defaultFlow, nodeTypes);
  if (!definition.ok) return unreachable('the default flow is valid');
  const flows = createFlows(database);
  const version = await flows.publish(created.value.id, 'browser', definition.value);
  await flows.deploy(created.value.id, 'browser', version.id);
  return created.value.id;
}

async function seedUser(database: Database, realmId: RealmId, user: DemoRealm['users'][number]): Promise<void> {
  const users = createUsers(database);
  if ((await users.show(realmId, { username: user.username })) !== null) return;
  const passwordHash = await hashPassword(new Secret(user.password));
  await users.create({ realmId, username: user.username, claims: user.claims, passwordHash });
}

async function seedClient(
  { database, ring, clock, relyingPartyUrl, knownSecret }: SeedOptions,
  { realmId, issuer }: { readonly realmId: RealmId; readonly issuer: string },
  client: DemoClient,
): Promise<RealmAccess['clients'][number]> {
  const clients = createClients(database, { system: {}, ring });
  const { clientId, signsIn } = client;
  const redirectUris = signsIn ? urisAt(relyingPartyUrl, '/callback') : [];
  const postLogoutRedirectUris = signsIn ? urisAt(relyingPartyUrl, '/signed-out') : [];
  const access = { client_id: clientId, redirect_uris: redirectUris };
  if ((await clients.show(realmId, clientId)) === null) {
    const draft = { ...newClient(realmId, issuer, client), redirectUris, postLogoutRedirectUris };
    const created = await clients.create(draft, { withSecret: client.authMethod !== 'none' }, clock());
    if (!created.ok) return unreachable(`the demo client ${clientId} is refused: ${created.error.kind}`);
    const { secret } = created.value;
    return secret === null ? access : { ...access, client_secret: secret.reveal() };
  }
  await clients.update(
    realmId,
    clientId,
    () => ({ ok: true, value: { redirectUris, postLogoutRedirectUris } }),
    clock(),
  );
  if (client.authMethod === 'none') return access;
  const written = knownSecret(issuer, clientId);
  const secret = written ?? (await clients.rotateSecret(realmId, clientId, { overlapSeconds: 0 }, clock()))?.reveal();
  return secret === undefined ? access : { ...access, client_secret: secret };
}

const newClient = (realmId: RealmId, issuer: string, client: DemoClient) => ({
  realmId,
  clientId: brandId<ClientId>(client.clientId),
  class: client.authMethod === 'none' ? ('public' as const) : ('confidential' as const),
  name: client.name,
  authMethod: client.authMethod,
  jwks: null,
  grantTypes: client.grantTypes,
  responseTypes: client.signsIn ? ['code'] : [],
  scope: client.scope,
  resources: [],
  // Tokens without a resource of their own name the issuer: the demo's confidential clients may look into those.
  introspects: client.authMethod === 'none' ? [] : [issuer],
  idTokenSignedResponseAlg: null,
  defaultMaxAgeSeconds: null,
  requireAuthTime: false,
  consent: 'remembered' as const,
  overrides: {},
  metadata: {},
});

/** Both names of this machine: a browser may be pointed at either. */
function urisAt(url: string, path: string): readonly string[] {
  const { port } = new URL(url);
  return [`http://localhost:${port}${path}`, `http://127.0.0.1:${port}${path}`];
}
