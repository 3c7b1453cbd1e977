import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes } from '../../src/core/crypto.ts';
import { brandId, type ClientId, newId, type RealmId, type SessionId, type UserId } from '../../src/core/ids.ts';
import { unreachable } from '../../src/core/result.ts';
import { createConsents } from '../../src/store/consents.ts';
import { createSsoSessions } from '../../src/store/sso_sessions.ts';
import { createUsers } from '../../src/store/users.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;
let other: RealmId;

const hour = 3600;
const idleLifetimeSeconds = 10 * hour;
const absoluteLifetimeSeconds = 20 * hour;
const clientId = brandId<ClientId>('app');

beforeAll(async () => {
  store = await storeFixture();
  [realmId, other] = [await store.realm(), await store.realm()];
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const sessions = () => createSsoSessions(store.database);

async function signIn(realm = realmId, owner?: UserId) {
  const userId = owner ?? (await store.user(realm));
  const secretHash = randomBytes(32);
  const created = await sessions().create(store.database.db, {
    realmId: realm,
    userId,
    secretHash,
    evidence: [{ method: 'pwd', userId, at: now }],
    absoluteLifetimeSeconds,
    address: '192.0.2.1',
    agent: null,
  });
  const { id } = created ?? unreachable('the user is enabled');
  const find = (from: RealmId = realm, client: ClientId | null = null) =>
    sessions().find({ realmId: from, secretHash, clientId: client, idleLifetimeSeconds });
  return { id, userId, secretHash, find };
}

/** Judged as if this much time had passed. */
async function later<Value>(seconds: number, look: () => Promise<Value>): Promise<Value> {
  await store.shiftClock(seconds);
  try {
    return await look();
  } finally {
    await store.shiftClock(0);
  }
}

describe('find', () => {
  test('gives session, user, evidence and remembered consent in one statement', async () => {
    const { id, userId, find, secretHash } = await signIn();
    await createConsents(store.database).remember(store.database.db, { realmId, userId, clientId }, [
      'openid',
      'email',
    ]);
    const found = await find(realmId, clientId);
    expect(found).toMatchObject({
      id,
      user: { userId, enabled: true, validFrom: 0 },
      evidence: [{ method: 'pwd', userId, at: now }],
      consentedScope: ['openid', 'email'],
      touchDue: false,
    });
    expect((found?.expiresAt ?? 0) - (found?.createdAt ?? 0)).toBe(absoluteLifetimeSeconds * 1000);
    const domain = sessions();
    const query = { realmId, secretHash, clientId, idleLifetimeSeconds };
    expect(await store.statementsOf(() => domain.find(query))).toHaveLength(1);
  });

  test('consent of another client, and without a client, is none', async () => {
    const { userId, find } = await signIn();
    await createConsents(store.database).remember(store.database.db, { realmId, userId, clientId }, ['openid']);
    expect(await find(realmId, brandId<ClientId>('another'))).toMatchObject({ consentedScope: null });
    expect(await find(realmId, null)).toMatchObject({ consentedScope: null });
  });

  test('a cookie of one realm is unknown in another; an unknown one everywhere', async () => {
    const { find } = await signIn();
    expect(await find(other)).toBeNull();
    const query = { realmId, secretHash: randomBytes(32), clientId: null, idleLifetimeSeconds };
    expect(await sessions().find(query)).toBeNull();
  });

  test('ends when idle for its idle lifetime, and lives on when touched before', async () => {
    const { id, find } = await signIn();
    expect(await later(idleLifetimeSeconds - 60, find)).not.toBeNull();
    expect(await later(idleLifetimeSeconds + 1, find)).toBeNull();
    await later(idleLifetimeSeconds - 60, () => sessions().touch(realmId, id));
    expect(await later(idleLifetimeSeconds + 1, find)).not.toBeNull();
  });

  test('ends at its absolute lifetime however often it is touched', async () => {
    const { id, find } = await signIn();
    for (const at of [9, 18]) await later(at * hour, () => sessions().touch(realmId, id));
    expect(await later(absoluteLifetimeSeconds - 60, find)).not.toBeNull();
    expect(await later(absoluteLifetimeSeconds + 1, find)).toBeNull();
  });

  test('touching is due after a tenth of the idle lifetime, once', async () => {
    const { id, find } = await signIn();
    expect(await later(hour - 60, find)).toMatchObject({ touchDue: false });
    expect(await later(hour + 60, find)).toMatchObject({ touchDue: true });
    await later(hour + 60, () => sessions().touch(realmId, id));
    expect(await later(hour + 120, find)).toMatchObject({ touchDue: false });
  });

  test('a disabled user has no session; enabled again, the session is back', async () => {
    const { userId, find } = await signIn();
    const users = createUsers(store.database);
    await users.update(realmId, userId, { enabled: false });
    expect(await find()).toBeNull();
    await users.update(realmId, userId, { enabled: true });
    expect(await find()).not.toBeNull();
  });

  test('signing out everywhere ends what began before, not what begins after', async () => {
    const { userId, find } = await signIn();
    await createUsers(store.database).signOutEverywhere(realmId, userId);
    expect(await find()).toBeNull();
    const again = await signIn(realmId, userId);
    expect(await again.find()).not.toBeNull();
  });
});

describe('create', () => {
  test('a user who is disabled, gone or of another realm gets none', async () => {
    const [disabled, stranger] = [await store.user(realmId), await store.user(other)];
    await createUsers(store.database).update(realmId, disabled, { enabled: false });
    for (const userId of [disabled, stranger, brandId<UserId>(newId())]) {
      const session = {
        realmId,
        userId,
        secretHash: randomBytes(32),
        evidence: [],
        absoluteLifetimeSeconds,
        address: null,
        agent: null,
      };
      expect(await sessions().create(store.database.db, session)).toBeNull();
    }
  });

  test('in a transaction that is undone there is none, and the id can be chosen', async () => {
    const userId = await store.user(realmId);
    const id = newId<SessionId>();
    const session = {
      id,
      realmId,
      userId,
      secretHash: randomBytes(32),
      evidence: [],
      absoluteLifetimeSeconds,
      address: null,
      agent: null,
    };
    const undone = store.database.transaction(async (executor) => {
      expect(await sessions().create(executor, session)).toMatchObject({ id });
      throw new RangeError('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await undone.catch(() => {});
    expect(await sessions().end(realmId, id)).toBe(false);
    expect(await sessions().create(store.database.db, session)).toMatchObject({ id });
  });

  test('evidence is a list in jsonb, without naming the user again', async () => {
    const { id } = await signIn();
    const [row] = await store.database.sql`
      SELECT jsonb_typeof(evidence) AS type, evidence FROM sso_sessions WHERE id = ${id}`;
    expect(row).toEqual({ type: 'array', evidence: [{ method: 'pwd', at: now }] });
  });
});

describe('end', () => {
  test('once; by way of another realm never; a touch afterwards does not bring it back', async () => {
    const { id, find } = await signIn();
    expect(await sessions().end(other, id)).toBe(false);
    expect(await find()).not.toBeNull();
    expect(await sessions().end(realmId, id)).toBe(true);
    expect(await sessions().end(realmId, id)).toBe(false);
    await sessions().touch(realmId, id);
    expect(await find()).toBeNull();
  });

  test('all of a user: the living ones are named, one may be spared, others keep theirs', async () => {
    const first = await signIn();
    const [second, third, stranger] = [
      await signIn(realmId, first.userId),
      await signIn(realmId, first.userId),
      await signIn(),
    ];
    await sessions().end(realmId, second.id);
    expect(await sessions().endAllOfUser(other, first.userId)).toEqual([]);
    expect(await sessions().endAllOfUser(realmId, first.userId, { except: third.id })).toEqual([first.id]);
    expect(
      await Promise.all([first, second, third, stranger].map(async ({ find }) => (await find()) !== null)),
    ).toEqual([false, false, true, true]);
  });

  test('only sessions past their absolute lifetime are forgotten', async () => {
    const { find } = await signIn();
    await later(absoluteLifetimeSeconds - 60, () => sessions().forgetExpired());
    expect(await find()).not.toBeNull();
    expect(await later(absoluteLifetimeSeconds + 60, () => sessions().forgetExpired())).toBeGreaterThan(0);
    expect(await find()).toBeNull();
  });
});

describe('touch', () => {
  test('is one statement, and no index holds what it writes, so it can stay in its page', async () => {
    const { id } = await signIn();
    const domain = sessions();
    expect(await store.statementsOf(() => domain.touch(realmId, id))).toHaveLength(1);
    const indexes = await store.database.sql`
      SELECT indexdef FROM pg_indexes WHERE tablename = 'sso_sessions' AND indexdef LIKE '%seen_at%'`;
    expect([...indexes]).toEqual([]);
  });
});

describe('consents', () => {
  const key = (userId: UserId, realm = realmId) => ({ realmId: realm, userId, clientId });
  const consents = () => createConsents(store.database);
  const remember = (userId: UserId, scope: readonly string[], realm = realmId) =>
    consents().remember(store.database.db, key(userId, realm), scope);

  test('what was allowed adds up, each scope once', async () => {
    const userId = await store.user(realmId);
    expect(await consents().find(key(userId))).toEqual([]);
    await remember(userId, ['openid', 'profile', 'openid']);
    await remember(userId, ['email', 'openid']);
    expect([...(await consents().find(key(userId)))].toSorted()).toEqual(['email', 'openid', 'profile']);
  });

  test('twenty at once lose nothing', async () => {
    const userId = await store.user(realmId);
    const scopes = Array.from({ length: 20 }, (_, index) => `s${index}`);
    await Promise.all(scopes.map((scope) => remember(userId, [scope])));
    expect([...(await consents().find(key(userId)))].toSorted()).toEqual(scopes.toSorted());
  });

  test('belongs to its realm, and is forgotten when revoked', async () => {
    const userId = await store.user(realmId);
    await remember(userId, ['openid']);
    expect(await consents().find(key(userId, other))).toEqual([]);
    expect(await consents().revoke(key(userId, other))).toBe(false);
    expect(await consents().revoke(key(userId))).toBe(true);
    expect(await consents().revoke(key(userId))).toBe(false);
    expect(await consents().find(key(userId))).toEqual([]);
  });
});
