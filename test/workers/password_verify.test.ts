import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { randomBytes } from '../../src/core/crypto.ts';
import { newId, type RealmId } from '../../src/core/ids.ts';
import { resolveSettings } from '../../src/core/overrides.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Settings } from '../../src/core/settings.ts';
import { createAudit } from '../../src/store/audit.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { createKnownDevices, keepDevice } from '../../src/store/known_devices.ts';
import { createLockouts, type LockoutStore } from '../../src/store/lockout.ts';
import { createUsers } from '../../src/store/users.ts';
import {
  createPasswordVerification,
  hashPassword,
  type PasswordHashing,
  type PasswordVerdict,
  type PasswordVerification,
  startHashing,
  verifyPassword,
} from '../../src/workers/password/index.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';

const children = 2;
const home = '198.51.100.7';
const away = '198.51.100.8';
const settings = resolveSettings({}, 0);
const right = 'correct horse battery staple';

let testing: TestDatabase;
let database: Database;
let lockouts: LockoutStore;
let users: ReturnType<typeof createUsers>;
let hashing: PasswordHashing;
let aliceHash: Secret;
let realm: { id: RealmId; settings: Settings; secrets: { lockout: Secret<Uint8Array> } };
let counted: ReturnType<typeof countHashes>;
let verification: PasswordVerification;

beforeAll(async () => {
  testing = await testDatabase();
  database = openDatabase({ url: testing.url, connections: 8, applicationName: 'password test' });
  lockouts = createLockouts(database, createAudit(database, Date.now));
  users = createUsers(database);
  const command = [process.execPath, join(import.meta.dir, 'password_child.ts')];
  hashing = startHashing({ command, children, stuckMilliseconds: 60_000 });
  aliceHash = await hashPassword(new Secret(right));
  await database.sql`CREATE TABLE test_clock (ahead interval NOT NULL)`;
  await database.sql`INSERT INTO test_clock VALUES ('0')`;
  await database.sql`
    CREATE OR REPLACE FUNCTION limen_now() RETURNS timestamptz LANGUAGE sql STABLE
    AS 'SELECT statement_timestamp() + ahead FROM test_clock'`;
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await hashing.close();
  await database.close();
  await testing.drop();
});

beforeEach(async () => {
  await shiftClock(0);
  const id = newId<RealmId>();
  realm = { id, settings, secrets: { lockout: new Secret<Uint8Array>(randomBytes(32)) } };
  await database.sql`
    INSERT INTO realms (id, slug, name, secrets_sealed) VALUES (${id}, ${`realm-${id.slice(-12)}`}, 'Realm', '')`;
  await createUser('alice', { email: 'alice@example.com' });
  counted = countHashes(hashing);
  verification = await verificationOf(counted.hashing);
});

const shiftClock = (seconds: number) => database.sql`UPDATE test_clock SET ahead = make_interval(secs => ${seconds})`;

async function createUser(
  username: string,
  {
    email,
    passwordHash = aliceHash,
    enabled = true,
  }: { email?: string; passwordHash?: Secret | null; enabled?: boolean },
) {
  const created = await users.create({
    realmId: realm.id,
    username,
    enabled,
    ...(email === undefined ? {} : { claims: { email } }),
    ...(passwordHash === null ? {} : { passwordHash }),
  });
  if (!created.ok) throw new Error(created.error);
  return created.value;
}

/** How many passwords were looked at. */
function countHashes(real: PasswordHashing) {
  const counts = { verified: 0 };
  const counting: PasswordHashing = {
    ...real,
    verify: (...given) => {
      counts.verified += 1;
      return real.verify(...given);
    },
  };
  return { counts, hashing: counting };
}

async function verificationOf(
  given: PasswordHashing,
  options: Partial<Parameters<typeof createPasswordVerification>[0]> = {},
): Promise<PasswordVerification> {
  const made = createPasswordVerification({
    users,
    devices: createKnownDevices(database),
    lockouts,
    hashing: given,
    turns: children,
    deadlineMilliseconds: 20_000,
    ...options,
  });
  await made.warm;
  counted.counts.verified = 0;
  return made;
}

type Try = {
  devices?: readonly Uint8Array[];
  username?: string;
  password?: string;
  address?: string;
  now?: number;
  signal?: AbortSignal;
  on?: PasswordVerification;
};

