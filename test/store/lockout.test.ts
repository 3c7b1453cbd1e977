import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { newId, type RealmId, type UserId } from '../../src/core/ids.ts';
import { accountCeiling, type Ceiling, type LockoutAttempt, type PasswordAudit } from '../../src/core/lockout.ts';
import { createAudit } from '../../src/store/audit.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { createLockouts, type LockoutStore } from '../../src/store/lockout.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';
import { LockoutModel } from './lockout_model.ts';

let testing: TestDatabase;
let database: Database;
let lockouts: LockoutStore;
let realmId: RealmId;

const userId = newId<UserId>();
const subject = `user:${userId}`;
const home = 'address:192.0.2.1/32';
const policy = { threshold: 5, windowSeconds: 900, durationSeconds: 900 };

beforeAll(async () => {
  testing = await testDatabase();
  database = openDatabase({ url: testing.url, connections: 8, applicationName: 'lockout test' });
  lockouts = createLockouts(database, createAudit(database, Date.now));
  await database.sql`CREATE TABLE test_clock (at timestamptz NOT NULL)`;
  await database.sql`INSERT INTO test_clock VALUES (now())`;
  await database.sql`
    CREATE OR REPLACE FUNCTION limen_now() RETURNS timestamptz LANGUAGE sql STABLE AS 'SELECT at FROM test_clock'`;
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await database.close();
  await testing.drop();
});

beforeEach(async () => {
  realmId = newId<RealmId>();
  await setClock(Date.now());
});

const setClock = (at: number) => database.sql`UPDATE test_clock SET at = ${at}::timestamptz`;
const advance = (seconds: number) => database.sql`UPDATE test_clock SET at = at + make_interval(secs => ${seconds})`;

const knownDevice = 'device:0197a3f0-0000-7000-8000-000000000001';

const attemptAt = (context = home, change: Partial<LockoutAttempt> = {}): LockoutAttempt => ({
  id: crypto.randomUUID(),
  key: { realmId, subject, context },
  policy,
  ceilings: [],
  alsoIn: null,
  lifetimeMilliseconds: 5_000,
  ...change,
});

const event = (name: PasswordAudit['event']): PasswordAudit => ({
  event: name,
  at: Date.now(),
  realmId,
  userId,
  address: '192.0.2.1',
  agent: null,
  detail: {},
});

async function failOnce(attempt = attemptAt()) {
  expect(await lockouts.reserve(attempt)).toEqual({ kind: 'reserved' });
  return lockouts.fail(attempt, event('password.refused'));
}

async function failTimes(times: number, context = home) {
  for (let count = 0; count < times; count++) await failOnce(attemptAt(context));
}

const eventNames = async () => {
  const rows = await database.sql<{ event: string }[]>`
    SELECT event FROM audit_events WHERE realm_id = ${realmId} ORDER BY xid, event DESC`;
  return rows.map((row) => row.event);
};

describe('reservation', () => {
  test('of fifty at once: five are reserved, the rest wait', async () => {
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => lockouts.reserve(attemptAt())));
    expect(outcomes.filter(({ kind }) => kind === 'reserved')).toHaveLength(5);
    expect(outcomes.filter(({ kind }) => kind === 'wait')).toHaveLength(45);
  });

  test('as failures add up, fewer are let in', async () => {
    await failTimes(3);
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => lockouts.reserve(attemptAt())));
    expect(outcomes.filter(({ kind }) => kind === 'reserved')).toHaveLength(2);
  });

  test('released: the try is free at once', async () => {
    const attempts = Array.from({ length: 5 }, () => attemptAt());
    for (const attempt of attempts) await lockouts.reserve(attempt);
    expect(await lockouts.reserve(attemptAt())).toEqual({ kind: 'wait' });
    await Promise.all(attempts.map((attempt) => lockouts.release(attempt)));
    await failTimes(4);
    expect(await lockouts.state({ realmId, subject })).toMatchObject([{ failures: 4, inFlight: 0 }]);
  });

  test('left behind by a crash: void after its lifetime, uncounted, and its late verdict is not told', async () => {
    const lost = Array.from({ length: 5 }, () => attemptAt());
    for (const attempt of lost) await lockouts.reserve(attempt);
    await advance(5);
    expect(await lockouts.reserve(attemptAt())).toEqual({ kind: 'reserved' });
    for (const attempt of lost) {
      expect(await lockouts.fail(attempt, event('password.refused'))).toEqual({ kind: 'void' });
      expect(await lockouts.succeed(attempt, event('password.accepted'))).toBe('void');
    }
    expect(await lockouts.state({ realmId, subject })).toMatchObject([{ failures: 0, inFlight: 1 }]);
    expect(await eventNames()).toEqual([]);
  });
});

