import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { brandId, newId, type RealmId } from '../../src/core/ids.ts';
import type { Overrides } from '../../src/core/overrides.ts';
import { ok, unreachable } from '../../src/core/result.ts';
import { defaultFlow } from '../../src/flow/default_flow.ts';
import { validateDefinition } from '../../src/flow/definition.ts';
import { nodeTypes } from '../../src/flow/nodes/index.ts';
import { createClients } from '../../src/store/clients.ts';
import { ConfigurationCache } from '../../src/store/configuration.ts';
import { createFlows } from '../../src/store/flows.ts';
import { createRealms } from '../../src/store/realms.ts';
import { createSigningKeys } from '../../src/store/signing_keys.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;

const validated = validateDefinition(defaultFlow, nodeTypes);
const definition = validated.ok ? validated.value : unreachable('the default flow is valid');

beforeAll(async () => {
  store = await storeFixture();
}, databaseTimeoutMilliseconds);

beforeEach(async () => {
  realmId = await store.realm();
});

afterAll(() => store.drop());

const realms = () => createRealms(store.database, { ring: store.ring, system: {} });
const clients = () => createClients(store.database, { system: {} });
const keys = () => createSigningKeys(store.database, store.ring);
const flows = () => createFlows(store.database);
const newCache = (system: Overrides = {}) =>
  new ConfigurationCache({ database: store.database, ring: store.ring, publicUrl: 'https://id.example', system });
const slugOf = async (id: RealmId) =>
  (await realms().list()).find((realm) => realm.id === id)?.slug ?? unreachable('the test made it');

describe('every configuration write raises config_version, in its own transaction', () => {
  const writes: readonly (readonly [name: string, write: () => Promise<unknown>])[] = [
    ['realms.create', () => store.realm()],
    ['realms.update', async () => realms().update(await slugOf(realmId), { name: 'x' }, now)],
    ['realms.endEverything', async () => realms().endEverything(await slugOf(realmId))],
    ['clients.create', () => store.client(realmId, 'made')],
    ['clients.update', () => clients().update(realmId, 'app', () => ok({ name: 'x' }), now)],
    ['clients.rotateSecret', () => clients().rotateSecret(realmId, 'app', { overlapSeconds: 0 }, now)],
    ['clients.endEverything', () => clients().endEverything(realmId, 'app')],
    ['keys.add', () => keys().add(realmId, 'EdDSA')],
    ['keys.rotate', () => keys().rotate(realmId, 'ES256', { force: true })],
    ['keys.revoke', async () => keys().revoke(realmId, (await keys().list(realmId))[0]?.kid ?? '')],
    ['keys.forgetOld', () => keys().forgetOld()],
    ['flows.publish', () => flows().publish(realmId, 'browser', definition)],
    [
      'flows.deploy',
      async () => flows().deploy(realmId, 'browser', (await flows().publish(realmId, 'x', definition)).id),
    ],
    ['flows.recall', async () => flows().recall(realmId, (await flows().publish(realmId, 'x', definition)).id)],
  ];

  for (const [name, write] of writes) {
    test(name, async () => {
      await store.client(realmId, 'app');
      const before = await store.configVersion();
      const statements = (await store.statementsOf(write)).map((statement) => statement.trim().toLowerCase());
      expect(await store.configVersion()).toBeGreaterThan(before);
      const raises = statements.flatMap((statement, index) =>
        /^update "config_version"/.test(statement) ? [index] : [],
      );
      expect(raises.length).toBeGreaterThan(0);
      for (const index of raises) expect(statements[index - 1]).toStartWith('begin');
    });
  }

  test('the list above names every function of these stores that writes', () => {
    const reads = new Set(['list', 'show', 'load', 'loadDeployed', 'due']);
    const all = Object.entries({ realms: realms(), clients: clients(), keys: keys(), flows: flows() });
    const writing = all.flatMap(([domain, functions]) =>
      Object.keys(functions).flatMap((name) => (reads.has(name) ? [] : [`${domain}.${name}`])),
    );
    expect(writing.toSorted()).toEqual(writes.map(([name]) => name).toSorted());
  });

  test('forty writes at once raise it forty times', async () => {
    await store.client(realmId, 'busy');
    const before = await store.configVersion();
    await Promise.all(Array.from({ length: 40 }, () => clients().update(realmId, 'busy', () => ok({}), now)));
    expect(await store.configVersion()).toBe(before + 40);
  });
});