const attempt = ({ username = 'alice', password = 'wrong', address = home, devices = [], now, signal, on }: Try = {}) =>
  verifyPassword(on ?? verification, {
    realm,
    username,
    password: new Secret(password),
    context: { address, deviceHashes: devices },
    now: now ?? Date.now(),
    ...(signal === undefined ? {} : { signal }),
  });

const atOnce = (times: number, given: Try = {}) => Promise.all(Array.from({ length: times }, () => attempt(given)));

async function inTurn(times: number, given: Try = {}): Promise<PasswordVerdict[]> {
  const verdicts: PasswordVerdict[] = [];
  for (let count = 0; count < times; count++) verdicts.push(await attempt(given));
  return verdicts;
}

const outcomeOf = (verdict: PasswordVerdict): string => (verdict.kind === 'refused' ? verdict.reason : verdict.kind);
const tally = (verdicts: readonly PasswordVerdict[]) =>
  Object.fromEntries(Object.entries(Object.groupBy(verdicts, outcomeOf)).map(([name, group]) => [name, group?.length]));

async function auditOf(name: string) {
  return await database.sql`SELECT user_id, address, detail FROM audit_events WHERE realm_id = ${realm.id} AND event = ${name}`;
}

describe('many at once', () => {
  test('50 wrong passwords: five are looked at, the lock starts after them, no sixth hash is computed', async () => {
    expect(tally(await atOnce(50))).toEqual({ wrong: 5, locked: 45 });
    expect(counted.counts.verified).toBe(5);
    expect(await auditOf('lockout.started')).toHaveLength(1);
    expect(await attempt({ password: right })).toEqual({ kind: 'refused', reason: 'locked' });
    expect(counted.counts.verified).toBe(5);
  }, 60_000);

  test('50 wrong passwords over two processes: five are looked at', async () => {
    const other = await verificationOf(counted.hashing);
    const verdicts = await Promise.all([atOnce(25), atOnce(25, { on: other })]);
    expect(tally(verdicts.flat())).toEqual({ wrong: 5, locked: 45 });
    expect(counted.counts.verified).toBe(5);
  }, 60_000);

  test('20 right passwords: 20 sign-ins, although each is one of five in flight', async () => {
    expect(tally(await atOnce(20, { password: right }))).toEqual({ accepted: 20 });
    expect(await auditOf('password.accepted')).toHaveLength(20);
  }, 60_000);

  test('20 right passwords with one failure left: 20 sign-ins', async () => {
    await inTurn(4);
    expect(tally(await atOnce(20, { password: right }))).toEqual({ accepted: 20 });
  }, 60_000);
});

