import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { statement } from '../../src/store/statement.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';

let temporary: TestDatabase;
let database: Database;
const sent: string[] = [];

beforeAll(async () => {
  temporary = await testDatabase();
  database = openDatabase({
    url: temporary.url,
    connections: 1,
    applicationName: 'statement',
    onStatement: (text) => void sent.push(text),
  });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await database.close();
  await temporary.drop();
});

type Input = { readonly name: string | null; readonly names: readonly string[]; readonly at: number };
type Row = {
  readonly name: string | null;
  readonly same: boolean | null;
  readonly names: string[];
  readonly at: number;
};

const nameOf = ({ name }: Input): string | null => name;
const echo = statement<Input, Row>`
  SELECT ${nameOf}::text AS name, ${nameOf}::text = ${"lower('MARY')"} AS same,
         ${({ names }) => names}::text[] AS names, ${({ at }) => at}::timestamptz AS at`;

describe('a statement', () => {
  test('gives rows with the values that its functions read, of every kind that the driver knows', async () => {
    const input = { name: 'mary', names: ['a,b', '"', ''], at: 1_767_225_600_123 };
    expect([...(await echo(database.sql, input))]).toEqual([{ ...input, same: true }]);
    expect([...(await echo(database.sql, { ...input, name: null, names: [] }))]).toEqual([
      { ...input, name: null, names: [], same: null },
    ]);
  });

  test('sends the same text for every input, in which a function that stands twice is one parameter', async () => {
    sent.length = 0;
    for (const name of ['one', "'; DROP TABLE users; --"]) await echo(database.sql, { name, names: [], at: 0 });
    expect(sent).toHaveLength(2);
    expect(new Set(sent).size).toBe(1);
    expect(sent[0]).toContain("$1::text AS name, $1::text = lower('MARY') AS same");
    expect(sent[0]).toContain('$2::text[] AS names, $3::timestamptz AS at');
  });

  test('is prepared once per connection', async () => {
    const prepared = () => database.sql<{ count: number }[]>`
      SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%lower(%MARY%'`;
    for (let time = 0; time < 3; time += 1) await echo(database.sql, { name: 'x', names: [], at: 0 });
    const [row] = await prepared();
    // The one that asks holds the words as well.
    expect(row?.count).toBe(2);
  });
});