describe('lock', () => {
  test('starts with the failure that reaches the threshold, ends after its duration, and then five are free again', async () => {
    await failTimes(4);
    expect(await failOnce()).toEqual({ kind: 'counted', lockedMilliseconds: 900_000 });
    await advance(899);
    expect(await lockouts.reserve(attemptAt())).toEqual({ kind: 'locked', remainingMilliseconds: 1_000 });
    await advance(1);
    await failTimes(4);
    expect(await failOnce()).toEqual({ kind: 'counted', lockedMilliseconds: 900_000 });
  });

  test('is written to the audit log once, with the refusals that led to it', async () => {
    await failTimes(5);
    const names = await eventNames();
    expect(names.filter((name) => name === 'password.refused')).toHaveLength(5);
    expect(names.filter((name) => name === 'lockout.started')).toHaveLength(1);
  });

  test('the window slides: four failures before and four after its end never meet', async () => {
    await failTimes(4);
    await advance(900);
    await failTimes(4);
    expect(await lockouts.reserve(attemptAt())).toEqual({ kind: 'reserved' });
  });

  test('the window slides: failures of its last second still count', async () => {
    await failTimes(4);
    await advance(899);
    expect(await failOnce()).toMatchObject({ lockedMilliseconds: 900_000 });
  });

  test('is of one context: elsewhere the account is open', async () => {
    await failTimes(5);
    expect(await lockouts.reserve(attemptAt('address:192.0.2.2/32'))).toEqual({ kind: 'reserved' });
  });

  test('a success clears its own context only, and never a ceiling', async () => {
    const ceilings = [accountCeiling(subject)];
    for (const context of [home, 'address:192.0.2.2/32']) {
      for (let count = 0; count < 2; count++) await failOnce(attemptAt(context, { ceilings }));
    }
    const right = attemptAt(home, { ceilings });
    await lockouts.reserve(right);
    expect(await lockouts.succeed(right, event('password.accepted'))).toBe('settled');
    const state = await lockouts.state({ realmId, subject });
    expect(state.map(({ context, failures }) => [context, failures])).toEqual([
      [home, 0],
      ['address:192.0.2.2/32', 2],
    ]);
    const [counted] = await database.sql`SELECT failures FROM lockout_ceilings WHERE realm_id = ${realmId}`;
    expect(counted).toMatchObject({ failures: 4 });
  });

  test('a threshold lowered below what was counted locks until failures leave the window', async () => {
    await failTimes(4);
    await advance(100);
    const strict = attemptAt(home, { policy: { ...policy, threshold: 3 } });
    expect(await lockouts.reserve(strict)).toEqual({ kind: 'locked', remainingMilliseconds: 800_000 });
  });

  test('another realm knows nothing of it', async () => {
    await failTimes(5);
    const elsewhere = attemptAt(home, { key: { realmId: newId<RealmId>(), subject, context: home } });
    expect(await lockouts.reserve(elsewhere)).toEqual({ kind: 'reserved' });
  });

  test('unlocking ends it everywhere, forgets the day, says how many, and is audited', async () => {
    const ceilings = [accountCeiling(subject)];
    for (let count = 0; count < 5; count++) await failOnce(attemptAt(home, { ceilings }));
    await failTimes(5, 'address:192.0.2.2/32');
    await failTimes(1, 'address:192.0.2.3/32');
    expect((await lockouts.state({ realmId, subject })).filter(({ lockedUntil }) => lockedUntil !== null)).toHaveLength(
      2,
    );
    expect(await lockouts.unlock({ realmId, subject }, event('lockout.cleared'))).toBe(2);
    expect(await lockouts.reserve(attemptAt())).toEqual({ kind: 'reserved' });
    expect((await eventNames()).filter((name) => name === 'lockout.cleared')).toHaveLength(1);
    expect(await database.sql`SELECT FROM lockout_ceilings WHERE realm_id = ${realmId}`).toHaveLength(0);
  });
});

