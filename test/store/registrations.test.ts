import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes, sha256 } from '../../src/core/crypto.ts';
import { brandId, type ClientId, type RealmId } from '../../src/core/ids.ts';
import { ok, unreachable } from '../../src/core/result.ts';
import type { Birth } from '../../src/oidc/registration/ports.ts';
import { createAudit } from '../../src/store/audit.ts';
import { createClients } from '../../src/store/clients.ts';
import { createConsents } from '../../src/store/consents.ts';
import { createRegistrationTokens } from '../../src/store/registration_tokens.ts';
import { createRegistrations } from '../../src/store/registrations.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, newClient, now, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;

beforeAll(async () => {
  store = await storeFixture();
  realmId = await store.realm();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const day = 24 * 60 * 60;
const create = () =>
  createRegistrations(
    store.database,
    createAudit(store.database, () => now),
    store.ring,
  );
const nobody = { address: null, agent: null };

const birth = (clientId: string, initialTokenHash: Uint8Array | null = null): Birth => {
  const {
    realmId: _,
    clientId: __,
    resources,
    introspects,
    consent,
    overrides,
    ...registered
  } = newClient(realmId, clientId);
  return {
    realmId,
    clientId: brandId<ClientId>(clientId),
    registered,
    withSecret: false,
    registrationTokenHash: sha256(clientId),
    initialTokenHash,
    rule: 'a test',
    presenter: nobody,
  };
};

const made = async (clientId: string, initialTokenHash: Uint8Array | null = null) => {
  const result = await create().register(birth(clientId, initialTokenHash), now);
  return result.ok ? result.value.client : unreachable(result.error);
};

const remaining = async (): Promise<readonly string[]> =>
  (await createClients(store.database, { system: {} }).list(realmId)).map(({ clientId }) => clientId);

const initialToken = async (lifetimeSeconds: number | null = null): Promise<Uint8Array> => {
  const tokens = createRegistrationTokens(store.database);
  return sha256((await tokens.create({ realmId, note: '', uses: 1, lifetimeSeconds })).token.reveal());
};

describe('a client that registers itself', () => {
  test('does not raise the version of the configuration; to replace and to remove it does', async () => {
    const before = await store.configVersion();
    const { clientId, registrationTokenHash } = await made('versions');
    expect(await store.configVersion()).toBe(before);
    const key = { realmId, clientId, registrationTokenHash, presenter: nobody };
    const { registered } = birth('versions');
    await create().replace({ ...key, registered, secret: 'keep', endsEverything: false }, now);
    expect(await store.configVersion()).toBe(before + 1);
    expect(await create().remove(key)).toBe(true);
    expect(await store.configVersion()).toBe(before + 2);
  });

  test('its token opens no other client, and not this one once it is disabled', async () => {
    const one = await made('one');
    const two = await made('two');
    const key = { realmId, clientId: one.clientId, presenter: nobody };
    expect(await create().remove({ ...key, registrationTokenHash: two.registrationTokenHash })).toBe(false);
    await store.database.sql`UPDATE clients SET enabled = false WHERE client_id = 'one'`;
    expect(await create().remove({ ...key, registrationTokenHash: one.registrationTokenHash })).toBe(false);
    expect(await remaining()).toContain('one');
  });

  test("a client of an operator's is none of these", async () => {
    await store.client(realmId, 'operators');
    expect(await create().find(realmId, 'operators')).toBeNull();
    const key = { realmId, clientId: brandId<ClientId>('operators'), presenter: nobody };
    expect(await create().remove({ ...key, registrationTokenHash: randomBytes(32) })).toBe(false);
  });
});

describe('initial access tokens', () => {
  test('the last use is given out once', async () => {
    const hash = await initialToken();
    const attempts = Array.from({ length: 8 }, (_, index) => create().register(birth(`race-${index}`, hash), now));
    const results = await Promise.all(attempts);
    expect(results.filter((result) => result.ok)).toHaveLength(1);
    expect(await create().isInitialToken(realmId, hash)).toBe(false);
  });

  test('it belongs to its realm', async () => {
    const hash = await initialToken();
    expect(await create().isInitialToken(realmId, hash)).toBe(true);
    expect(await create().isInitialToken(await store.realm(), hash)).toBe(false);
    const tokens = createRegistrationTokens(store.database);
    const [record] = await tokens.list(realmId);
    expect(await tokens.revoke(await store.realm(), record?.id ?? '')).toBe(false);
    expect(await tokens.revoke(realmId, record?.id ?? '')).toBe(true);
    expect(await tokens.revoke(realmId, 'no id')).toBe(false);
  });
});

describe('the cleanup', () => {
  test('takes what anyone registered and nobody used for thirty days, and nothing else', async () => {
    await store.client(realmId, 'kept-operators');
    await made('kept-vouched', await initialToken());
    await made('kept-used');
    await made('kept-changed');
    await made('gone-unused');
    const userId = await store.user(realmId);
    const consents = createConsents(store.database);
    const key = { realmId, userId, clientId: brandId<ClientId>('kept-used') };
    await store.database.transaction((executor) => consents.remember(executor, key, ['openid']));
    const change = () => ok({ name: 'An operator was here' });
    await createClients(store.database, { system: {} }).update(realmId, 'kept-changed', change, now);
    await store.shiftClock(30 * day - 60);
    await made('kept-young');
    await create().forgetUnused(100);
    expect(await remaining()).toContain('gone-unused');
    await store.shiftClock(30 * day + 60);
    const before = await store.configVersion();
    expect(await create().forgetUnused(100)).toBeGreaterThan(0);
    expect(await store.configVersion()).toBe(before + 1);
    const left = await remaining();
    expect(left.filter((clientId) => clientId.startsWith('kept-')).toSorted()).toEqual([
      'kept-changed',
      'kept-operators',
      'kept-used',
      'kept-vouched',
      'kept-young',
    ]);
    expect(left.filter((clientId) => clientId.startsWith('gone-'))).toEqual([]);
    expect(await create().forgetUnused(100)).toBe(0);
    expect(await store.configVersion()).toBe(before + 1);
  });

  test('takes initial access tokens that are used up or expired', async () => {
    const spent = await initialToken();
    await made('with-spent', spent);
    await initialToken(-1);
    const open = await initialToken(60);
    await create().forgetUnused(100);
    const rows = await store.database
      .sql`SELECT token_hash FROM registration_tokens WHERE uses_left = 0 OR expires_at < limen_now()`;
    expect(rows).toHaveLength(0);
    expect(await create().isInitialToken(realmId, open)).toBe(true);
  });

  test('unused clients are bounded; a used one makes room', async () => {
    const full = await store.realm();
    await store.database.sql`
      INSERT INTO clients (realm_id, client_id, class, name, token_endpoint_auth_method, grant_types, response_types, scope,
                           registration_token_hash, unused_since)
      SELECT ${full}::uuid, 'unused-' || n, 'public', 'x', 'none', '{}', '{}', '{}', 'x', limen_now()
      FROM generate_series(1, 10000) AS n`;
    const there = (clientId: string): Birth => ({ ...birth(clientId), realmId: full });
    expect(await create().register(there('one-more'), now)).toEqual({ ok: false, error: 'too_many_unused' });
    await store.database
      .sql`UPDATE clients SET unused_since = NULL WHERE realm_id = ${full} AND client_id = 'unused-1'`;
    expect(await create().register(there('one-more'), now)).toMatchObject({ ok: true });
    expect(await create().register(birth('elsewhere'), now)).toMatchObject({ ok: true });
  });
});