describe('lock', () => {
  test('answers without a hash, a query or a row, as if the password were wrong', async () => {
    await inTurn(5);
    const untouched = () => Promise.reject(new Error('asked the database'));
    const offline: PasswordVerification = {
      ...verification,
      users: { findForPassword: untouched, rehash: untouched },
      lockouts: { reserve: untouched, fail: untouched, succeed: untouched, release: untouched, record: untouched },
    };
    expect(tally(await atOnce(30, { on: offline, password: right }))).toEqual({ locked: 30 });
    expect(counted.counts.verified).toBe(5);
  });

  test('expires by the database’s clock', async () => {
    await inTurn(5);
    const later = 15 * 60 + 1;
    expect(await attempt({ password: right })).toEqual({ kind: 'refused', reason: 'locked' });
    await shiftClock(later);
    expect(await attempt({ password: right, now: Date.now() + later * 1000 })).toMatchObject({ kind: 'accepted' });
  });

  test('is found by a process that never saw a wrong password', async () => {
    await inTurn(5);
    const other = await verificationOf(counted.hashing);
    expect(await attempt({ on: other, password: right })).toEqual({ kind: 'refused', reason: 'locked' });
    expect(counted.counts.verified).toBe(0);
    expect((await auditOf('password.refused')).filter(({ detail }) => detail.reason === 'locked')).toHaveLength(1);
  });

  test('is lifted by an unlocking as soon as the process asks the database again', async () => {
    const impatient = await verificationOf(counted.hashing, { lockedCacheMilliseconds: 0 });
    await inTurn(5, { on: impatient });
    const account = await users.findForPassword(realm.id, 'alice');
    const subject = `user:${account?.userId}`;
    expect(await lockouts.state({ realmId: realm.id, subject })).toMatchObject([{ context: `address:${home}/32` }]);
    await lockouts.unlock(
      { realmId: realm.id, subject },
      {
        event: 'lockout.cleared',
        at: Date.now(),
        realmId: realm.id,
        userId: null,
        address: null,
        agent: null,
        detail: {},
      },
    );
    expect(await attempt({ on: impatient, password: right })).toMatchObject({ kind: 'accepted' });
  });

  test('is shared by all names of an account', async () => {
    await inTurn(3, { username: 'ALICE' });
    await inTurn(2, { username: 'alice@example.com' });
    expect(await attempt({ username: 'alice', password: right })).toEqual({ kind: 'refused', reason: 'locked' });
    expect(counted.counts.verified).toBe(5);
  });

  test('holds where the guesses came from, and lets the person in from elsewhere', async () => {
    await inTurn(5);
    expect(await attempt({ password: right, address: away })).toMatchObject({
      kind: 'accepted',
      user: { username: 'alice' },
    });
    expect(await attempt({ password: right })).toEqual({ kind: 'refused', reason: 'locked' });
  });

  test('holds everywhere in a realm that locks accounts', async () => {
    realm.settings = { ...settings, lockoutScope: 'account' };
    await inTurn(5);
    expect(await attempt({ password: right, address: away })).toEqual({ kind: 'refused', reason: 'locked' });
  });

  test('does not start where the realm switched it off', async () => {
    realm.settings = { ...settings, lockout: false };
    expect(tally(await inTurn(7))).toEqual({ wrong: 7 });
    expect(await attempt({ password: right })).toMatchObject({ kind: 'accepted' });
    expect(await auditOf('password.refused')).toHaveLength(7);
  });

  test('a success before it clears the count', async () => {
    await inTurn(4);
    await attempt({ password: right });
    expect(tally(await inTurn(4))).toEqual({ wrong: 4 });
  });
});