describe('ceilings', () => {
  const prefix: Ceiling = { key: home, of: 'prefix', limit: 3, windowSeconds: 900 };

  test('a prefix that used up its failures is refused for every account, and no row is made for it', async () => {
    for (let count = 0; count < 3; count++) await failOnce(attemptAt(home, { ceilings: [prefix] }));
    const other = { realmId, subject: 'user:somebody else', context: home };
    const refused = await lockouts.reserve(attemptAt(home, { key: other, ceilings: [prefix] }));
    expect(refused).toMatchObject({ kind: 'ceiling', of: 'prefix', key: home });
    expect(await lockouts.state(other)).toEqual([]);
  });

  test('an account that used up its day is refused from everywhere until the day is over', async () => {
    const ceilings = [{ ...accountCeiling(subject), limit: 2 }];
    await failOnce(attemptAt('address:192.0.2.1/32', { ceilings }));
    await failOnce(attemptAt('address:192.0.2.2/32', { ceilings }));
    const elsewhere = () => lockouts.reserve(attemptAt('address:192.0.2.3/32', { ceilings }));
    expect(await elsewhere()).toMatchObject({ kind: 'ceiling', of: 'account' });
    await advance(86_400);
    expect(await elsewhere()).toEqual({ kind: 'reserved' });
  });

  test('fifty failures of different accounts at once are all counted, and nothing deadlocks', async () => {
    const wide: Ceiling = { key: 'address:wide', of: 'prefix', limit: 100, windowSeconds: 900 };
    const one = (index: number) => {
      const other = `user:${index}`;
      const ceilings = index % 2 === 0 ? [prefix, wide] : [wide, prefix];
      return attemptAt(home, {
        key: { realmId, subject: other, context: home },
        ceilings: [...ceilings, accountCeiling(other)],
      });
    };
    const attempts = Array.from({ length: 50 }, (_, index) => one(index));
    for (const attempt of attempts) await lockouts.reserve(attempt);
    await Promise.all(attempts.map((attempt) => lockouts.fail(attempt, event('password.refused'))));
    const counts = await database.sql`
      SELECT key, failures FROM lockout_ceilings WHERE realm_id = ${realmId} AND key LIKE 'address:%' ORDER BY key`;
    expect([...counts]).toEqual([
      { key: home, failures: 50 },
      { key: 'address:wide', failures: 50 },
    ]);
  });
});

describe('a known device', () => {
  const fromDevice = (change: Partial<LockoutAttempt> = {}) => attemptAt(knownDevice, { alsoIn: home, ...change });
  const stateOf = async (context: string) =>
    (await lockouts.state({ realmId, subject })).find((each) => each.context === context);

  test('stays open while its address is locked, and the address stays locked while it signs in', async () => {
    await failTimes(policy.threshold);
    expect(await lockouts.reserve(attemptAt())).toMatchObject({ kind: 'locked' });
    const attempt = fromDevice();
    expect(await lockouts.reserve(attempt)).toEqual({ kind: 'reserved' });
    expect(await lockouts.succeed(attempt, event('password.accepted'))).toBe('settled');
    expect(await lockouts.reserve(attemptAt())).toMatchObject({ kind: 'locked' });
  });

  test('is not refused for the failures of its prefix, and its own count there', async () => {
    const prefix: Ceiling = { key: home, of: 'prefix', limit: 2, windowSeconds: 900 };
    for (let count = 0; count < 3; count++) await failOnce(fromDevice({ ceilings: [prefix] }));
    expect(await lockouts.reserve(attemptAt(home, { ceilings: [prefix] }))).toMatchObject({ kind: 'ceiling' });
    expect(await lockouts.reserve(fromDevice({ ceilings: [prefix] }))).toEqual({ kind: 'reserved' });
  });

  test('counts its failures for itself and for its address, and locks both', async () => {
    await failOnce(fromDevice());
    expect([(await stateOf(knownDevice))?.failures, (await stateOf(home))?.failures]).toEqual([1, 1]);
    for (let count = 1; count < policy.threshold; count++) await failOnce(fromDevice());
    expect(await lockouts.reserve(fromDevice())).toMatchObject({ kind: 'locked' });
    expect(await lockouts.reserve(attemptAt())).toMatchObject({ kind: 'locked' });
    expect(await lockouts.reserve(attemptAt('address:192.0.2.9/32'))).toEqual({ kind: 'reserved' });
  });

  test('adds its failures to those of its address: both together lock the address, not the device', async () => {
    await failTimes(policy.threshold - 1);
    await failOnce(fromDevice());
    expect(await lockouts.reserve(attemptAt())).toMatchObject({ kind: 'locked' });
    expect(await lockouts.reserve(fromDevice())).toEqual({ kind: 'reserved' });
  });

  test('with a threshold of one locks both at the first failure', async () => {
    await failOnce(fromDevice({ policy: { ...policy, threshold: 1 } }));
    expect(await stateOf(home)).toMatchObject({ failures: 0, lockedUntil: expect.any(Number) });
    expect(await lockouts.reserve(fromDevice())).toMatchObject({ kind: 'locked' });
  });

  test('many at once, on two devices and at their address, with an unlocking between: nothing deadlocks', async () => {
    const open = { ...policy, threshold: 1_000 };
    const attempts = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 0
        ? attemptAt(home, { policy: open })
        : attemptAt(`device:${index % 3}`, { policy: open, alsoIn: home }),
    );
    for (const attempt of attempts) await lockouts.reserve(attempt);
    await Promise.all([
      ...attempts.map((attempt) => lockouts.fail(attempt, event('password.refused'))),
      lockouts.unlock({ realmId, subject }, event('lockout.cleared')),
    ]);
  });
});

