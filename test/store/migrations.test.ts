import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { type MigrationFile, migrate, migrationFiles, planOf } from '../../src/store/migrations.ts';
import { databaseTimeoutMilliseconds, emptyDatabase, type TestDatabase } from '../database.ts';

const people: MigrationFile = { name: '0001_people.sql', sql: 'CREATE TABLE people (name text); SELECT 1;' };
const index: MigrationFile = {
  name: '0002_index.sql',
  sql: '-- Made while people are written.\n-- limen: no transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS people_by_name ON people (name);\n',
};
const broken: MigrationFile = { name: '0003_broken.sql', sql: 'CREATE TABLE half (name text); SELECT 1 / 0;' };

describe('migrate', () => {
  let empty: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    await (await emptyDatabase()).drop();
  }, databaseTimeoutMilliseconds);

  beforeEach(async () => {
    empty = await emptyDatabase();
    database = open(empty.url);
  });

  afterEach(async () => {
    await database.close();
    await empty.drop();
  });

  const open = (url: string): Database => openDatabase({ url, connections: 2, applicationName: 'limen test' });
  const tables = async (): Promise<readonly string[]> => {
    const rows = await database.sql`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`;
    return rows.map((row) => String(row['tablename']));
  };

  test('applies in order, says so, and does nothing the second time', async () => {
    const sentences: string[] = [];
    const first = await migrate(database.sql, [people, index], (sentence) => sentences.push(sentence));
    expect(first).toEqual({ ok: true, value: { applied: ['0001_people.sql', '0002_index.sql'], ahead: [] } });
    expect(sentences).toEqual(['Migrating: 0001_people.sql', 'Migrating: 0002_index.sql']);
    expect(await migrate(database.sql, [people, index])).toEqual({ ok: true, value: { applied: [], ahead: [] } });
    expect(await tables()).toEqual(['migrations', 'people']);
  });

  test('a file that fails leaves nothing behind, those before it stay, and a corrected one goes on', async () => {
    const failed = await migrate(database.sql, [people, broken]);
    expect(failed).toMatchObject({ ok: false, error: { kind: 'failed', name: '0003_broken.sql' } });
    expect(!failed.ok && failed.error.sentence).toContain('division by zero');
    expect(await tables()).toEqual(['migrations', 'people']);
    const corrected = { ...broken, sql: 'CREATE TABLE half (name text);' };
    expect(await migrate(database.sql, [people, corrected])).toMatchObject({
      ok: true,
      value: { applied: ['0003_broken.sql'] },
    });
  });

  test('CONCURRENTLY is refused by the server without the header that takes the file out of a transaction', async () => {
    const inside = { ...index, sql: index.sql.replace('-- limen: no transaction\n', '') };
    expect(await migrate(database.sql, [people, inside])).toMatchObject({ ok: false, error: { kind: 'failed' } });
    expect(await migrate(database.sql, [people, index])).toMatchObject({ ok: true });
  });

  test('an altered released file is refused before anything is applied', async () => {
    await migrate(database.sql, [people]);
    const altered = { ...people, sql: `${people.sql}\n` };
    expect(await migrate(database.sql, [altered, index])).toEqual({
      ok: false,
      error: {
        kind: 'altered',
        name: '0001_people.sql',
        sentence:
          'The migration 0001_people.sql is not what was applied to this database; restore the released file and put the change into a new one.',
      },
    });
    expect(await migrate(database.sql, [people])).toMatchObject({ ok: true, value: { applied: [] } });
  });

  test('an older version beside a newer one names what it does not know and changes nothing', async () => {
    await migrate(database.sql, [people, index]);
    expect(await migrate(database.sql, [people])).toEqual({
      ok: true,
      value: { applied: [], ahead: ['0002_index.sql'] },
    });
  });

  test('eight processes at once: each file is applied once', async () => {
    const pools = Array.from({ length: 8 }, () => open(empty.url));
    const results = await Promise.all(pools.map(({ sql }) => migrate(sql, [people, index])));
    await Promise.all(pools.map((pool) => pool.close()));
    const applied = results.flatMap((result) => (result.ok ? result.value.applied : [result.error.sentence]));
    expect(applied.toSorted()).toEqual(['0001_people.sql', '0002_index.sql']);
  });

  test('gives lock and timeout back, whether it succeeds or not', async () => {
    const timeouts = async () =>
      (await Promise.all([1, 2].map(() => database.sql`SHOW statement_timeout`))).map((rows) => rows[0]);
    const before = await timeouts();
    await migrate(database.sql, [people, broken]);
    const [locks] = await database.sql`
      SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory'
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;
    expect(locks?.['held']).toBe(0);
    expect(await timeouts()).toEqual(before);
  });

  test('a database that cannot be reached is a fault, not an exception', async () => {
    const nowhere = open('postgres://limen@localhost/limen?host=/nonexistent');
    expect(await migrate(nowhere.sql, [people])).toMatchObject({ ok: false, error: { kind: 'unreachable' } });
    await nowhere.close();
  });

  test('the released files apply to an empty database', async () => {
    const files = migrationFiles();
    const migrated = await migrate(database.sql, files);
    expect(migrated).toEqual({ ok: true, value: { applied: files.map(({ name }) => name), ahead: [] } });
    expect(await tables()).toContain('realms');
  });
});

describe('planOf', () => {
  test('a file numbered below what is applied is refused, since others already run without it', () => {
    const late = { name: '0001_b.sql', sql: '' };
    expect(planOf([late], new Map([['0002_c.sql', 'x']]))).toMatchObject({
      ok: false,
      error: { kind: 'out_of_order', name: '0001_b.sql' },
    });
  });
});

describe('migrationFiles', () => {
  test('are sorted, numbered without doubles, and none is empty', () => {
    const files = migrationFiles();
    const numbers = files.map(({ name }) => name.slice(0, 4));
    expect(numbers[0]).toBe('0001');
    expect(numbers).toEqual([...new Set(numbers)].toSorted());
    expect(files.filter(({ sql }) => sql.trim() === '')).toEqual([]);
  });

  test('are inside a single executable that runs elsewhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'limen-test-'));
    const root = join(import.meta.dir, '..', '..');
    writeFileSync(
      join(folder, 'main.ts'),
      `import { migrationFiles } from ${JSON.stringify(join(root, 'src/store/migrations.ts'))};
       process.stdout.write(JSON.stringify(migrationFiles()));`,
    );
    const built = Bun.spawnSync(
      [
        process.execPath,
        'build',
        '--compile',
        '--asset',
        'drizzle',
        join(folder, 'main.ts'),
        '--outfile',
        join(folder, 'main'),
      ],
      { cwd: root },
    );
    expect(built.exitCode).toBe(0);
    const { stdout } = Bun.spawnSync([join(folder, 'main')], { cwd: folder });
    rmSync(folder, { recursive: true });
    expect(JSON.parse(stdout.toString())).toEqual(migrationFiles());
  }, 60_000);
});
