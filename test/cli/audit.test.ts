import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomToken } from '../../src/core/crypto.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { Secret } from '../../src/core/secret.ts';
import { createAudit } from '../../src/store/audit.ts';
import { createAuditChain } from '../../src/store/audit_chain.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { createRealms } from '../../src/store/realms.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';
import { limen } from './terminal.ts';

let temporary: TestDatabase;
let database: Database;
let environment: { readonly [name: string]: string };

beforeAll(async () => {
  temporary = await testDatabase();
  const secret = randomToken();
  environment = { DATABASE_URL: temporary.url, LIMEN_SECRETS: secret, LIMEN_PUBLIC_URL: 'https://id.example.com' };
  await limen(['realm', 'create', 'main'], environment);
  database = openDatabase({ url: temporary.url, connections: 2, applicationName: 'audit' });
  const ring = new KeyRing([new Secret<Uint8Array>(Buffer.from(secret, 'base64url'))]);
  const realm = await createRealms(database, { ring, system: {} }).show('main');
  if (realm === null) throw new Error('no realm');
  await createAudit(database, Date.now).record({ event: 'session.started', realmId: realm.id });
  await createAuditChain(database, ring, Date.now).extend(100);
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await database.close();
  await temporary.drop();
});

describe('audit verify', () => {
  test('tells what is covered, and is content while nothing was changed', async () => {
    const { code, out } = await limen(['audit', 'verify', '--json'], environment);
    const report = JSON.parse(out);
    expect({ code, report }).toMatchObject({ code: 0, report: { checkpoints: 1, faults: [], coveredLate: 0 } });
    expect((await limen(['audit', 'verify', '--head', report.head], environment)).code).toBe(0);
    expect(await limen(['audit', 'verify', '--head', `2:${'0'.repeat(64)}`], environment)).toMatchObject({
      code: 1,
      err: 'checkpoint 2: it is not in the chain, or not as it was',
    });
    expect((await limen(['audit', 'verify', '--head', 'x'], environment)).err).toStartWith('--head is <seq>:<hash>');
  });

  test('fails with other secrets, and after a change, a line each', async () => {
    const other = await limen(['audit', 'verify'], { ...environment, LIMEN_SECRETS: randomToken() });
    expect(other).toMatchObject({
      code: 1,
      err: 'checkpoint 1: it was made with a secret that is not among LIMEN_SECRETS',
    });
    await database.sql`UPDATE audit_events SET agent = 'somebody else'`;
    expect(await limen(['audit', 'verify'], environment)).toMatchObject({
      code: 1,
      err: 'checkpoint 1: the events that it covers were changed, added to or removed',
    });
  });
});