describe('storage', () => {
  test('what no longer says anything is deleted in batches, what still counts stays', async () => {
    await database.sql`DELETE FROM lockouts`;
    await database.sql`DELETE FROM lockout_ceilings`;
    const ceilings = [accountCeiling(subject)];
    for (const host of [1, 2, 3]) await failOnce(attemptAt(`address:192.0.2.${host}/32`, { ceilings }));
    await advance(899);
    expect(await lockouts.removeExpired(100)).toBe(0);
    await advance(3 * 86_400);
    await failOnce(attemptAt('address:192.0.2.4/32'));
    expect(await lockouts.removeExpired(2)).toBe(3);
    expect(await lockouts.removeExpired(2)).toBe(1);
    expect(await lockouts.removeExpired(2)).toBe(0);
    expect(await lockouts.state({ realmId, subject })).toMatchObject([
      { context: 'address:192.0.2.4/32', failures: 1 },
    ]);
  });

  test('attempts in flight are a document, not a text', async () => {
    await lockouts.reserve(attemptAt());
    const [row] = await database.sql`SELECT jsonb_typeof(in_flight) AS type FROM lockouts WHERE realm_id = ${realmId}`;
    expect(row).toEqual({ type: 'object' });
  });
});

describe('any history', () => {
  const contexts = [home, 'address:192.0.2.2/32', knownDevice] as const;
  const context = fc.constantFrom(...contexts);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ act: fc.constant('reserve'), context }) },
    { weight: 4, arbitrary: fc.record({ act: fc.constant('fail'), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constantFrom('succeed', 'release'), which: fc.nat() }) },
    { weight: 2, arbitrary: fc.record({ act: fc.constant('advance'), seconds: fc.integer({ min: 1, max: 120 }) }) },
    { weight: 1, arbitrary: fc.constant({ act: 'unlock' }) },
  );
  type Step = { act: string; context?: string; which?: number; seconds?: number };

  const ceilings: readonly Ceiling[] = [
    { key: 'address:192.0.2.0/24', of: 'prefix', limit: 7, windowSeconds: 300 },
    { key: subject, of: 'account', limit: 9, windowSeconds: 1_000 },
  ];

  async function run(steps: readonly Step[]): Promise<void> {
    realmId = newId<RealmId>();
    const start = Date.parse('2030-01-01T00:00:00Z');
    const model = new LockoutModel(start);
    await setClock(start);
    const attempts: LockoutAttempt[] = [];
    const acts: Record<string, (step: Step) => Promise<readonly [unknown, unknown]>> = {
      reserve: async (step) => {
        const small = { threshold: 3, windowSeconds: 60, durationSeconds: 90 };
        const alsoIn = step.context === knownDevice ? home : null;
        const attempt = attemptAt(step.context, { policy: small, ceilings, alsoIn });
        attempts.push(attempt);
        return [await lockouts.reserve(attempt), model.reserve(attempt)];
      },
      fail: async ({ which = 0 }) => {
        const attempt = attempts[which % attempts.length];
        if (attempt === undefined) return [0, 0];
        return [await lockouts.fail(attempt, event('password.refused')), model.fail(attempt)];
      },
      succeed: async ({ which = 0 }) => {
        const attempt = attempts[which % attempts.length];
        if (attempt === undefined) return [0, 0];
        return [await lockouts.succeed(attempt, event('password.accepted')), model.succeed(attempt)];
      },
      release: async ({ which = 0 }) => {
        const attempt = attempts[which % attempts.length];
        return attempt === undefined ? [0, 0] : [await lockouts.release(attempt), model.release(attempt)];
      },
      advance: async ({ seconds = 0 }) => {
        model.now += seconds * 1000;
        return [(await advance(seconds)).count, 1];
      },
      unlock: async () => [
        await lockouts.unlock({ realmId, subject }, event('lockout.cleared')),
        model.unlock(subject),
      ],
    };
    for (const step of steps) {
      const [real, expected] = (await acts[step.act]?.(step)) ?? [undefined, 'a step that nobody knows'];
      expect(real).toEqual(expected);
    }
  }

  test(
    'of reservations, verdicts, releases, unlockings and clock steps ends as the model says',
    () => fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), run), { numRuns: 60 }),
    60_000,
  );
});
