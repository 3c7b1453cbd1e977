import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { brandId, newId, type RealmId, type UserId } from '../../src/core/ids.ts';
import { Secret } from '../../src/core/secret.ts';
import { createUsers } from '../../src/store/users.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;
let other: RealmId;

beforeAll(async () => {
  store = await storeFixture();
  [realmId, other] = [await store.realm(), await store.realm()];
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const users = () => createUsers(store.database);
const hash = (text: string) => new Secret(`$argon2id$${text}`);

describe('create', () => {
  test('gives back what was stored, and never the hash', async () => {
    const claims = { email: 'Alice@Example.org', email_verified: true, address: { country: 'NL' } };
    const created = await users().create({ realmId, username: ' Alice ', claims, passwordHash: hash('a') });
    expect(created).toMatchObject({
      ok: true,
      value: { username: 'Alice', claims, hasPassword: true, enabled: true, validFrom: 0 },
    });
    expect(JSON.stringify(created)).not.toContain('argon2id');
    const [row] = await store.database.sql`SELECT jsonb_typeof(claims) AS type FROM users WHERE username = 'Alice'`;
    expect(row).toEqual({ type: 'object' });
  });

  test('one name is one person, however it is written, and whether it is a username or an address', async () => {
    await store.user(realmId, 'Bob', 'bob@example.org');
    const attempts: readonly (readonly [username: string, email: string | undefined])[] = [
      ['BOB', undefined],
      [' ｂｏｂ', undefined],
      ['robert', 'BOB@EXAMPLE.ORG'],
      ['Bob@Example.org', undefined],
      ['x', 'bob'],
    ];
    const refusals: string[] = [];
    for (const [username, email] of attempts) {
      const created = await users().create({ realmId, username, claims: email === undefined ? {} : { email } });
      refusals.push(created.ok ? 'made' : created.error);
    }
    expect(refusals).toEqual(['username_taken', 'username_taken', 'email_taken', 'username_taken', 'email_taken']);
    expect(
      await users().create({ realmId: other, username: 'Bob', claims: { email: 'bob@example.org' } }),
    ).toMatchObject({ ok: true });
  });

  test('of twenty at once for one name exactly one is made', async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, () =>
        users().create({ realmId, username: 'wanted', claims: { email: 'wanted@example.org' } }),
      ),
    );
    expect(all.filter(({ ok }) => ok).length).toBe(1);
    expect(all.flatMap((result) => (result.ok ? [] : [result.error])).every((error) => error.endsWith('_taken'))).toBe(
      true,
    );
  });

  test('a name without a visible character, with a control character or too long is refused; so is an unknown realm', async () => {
    for (const username of ['', '   ', 'a\0b', 'a\nb', 'a\u202eb', 'x'.repeat(256)]) {
      expect(await users().create({ realmId, username })).toEqual({ ok: false, error: 'username_invalid' });
    }
    const nowhere = brandId<RealmId>(newId());
    expect(await users().create({ realmId: nowhere, username: 'lost' })).toEqual({ ok: false, error: 'unknown_realm' });
  });
});

describe('findForPassword', () => {
  test('finds by username and by address, in any spelling, in its own realm only, in one statement', async () => {
    const userId = await store.user(realmId, 'Carol', 'carol@example.org');
    await users().setPassword(realmId, userId, hash('carol'), { signOutEverywhere: false });
    const domain = users();
    for (const typed of ['carol', ' CAROL ', 'Carol@Example.ORG']) {
      const found = await domain.findForPassword(realmId, typed);
      expect(found).toMatchObject({ userId, username: 'Carol', enabled: true, validFrom: 0 });
      expect(found?.passwordHash?.reveal()).toBe('$argon2id$carol');
      expect(await domain.findForPassword(other, typed)).toBeNull();
    }
    expect(await store.statementsOf(() => domain.findForPassword(realmId, 'carol'))).toHaveLength(1);
  });

  test('a disabled user and one without a password are found as such; nobody is nobody', async () => {
    const userId = await store.user(realmId, 'dave');
    await users().update(realmId, userId, { enabled: false });
    expect(await users().findForPassword(realmId, 'dave')).toMatchObject({
      userId,
      enabled: false,
      passwordHash: null,
    });
    for (const typed of ['', ' ', 'nobody', 'dave\0', '%', "' OR true --", 'x'.repeat(100_000)]) {
      expect(await users().findForPassword(realmId, typed)).toBeNull();
    }
  });

  test('goes by its two indexes, also where a realm has many users', async () => {
    const many = await store.realm();
    const { sql } = store.database;
    await sql`
      INSERT INTO users (id, realm_id, username, username_key, email_key)
      SELECT gen_random_uuid(), ${many}, 'u' || n, 'u' || n, 'u' || n || '@example.org' FROM generate_series(1, 5000) AS n`;
    await sql`ANALYZE users`;
    const [statement = ''] = await store.statementsOf(() => users().findForPassword(many, 'u1'));
    const plan = await sql.begin(async (transaction) => {
      await transaction.unsafe(`PREPARE wanted AS ${statement}`);
      return transaction.unsafe(`EXPLAIN EXECUTE wanted ('${many}', 'u1', 'u1', 'u1', 1)`);
    });
    const text = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(text).toContain('users_realm_id_username_key_key');
    expect(text).toContain('users_by_email');
    expect(text).not.toContain('Filter');
  });
});

