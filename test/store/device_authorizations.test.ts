import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { sha256 } from '../../src/core/crypto.ts';
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
import { createDeviceAuthorizations, decideDevice, redeemDevice } from '../../src/store/device_authorizations.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let fixture: Fixture;
let devices: ReturnType<typeof createDeviceAuthorizations>;
let realmId: RealmId;
let clientId: ClientId;
let userId: UserId;

beforeAll(async () => {
  fixture = await storeFixture({ connections: 10 });
  devices = createDeviceAuthorizations(fixture.database);
  realmId = await fixture.realm();
  clientId = await fixture.client(realmId, 'tv');
  userId = await fixture.user(realmId);
}, databaseTimeoutMilliseconds);

afterAll(() => fixture.drop());

const presenter = { address: '192.0.2.7', agent: 'TV' };
const day = 86_400;

async function open(userCode: string, changes: { readonly realmId?: RealmId; readonly lifetimeSeconds?: number } = {}) {
  const familyId = newTimedId<FamilyId>(now + day * 1000);
  const birth = {
    familyId,
    realmId,
    clientId,
    codeHash: sha256(familyId),
    userCode,
    scope: ['openid'],
    audience: ['https://id.example'],
    lifetimeSeconds: 600,
    intervalSeconds: 5,
    presenter,
    ...changes,
  };
  return { familyId, opened: await devices.open(birth) };
}

const decide = (familyId: FamilyId, isApproved: boolean, ofRealm = realmId) =>
  fixture.database.transaction((executor) =>
    decideDevice(
      executor,
      createAudit(fixture.database, Date.now),
      ofRealm,
      {
        familyId,
        clientId,
        userId,
        approval: isApproved ? { sessionId: newId<SessionId>(), authTime: 1, acr: null, amr: ['pwd'] } : null,
      },
      presenter,
    ),
  );

const poll = (familyId: FamilyId, changes: object = {}) =>
  redeemDevice(fixture.database.sql, {
    familyId,
    realmId,
    clientId,
    codeHash: sha256(familyId),
    countsFrom: 0,
    secretHash: null,
    senderKey: null,
    presenter,
    ...changes,
  });

describe('opening', () => {
  test('a user code that is taken makes no row; in another realm it is free', async () => {
    expect((await open('BBBBBBBB')).opened).toBe(true);
    const second = await open('BBBBBBBB');
    expect(second.opened).toBe(false);
    expect(await poll(second.familyId)).toEqual({ kind: 'ended' });
    expect((await open('BBBBBBBB', { realmId: await fixture.realm() })).opened).toBe(true);
  });
});

describe('guessing', () => {
  const ceiling = (key: string, limit: number) => ({ key, of: 'prefix' as const, limit, windowSeconds: 900 });
  const guess = (userCode: string | null, ceilings: readonly ReturnType<typeof ceiling>[]) =>
    devices.guess({ realmId, userCode, ceilings });

  test('forty wrong ones at once against a limit of ten: ten verdicts; the rest learns nothing, also of a right one', async () => {
    await open('CCCCCCCC');
    const ceilings = [ceiling('place', 10), ceiling('region', 100)];
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => guess('DDDDDDDD', ceilings)));
    expect(verdicts.filter(({ kind }) => kind === 'unknown')).toHaveLength(10);
    expect(verdicts.filter(({ kind }) => kind === 'crowded')).toHaveLength(30);
    expect(await guess('CCCCCCCC', ceilings)).toMatchObject({ kind: 'crowded', waitSeconds: expect.any(Number) });
    const counts = await fixture.database.sql`
      SELECT key, failures FROM lockout_ceilings WHERE key IN ('place', 'region') ORDER BY key`;
    expect([...counts]).toEqual([
      { key: 'place', failures: 10 },
      { key: 'region', failures: 10 },
    ]);
  });

  test('a right one gives its try back, and tells what the person needs', async () => {
    const { familyId } = await open('FFFFFFFF');
    const ceilings = [ceiling('home', 1)];
    for (let time = 0; time < 3; time += 1) {
      expect(await guess('FFFFFFFF', ceilings)).toMatchObject({
        kind: 'found',
        device: { familyId, clientId, userCode: 'FFFFFFFF', scope: ['openid'], ...presenter },
      });
    }
    expect((await guess(null, ceilings)).kind).toBe('unknown');
    expect((await guess('FFFFFFFF', ceilings)).kind).toBe('crowded');
  });
});

describe('deciding', () => {
  test('twenty at once, half of them no: one counts and is audited', async () => {
    const { familyId } = await open('GGGGGGGG');
    const decided = await Promise.all(Array.from({ length: 20 }, (_, index) => decide(familyId, index % 2 === 0)));
    expect(decided.filter((counts) => counts)).toHaveLength(1);
    const events = await fixture.database.sql`SELECT event FROM audit_events WHERE family_id = ${familyId}`;
    expect(events).toHaveLength(1);
  });

  test('in another realm, or once it has expired: nothing', async () => {
    const { familyId } = await open('HHHHHHHH');
    expect(await decide(familyId, true, await fixture.realm())).toBe(false);
    await fixture.database.sql`UPDATE device_authorizations SET expires_at = limen_now() WHERE id = ${familyId}`;
    expect(await decide(familyId, true)).toBe(false);
  });
});

describe('polling', () => {
  test('only with its own realm, client and hash, and not from before the cut; else not even the pace changes', async () => {
    const { familyId } = await open('JJJJJJJJ');
    const strangers = [
      { realmId: newId<RealmId>() },
      { clientId: 'radio' },
      { codeHash: sha256('x') },
      { countsFrom: Date.now() + day * 1000 },
    ];
    for (const changes of strangers) expect(await poll(familyId, changes)).toEqual({ kind: 'ended' });
    const [row] = await fixture.database.sql`SELECT polled_at FROM device_authorizations WHERE id = ${familyId}`;
    expect(row?.['polled_at']).toBeNull();
    expect(await poll(familyId)).toEqual({ kind: 'pending' });
    expect(await poll(familyId)).toEqual({ kind: 'hurried' });
  });

  test('a session that does not live: ended, and no family', async () => {
    const { familyId } = await open('KKKKKKKK');
    await decide(familyId, true);
    expect(await poll(familyId)).toEqual({ kind: 'ended' });
    expect(await fixture.database.sql`SELECT 1 FROM token_families WHERE id = ${familyId}`).toHaveLength(0);
  });
});

test('cleaning up: what has expired, a batch at a time, and nothing else', async () => {
  await fixture.database.sql`DELETE FROM device_authorizations`;
  const codes = ['LLLLLLLL', 'MMMMMMMM', 'NNNNNNNN'];
  for (const code of codes) await open(code);
  const { familyId } = await open('PPPPPPPP');
  await fixture.database.sql`
    UPDATE device_authorizations SET expires_at = limen_now() WHERE user_code IN ${fixture.database.sql(codes)}`;
  expect(await devices.forgetExpired(2)).toBe(2);
  expect(await devices.forgetExpired(2)).toBe(1);
  expect(await devices.forgetExpired(2)).toBe(0);
  expect(await poll(familyId)).toEqual({ kind: 'pending' });
});
