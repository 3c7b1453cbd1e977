import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import { sql } from 'drizzle-orm';
import { pgTable, text } from 'drizzle-orm/pg-core';
import fc from 'fast-check';
import { bytea, instant, json } from '../../src/store/columns.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { conflictAs, DatabaseFault, guarded, rejectAsFault, toFault } from '../../src/store/fault.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, storeFixture } from './fixture.ts';

const things = pgTable('things', {
  name: text('name').primaryKey(),
  at: instant('at'),
  hash: bytea('hash'),
  document: json<{ readonly [name: string]: unknown }>('document'),
  words: text('words').array(),
});

const secretText = 'what-a-person-typed';

let store: Fixture;

beforeAll(async () => {
  store = await storeFixture({ connections: 2 });
  await store.database.sql`
    CREATE TABLE things (name text PRIMARY KEY, at timestamptz, hash bytea, document jsonb, words text[], CHECK (name <> 'no'))`;
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const open = (url: string, change: { statementTimeoutMilliseconds?: number } = {}): Database =>
  openDatabase({ url, connections: 1, applicationName: 'limen test', ...change });

async function faultOf(work: () => Promise<unknown>): Promise<DatabaseFault> {
  try {
    await rejectAsFault(work);
  } catch (thrown) {
    if (thrown instanceof DatabaseFault) return thrown;
    throw thrown;
  }
  throw new Error('it did not fail');
}

describe('values are the same in Drizzle and in raw SQL', () => {
  test('an instant is a number of milliseconds, whatever it is', async () => {
    const { db, sql: raw } = store.database;
    const instants = fc.integer({ min: Date.UTC(1970), max: Date.UTC(2200) });
    await fc.assert(
      fc.asyncProperty(instants, async (at) => {
        const [fromDrizzle] = await db
          .select({ at: sql<number>`${sql.param(at, things.at)}::timestamptz` })
          .from(sql`(SELECT 1) AS one`);
        const [fromRaw] =
          await raw`SELECT ${at}::timestamptz AS at, (extract(epoch FROM ${at}::timestamptz) * 1000)::bigint AS epoch`;
        expect({ drizzle: fromDrizzle?.at, raw: fromRaw?.['at'], epoch: fromRaw?.['epoch'] }).toEqual({
          drizzle: at,
          raw: at,
          epoch: at,
        });
      }),
      { numRuns: 50 },
    );
  });

  test('what one writes the other reads, and a document is an object in jsonb', async () => {
    const { db, sql: raw } = store.database;
    const row = {
      at: 1_790_000_000_123,
      hash: Buffer.from([0, 255, 7]),
      document: { a: [1, { b: null }], c: "it's" },
      words: ['a', 'b,"c'],
    };
    await db.insert(things).values({ name: 'drizzle', ...row });
    await raw`INSERT INTO things VALUES ('raw', ${row.at}::timestamptz, ${row.hash}, ${raw.json(row.document)}, ${row.words}::text[])`;
    for (const name of ['drizzle', 'raw']) {
      const [typed] =
        await raw`SELECT jsonb_typeof(document) AS type, cardinality(words) AS words FROM things WHERE name = ${name}`;
      expect(typed).toEqual({ type: 'object', words: 2 });
      const [fromRaw] = await raw`SELECT at, hash, document, words FROM things WHERE name = ${name}`;
      expect(fromRaw).toEqual(row);
      const [fromDrizzle] = await db.select().from(things).where(sql`name = ${name}`);
      expect(fromDrizzle).toEqual({ name, ...row });
    }
  });

  test('empty lists and missing values come back as such', async () => {
    await store.database.db.insert(things).values({ name: 'empty', words: [], document: {} });
    const [row] = await store.database.db.select().from(things).where(sql`name = 'empty'`);
    expect(row).toEqual({ name: 'empty', at: null, hash: null, document: {}, words: [] });
  });

  test('counts are numbers', async () => {
    const [row] = await store.database.sql`SELECT count(*) AS count FROM config_version`;
    expect(row?.['count']).toBe(1);
  });
});

describe('the connection', () => {
  test('plans generically and has a timeout for statements and for idle transactions', async () => {
    const [row] = await store.database.sql`
      SELECT current_setting('plan_cache_mode') AS plan, current_setting('statement_timeout') AS statement,
             current_setting('idle_in_transaction_session_timeout') AS idle, current_setting('application_name') AS name`;
    expect(row).toEqual({ plan: 'force_generic_plan', statement: '15s', idle: '15s', name: 'limen test' });
  });

  test('a Unix socket is reached by ?host= and by a percent-encoded host', async () => {
    const [at] = await store.database.sql`
      SELECT split_part(replace(current_setting('unix_socket_directories'), '"', ''), ',', 1) AS folder, current_setting('port') AS port,
             current_database() AS name, current_user AS user`;
    const { folder, port, name, user } = { folder: '', port: '', name: '', user: '', ...at };
    const urls = [
      `postgres://${user}@localhost:${port}/${name}?host=${encodeURIComponent(folder)}`,
      `postgresql:///${name}?host=${folder}&port=${port}&user=${user}`,
      `postgres://${user}:unused@${encodeURIComponent(folder)}:${port}/${name}`,
    ];
    for (const url of urls) {
      const database = open(url);
      const [row] = await database.sql`SELECT current_database() AS name`;
      expect(row).toEqual({ name });
      await database.close();
    }
  });

  test('every statement is told to the counter, and a prepared one is one statement', async () => {
    const query = store.database.db
      .select({ name: things.name })
      .from(things)
      .where(sql`name = ${sql.placeholder('name')}`)
      .prepare('thing');
    const once = await store.statementsOf(() => query.execute({ name: 'x' }));
    expect(once).toEqual(['select "name" from "things" where name = $1']);
    const inTransaction = await store.statementsOf(() =>
      store.database.transaction((executor) => executor.execute(sql`SELECT 1`)),
    );
    expect(inTransaction.map((statement) => statement.trim())).toEqual(['begin', 'SELECT 1', 'commit']);
  });

  test('a transaction whose work rejects is undone', async () => {
    const work = store.database.transaction(async (executor) => {
      await executor.insert(things).values({ name: 'undone' });
      throw new RangeError('ours');
    });
    await expect(work).rejects.toThrow(new RangeError('ours'));
    await work.catch(() => {});
    expect([...(await store.database.sql`SELECT 1 FROM things WHERE name = 'undone'`)]).toEqual([]);
  });
});

describe('a failure of the database', () => {
  const insert = (name: string) => store.database.db.insert(things).values({ name });

  test('a second row under one key is a conflict that names the constraint', async () => {
    await insert(secretText);
    expect(await faultOf(() => insert(secretText))).toMatchObject({
      kind: 'conflict',
      code: '23505',
      constraint: 'things_pkey',
    });
  });

  test('tells neither SQL nor what was typed, by message, stack, cause or inspection', async () => {
    const faults = [
      await faultOf(() => insert(secretText)),
      await faultOf(() => store.database.sql`SELECT ${secretText}::uuid`),
      await faultOf(() =>
        store.database.transaction((executor) => executor.insert(things).values({ name: secretText })),
      ),
    ];
    for (const fault of faults) {
      const shown = [
        inspect(fault, { depth: 10, showHidden: true }),
        fault.stack,
        fault.message,
        JSON.stringify(fault),
      ].join('\n');
      expect(shown).not.toContain(secretText);
      expect(shown.toLowerCase()).not.toMatch(/insert into|::uuid/);
      expect(fault.cause).toBeUndefined();
    }
  });

  test('a row without a partition is told apart from a failed check', async () => {
    const lost = await faultOf(
      () => store.database.sql`INSERT INTO seen_proofs (key, at) VALUES ('\\x00', '1999-01-01')`,
    );
    expect(lost).toMatchObject({ kind: 'missing_partition', code: '23514', table: 'seen_proofs' });
    expect(await faultOf(() => insert('no'))).toMatchObject({ kind: 'bug', code: '23514' });
  });

  test('a statement cut by its timeout, a closed pool and a server that is not there are unavailable', async () => {
    const slow = open(store.url, { statementTimeoutMilliseconds: 30 });
    expect(await faultOf(() => slow.sql`SELECT pg_sleep(5)`)).toMatchObject({ kind: 'unavailable', code: '57014' });
    await slow.close();
    expect(await faultOf(() => slow.sql`SELECT 1`)).toMatchObject({ kind: 'unavailable', code: 'CONNECTION_ENDED' });
    const nowhere = open('postgres://limen@localhost/limen?host=/nonexistent');
    expect(await faultOf(() => nowhere.sql`SELECT 1`)).toMatchObject({ kind: 'unavailable' });
    await nowhere.close();
  });

  test('wrong SQL and a value that cannot be sent are bugs', async () => {
    const circular: unknown[] = [];
    circular.push(circular);
    const { sql: raw } = store.database;
    expect(await faultOf(() => raw`SELECT ${raw.typed(circular, 3802)}`)).toMatchObject({ kind: 'bug' });
    expect(await faultOf(() => store.database.sql`SELECT nothing`)).toMatchObject({ kind: 'bug', code: '42703' });
  });

  test('an error that is not of the database passes unchanged', () => {
    const ours = new TypeError('ours');
    expect(toFault(ours)).toBe(ours);
  });

  test('a guarded domain keeps its results and rejects with faults', async () => {
    const domain = guarded({
      double: async (value: number) => value * 2,
      add: async (name: string) => (await store.database.db.insert(things).values({ name }).returning())[0]?.name,
    });
    expect(await domain.double(21)).toBe(42);
    expect(await domain.add('guarded')).toBe('guarded');
    expect(await faultOf(() => domain.add('guarded'))).toMatchObject({ kind: 'conflict' });
  });

  test('a conflict becomes a domain value only where its constraint is named', async () => {
    const again = () => insert(secretText);
    expect(await conflictAs({ things_pkey: 'taken' } as const, again)).toEqual({ ok: false, error: 'taken' });
    expect(await faultOf(() => conflictAs({ other: 'taken' } as const, again))).toMatchObject({ kind: 'conflict' });
  });
});

/** What a failover or a restart of Postgres does to every connection; each of these went wrong in the unpatched driver. */
describe('a connection that is killed', () => {
  const within = async <Value>(work: Promise<Value>): Promise<Value | 'hung'> =>
    Promise.race([work, Bun.sleep(1000).then(() => 'hung' as const)]);
  const kill = (pid: unknown) => store.database.sql`SELECT pg_terminate_backend(${Number(pid)})`;
  const pidOf = async (sql: Database['sql']) => (await sql`SELECT pg_backend_pid() AS pid`)[0]?.['pid'];
  const one = async (database: Database) => within(rejectAsFault(() => database.sql`SELECT 1 AS one`.execute()));

  /** The first callers may be refused; from then on each is answered, and with its own rows only. */
  async function heals(database: Database): Promise<void> {
    const answers: unknown[] = [];
    for (let round = 0; round < 5; round++) {
      const answer = await one(database).catch((thrown: unknown) => thrown);
      expect(answer).not.toBe('hung');
      answers.push(Array.isArray(answer) ? [...answer] : answer);
    }
    for (const answer of answers.slice(0, 2)) {
      if (Array.isArray(answer)) expect(answer).toEqual([{ one: 1 }]);
      else expect(answer).toMatchObject({ kind: 'unavailable' });
    }
    expect(answers.slice(2)).toEqual([[{ one: 1 }], [{ one: 1 }], [{ one: 1 }]]);
    expect(await within(database.close())).toBeUndefined();
  }

  test('while idle: the pool goes on', async () => {
    for (let round = 0; round < 5; round++) {
      const database = open(store.url);
      await kill(await pidOf(database.sql));
      await heals(database);
    }
  });

  test('in the midst of its rows: the next caller gets none of them', async () => {
    const database = open(store.url);
    const pid = await pidOf(database.sql);
    const cut = faultOf(() => database.sql`SELECT pg_sleep(0.001), repeat('x', 2000) FROM generate_series(1, 2000)`);
    await Bun.sleep(50);
    await kill(pid);
    expect(await within(cut)).toMatchObject({ kind: 'unavailable' });
    await heals(database);
  });

  test('within a transaction: nothing of it is written, neither before nor after', async () => {
    const database = open(store.url);
    const work = database.transaction(async (executor) => {
      await executor.insert(things).values({ name: 'before the kill' });
      const [row] = await executor.execute(sql`SELECT pg_backend_pid() AS pid`);
      await kill(row?.['pid']);
      await one(database).catch(() => {});
      await one(database).catch(() => {});
      await executor.insert(things).values({ name: 'after the kill' });
    });
    expect(await within(work.catch((thrown: unknown) => thrown))).toMatchObject({ kind: 'unavailable' });
    await Bun.sleep(50);
    expect([...(await store.database.sql`SELECT name FROM things WHERE name LIKE '% the kill'`)]).toEqual([]);
    await heals(database);
  });

  test('while reserved: its holder is refused, and gives nothing broken back to the pool', async () => {
    const database = open(store.url);
    const reserved = await database.sql.reserve();
    await kill(await pidOf(reserved));
    await Bun.sleep(20);
    expect(await within(faultOf(() => reserved`SELECT 1`))).toMatchObject({ kind: 'unavailable' });
    reserved.release();
    await heals(database);
  });
});