describe('update', () => {
  test('changes what it names, and moves the keys with the names', async () => {
    const userId = await store.user(realmId, 'erin', 'erin@example.org');
    const before = await users().show(realmId, { userId });
    const changed = await users().update(realmId, userId, { claims: { email: 'new@example.org', name: 'Erin' } });
    expect(changed).toMatchObject({
      ok: true,
      value: { username: 'erin', claims: { email: 'new@example.org', name: 'Erin' } },
    });
    expect(changed.ok && changed.value.updatedAt >= (before?.updatedAt ?? Number.POSITIVE_INFINITY)).toBe(true);
    expect(await users().findForPassword(realmId, 'erin@example.org')).toBeNull();
    expect(await users().findForPassword(realmId, 'new@example.org')).toMatchObject({ userId });
  });

  test('refuses the name of another, allows its own, and knows nobody of another realm', async () => {
    const [one, two] = [await store.user(realmId, 'frank', 'frank@example.org'), await store.user(realmId, 'grace')];
    expect(await users().update(realmId, two, { username: 'FRANK' })).toEqual({ ok: false, error: 'username_taken' });
    expect(await users().update(realmId, two, { claims: { email: 'frank@example.org' } })).toEqual({
      ok: false,
      error: 'email_taken',
    });
    expect(await users().update(realmId, one, { username: 'Frank' })).toMatchObject({
      ok: true,
      value: { username: 'Frank' },
    });
    expect(await users().update(other, one, { enabled: false })).toEqual({ ok: false, error: 'unknown_user' });
    expect(await users().show(realmId, { userId: one })).toMatchObject({ enabled: true });
  });
});

describe('passwords and sign-out everywhere', () => {
  const validFrom = async (userId: UserId) => (await users().readState(realmId, userId))?.validFrom;

  test('a new password keeps what was issued, unless asked to end it', async () => {
    const userId = await store.user(realmId, 'heidi');
    expect(await users().setPassword(realmId, userId, hash('1'), { signOutEverywhere: false })).toBe(true);
    expect(await validFrom(userId)).toBe(0);
    expect(await users().setPassword(realmId, userId, hash('2'), { signOutEverywhere: true })).toBe(true);
    expect(await validFrom(userId)).toBeGreaterThan(now - 60_000);
    expect((await users().findForPassword(realmId, 'heidi'))?.passwordHash?.reveal()).toBe('$argon2id$2');
  });

  test('a rehash replaces only the hash it was made from', async () => {
    const userId = await store.user(realmId, 'ivan');
    await users().setPassword(realmId, userId, hash('new'), { signOutEverywhere: false });
    expect(await users().rehash(realmId, userId, hash('old'), hash('rehashed'))).toBe(false);
    expect(await users().rehash(realmId, userId, hash('new'), hash('rehashed'))).toBe(true);
    expect((await users().findForPassword(realmId, 'ivan'))?.passwordHash?.reveal()).toBe('$argon2id$rehashed');
  });

  test('by way of another realm nothing happens', async () => {
    const userId = await store.user(realmId, 'judy');
    expect(await users().setPassword(other, userId, hash('x'), { signOutEverywhere: true })).toBe(false);
    expect(await users().signOutEverywhere(other, userId)).toBe(false);
    expect(await users().readState(other, userId)).toBeNull();
    expect(await validFrom(userId)).toBe(0);
    expect(await users().signOutEverywhere(realmId, userId)).toBe(true);
    expect(await validFrom(userId)).toBeGreaterThan(0);
  });
});

describe('list', () => {
  test('pages by username, each user once', async () => {
    const realm = await store.realm();
    for (const name of ['c', 'a', 'B', 'd', 'E']) await store.user(realm, name);
    const first = await users().list(realm, { limit: 2 });
    const rest = await users().list(realm, { after: first.at(-1)?.username ?? '', limit: 10 });
    expect([first, rest].map((page) => page.map(({ username }) => username))).toEqual([
      ['a', 'B'],
      ['c', 'd', 'E'],
    ]);
  });
});
