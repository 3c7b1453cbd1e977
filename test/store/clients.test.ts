import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import { sha256 } from '../../src/core/crypto.ts';
import { brandId, newId, type RealmId } from '../../src/core/ids.ts';
import { err, ok, unreachable } from '../../src/core/result.ts';
import type { Secret } from '../../src/core/secret.ts';
import { type ClientRecord, createClients, toClient } from '../../src/store/clients.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, newClient, now, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;

beforeAll(async () => {
  store = await storeFixture();
  realmId = await store.realm();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const create = () => createClients(store.database, { system: {} });
const shown = async (clientId: string): Promise<ClientRecord> =>
  (await create().show(realmId, clientId)) ?? unreachable('the test made it');
const confidential = (clientId: string) =>
  newClient(realmId, clientId, { class: 'confidential', authMethod: 'client_secret_basic' });

/** Which of these the client has now, by their hash. */
const accepted = async (clientId: string, secrets: readonly (Secret | null)[], at: number) => {
  const { secrets: stored } = await shown(clientId);
  const valid = stored.filter(({ expiresAt }) => expiresAt === null || expiresAt > at);
  return secrets.map((secret) =>
    valid.some(({ hash }) => secret !== null && sha256(secret.reveal()).equals(Buffer.from(hash))),
  );
};

async function made(clientId: string): Promise<Secret> {
  const created = await create().create(confidential(clientId), { withSecret: true }, now);
  if (!created.ok) throw new Error(created.error.kind);
  return created.value.secret ?? unreachable('a secret was asked for');
}

describe('createClients', () => {
  test('every column comes back as it was given', async () => {
    const full = newClient(realmId, 'full', {
      class: 'confidential',
      authMethod: 'private_key_jwt',
      jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] },
      redirectUris: ['https://a.example/cb', 'http://127.0.0.1/cb'],
      postLogoutRedirectUris: ['https://a.example/out'],
      resources: ['https://api.example'],
      introspects: ['https://api.example'],
      idTokenSignedResponseAlg: 'RS256',
      defaultMaxAgeSeconds: 60,
      requireAuthTime: true,
      consent: 'never',
      overrides: { accessTokenLifetimeSeconds: { value: 60, reason: 'short', expiresAt: now + 1000 } },
      metadata: { client_uri: 'https://a.example', contacts: ['a@a.example'] },
    });
    const created = await create().create(full, { withSecret: false }, now);
    expect(created).toMatchObject({ ok: true, value: { secret: null } });
    const { createdAt, ...record } = await shown('full');
    expect(record).toEqual({ ...full, secrets: [], enabled: true, validFrom: 0, isSelfRegistered: false });
    expect(createdAt).toBeGreaterThan(now - 60_000);
    const [types] = await store.database.sql`
      SELECT jsonb_typeof(secrets) AS secrets, jsonb_typeof(jwks) AS jwks, jsonb_typeof(settings) AS settings,
             jsonb_typeof(metadata) AS metadata FROM clients WHERE client_id = 'full'`;
    expect(types).toEqual({ secrets: 'array', jwks: 'object', settings: 'object', metadata: 'object' });
  });

  test('a taken or impossible client_id, an unknown realm and a bad setting are refused', async () => {
    await store.client(realmId, 'taken');
    const refusals = [
      newClient(realmId, 'taken'),
      newClient(realmId, 'with space'),
      newClient(brandId<RealmId>(newId()), 'nobody'),
      newClient(realmId, 'odd', { overrides: { lockout: { value: false } } }),
    ].map((client) => create().create(client, { withSecret: false }, now));
    expect((await Promise.all(refusals)).map((refusal) => (refusal.ok ? 'made' : refusal.error.kind))).toEqual([
      'client_id_taken',
      'client_id_invalid',
      'unknown_realm',
      'settings',
    ]);
  });

  test('the database itself refuses a class that contradicts its authentication', async () => {
    const contradiction = newClient(realmId, 'contradiction', { class: 'confidential', authMethod: 'none' });
    const creating = create().create(contradiction, { withSecret: false }, now);
    await expect(creating).rejects.toMatchObject({ kind: 'bug', code: '23514' });
    await creating.catch(() => {});
  });

  test('a client of one realm is unknown in another, for reading and for every change', async () => {
    const other = await store.realm();
    const before = await store.client(realmId, 'mine').then(() => shown('mine'));
    const clients = create();
    expect(await clients.show(other, 'mine')).toBeNull();
    expect(await clients.list(other)).toEqual([]);
    expect(await clients.update(other, 'mine', () => ok({ enabled: false }), now)).toMatchObject({ ok: false });
    expect(await clients.rotateSecret(other, 'mine', { overlapSeconds: 0 }, now)).toBeNull();
    expect(await clients.endEverything(other, 'mine')).toBe(false);
    expect(await shown('mine')).toEqual(before);
    expect(await store.client(other, 'mine').then(() => clients.list(other))).toMatchObject([{ clientId: 'mine' }]);
  });

  test('a name that no client can have is not looked up', async () => {
    const odd = ['', 'a b', 'a\0b', 'é', 'x'.repeat(256)];
    const statements = await store.statementsOf(async () => {
      for (const name of odd) expect(await create().show(realmId, name)).toBeNull();
    });
    expect(statements).toEqual([]);
  });

  test('a lookup is one statement', async () => {
    const clients = create();
    await store.client(realmId, 'single');
    expect(await store.statementsOf(() => clients.show(realmId, 'single'))).toHaveLength(1);
  });
});