describe('a known device', () => {
  /** A device of this person, by the hash of its token. */
  async function deviceOf(username = 'alice'): Promise<Uint8Array> {
    const account = await users.findForPassword(realm.id, username);
    if (account === null) throw new Error(`no ${username}`);
    const tokenHash = randomBytes(32);
    const owner = { realmId: realm.id, userId: account.userId, address: home, agent: null };
    await keepDevice(database.db, owner, { kind: 'new', tokenHash, provedAt: Date.now() });
    return tokenHash;
  }

  test('stays open while its address, its account and its prefix are locked, also in this process’s memory', async () => {
    const devices = [await deviceOf()];
    await inTurn(6);
    expect(await attempt({ password: right })).toEqual({ kind: 'refused', reason: 'locked' });
    expect(await attempt({ password: right, devices })).toMatchObject({ kind: 'accepted' });
    expect(await attempt({ password: right, devices, username: 'ALICE@example.com' })).toMatchObject({
      kind: 'accepted',
    });
    await database.sql`
      INSERT INTO lockout_ceilings (realm_id, key, ends_at, failures)
      VALUES (${realm.id}, ${`address:${home}/32`}, limen_window_end(900), 100)
      ON CONFLICT (realm_id, key, ends_at) DO UPDATE SET failures = 100`;
    expect(await attempt({ password: right, username: 'bob' })).toMatchObject({ kind: 'slow_down' });
    expect(await attempt({ password: right, devices })).toMatchObject({ kind: 'accepted' });
    expect(await attempt({ password: right, devices, username: 'bob' })).toMatchObject({ kind: 'slow_down' });
  });

  test('is no way round the memory of a prefix: of fifty new names a few reach the database, and it still lets its owner in', async () => {
    const devices = [await deviceOf()];
    await database.sql`
      INSERT INTO lockout_ceilings (realm_id, key, ends_at, failures)
      VALUES (${realm.id}, ${`address:${home}/32`}, limen_window_end(900), 100)`;
    const now = Date.now();
    expect(await attempt({ password: right, devices, now })).toMatchObject({ kind: 'accepted' });
    const verdicts: PasswordVerdict[] = [];
    for (let count = 0; count < 50; count += 1)
      verdicts.push(await attempt({ username: `name ${count}`, devices, now }));
    expect(tally(verdicts)).toEqual({ slow_down: 50 });
    // The first one told of the ceiling, and twenty more are let past within the minute; the clock goes on a little.
    const rows = (await auditOf('password.refused')).length;
    expect(rows).toBeGreaterThanOrEqual(21);
    expect(rows).toBeLessThan(30);
    expect(await attempt({ username: 'without a device', now })).toMatchObject({ kind: 'slow_down' });
    expect(await auditOf('password.refused')).toHaveLength(rows);
    const minute = 60_000;
    expect(await attempt({ password: right, devices, now: now + minute })).toMatchObject({ kind: 'accepted' });
    expect(await attempt({ password: right, devices, address: away })).toMatchObject({ kind: 'accepted' });
  });

  test('has five tries of its own, at once or in turn; they count for its address as well', async () => {
    const devices = [await deviceOf()];
    expect(tally(await atOnce(20, { devices }))).toEqual({ wrong: 5, locked: 15 });
    expect(counted.counts.verified).toBe(5);
    expect(tally([await attempt({ devices, password: right }), await attempt({ password: right })])).toEqual({
      locked: 2,
    });
    expect(await attempt({ address: away, password: right })).toMatchObject({ kind: 'accepted' });
  });

  test('of somebody else gives nobody a try: as many hashes and the same lock as without', async () => {
    await createUser('mallory', {});
    const devices = [await deviceOf('mallory')];
    expect(tally(await inTurn(3, { devices }))).toEqual({ wrong: 3 });
    expect(tally(await inTurn(4))).toEqual({ wrong: 2, locked: 2 });
    expect(await attempt({ devices, password: right })).toEqual({ kind: 'refused', reason: 'locked' });
    expect(counted.counts.verified).toBe(5);
  });

  test('a locked key with devices is remembered too: neither a hash nor the database for the next one', async () => {
    await createUser('mallory', {});
    const devices = [await deviceOf('mallory')];
    await inTurn(6, { devices });
    const untouched = () => Promise.reject(new Error('asked the database'));
    const offline = {
      ...verification,
      users: { findForPassword: untouched, rehash: untouched },
      devices: { find: untouched },
    };
    expect(tally(await atOnce(10, { on: offline, devices }))).toEqual({ locked: 10 });
  });

  test('is asked for whether or not anybody has the name', async () => {
    const devices = [await deviceOf()];
    const asked = { times: 0 };
    const real = createKnownDevices(database);
    const counting = await verificationOf(counted.hashing, {
      devices: {
        find: (...given) => {
          asked.times += 1;
          return real.find(...given);
        },
      },
    });
    for (const username of ['alice', 'nobody']) await attempt({ on: counting, username, devices });
    expect(asked.times).toBe(2);
    await attempt({ on: counting });
    expect(asked.times).toBe(2);
  });
});

describe('equal answers', () => {
  const kinds = (verdicts: readonly PasswordVerdict[]) => verdicts.map(({ kind }) => kind);

  test.each([
    ['a name that nobody has', 'mallory', 'unknown'],
    ['an account without a password', 'carol', 'no_password'],
    ['a disabled account, right password', 'dave', 'disabled'],
  ] as const)('%s: as many hashes as a wrong password, and the same lock', async (_, username, reason) => {
    await createUser('carol', { passwordHash: null });
    await createUser('dave', { enabled: false });
    const wrong = await inTurn(7);
    const hashesForWrong = counted.counts.verified;
    counted.counts.verified = 0;
    const others = await inTurn(7, { username, password: right });
    expect(kinds(others)).toEqual(kinds(wrong));
    expect(tally(others)).toEqual({ [reason]: 5, locked: 2 });
    expect(counted.counts.verified).toBe(hashesForWrong);
  });

  test('a locked answer waits for as long as real verifications took', async () => {
    await inTurn(5);
    for (let sample = 0; sample < 200; sample++) verification.durations.record(400);
    const locked = attempt({ password: right });
    expect(await Promise.race([locked, Bun.sleep(100).then(() => 'waiting')])).toBe('waiting');
    expect(await locked).toEqual({ kind: 'refused', reason: 'locked' });
  });

  test('the audit log knows an unknown name by a pseudonym only', async () => {
    await attempt({ username: 'my secret in the wrong field' });
    const [row] = await auditOf('password.refused');
    expect(row).toMatchObject({ user_id: null, address: home, detail: { reason: 'unknown' } });
    expect(JSON.stringify(row)).not.toContain('wrong field');
  });
});

