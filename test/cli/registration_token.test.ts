import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomToken } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';
import { limen } from './terminal.ts';

let database: TestDatabase;
let environment: { readonly [name: string]: string };

beforeAll(async () => {
  database = await testDatabase();
  environment = {
    DATABASE_URL: database.url,
    LIMEN_SECRETS: randomToken(),
    LIMEN_PUBLIC_URL: 'https://id.example.com',
  };
  for (const slug of ['main', 'acme']) await limen(['realm', 'create', slug], environment);
}, databaseTimeoutMilliseconds);

afterAll(() => database.drop());

const run = (...words: string[]) => limen(['registration-token', ...words], environment);
const json = async (...words: string[]) => JSON.parse((await run(...words, '--json')).out);

describe('registration-token', () => {
  test('create shows the token this once; list never does', async () => {
    const made = await json('create', '--note', 'build farm', '--uses', '20', '--lifetime', '60');
    const { token, ...listed } = made;
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(listed).toMatchObject({ note: 'build farm', uses_left: 20 });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(60_000);
    expect(await json('list')).toEqual([listed]);
    const { out } = await run('list');
    expect(out).toContain('build farm');
    expect(out).toContain('20 clients');
    expect(out).not.toContain(token);
  });

  test('it is good for one client in a week unless said otherwise', async () => {
    const made = await json('create', '--realm', 'acme');
    expect(made).toMatchObject({ uses_left: 1, note: '' });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(7 * 24 * 60 * 60 * 1000);
    expect(await json('create', '--realm', 'acme', '--uses', 'any')).toMatchObject({ uses_left: null });
  });

  test('revoke takes it back, in its own realm only', async () => {
    const { id } = await json('create');
    expect(await run('revoke', id, '--realm', 'acme')).toMatchObject({
      code: 1,
      err: `acme has no initial access token ${id}`,
    });
    expect(await run('revoke', id)).toMatchObject({ code: 0, out: `Revoked ${id}.` });
    expect(await run('revoke', id)).toMatchObject({ code: 1 });
    expect((await json('list')).map((token: { id: string }) => token.id)).not.toContain(id);
  });

  test.each([
    ['--uses', '0'],
    ['--uses', 'many'],
    ['--lifetime', '0'],
    ['--lifetime', '31536001'],
  ])('%s %s is refused', async (option, value) => {
    const { code, err } = await run('create', option, value);
    expect(code).toBe(1);
    expect(err).toStartWith(`${option} is a whole number from 1 to`);
  });
});

describe('client create', () => {
  const client = (...words: string[]) => limen(['client', 'create', ...words, '--json'], environment);

  test('a pairwise client of one host; one of several hosts needs a sector', async () => {
    const web = ['--class', 'confidential', '--subject-type', 'pairwise', '--redirect-uri', 'https://a.example/cb'];
    expect(JSON.parse((await client('one-host', ...web)).out)).toMatchObject({ subject_type: 'pairwise' });
    const two = [...web, '--redirect-uri', 'https://b.example/cb'];
    expect(await client('two-hosts', ...two)).toMatchObject({
      code: 1,
      err: expect.stringContaining('sector_identifier_uri'),
    });
    const stated = await client('two-hosts', ...two, '--sector-identifier-uri', 'https://a.example/sector.json');
    expect(stated.code).toBe(0);
  });
});