describe('ConfigurationCache', () => {
  test('is fresh for ten seconds after a confirmation, never before the first, nor on a clock that was set back', () => {
    const cache = newCache();
    expect(cache.isFresh(now)).toBe(false);
    cache.confirm(1, now);
    const fresh = [0, 9_999, 10_000, -10_000].map((passed) => cache.isFresh(now + passed));
    expect(fresh).toEqual([true, true, false, false]);
    cache.confirm(1, now + 9000);
    expect(cache.isFresh(now + 18_999)).toBe(true);
  });

  test('asks the database once, until the version changes', async () => {
    const slug = await slugOf(realmId);
    await store.client(realmId, 'cached');
    const cache = newCache();
    cache.confirm(await store.configVersion(), now);
    const look = async () => ({
      realm: (await cache.realmBySlug(slug, now))?.name,
      client: (await cache.client(realmId, 'cached', now))?.name,
      keys: (await cache.keys(realmId, now)).jwks.keys.length,
      unknown: await cache.client(realmId, 'unknown', now),
    });
    const before = await look();
    expect(before).toEqual({ realm: slug, client: 'cached', keys: 2, unknown: null });
    expect(await store.statementsOf(look)).toEqual([]);
    await realms().update(slug, { name: 'New' }, now);
    await clients().update(realmId, 'cached', () => ok({ name: 'renamed' }), now);
    await keys().rotate(realmId, 'ES256', { force: true });
    await store.client(realmId, 'unknown');
    expect(await look()).toEqual(before);
    cache.confirm(await store.configVersion(), now);
    expect(await look()).toMatchObject({ realm: 'New', client: 'renamed', keys: 3, unknown: { name: 'unknown' } });
  });

  test('the same version again drops nothing; a lower one (a restored database) does', async () => {
    const slug = await slugOf(realmId);
    const cache = newCache();
    cache.confirm(7, now);
    await cache.realmBySlug(slug, now);
    cache.confirm(7, now + 1000);
    expect(await store.statementsOf(() => cache.realmBySlug(slug, now))).toHaveLength(0);
    cache.confirm(6, now + 2000);
    expect(await store.statementsOf(() => cache.realmBySlug(slug, now))).toHaveLength(1);
  });

  test('a stricter realm is in force for its clients after the invalidation, even for a caller with the old realm', async () => {
    const slug = await slugOf(realmId);
    await store.client(realmId, 'follower');
    const cache = newCache();
    const old = (await cache.realmBySlug(slug, now)) ?? unreachable('made above');
    await realms().update(slug, { overrides: { pkce: { value: 'required for all' } } }, now);
    cache.confirm(await store.configVersion(), now);
    expect((await cache.client(old.id, 'follower', now))?.settings.pkce).toBe('required for all');
  });

  test('an override that runs out stops counting at that moment, without any write', async () => {
    const overrides = { accessTokenLifetimeSeconds: { value: 60, expiresAt: now + 5000 } };
    await store.client(realmId, 'brief', overrides);
    const cache = newCache({ accessTokenLifetimeSeconds: { value: 120 } });
    const lifetime = async (at: number) =>
      (await cache.client(realmId, 'brief', at))?.settings.accessTokenLifetimeSeconds;
    expect([await lifetime(now), await lifetime(now + 4999), await lifetime(now + 5000)]).toEqual([60, 60, 120]);
    const realm = await store.realm('brief-realm', {
      codeLifetimeSeconds: { value: 10, expiresAt: now + 5000 },
      idTokenLifetimeSeconds: { value: 45, expiresAt: now + 5000 },
    });
    const code = async (at: number) => (await cache.realmById(realm, at))?.settings.codeLifetimeSeconds;
    expect([await code(now), await code(now + 4999), await code(now + 5000)]).toEqual([10, 10, 60]);
    await store.client(realm, 'inheriting');
    const idToken = async (at: number) =>
      (await cache.client(realm, 'inheriting', at))?.settings.idTokenLifetimeSeconds;
    expect([await idToken(now), await idToken(now + 4999), await idToken(now + 5000)]).toEqual([45, 45, 600]);
  });

  test('what cannot be a name is unknown without asking', async () => {
    const cache = newCache();
    const statements = await store.statementsOf(async () => {
      expect(await cache.realmBySlug('a/b\0', now)).toBeNull();
      expect(await cache.realmById(brandId<RealmId>('x'), now)).toBeNull();
      expect(await cache.client(realmId, "a'; --\0", now)).toBeNull();
      expect(await cache.flowVersion(realmId, 'x', now)).toBeNull();
    });
    expect(statements).toEqual([]);
  });

  test('a client, key or flow of one realm is not there in another', async () => {
    const other = await store.realm();
    await store.client(realmId, 'mine');
    const version = await flows().publish(realmId, 'browser', definition);
    await flows().deploy(realmId, 'browser', version.id);
    const cache = newCache();
    expect(await cache.client(realmId, 'mine', now)).not.toBeNull();
    expect(await cache.client(other, 'mine', now)).toBeNull();
    expect(await cache.flowVersion(realmId, version.id, now)).toEqual(version);
    expect(await cache.flowVersion(other, version.id, now)).toBeNull();
    expect(await cache.deployedFlow(realmId, 'browser', now)).toEqual(version);
    expect(await cache.deployedFlow(other, 'browser', now)).toBeNull();
    expect((await cache.keys(brandId<RealmId>(newId()), now)).jwks).toEqual({ keys: [] });
  });
});

