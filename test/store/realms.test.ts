import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import { randomBytes } from '../../src/core/crypto.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { unreachable } from '../../src/core/result.ts';
import { Secret } from '../../src/core/secret.ts';
import { createRealms, toRealm } from '../../src/store/realms.ts';
import { signingAlgorithms } from '../../src/store/signer.ts';
import { createSigningKeys } from '../../src/store/signing_keys.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let store: Fixture;

beforeAll(async () => {
  store = await storeFixture();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const create = () => createRealms(store.database, { ring: store.ring, system: {} });
const plain = { name: 'Acme', isDefault: false, algorithms: ['ES256'] as const };
const load = async (slug: string) => (await create().load({ slug })) ?? unreachable('the test made it');
const parts = () => ({ ring: store.ring, publicUrl: 'https://id.example', system: {} });

describe('createRealms', () => {
  test('a new realm has an active and a next key of every algorithm', async () => {
    const created = await create().create({ slug: 'keys', name: 'Keys', isDefault: false }, now);
    if (!created.ok) throw new Error(created.error.kind);
    const keys = await createSigningKeys(store.database, store.ring).list(created.value.id);
    const wanted = signingAlgorithms.flatMap((algorithm) => [`${algorithm} active`, `${algorithm} next`]);
    expect(keys.map(({ algorithm, state }) => `${algorithm} ${state}`).toSorted()).toEqual(wanted.toSorted());
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(wanted.length);
  });

  test('a taken slug, a wrong slug and a second default are refused and leave nothing behind', async () => {
    const realms = create();
    expect(await realms.create({ ...plain, slug: 'taken' }, now)).toMatchObject({ ok: true });
    expect(await realms.create({ ...plain, slug: 'first', isDefault: true }, now)).toMatchObject({ ok: true });
    const before = await realms.list();
    const refused = [
      await realms.create({ ...plain, slug: 'taken' }, now),
      await realms.create({ ...plain, slug: 'second', isDefault: true }, now),
      await realms.create({ ...plain, slug: 'Not/A-Slug' }, now),
    ];
    expect(refused).toEqual([
      { ok: false, error: { kind: 'slug_taken' } },
      { ok: false, error: { kind: 'default_exists' } },
      { ok: false, error: { kind: 'slug_invalid' } },
    ]);
    expect(await realms.list()).toEqual(before);
    const [orphans] = await store.database.sql`
      SELECT count(*) AS count FROM signing_keys WHERE realm_id NOT IN (SELECT id FROM realms)`;
    expect(orphans?.['count']).toBe(0);
  });

  test('the issuer is the public URL for the default realm, and below /realms for any other', async () => {
    const realms = create();
    await realms.create({ ...plain, slug: 'acme' }, now);
    const byDefault = (await realms.load({ isDefault: true })) ?? unreachable('made above');
    expect(toRealm(byDefault, parts(), now).issuer).toBe('https://id.example');
    expect(toRealm(await load('acme'), parts(), now).issuer).toBe('https://id.example/realms/acme');
  });

  test('secrets are random per realm, not to be seen, and open only with their ring and in their row', async () => {
    for (const slug of ['one', 'two']) await create().create({ ...plain, slug }, now);
    const [one, two] = [await load('one'), await load('two')];
    const secrets = [one, two].flatMap((row) => Object.values(toRealm(row, parts(), now).secrets));
    const texts = secrets.map((secret) => Buffer.from(secret.reveal()).toString('hex'));
    expect(new Set(texts).size).toBe(4);
    expect(texts.map((text) => text.length)).toEqual([64, 64, 64, 64]);
    const shown = inspect([one, toRealm(one, parts(), now)], { depth: 10 });
    for (const secret of secrets) {
      for (const encoding of ['hex', 'base64url', 'base64'] as const) {
        expect(shown).not.toContain(Buffer.from(secret.reveal()).toString(encoding));
      }
    }
    expect(() => toRealm({ ...one, secretsSealed: two.secretsSealed }, parts(), now)).toThrow('cannot be opened');
    const other = new KeyRing([new Secret<Uint8Array>(randomBytes(32))]);
    expect(() => toRealm(one, { ...parts(), ring: other }, now)).toThrow('LIMEN_SECRETS lacks');
  });

  test('a setting out of bounds is refused with every fault; a good one is in force', async () => {
    const overrides = { codeLifetimeSeconds: { value: 1e9 }, nothing: { value: 1 } };
    const refused = await create().create({ ...plain, slug: 'strict', overrides }, now);
    expect(refused).toMatchObject({
      ok: false,
      error: { kind: 'settings', faults: [expect.any(String), expect.any(String)] },
    });
    const good = { codeLifetimeSeconds: { value: 30, reason: 'audit', expiresAt: now + 5000 } };
    const created = await create().create({ ...plain, slug: 'strict', overrides: good }, now);
    expect(created).toMatchObject({ ok: true, value: { overrides: good } });
    expect(toRealm(await load('strict'), parts(), now).settings.codeLifetimeSeconds).toBe(30);
    expect(toRealm(await load('strict'), parts(), now + 5000).settings.codeLifetimeSeconds).toBe(60);
  });

  test('an update changes what it names, takes away what is null, and refuses a bad setting as a whole', async () => {
    const realms = create();
    const overrides = { lockout: { value: false, reason: 'test' }, codeLifetimeSeconds: { value: 30 } };
    await realms.create({ ...plain, slug: 'changing', overrides }, now);
    const changed = await realms.update('changing', { overrides: { lockout: null }, enabled: false }, now);
    expect(changed).toMatchObject({ ok: true, value: { name: 'Acme', enabled: false } });
    expect(changed.ok && changed.value.overrides).toEqual({ codeLifetimeSeconds: { value: 30 } });
    const refused = await realms.update(
      'changing',
      { name: 'New', overrides: { lockoutThreshold: { value: 0 } } },
      now,
    );
    expect(refused).toMatchObject({ ok: false, error: { kind: 'settings' } });
    expect(await realms.show('changing')).toMatchObject({ name: 'Acme' });
    expect(await realms.update('nowhere', {}, now)).toEqual({ ok: false, error: { kind: 'unknown_realm' } });
  });

  test('ending everything moves valid_from to the database clock', async () => {
    await create().create({ ...plain, slug: 'ended' }, now);
    expect((await load('ended')).validFrom).toBe(0);
    expect(await create().endEverything('ended')).toBe(true);
    expect((await load('ended')).validFrom).toBeGreaterThan(now - 60_000);
    expect(await create().endEverything('nowhere')).toBe(false);
  });
});
