import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes } from '../../src/core/crypto.ts';
import type { RealmId, UserId } from '../../src/core/ids.ts';
import { clearlyAfterPasswordSeconds, deviceLifetimeSeconds, mostDevicesOfUser } from '../../src/core/known_device.ts';
import { Secret } from '../../src/core/secret.ts';
import { createKnownDevices, keepDevice } from '../../src/store/known_devices.ts';
import { createUsers } from '../../src/store/users.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;
let other: RealmId;

beforeAll(async () => {
  store = await storeFixture();
  [realmId, other] = [await store.realm(), await store.realm()];
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const devices = () => createKnownDevices(store.database);
const find = (tokenHash: Uint8Array, realm = realmId) => devices().find(realm, [tokenHash]);

async function keep(
  userId: UserId,
  {
    kind = 'new',
    tokenHash = randomBytes(32),
    provedAt = Date.now(),
    realm = realmId,
  }: {
    kind?: 'new' | 'known';
    tokenHash?: Uint8Array;
    provedAt?: number;
    realm?: RealmId;
  } = {},
): Promise<Uint8Array> {
  const owner = { realmId: realm, userId, address: '192.0.2.1', agent: 'a browser' };
  await store.database.transaction((executor) => keepDevice(executor, owner, { kind, tokenHash, provedAt }));
  return tokenHash;
}

/** So long after now that it is certainly after what was done just before. */
const later = () => Date.now() + clearlyAfterPasswordSeconds * 1000 + 1000;

const changePassword = (userId: UserId) =>
  createUsers(store.database).setPassword(realmId, userId, new Secret('$argon2id$new'), { signOutEverywhere: false });

describe('a known device', () => {
  test('is found by its token, in its realm alone, with whose it is', async () => {
    const userId = await store.user(realmId);
    const tokenHash = await keep(userId);
    expect(await find(tokenHash)).toMatchObject([{ userId }]);
    expect(await find(tokenHash, other)).toEqual([]);
    expect(await find(randomBytes(32))).toEqual([]);
    expect(await devices().find(realmId, [])).toEqual([]);
  });

  test('of several tokens of one browser each names its own person', async () => {
    const people = [await store.user(realmId), await store.user(realmId)];
    const hashes = await Promise.all(people.map((userId) => keep(userId)));
    const found = await devices().find(realmId, [...hashes, randomBytes(32)]);
    expect(found.map(({ userId }) => userId).toSorted()).toEqual(people.toSorted());
  });

  test('is none of a user of another realm', async () => {
    expect(await find(await keep(await store.user(other)))).toEqual([]);
  });

  test('ends with the password, and a sign-in that used the old one makes none', async () => {
    const userId = await store.user(realmId);
    const provedAt = Date.now() - 1000;
    const tokenHash = await keep(userId, { provedAt });
    expect(await changePassword(userId)).toBe(true);
    expect(await find(tokenHash)).toEqual([]);
    expect(await find(await keep(userId, { provedAt }))).toEqual([]);
    await keep(userId, { kind: 'known', tokenHash, provedAt: later() });
    expect(await find(tokenHash)).toEqual([]);
    expect(await find(await keep(userId, { provedAt: later() }))).toHaveLength(1);
  });

  test('is none of a process whose clock is two seconds ahead, where the password was the old one', async () => {
    const userId = await store.user(realmId);
    const ahead = Date.now() + 1900;
    const known = await keep(userId, { provedAt: ahead });
    expect(await find(known)).toHaveLength(1);
    await changePassword(userId);
    await keep(userId, { kind: 'known', tokenHash: known, provedAt: ahead });
    expect([await find(known), await find(await keep(userId, { provedAt: ahead }))]).toEqual([[], []]);
  });

  test('stays where the same password is hashed anew', async () => {
    const userId = await store.user(realmId);
    await changePassword(userId);
    const tokenHash = await keep(userId, { provedAt: later() });
    await createUsers(store.database).rehash(
      realmId,
      userId,
      new Secret('$argon2id$new'),
      new Secret('$argon2id$newer'),
    );
    expect(await find(tokenHash)).toHaveLength(1);
  });

  test('lapses a year after the last sign-in, and is deleted then', async () => {
    const userId = await store.user(realmId);
    const [kept, left] = [await keep(userId), await keep(userId)];
    await store.shiftClock(deviceLifetimeSeconds - 60);
    await keep(userId, { kind: 'known', tokenHash: kept });
    await store.shiftClock(deviceLifetimeSeconds + 60);
    expect([await find(kept), await find(left)]).toMatchObject([[{ userId }], []]);
    expect(await devices().removeExpired(1000)).toBeGreaterThan(0);
    await store.shiftClock(0);
    expect([await find(kept), await find(left)]).toMatchObject([[{ userId }], []]);
  });

  test('is not taken over by somebody else who presents its token', async () => {
    const [owner, thief] = [await store.user(realmId), await store.user(realmId)];
    const tokenHash = await keep(owner);
    await keep(thief, { kind: 'known', tokenHash });
    expect(await find(tokenHash)).toMatchObject([{ userId: owner }]);
  });

  test('one too many of a person: the one used longest ago goes, and nobody else’s', async () => {
    const [userId, neighbour] = [await store.user(realmId), await store.user(realmId)];
    const theirs = await keep(neighbour, { provedAt: Date.now() - 3_600_000 });
    const oldest = await keep(userId, { provedAt: Date.now() - 60_000 });
    const more = [];
    for (let count = 0; count < mostDevicesOfUser; count += 1) more.push(await keep(userId));
    expect(await find(oldest)).toEqual([]);
    expect(await devices().find(realmId, more)).toHaveLength(mostDevicesOfUser);
    expect(await find(theirs)).toHaveLength(1);
  });
});