describe('void', () => {
  test('a child killed in the middle of a hash: busy, not counted, and the next attempt goes through', async () => {
    const endless = new Secret(aliceHash.reveal().replace(',t=2,', ',t=5000,'));
    await createUser('bob', { passwordHash: endless });
    const one = startHashing({
      command: [process.execPath, join(import.meta.dir, 'password_child.ts')],
      children: 1,
      stuckMilliseconds: 60_000,
    });
    const alone = await verificationOf(one, { turns: 1 });
    const verdict = attempt({ username: 'bob', on: alone });
    const inFlight = async () =>
      (await database.sql`SELECT FROM lockouts WHERE realm_id = ${realm.id} AND in_flight <> '{}'`).length;
    while ((await inFlight()) === 0) await Bun.sleep(5);
    process.kill(one.processIds()[0] ?? 0, 'SIGKILL');
    expect(await verdict).toEqual({ kind: 'busy', retryAfterSeconds: expect.any(Number) });
    expect(await inFlight()).toBe(0);
    expect(await database.sql`SELECT FROM lockouts WHERE failures <> '{}' AND realm_id = ${realm.id}`).toHaveLength(0);
    expect(await auditOf('password.refused')).toHaveLength(0);
    expect(await attempt({ password: right, on: alone })).toMatchObject({ kind: 'accepted' });
    await one.close();
  });

  const silent: PasswordHashing = {
    verify: (_, __, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('void'), { once: true })),
    hash: () => Promise.resolve(null),
    decoy: () => Promise.resolve(null),
    processIds: () => [],
    close: () => Promise.resolve(),
  };
  const stored = async () => {
    const [row] =
      await database.sql`SELECT in_flight, cardinality(failures) AS failures FROM lockouts WHERE realm_id = ${realm.id}`;
    return row;
  };

  test('no verdict within the deadline: busy, and not counted', async () => {
    const slow = await verificationOf(silent, { deadlineMilliseconds: 300 });
    expect(await attempt({ on: slow })).toMatchObject({ kind: 'busy' });
    expect(await stored()).toEqual({ in_flight: {}, failures: 0 });
  });

  test('the client is gone before its turn: no hash, and not counted', async () => {
    const alone = await verificationOf(silent, { turns: 1, deadlineMilliseconds: 1_000 });
    const holder = attempt({ on: alone, username: 'mallory', address: away });
    const gone = new AbortController();
    const waiting = attempt({ on: alone, signal: gone.signal });
    gone.abort();
    expect(await waiting).toMatchObject({ kind: 'busy' });
    expect(await attempt({ on: alone, signal: gone.signal })).toMatchObject({ kind: 'busy' });
    expect(
      await database.sql`SELECT FROM lockouts WHERE realm_id = ${realm.id} AND subject LIKE 'user:%'`,
    ).toHaveLength(0);
    await holder;
  });

  test('a verdict that comes after the attempt became void is not told', async () => {
    const late: PasswordHashing = {
      ...hashing,
      verify: async (...given) => {
        const outcome = await hashing.verify(...given);
        await shiftClock(60);
        return outcome;
      },
    };
    const slow = await verificationOf(late);
    await shiftClock(0);
    expect(await attempt({ on: slow, password: right })).toMatchObject({ kind: 'busy' });
    await shiftClock(0);
    expect(await attempt({ on: slow })).toMatchObject({ kind: 'busy' });
    expect(await auditOf('password.accepted')).toHaveLength(0);
  });

  test('a full queue: busy at once, for a locked account as for any other', async () => {
    await inTurn(5, { username: 'mallory' });
    const full = await verificationOf(silent, { turns: 1, waitingAttempts: 0, deadlineMilliseconds: 1_000 });
    const holder = attempt({ on: full });
    expect(await attempt({ on: full, password: right, address: away })).toMatchObject({ kind: 'busy' });
    expect(await attempt({ on: full, username: 'mallory' })).toMatchObject({ kind: 'busy' });
    expect(await holder).toMatchObject({ kind: 'busy' });
  });

  test('too many of one prefix waiting: slow down, and nobody else', async () => {
    const crowded = await verificationOf(silent, { waitingPerPrefix: 2, deadlineMilliseconds: 1_000 });
    const waiting = [attempt({ on: crowded }), attempt({ on: crowded, username: 'mallory' })];
    expect(await attempt({ on: crowded })).toEqual({ kind: 'slow_down', retryAfterSeconds: expect.any(Number) });
    const elsewhere = attempt({ on: crowded, address: away });
    expect(tally(await Promise.all([...waiting, elsewhere]))).toEqual({ busy: 3 });
  });
});

