import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomBytes } from '../../src/core/crypto.ts';
import {
  brandId,
  type ClientId,
  newId,
  newTimedId,
  type RealmId,
  type SessionId,
  type UserId,
} from '../../src/core/ids.ts';
import { unreachable } from '../../src/core/result.ts';
import { createAccount } from '../../src/store/account.ts';
import { createAudit } from '../../src/store/audit.ts';
import { createConsents } from '../../src/store/consents.ts';
import { keepDevice } from '../../src/store/known_devices.ts';
import { createSsoSessions } from '../../src/store/sso_sessions.ts';
import { createUsers } from '../../src/store/users.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;

beforeAll(async () => {
  store = await storeFixture();
  realmId = await store.realm();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const day = 24 * 3600;
const by = { address: '192.0.2.1', agent: 'a browser' };
const app = brandId<ClientId>('app');

const account = () => {
  const { database } = store;
  return createAccount(database, {
    audit: createAudit(database, Date.now),
    consents: createConsents(database),
    sessions: createSsoSessions(database),
    users: createUsers(database),
  });
};

type Owner = { readonly realmId: RealmId; readonly userId: UserId };
const owner = async (realm = realmId): Promise<Owner> => ({ realmId: realm, userId: await store.user(realm) });

async function session({ realmId: realm, userId }: Owner): Promise<SessionId> {
  const created = await createSsoSessions(store.database).create(store.database.db, {
    realmId: realm,
    userId,
    secretHash: randomBytes(32),
    evidence: [{ method: 'pwd', userId, at: Date.now() }],
    absoluteLifetimeSeconds: day,
    address: null,
    agent: null,
  });
  return created?.id ?? unreachable('the user is enabled');
}

type Held = {
  readonly client?: string;
  readonly offline?: boolean;
  readonly session?: SessionId;
  readonly expiresAt?: number;
};

async function family(
  of: Owner,
  { client = 'app', offline = false, session: on, expiresAt = Date.now() + day * 1000 }: Held = {},
) {
  const id = newTimedId(expiresAt);
  await store.database.sql`
    INSERT INTO token_families (id, realm_id, client_id, user_id, session_id, offline, scope, audience, created_at, rotated_at)
    VALUES (${id}::uuid, ${of.realmId}::uuid, ${client}, ${of.userId}::uuid, ${on ?? null}::uuid, ${offline},
            'openid profile', '{}', limen_now(), limen_now())`;
  return id;
}

const consent = ({ realmId: realm, userId }: Owner, scope: readonly string[], clientId = app) =>
  createConsents(store.database).remember(store.database.db, { realmId: realm, userId, clientId }, scope);

const accessOf = async (of: Owner) =>
  (await account().access(of)).map(({ clientId, held }) => [String(clientId), held !== null]);

const eventsOf = async ({ realmId: realm, userId }: Owner) => {
  const rows = await store.database.sql<{ event: string }[]>`
    SELECT event FROM audit_events WHERE realm_id = ${realm}::uuid AND user_id = ${userId}::uuid ORDER BY event`;
  return rows.map(({ event }) => event);
};

describe('access', () => {
  test('is what was allowed and what is held, a row for each client, with all scopes once', async () => {
    const of = await owner();
    await consent(of, ['openid', 'email']);
    await family(of);
    await family(of, { offline: true });
    await family(of, { client: 'other' });
    const access = await account().access(of);
    expect(access.map(({ clientId, scope }) => [String(clientId), [...scope]]).toSorted()).toEqual([
      ['app', ['email', 'openid', 'profile']],
      ['other', ['openid', 'profile']],
    ]);
    expect(access.find(({ clientId }) => clientId === 'app')).toMatchObject({
      consentedAt: expect.any(Number),
      held: { offline: true, since: expect.any(Number) },
    });
    expect(access.find(({ clientId }) => clientId === 'other')).toMatchObject({
      consentedAt: null,
      held: { offline: false },
    });
  });

  test('is not held by what is revoked, past its end, older than `valid_from`, or bound to a session that ended', async () => {
    const of = await owner();
    const ended = await session(of);
    await family(of, { client: 'ended', session: ended });
    await family(of, { client: 'goes on', session: ended, offline: true });
    await account().endSession(of, ended, by);
    const revoked = await family(of, { client: 'revoked' });
    await store.database.sql`UPDATE token_families SET revoked_at = limen_now() WHERE id = ${revoked}::uuid`;
    await family(of, { client: 'over', expiresAt: Date.now() - 1000 });
    expect(await accessOf(of)).toEqual([['goes on', true]]);
    await account().endEverything(of, by);
    expect(await accessOf(of)).toEqual([]);
  });

  test('removed is removed once, for this client and this person alone, and both are told of', async () => {
    const [of, neighbour] = [await owner(), await owner()];
    for (const each of [of, neighbour]) {
      await consent(each, ['openid']);
      await family(each);
      await family(each, { client: 'other' });
    }
    expect(await account().revokeAccess(of, 'app', by)).toBe(true);
    expect(await account().revokeAccess(of, 'app', by)).toBe(false);
    expect(await accessOf(of)).toEqual([['other', true]]);
    expect((await accessOf(neighbour)).toSorted()).toEqual([
      ['app', true],
      ['other', true],
    ]);
    expect(await eventsOf(of)).toEqual(['consent.revoked', 'token.revoked']);
    expect(await eventsOf(neighbour)).toEqual([]);
  });

  test('removed from a device that was allowed and has not polled yet, of this person, client and realm alone', async () => {
    const [of, neighbour] = [await owner(), await owner()];
    const approved = async ({ realmId: realm, userId }: Owner, client = 'app', status = 'approved') => {
      const id = newTimedId(Date.now() + day * 1000);
      await store.database.sql`
        INSERT INTO device_authorizations (id, realm_id, client_id, code_hash, user_code, scope, audience, expires_at,
          interval_seconds, status, decided_at, user_id)
        VALUES (${id}::uuid, ${realm}::uuid, ${client}, ''::bytea, ${id}, 'openid', '{}',
          limen_now() + interval '10 minutes', 5, ${status}, limen_now(), ${userId}::uuid)`;
      return id;
    };
    const statusOf = async (id: string) => {
      const [row] = await store.database.sql`SELECT status FROM device_authorizations WHERE id = ${id}::uuid`;
      return row?.['status'];
    };
    const mine = await approved(of);
    const redeemed = await approved(of);
    await store.database.sql`
      INSERT INTO token_families (id, realm_id, client_id, user_id, scope, audience, created_at, rotated_at, offline, revoked_at)
      VALUES (${redeemed}::uuid, ${of.realmId}::uuid, 'app', ${of.userId}::uuid, 'openid', '{}', limen_now(), limen_now(),
              true, limen_now())`;
    const others = [
      await approved(of, 'other'),
      await approved(neighbour),
      await approved({ ...of, realmId: await store.realm() }),
    ];
    expect(await account().revokeAccess(of, 'app', by)).toBe(true);
    expect(await account().revokeAccess(of, 'app', by)).toBe(false);
    expect(await statusOf(mine)).toBe('denied');
    for (const id of others) expect(await statusOf(id)).toBe('approved');
    expect(await eventsOf(of)).toEqual(['device.denied']);
  });

  test('that cannot be told of is not removed: it is one transaction', async () => {
    const of = await owner();
    await consent(of, ['openid']);
    await family(of);
    const { database } = store;
    const broken = createAccount(database, {
      audit: { record: () => Promise.reject(new Error('the log is full')) },
      consents: createConsents(database),
      sessions: createSsoSessions(database),
      users: createUsers(database),
    });
    await expect(broken.revokeAccess(of, 'app', by)).rejects.toThrow();
    expect(await account().access(of)).toMatchObject([{ clientId: 'app', consentedAt: expect.any(Number), held: {} }]);
  });
});

describe('ids of somebody else', () => {
  test('of another person or another realm are unknown to every change', async () => {
    const [of, neighbour] = [await owner(), await owner()];
    const foreign = await owner(await store.realm());
    for (const other of [neighbour, foreign]) {
      const id = await session(other);
      const tokenHash = randomBytes(32);
      const change = { kind: 'new', tokenHash, provedAt: Date.now() } as const;
      await keepDevice(store.database.db, { ...other, ...by }, change);
      const [device] = await account().devices(other, [tokenHash]);
      expect(device).toMatchObject({ isThis: true });
      expect(await account().endSession(of, id, by)).toBe(false);
      expect(await account().endSession({ ...of, realmId: other.realmId }, id, by)).toBe(false);
      expect(await account().forgetDevice(of, device?.id ?? '', by)).toBe(false);
      expect(await account().sessions(other)).toHaveLength(1);
      expect(await account().devices(other, [])).toMatchObject([{ isThis: false }]);
      expect(await account().devices(of, [tokenHash])).toEqual([]);
    }
    expect(await eventsOf(of)).toEqual([]);
  });

  test('the right person in the wrong realm is nobody', async () => {
    const of = await owner();
    await session(of);
    await consent(of, ['openid']);
    await family(of);
    const misplaced = { ...of, realmId: await store.realm() };
    expect(await account().sessions(misplaced)).toEqual([]);
    expect(await account().access(misplaced)).toEqual([]);
    expect(await account().endEverything(misplaced, by)).toBe(false);
    expect(await account().endOtherSessions(misplaced, newId<SessionId>(), by)).toBe(false);
    expect(await account().revokeAccess(misplaced, 'app', by)).toBe(false);
    expect(await account().sessions(of)).toHaveLength(1);
  });
});

describe('history', () => {
  const events = ['session.ended', 'password.refused'];

  test('is of this person, of the events asked for, newest first, and goes on behind an entry', async () => {
    const of = await owner();
    const audit = createAudit(store.database, Date.now);
    const start = Date.now() - 60_000;
    for (let second = 0; second < 5; second += 1) {
      await audit.record({ ...of, event: 'password.refused', at: start + second * 1000, detail: { reason: 'wrong' } });
    }
    await audit.record({ ...of, event: 'code.replayed' });
    await audit.record({ ...(await owner()), event: 'password.refused' });
    const first = await account().history(of, { events, before: null, limit: 3 });
    expect(first.map(({ at }) => (at - start) / 1000)).toEqual([4, 3, 2]);
    expect(first[0]).toMatchObject({ event: 'password.refused', reason: 'wrong', clientId: null });
    const rest = await account().history(of, { events, before: first.at(-1)?.id ?? null, limit: 3 });
    expect(rest.map(({ at }) => (at - start) / 1000)).toEqual([1, 0]);
  });

  test('is found by an index, whatever the partitions', async () => {
    const of = await owner();
    const plan = await store.database.sql.begin(async (sql) => {
      await sql`SET LOCAL enable_seqscan = off`;
      return sql<{ 'QUERY PLAN': string }[]>`
        EXPLAIN SELECT id FROM audit_events WHERE realm_id = ${of.realmId}::uuid AND user_id = ${of.userId}::uuid
        ORDER BY id DESC LIMIT 51`;
    });
    const lines = plan.map((row) => row['QUERY PLAN']).join('\n');
    expect(lines).toContain('realm_id_user_id_id');
    expect(lines).not.toContain('Seq Scan');
  });
});
