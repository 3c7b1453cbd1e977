import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
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
    LIMEN_PUBLIC_URL: 'https://op.example',
    OP_PASSWORD: 'right horse, right battery',
    CLIENT_SECRET: randomToken(),
    CLIENT2_SECRET: randomToken(),
    CLIENT_SECRET_POST: randomToken(),
  };
}, databaseTimeoutMilliseconds);

afterAll(() => database.drop());

describe('conformance/limen.json', () => {
  const seed = join(import.meta.dir, '../../conformance/limen.json');
  const apply = () => limen(['apply', seed], environment);

  test('makes what the official suite needs, and a second time changes nothing', async () => {
    const first = await apply();
    expect({ code: first.code, err: first.err }).toEqual({ code: 0, err: '' });
    for (const secret of [environment['CLIENT_SECRET'], environment['OP_PASSWORD']]) {
      expect(first.out).not.toContain(secret ?? 'no secret');
    }
    const clients = JSON.parse((await limen(['client', 'list', '--json'], environment)).out);
    expect(clients.map(({ client_id }: { client_id: string }) => client_id)).toContain('conformance');
    const again = await apply();
    expect(again.code).toBe(0);
    expect(again.out).not.toMatch(/\b(create|change)\b/);
  });
});
