import { randomBytes } from '../../src/core/crypto.ts';
import { brandId, type ClientId, type RealmId, type UserId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import type { Overrides } from '../../src/core/overrides.ts';
import { Secret } from '../../src/core/secret.ts';
import { createClients, type NewClient } from '../../src/store/clients.ts';
import { createConfigVersion } from '../../src/store/config_version.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { createRealms } from '../../src/store/realms.ts';
import { createUsers } from '../../src/store/users.ts';
import { testDatabase } from '../database.ts';

export type Fixture = {
  readonly database: Database;
  readonly url: string;
  readonly ring: KeyRing;
  /** A realm with an ES256 ring. */
  readonly realm: (slug?: string, overrides?: Overrides) => Promise<RealmId>;
  readonly user: (realmId: RealmId, username?: string, email?: string) => Promise<UserId>;
  readonly client: (realmId: RealmId, clientId: string, overrides?: Overrides) => Promise<ClientId>;
  /** The statements that `work` sends. */
  readonly statementsOf: (work: () => Promise<unknown>) => Promise<readonly string[]>;
  /** Moves the database's clock away from the true one. */
  readonly shiftClock: (seconds: number) => Promise<void>;
  readonly configVersion: () => Promise<number>;
  readonly drop: () => Promise<void>;
};

export const now = Date.now();

export async function storeFixture({ connections = 4 }: { connections?: number } = {}): Promise<Fixture> {
  const copy = await testDatabase();
  const statements: string[] = [];
  const database = openDatabase({
    url: copy.url,
    connections,
    applicationName: 'limen test',
    onStatement: (statement) => statements.push(statement),
  });
  const ring = new KeyRing([new Secret<Uint8Array>(randomBytes(32))]);
  const numbers = { next: 0 };
  const fresh = (word: string): string => `${word}-${++numbers.next}`;
  return {
    database,
    url: copy.url,
    ring,
    realm: async (slug = fresh('realm'), overrides = {}) => {
      const parts = { slug, name: slug, isDefault: false, overrides, algorithms: ['ES256'] as const };
      const created = await createRealms(database, { ring, system: {} }).create(parts, now);
      if (!created.ok) throw new Error(created.error.kind);
      return created.value.id;
    },
    user: async (realmId, username = fresh('user'), email) => {
      const claims = email === undefined ? {} : { email };
      const created = await createUsers(database).create({ realmId, username, claims });
      if (!created.ok) throw new Error(created.error);
      return created.value.id;
    },
    client: async (realmId, clientId, overrides = {}) => {
      const created = await createClients(database, { system: {} }).create(
        newClient(realmId, clientId, { overrides }),
        { withSecret: false },
        now,
      );
      if (!created.ok) throw new Error(created.error.kind);
      return created.value.client.clientId;
    },
    statementsOf: async (work) => {
      statements.length = 0;
      await work();
      return [...statements];
    },
    shiftClock: async (seconds) => {
      await database.sql.unsafe(
        `CREATE OR REPLACE FUNCTION limen_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
           'SELECT statement_timestamp() + make_interval(secs => ${seconds})'`,
      );
    },
    configVersion: () => createConfigVersion(database).current(),
    drop: async () => {
      await database.close();
      await copy.drop();
    },
  };
}

export const newClient = (realmId: RealmId, clientId: string, change: Partial<NewClient> = {}): NewClient => ({
  realmId,
  clientId: brandId<ClientId>(clientId),
  class: 'public',
  name: clientId,
  authMethod: 'none',
  jwks: null,
  redirectUris: ['https://client.example/callback'],
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
  ...change,
});
