import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomId } from '../../src/core/crypto.ts';
import { createProcesses, liveSeconds } from '../../src/store/processes.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let store: Fixture;

beforeAll(async () => {
  store = await storeFixture();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const processes = () => createProcesses(store.database);
const identity = (keyIds: readonly string[]) => ({ id: randomId(), keyIds, startedAt: now });
const shared = async (process: ReturnType<typeof identity>) =>
  [...(await processes().beat(process)).sharedKeyIds].toSorted();

describe('beat', () => {
  test('a process alone shares all its keys, knows the version and the database clock, in one statement', async () => {
    const alone = identity(['a', 'b', 'b']);
    const domain = processes();
    const heartbeat = await domain.beat(alone);
    expect([...heartbeat.sharedKeyIds].toSorted()).toEqual(['a', 'b']);
    expect(heartbeat.configVersion).toBe(await store.configVersion());
    expect(Math.abs(heartbeat.databaseNow - now)).toBeLessThan(60_000);
    expect(await store.statementsOf(() => domain.beat(alone))).toHaveLength(1);
    await domain.leave(alone.id);
  });

  test('a rolling restart: the new key is shared only when the last process without it has gone', async () => {
    const [old, fresh] = [identity(['old']), identity(['new', 'old'])];
    expect(await shared(old)).toEqual(['old']);
    expect(await shared(fresh)).toEqual(['old']);
    await processes().leave(old.id);
    expect(await shared(fresh)).toEqual(['new', 'old']);
    await processes().leave(fresh.id);
  });

  test('a process that was killed counts until it was not seen for half a minute', async () => {
    const [killed, living] = [identity(['k']), identity(['l'])];
    await processes().beat(killed);
    expect(await shared(living)).toEqual([]);
    await store.shiftClock(liveSeconds - 5);
    expect(await shared(living)).toEqual([]);
    await store.shiftClock(liveSeconds + 5);
    expect(await shared(living)).toEqual(['l']);
    await store.shiftClock(0);
    await Promise.all([killed, living].map(({ id }) => processes().leave(id)));
  });

  test('a changed ring is announced by the next beat', async () => {
    const process = identity(['a']);
    await processes().beat(process);
    expect(await shared({ ...process, keyIds: ['b'] })).toEqual(['b']);
    await processes().leave(process.id);
  });

  test('rows of processes long gone are removed, those of living ones stay', async () => {
    const [gone, living] = [identity(['g']), identity(['l'])];
    await processes().beat(gone);
    await store.shiftClock(25 * 3600);
    await processes().beat(living);
    expect(await processes().forgetDead()).toBe(1);
    await store.shiftClock(0);
    const rows = await store.database.sql`SELECT id FROM processes`;
    expect(rows.map((row) => row['id'])).toEqual([living.id]);
  });
});