describe('a client that goes away when its turn has come', () => {
  /** Goes away as soon as its account is looked up, or its password is. */
  async function leavingAt(moment: 'look-up' | 'hash') {
    let gone = new AbortController();
    const on = await verificationOf({
      ...counted.hashing,
      verify: (...given) => {
        if (moment === 'hash') gone.abort();
        return counted.hashing.verify(...given);
      },
    });
    const leaving: PasswordVerification = {
      ...on,
      users: {
        ...users,
        findForPassword: (...given) => {
          if (moment === 'look-up') gone.abort();
          return users.findForPassword(...given);
        },
      },
    };
    return (password: string, username = 'alice') => {
      gone = new AbortController();
      return attempt({ on: leaving, username, password, signal: gone.signal });
    };
  }

  test.each(['look-up', 'hash'] as const)(
    'at the %s: counted, audited and locked like any other, and no sixth hash',
    async (moment) => {
      const guess = await leavingAt(moment);
      for (let count = 0; count < 5; count++) await guess(`guess ${count}`);
      expect(counted.counts.verified).toBe(5);
      expect(await auditOf('password.refused')).toHaveLength(5);
      expect(await auditOf('lockout.started')).toHaveLength(1);
      const [prefix] = await database.sql`
      SELECT failures FROM lockout_ceilings WHERE realm_id = ${realm.id} AND key = ${`address:${home}/32`}`;
      expect(prefix).toMatchObject({ failures: 5 });
      await guess(right);
      expect(await attempt({ password: right })).toEqual({ kind: 'refused', reason: 'locked' });
      expect(counted.counts.verified).toBe(5);
      expect(await auditOf('password.accepted')).toHaveLength(0);
    },
  );

  test('a hash that ends after the time for waiting is over still counts', async () => {
    const on = await verificationOf(hashing, { turns: 1, deadlineMilliseconds: 2_000 });
    const gone = new AbortController();
    const late: PasswordVerification = {
      ...on,
      users: {
        ...users,
        findForPassword: async (...given) => {
          await Bun.sleep(2_100);
          return users.findForPassword(...given);
        },
      },
    };
    expect(await attempt({ on: late, signal: gone.signal })).toEqual({ kind: 'refused', reason: 'wrong' });
    expect(await auditOf('password.refused')).toHaveLength(1);
  });
});

describe('turns', () => {
  /** One child; hashes wait until `open` is called, and the passwords are told in the order of their hashes. */
  async function gated() {
    const order: string[] = [];
    const started = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const on = await verificationOf(hashing, { turns: 1 });
    const verify: PasswordHashing['verify'] = async (password) => {
      order.push(password.reveal());
      started.resolve();
      await gate.promise;
      return 'mismatch';
    };
    return { on: { ...on, hashing: { ...hashing, verify } }, order, started: started.promise, open: gate.resolve };
  }

  const names = (count: number) => Array.from({ length: count }, (_, index) => `ghost ${index}`);

  test.each([
    ['an address', () => '203.0.113.7', 60],
    ['many networks of one site', (index: number) => `2001:db8:1:${index.toString(16)}::1`, 200],
  ])(
    '%s with many waiting: a newcomer from elsewhere has the next one',
    async (_, addressOf, count) => {
      const { on, order, started, open } = await gated();
      const holder = attempt({ on, username: 'holder', password: 'a', address: addressOf(0) });
      await started;
      const crowd = names(count).map((username, index) =>
        attempt({ on, username, password: 'a', address: addressOf(index) }),
      );
      const newcomer = attempt({ on, password: 'b', address: away });
      open();
      expect(await newcomer).toEqual({ kind: 'refused', reason: 'wrong' });
      await Promise.all([holder, ...crowd]);
      expect(order.slice(0, 3)).toEqual(['a', 'b', 'a']);
      expect(order).toHaveLength(count + 2);
    },
    60_000,
  );

  test('five addresses that fill the queue keep nobody out', async () => {
    const { on, order, started, open } = await gated();
    const holder = attempt({ on, username: 'holder', password: 'a', address: '203.0.113.0' });
    await started;
    const crowd = names(5 * 60).map((username, index) =>
      attempt({ on, username, password: 'a', address: `203.0.113.${index % 5}` }),
    );
    const newcomer = attempt({ on, password: 'b', address: away });
    open();
    expect(await newcomer).toEqual({ kind: 'refused', reason: 'wrong' });
    const verdicts = await Promise.all([holder, ...crowd]);
    // 256 may wait; the one that made room for the newcomer is told to come back.
    expect(tally(verdicts)).toEqual({ unknown: 256, busy: 45 });
    expect(order.indexOf('b')).toBeLessThanOrEqual(5);
  }, 60_000);
});