describe('flows', () => {
  test('versions count up per realm and flow, also when published at once, and never change', async () => {
    const published = await Promise.all(
      Array.from({ length: 6 }, () => flows().publish(realmId, 'browser', definition)),
    );
    expect(published.map(({ version }) => version).toSorted()).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await flows().publish(realmId, 'other', definition)).version).toBe(1);
    expect((await flows().list(realmId, 'browser')).map(({ version }) => version)).toEqual([6, 5, 4, 3, 2, 1]);
    expect((await flows().load(realmId, published[0]?.id ?? ''))?.definition).toEqual(definition);
    const [row] = await store.database.sql`
      SELECT jsonb_typeof(definition) AS type FROM flow_versions WHERE realm_id = ${realmId} LIMIT 1`;
    expect(row).toEqual({ type: 'object' });
  });

  test('a purpose points at one version; back again is a rollback; a version of another realm is refused', async () => {
    const [first, second] = [
      await flows().publish(realmId, 'browser', definition),
      await flows().publish(realmId, 'browser', definition),
    ];
    const foreign = await flows().publish(await store.realm(), 'browser', definition);
    expect(await flows().loadDeployed(realmId, 'browser')).toBeNull();
    for (const version of [first, second, first]) {
      expect(await flows().deploy(realmId, 'browser', version.id)).toBe(true);
      expect((await flows().loadDeployed(realmId, 'browser'))?.id).toBe(version.id);
    }
    expect(await flows().deploy(realmId, 'browser', foreign.id)).toBe(false);
    expect((await flows().loadDeployed(realmId, 'browser'))?.id).toBe(first.id);
  });

  test('a version is recalled once', async () => {
    const version = await flows().publish(realmId, 'browser', definition);
    expect(await flows().recall(await store.realm(), version.id)).toBe(false);
    expect([await flows().recall(realmId, version.id), await flows().recall(realmId, version.id)]).toEqual([
      true,
      false,
    ]);
    expect((await flows().load(realmId, version.id))?.recalledAt).toBeNumber();
  });
});