describe('update', () => {
  test('writes what the decision names and leaves the rest', async () => {
    await store.client(realmId, 'updated', { accessTokenLifetimeSeconds: { value: 60 } });
    const before = await shown('updated');
    const change = { name: 'New', redirectUris: ['https://new.example/cb'], resources: [] as string[] };
    const result = await create().update(
      realmId,
      'updated',
      (current) => ok({ ...change, scope: [...current.scope, 'email'] }),
      now,
    );
    expect(result).toEqual({ ok: true, value: { ...before, ...change, scope: ['openid', 'profile', 'email'] } });
    expect(await shown('updated')).toEqual({ ...before, ...change, scope: ['openid', 'profile', 'email'] });
    const cleared = await create().update(realmId, 'updated', () => ok({ overrides: {} }), now);
    expect(cleared).toMatchObject({ ok: true, value: { overrides: {}, name: 'New' } });
  });

  test('nothing to change is no error; a refusing decision, a loosening without a reason and an unknown client change nothing', async () => {
    await store.client(realmId, 'kept');
    const before = await shown('kept');
    const clients = create();
    expect(await clients.update(realmId, 'kept', () => ok({}), now)).toEqual({ ok: true, value: before });
    expect(await clients.update(realmId, 'kept', () => err('no' as const), now)).toEqual({ ok: false, error: 'no' });
    const loosening = { overrides: { rotation: { value: 'never' } } };
    expect(await clients.update(realmId, 'kept', () => ok(loosening), now)).toMatchObject({
      ok: false,
      error: { kind: 'settings' },
    });
    expect(await clients.update(realmId, 'none', () => ok({}), now)).toEqual({
      ok: false,
      error: { kind: 'unknown_client' },
    });
    expect(await shown('kept')).toEqual(before);
  });

  test('two at once see each other', async () => {
    await store.client(realmId, 'counted');
    const add = () =>
      create().update(
        realmId,
        'counted',
        (current) => ok({ scope: [...current.scope, `s${current.scope.length}`] }),
        now,
      );
    await Promise.all(Array.from({ length: 8 }, add));
    expect((await shown('counted')).scope).toHaveLength(10);
  });

  test('ending everything moves valid_from', async () => {
    await store.client(realmId, 'ended');
    expect(await create().endEverything(realmId, 'ended')).toBe(true);
    expect((await shown('ended')).validFrom).toBeGreaterThan(now - 60_000);
  });
});

describe('secrets', () => {
  test('are 256 random bits, shown once, stored as a hash', async () => {
    const secret = await made('secretive');
    expect(secret.reveal()).toMatch(/^[A-Za-z0-9_-]{43}$/);
    const [row] = await store.database.sql`SELECT clients::text AS row FROM clients WHERE client_id = 'secretive'`;
    expect(row?.['row']).not.toContain(secret.reveal());
    expect(inspect(await shown('secretive'), { depth: 5 })).not.toContain(secret.reveal());
    expect(await accepted('secretive', [secret], now)).toEqual([true]);
  });

  test('while rotating two are valid, the newest two, the older one until the overlap ends', async () => {
    const first = await made('rotating');
    const rotate = (overlapSeconds: number, at: number) =>
      create().rotateSecret(realmId, 'rotating', { overlapSeconds }, at);
    const second = await rotate(60, now);
    expect(await accepted('rotating', [first, second], now)).toEqual([true, true]);
    expect(await accepted('rotating', [first, second], now + 60_000)).toEqual([false, true]);
    const third = await rotate(60, now + 1000);
    expect(await accepted('rotating', [first, second, third], now + 1000)).toEqual([false, true, true]);
    const fourth = await rotate(0, now + 2000);
    expect(await accepted('rotating', [first, second, third, fourth], now + 2000)).toEqual([false, false, false, true]);
  });
});

describe('toClient', () => {
  test('resolves system, realm and client in this order', async () => {
    await store.client(realmId, 'layered', { accessTokenLifetimeSeconds: { value: 111 } });
    const layers = {
      system: {
        accessTokenLifetimeSeconds: { value: 222 },
        idTokenLifetimeSeconds: { value: 333 },
        lockoutThreshold: { value: 7 },
      },
      realm: { idTokenLifetimeSeconds: { value: 444 } },
    };
    const { settings } = toClient(await shown('layered'), layers, now);
    expect(settings).toMatchObject({
      accessTokenLifetimeSeconds: 111,
      idTokenLifetimeSeconds: 444,
      lockoutThreshold: 7,
    });
  });
});
