/** Who takes part on every side: two clients with the same ids and secrets, and on Limen's side realm, users and sessions. */
import { encodeBase64url } from '../src/core/base64url.ts';
import { randomBytes, sha256 } from '../src/core/crypto.ts';
import { brandId, type ClientId, type RealmId } from '../src/core/ids.ts';
import { KeyRing } from '../src/core/key_ring.ts';
import { Secret } from '../src/core/secret.ts';
import { systemClock } from '../src/core/time.ts';
import { seed } from '../src/demo/seed.ts';
import { createClients, type NewClient } from '../src/store/clients.ts';
import type { Database } from '../src/store/database.ts';
import { createRealms } from '../src/store/realms.ts';
import { hashPassword } from '../src/workers/password/index.ts';

export type BenchClient = { readonly clientId: string; readonly clientSecret: string; readonly scope: string };

export type Parties = {
  /** The value of `LIMEN_SECRETS`. */
  readonly secrets: string;
  readonly ring: KeyRing;
  readonly issuer: string;
  readonly realmId: RealmId;
  readonly service: BenchClient;
  readonly web: BenchClient & { readonly redirectUri: string };
  readonly users: readonly { readonly userId: string; readonly sessionId: string }[];
};

export const redirectUri = 'http://127.0.0.1:4020/callback';
export const codeVerifier = 'a-code-verifier-of-the-benchmark-0123456789-abcdef';
export const codeChallenge = encodeBase64url(sha256(codeVerifier));
export const password = 'a password of the benchmark';

export const usersCount = 10_000;

export const basic = ({ clientId, clientSecret }: BenchClient): string =>
  `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;

/** Fills a migrated database. */
export async function makeParties(database: Database, issuer: string): Promise<Parties> {
  const master = randomBytes(32);
  const ring = new KeyRing([new Secret(master)]);
  const clock = systemClock;
  await seed({
    database,
    ring,
    publicUrl: issuer,
    relyingPartyUrl: new URL(redirectUri).origin,
    clock,
    knownSecret: () => null,
    progress: () => {},
  });
  const realm = await createRealms(database, { ring, system: {} }).show('main');
  if (realm === null) throw new Error('the seed made no realm');
  const service = await makeClient(database, realm.id, {
    clientId: 'bench-service',
    scope: ['orders.read', 'orders.write'],
    grantTypes: ['client_credentials'],
  });
  const web = await makeClient(database, realm.id, {
    clientId: 'bench-web',
    scope: ['openid', 'profile'],
    grantTypes: ['authorization_code', 'refresh_token'],
  });
  const users = await makeUsers(database, realm.id);
  await database.sql`VACUUM ANALYZE`;
  return {
    secrets: encodeBase64url(master),
    ring,
    issuer,
    realmId: realm.id,
    service,
    web: { ...web, redirectUri },
    users,
  };
}

async function makeClient(
  database: Database,
  realmId: RealmId,
  { clientId, scope, grantTypes }: { clientId: string; scope: readonly string[]; grantTypes: readonly string[] },
): Promise<BenchClient> {
  const signsIn = grantTypes.includes('authorization_code');
  const client: NewClient = {
    realmId,
    clientId: brandId<ClientId>(clientId),
    class: 'confidential',
    name: clientId,
    authMethod: 'client_secret_basic',
    jwks: null,
    redirectUris: signsIn ? [redirectUri] : [],
    postLogoutRedirectUris: [],
    grantTypes,
    responseTypes: signsIn ? ['code'] : [],
    scope,
    resources: [],
    introspects: [],
    idTokenSignedResponseAlg: 'ES256',
    defaultMaxAgeSeconds: null,
    requireAuthTime: false,
    consent: 'never',
    overrides: {},
    metadata: {},
  };
  const created = await createClients(database, { system: {} }).create(client, { withSecret: true }, systemClock());
  if (!created.ok || created.value.secret === null) throw new Error(`${clientId} was refused`);
  return { clientId, clientSecret: created.value.secret.reveal(), scope: scope.join(' ') };
}

/** Users `user1` … with one password, each signed in once. */
async function makeUsers(database: Database, realmId: RealmId): Promise<Parties['users']> {
  const hash = (await hashPassword(new Secret(password))).reveal();
  const { sql } = database;
  await sql`
    INSERT INTO users (id, realm_id, username, username_key, password_hash)
    SELECT uuidv7(), ${realmId}::uuid, 'user' || n, 'user' || n, ${hash} FROM generate_series(1, ${usersCount}::int) AS n`;
  const rows = await sql<{ user_id: string; id: string }[]>`
    INSERT INTO sso_sessions (id, realm_id, user_id, secret_hash, evidence, created_at, seen_at, expires_at)
    SELECT uuidv7(), realm_id, id, sha256(id::text::bytea), '[]', limen_now(), limen_now(),
           limen_now() + interval '14 days'
    FROM users WHERE username LIKE 'user%' RETURNING id, user_id`;
  return rows.map(({ id, user_id }) => ({ userId: user_id, sessionId: id }));
}