describe('ceilings', () => {
  const exhaust = (key: string, failures: number, windowSeconds: number) => database.sql`
    INSERT INTO lockout_ceilings (realm_id, key, ends_at, failures)
    VALUES (${realm.id}, ${key}, limen_window_end(${windowSeconds}), ${failures})`;

  test('a prefix with a hundred failures across accounts is slowed down, known names and unknown alike', async () => {
    await exhaust(`address:${home}/32`, 100, 900);
    for (const username of ['alice', 'mallory', 'alice']) {
      expect(await attempt({ username, password: right })).toMatchObject({ kind: 'slow_down' });
    }
    expect(await attempt({ password: right, address: away })).toMatchObject({ kind: 'accepted' });
    expect(counted.counts.verified).toBe(1);
    expect(await database.sql`SELECT FROM lockouts WHERE realm_id = ${realm.id}`).toHaveLength(1);
  });

  test('a wrong password counts for its /64 and the /48 around it', async () => {
    await attempt({ address: '2001:db8:1:2::3' });
    const rows = await database.sql`
      SELECT key FROM lockout_ceilings WHERE realm_id = ${realm.id} AND key LIKE 'address:%' ORDER BY key`;
    expect(rows.map(({ key }) => key)).toEqual(['address:2001:db8:1:2::/64', 'address:2001:db8:1::/48']);
  });

  test('a proxy that nobody declared is no prefix; a private address behind a declared one is', async () => {
    await attempt({ address: '10.0.0.1' });
    const prefixes = () =>
      database.sql`SELECT FROM lockout_ceilings WHERE realm_id = ${realm.id} AND key LIKE 'address:%'`;
    expect(await prefixes()).toHaveLength(0);
    await verifyPassword(verification, {
      realm,
      username: 'alice',
      password: new Secret('wrong'),
      context: { address: '10.0.0.1', forwarded: true },
      now: Date.now(),
    });
    expect(await prefixes()).toHaveLength(1);
  });

  test('fifty failures of an account in a day do not lock it out: no attempt is held to that ceiling, or counted in it', async () => {
    const account = await users.findForPassword(realm.id, 'alice');
    await exhaust(`user:${account?.userId}`, 50, 86_400);
    expect(tally(await inTurn(1, { address: away }))).toEqual({ wrong: 1 });
    expect(await attempt({ password: right, address: away })).toMatchObject({ kind: 'accepted' });
    const counters = await database.sql`
      SELECT failures FROM lockout_ceilings WHERE realm_id = ${realm.id} AND key LIKE 'user:%'`;
    expect(counters).toMatchObject([{ failures: 50 }]);
  });
});

describe('parameters', () => {
  test('a hash with older ones is replaced at sign-in, and only then', async () => {
    const old = await Bun.password.hash(right, { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 3 });
    await createUser('erin', { passwordHash: new Secret(old) });
    const hashOf = async () => (await users.findForPassword(realm.id, 'erin'))?.passwordHash?.reveal();
    await attempt({ username: 'erin' });
    expect(await hashOf()).toBe(old);
    expect(await attempt({ username: 'erin', password: right })).toMatchObject({ kind: 'accepted' });
    expect(await hashOf()).toStartWith('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(await attempt({ username: 'erin', password: right })).toMatchObject({ kind: 'accepted' });
  });

  test('a current hash stays', async () => {
    await attempt({ password: right });
    expect((await users.findForPassword(realm.id, 'alice'))?.passwordHash?.reveal()).toBe(aliceHash.reveal());
  });
});
