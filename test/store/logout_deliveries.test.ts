import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import {
  type ClientId,
  type FamilyId,
  newId,
  newTimedId,
  type RealmId,
  type SessionId,
  type UserId,
} from '../../src/core/ids.ts';
import { createAudit } from '../../src/store/audit.ts';
import { createClients } from '../../src/store/clients.ts';
import { createLogoutDeliveries } from '../../src/store/logout_deliveries.ts';
import { createRealms } from '../../src/store/realms.ts';
import { createSsoSessions } from '../../src/store/sso_sessions.ts';
import { createUsers } from '../../src/store/users.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, newClient, now, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;
let userId: UserId;

beforeAll(async () => {
  store = await storeFixture({ connections: 12 });
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

beforeEach(async () => {
  await store.shiftClock(0);
  await store.database.sql`DELETE FROM sso_sessions`;
  await store.database.sql`DELETE FROM logout_deliveries`;
  realmId = await store.realm();
  userId = await store.user(realmId);
  await client('telling', { backchannel_logout_uri: 'https://rp.example/ended' });
});

const deliveries = () =>
  createLogoutDeliveries(
    store.database,
    createAudit(store.database, () => now),
  );
const sessions = () => createSsoSessions(store.database);

async function client(clientId: string, metadata: object): Promise<ClientId> {
  const draft = newClient(realmId, clientId, { metadata });
  const created = await createClients(store.database, { system: {} }).create(draft, { withSecret: false }, now);
  if (!created.ok) throw new Error(created.error.kind);
  return created.value.client.clientId;
}

async function session(of: UserId = userId): Promise<SessionId> {
  const created = await sessions().create(store.database.db, {
    realmId,
    userId: of,
    secretHash: Buffer.from(newId<SessionId>()),
    evidence: [{ method: 'pwd', userId: of, at: now }],
    absoluteLifetimeSeconds: 3600,
    address: null,
    agent: null,
  });
  if (created === null) throw new Error('no session');
  return created.id;
}

/** As redeeming a code leaves it. */
async function family(sessionId: SessionId, clientId = 'telling', offline = false): Promise<void> {
  await store.database.sql`
    INSERT INTO token_families (id, realm_id, client_id, user_id, session_id, offline, scope, audience, created_at, rotated_at)
    VALUES (${newTimedId<FamilyId>(now + 3_600_000)}, ${realmId}, ${clientId}, ${userId}, ${sessionId}, ${offline}, 'openid',
            '{}', limen_now(), limen_now())`;
}

type Row = { readonly session_id: string; readonly client_id: string; readonly outcome: string | null };
const queued = async (): Promise<readonly Row[]> =>
  store.database.sql<Row[]>`SELECT session_id, client_id, outcome FROM logout_deliveries ORDER BY client_id, queued_at`;

const failedOnce = { fault: 'no answer', retryAfterSeconds: 10, giveUpAfterSeconds: 86_400, pauseClientSeconds: null };

describe('what the end of a session queues', () => {
  test('one row for each client that the sign-in was passed on to and that has an address, however often it was', async () => {
    await client('too', { backchannel_logout_uri: 'https://too.example/ended' });
    await client('deaf', { frontchannel_logout_uri: 'https://deaf.example/ended' });
    await client('elsewhere', { backchannel_logout_uri: 'https://elsewhere.example/ended' });
    const id = await session();
    for (const clientId of ['telling', 'telling', 'too', 'deaf']) await family(id, clientId);
    await family(id, 'telling', true);
    await sessions().end(realmId, id);
    expect(await queued()).toMatchObject([{ client_id: 'telling' }, { client_id: 'too' }]);
    expect((await deliveries().clientsOf(realmId, id)).map(String)).toEqual(['deaf', 'telling', 'too']);
  });

  test('a disabled client is not told', async () => {
    await createClients(store.database, { system: {} }).update(
      realmId,
      'telling',
      () => ({ ok: true, value: { enabled: false } }),
      now,
    );
    const id = await session();
    await family(id);
    await sessions().end(realmId, id);
    expect(await queued()).toEqual([]);
  });

  test('is part of the transaction that ends it: undone together', async () => {
    const id = await session();
    await family(id);
    const undone = store.database.transaction(async (executor) => {
      expect(await sessions().end(realmId, id, executor)).toBe(true);
      throw new Error('undo');
    });
    expect(undone).rejects.toThrow('undo');
    await undone.catch(() => {});
    expect(await queued()).toEqual([]);
  });

  test('nothing, where a session only gets older, is renewed, or is tidied away after its end', async () => {
    const id = await session();
    await family(id);
    await sessions().touch(realmId, id);
    await store.database.sql`UPDATE sso_sessions SET expires_at = limen_now() + interval '2 hours' WHERE id = ${id}`;
    await store.shiftClock(3 * 3600);
    expect(await sessions().forgetExpired()).toBeGreaterThan(0);
    expect(await queued()).toEqual([]);
  });

  test('signing out everywhere ends every session of this user and of nobody else', async () => {
    const stranger = await store.user(realmId);
    const [one, two, theirs] = [await session(), await session(), await session(stranger)];
    for (const id of [one, two, theirs]) await family(id);
    await createUsers(store.database).signOutEverywhere(realmId, userId);
    const [first] = await store.database.sql`SELECT ended_at::text FROM sso_sessions WHERE id = ${one}`;
    await createUsers(store.database).signOutEverywhere(realmId, userId);
    const [again] = await store.database.sql`SELECT ended_at::text FROM sso_sessions WHERE id = ${one}`;
    expect(again?.['ended_at']).toBe(first?.['ended_at']);
    expect((await queued()).map((row) => row.session_id).toSorted()).toEqual([one, two].map(String).toSorted());
    const [alive] = await store.database.sql`
      SELECT array_agg(id) AS ids FROM sso_sessions WHERE realm_id = ${realmId} AND ended_at IS NULL`;
    expect(alive?.['ids']).toEqual([theirs]);
  });

  test('a disabled user: clients are told and the session waits; told again when it ends after all', async () => {
    const users = createUsers(store.database);
    const id = await session();
    await family(id);
    await users.update(realmId, userId, { enabled: false });
    expect(await queued()).toMatchObject([{ session_id: id, outcome: null }]);
    const [first] = await deliveries().claim(1, 60);
    if (first === undefined) throw new Error('nothing is due');
    await deliveries().delivered(first);
    await users.update(realmId, userId, { enabled: true });
    expect(await queued()).toHaveLength(1);
    expect(await sessions().end(realmId, id)).toBe(true);
    expect(await queued()).toMatchObject([{ outcome: 'delivered' }, { session_id: id, outcome: null }]);
  });

  test('a user who is deleted: told, though session and user are gone', async () => {
    const id = await session();
    await deliveries().noteClient(
      realmId,
      id,
      await client('direct', { backchannel_logout_uri: 'https://d.example/' }),
    );
    await family(id);
    await store.database.sql`DELETE FROM users WHERE id = ${userId}`;
    expect(await queued()).toMatchObject([{ client_id: 'direct' }, { client_id: 'telling' }]);
  });

  test('what a realm cut off ends batch by batch, and only that', async () => {
    const slug = `cut-${newId<RealmId>().slice(-12)}`;
    realmId = await store.realm(slug);
    userId = await store.user(realmId);
    await client('telling', { backchannel_logout_uri: 'https://rp.example/ended' });
    const before = [await session(), await session(), await session()];
    for (const id of before) await family(id);
    await createRealms(store.database, { ring: store.ring, system: {} }).endEverything(slug);
    const after = await session();
    await family(after);
    expect([await deliveries().endCutOff(2), await deliveries().endCutOff(2), await deliveries().endCutOff(2)]).toEqual(
      [2, 1, 0],
    );
    expect((await queued()).map((row) => row.session_id).toSorted()).toEqual(before.map(String).toSorted());
  });
});

describe('a code that is redeemed at the moment of the end', () => {
  test('is found by the second look; what was told already is not queued again', async () => {
    const id = await session();
    await family(id);
    await client('late', { backchannel_logout_uri: 'https://late.example/ended' });
    await sessions().end(realmId, id);
    const [first] = await deliveries().claim(10, 60);
    if (first === undefined) throw new Error('nothing is due');
    await deliveries().delivered(first);
    await family(id, 'late');
    expect(await deliveries().queueLate()).toBe(1);
    expect(await deliveries().queueLate()).toBe(0);
    expect(await queued()).toMatchObject([
      { client_id: 'late', outcome: null },
      { client_id: 'telling', outcome: 'delivered' },
    ]);
  });

  test('later than any statement can last, nobody looks', async () => {
    const id = await session();
    await sessions().end(realmId, id);
    await family(id);
    await store.shiftClock(120);
    expect(await deliveries().queueLate()).toBe(0);
  });

  test('a client without a family is not noted for a session that has ended', async () => {
    const id = await session();
    expect(await deliveries().noteClient(realmId, id, await client('direct', {}))).toBe(true);
    await sessions().end(realmId, id);
    expect(await deliveries().noteClient(realmId, id, await client('late', {}))).toBe(false);
    expect((await deliveries().clientsOf(realmId, id)).map(String)).toEqual(['direct']);
  });
});

describe('taking and settling', () => {
  const queue = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made += 1) {
      const id = await session();
      await family(id);
      await sessions().end(realmId, id);
    }
  };
  const one = async () => {
    const [delivery] = await deliveries().claim(1, 60);
    if (delivery === undefined) throw new Error('nothing is due');
    return delivery;
  };

  test('twenty takers at once take forty rows, each exactly once', async () => {
    await queue(40);
    const taken = await Promise.all(Array.from({ length: 20 }, () => deliveries().claim(3, 60)));
    const ids = taken.flat().map(({ id }) => id);
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
    expect(await deliveries().claim(3, 60)).toEqual([]);
  });

  test('what a dead process held is due again after its lease, as the next attempt', async () => {
    await queue(1);
    const first = await one();
    expect(first.attempt).toBe(1);
    await store.shiftClock(61);
    const second = await one();
    expect(second).toEqual({ ...first, attempt: 2 });
  });

  test('once delivered it is never taken again, whoever else was at it', async () => {
    await queue(1);
    const slow = await one();
    await store.shiftClock(61);
    const quick = await one();
    await deliveries().delivered(quick);
    expect(await deliveries().failed(slow, failedOnce)).toBe('overtaken');
    await deliveries().delivered(slow);
    await store.shiftClock(7200);
    expect(await deliveries().claim(1, 60)).toEqual([]);
    const events = await store.database
      .sql`SELECT event FROM audit_events WHERE realm_id = ${realmId} AND event LIKE 'logout.%'`;
    expect(events.map((row) => row['event'])).toEqual(['logout.delivered']);
  });

  test('a late failure leaves the attempt that has overtaken it alone', async () => {
    await queue(1);
    const slow = await one();
    await store.shiftClock(61);
    const second = await one();
    expect(await deliveries().failed(slow, { ...failedOnce, retryAfterSeconds: 1 })).toBe('overtaken');
    await store.shiftClock(61 + 5);
    expect(await deliveries().claim(1, 60)).toEqual([]);
    expect(await deliveries().failed(second, failedOnce)).toBe('waits');
  });

  test('a late success counts although another attempt has begun', async () => {
    await queue(1);
    const slow = await one();
    await store.shiftClock(61);
    const second = await one();
    await deliveries().delivered(slow);
    expect(await deliveries().failed(second, failedOnce)).toBe('overtaken');
    expect(await queued()).toMatchObject([{ outcome: 'delivered' }]);
  });

  test('a failure waits as long as it was told, and is given up when the next try would come after a day', async () => {
    await queue(1);
    expect(await deliveries().failed(await one(), failedOnce)).toBe('waits');
    await store.shiftClock(9);
    expect(await deliveries().claim(1, 60)).toEqual([]);
    await store.shiftClock(11);
    expect(await deliveries().failed(await one(), { ...failedOnce, retryAfterSeconds: 7200 })).toBe('waits');
    await store.shiftClock(86_400 - 7000);
    expect(await deliveries().failed(await one(), { ...failedOnce, retryAfterSeconds: 7200 })).toBe('given_up');
    await store.shiftClock(86_400 * 2);
    expect(await deliveries().claim(1, 60)).toEqual([]);
  });

  test('a client that does not answer at all holds up its own rows, not those of others', async () => {
    await queue(3);
    await client('well', { backchannel_logout_uri: 'https://well.example/ended' });
    const id = await session();
    await family(id, 'well');
    await sessions().end(realmId, id);
    await deliveries().failed(await one(), { ...failedOnce, retryAfterSeconds: 60, pauseClientSeconds: 10 });
    expect(await deliveries().claim(10, 60)).toMatchObject([{ clientId: 'well' }]);
    await store.shiftClock(11);
    expect(await deliveries().claim(10, 60)).toMatchObject([{ clientId: 'telling' }, { clientId: 'telling' }]);
  });

  test('what nobody is left to hear is given up at once, and audited', async () => {
    await queue(1);
    await deliveries().abandon(await one(), 'the client is gone or disabled');
    expect(await queued()).toMatchObject([{ outcome: 'given_up' }]);
    const [event] = await store.database
      .sql`SELECT event, detail FROM audit_events WHERE realm_id = ${realmId} AND event LIKE 'logout.%'`;
    expect(event).toMatchObject({ event: 'logout.given_up', detail: { fault: 'the client is gone or disabled' } });
  });

  test('settled rows go after a day, waiting ones stay', async () => {
    await queue(2);
    await deliveries().delivered(await one());
    await store.shiftClock(86_400 - 10);
    expect(await deliveries().forgetSettled(10)).toBe(0);
    await store.shiftClock(86_400 + 60);
    expect(await deliveries().forgetSettled(10)).toBe(1);
    expect(await queued()).toMatchObject([{ outcome: null }]);
  });
});
