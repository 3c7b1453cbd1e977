import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { openDatabase } from '../src/store/database.ts';
import { migrationFiles } from '../src/store/migrations.ts';
import { partitionsAhead } from '../src/store/partitions.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from './database.ts';

describe('a test database', () => {
  let made: TestDatabase;
  let other: TestDatabase;

  beforeAll(async () => {
    [made, other] = await Promise.all([testDatabase(), testDatabase()]);
  }, databaseTimeoutMilliseconds);
  afterAll(() => other.drop());

  const open = ({ url }: TestDatabase) => openDatabase({ url, connections: 1, applicationName: 'limen test' });

  test('is migrated and has partitions for rows of now', async () => {
    const database = open(made);
    const [row] = await database.sql`SELECT count(*) AS applied FROM migrations`;
    expect(row?.['applied']).toBe(migrationFiles().length);
    const coverage = await partitionsAhead(database.sql, Date.now());
    expect(coverage.filter(({ enough }) => !enough)).toEqual([]);
    await database.close();
  });

  test('is nobody else’s, and gone when dropped, connections or not', async () => {
    expect(made.url).not.toBe(other.url);
    const [database, elsewhere] = [open(made), open(other)];
    await database.sql`UPDATE config_version SET version = 77`;
    expect(await elsewhere.sql`SELECT version FROM config_version`).toMatchObject([{ version: 1 }]);
    const name = new URL(made.url).pathname.slice(1);
    await made.drop();
    expect(await elsewhere.sql`SELECT 1 FROM pg_database WHERE datname = ${name}`).toHaveLength(0);
    await Promise.all([database.close(), elsewhere.close()]);
  });
});
