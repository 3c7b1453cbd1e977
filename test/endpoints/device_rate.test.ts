import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { ask, registerDevice } from './device_flow.ts';
import { type Party, post } from './relying_party.ts';
import { pageOf, rowCounts, screenOf } from './run_browser.ts';

/** RFC 8628 §5.1, §5.2: how often codes may be guessed, and made. */

let provider: Provider;
let television: Party;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_TRUSTED_PROXIES: '127.0.0.1' } });
  television = await registerDevice(provider, 'television');
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const from = (address: string) => new UserAgent({ 'x-forwarded-for': address });
const entryOf = (agent: UserAgent) => agent.page(`${provider.issuer}/device`);
const wrong = { user_code: 'BBBB-BBBB' };
const mostWrong = 20;
const mostWrongOfRealm = 3000;
const ofCeilings = () => provider.statements().filter((sent) => sent.includes('lockout_ceilings'));

describe('guessing user codes', () => {
  test('fifty wrong ones at once count as fifty: twenty are looked at, the rest is turned away, elsewhere nobody is', async () => {
    const agent = from('203.0.113.1');
    const page = await entryOf(agent);
    const responses = await Promise.all(Array.from({ length: 50 }, () => agent.submit(page, wrong)));
    const looked = responses.filter(({ status }) => status === 303);
    const turned = responses.filter(({ status }) => status === 429);
    expect([looked.length, turned.length]).toEqual([mostWrong, 30]);
    expect(Number(turned[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    const { userCode } = await ask(television);
    expect((await agent.submit(page, { user_code: userCode })).status).toBe(429);
    const elsewhere = from('203.0.113.2');
    expect(screenOf(pageOf(await elsewhere.answer(await entryOf(elsewhere), { user_code: userCode })))).toBe(
      'identifier',
    );
  }, 30_000);

  test('what can be no code counts too; a right one counts nothing', async () => {
    const agent = from('203.0.113.3');
    const page = await entryOf(agent);
    const { userCode } = await ask(television);
    for (let time = 0; time < mostWrong + 5; time += 1) {
      expect((await agent.submit(page, { user_code: userCode })).status).toBe(303);
    }
    for (let time = 0; time < mostWrong; time += 1) {
      expect((await agent.submit(page, { user_code: `guess ${time}` })).status).toBe(303);
    }
    expect((await agent.submit(page, wrong)).status).toBe(429);
  }, 30_000);

  test('a /64 is one place, and a /48 holds three times as many', async () => {
    const agents = [1, 2, 3, 4].map((net) => from(`2001:db8:7:${net}::1`));
    const pages = await Promise.all(agents.map(entryOf));
    const counts = { looked: 0 };
    for (const [index, agent] of agents.entries()) {
      const page = pages[index];
      if (page === undefined) throw new Error('a page for each');
      for (let time = 0; time < mostWrong + 1; time += 1) {
        if ((await agent.submit(page, wrong)).status === 303) counts.looked += 1;
      }
    }
    expect(counts.looked).toBe(60);
  }, 30_000);

  test('passwords are counted apart: who mistyped codes may still sign in', async () => {
    const [row] = await provider.database.sql`
      SELECT count(*)::int AS rows FROM lockout_ceilings WHERE key NOT LIKE 'device code%'`;
    expect(row?.['rows']).toBe(0);
  });

  test('who is past the limit opens no transaction any more, and another address still does', async () => {
    const agent = from('203.0.113.4');
    const page = await entryOf(agent);
    for (let time = 0; time < mostWrong; time += 1) await agent.submit(page, wrong);
    expect((await agent.submit(page, wrong)).status).toBe(429);
    provider.resetStatements();
    const refused = await Promise.all(Array.from({ length: 30 }, () => agent.submit(page, wrong)));
    expect(refused.map(({ status }) => status)).toEqual(Array(30).fill(429));
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(10);
    expect(ofCeilings()).toEqual([]);
    const elsewhere = from('203.0.113.5');
    expect((await elsewhere.submit(await entryOf(elsewhere), wrong)).status).toBe(303);
    expect(ofCeilings()).not.toEqual([]);
  }, 30_000);

  test('behind a proxy that nobody declared the realm’s ceiling holds, which is one for all addresses', async () => {
    const { sql } = provider.database;
    await sql`DELETE FROM lockout_ceilings`;
    const nowhere = new UserAgent();
    const page = await entryOf(nowhere);
    const { userCode } = await ask(television);
    for (let time = 0; time < mostWrong + 5; time += 1) {
      expect((await nowhere.submit(page, wrong)).status).toBe(303);
    }
    const [counted] = await sql`SELECT key, failures FROM lockout_ceilings`;
    expect(counted).toEqual({ key: 'device codes of the realm', failures: mostWrong + 5 });
    await sql`UPDATE lockout_ceilings SET failures = ${mostWrongOfRealm - 1}`;
    expect((await nowhere.submit(page, { user_code: userCode })).status).toBe(303);
    const other = from('203.0.113.6');
    const elsewhere = await entryOf(other);
    expect((await other.submit(elsewhere, wrong)).status).toBe(303);
    for (const [agent, shown] of [
      [nowhere, page],
      [other, elsewhere],
    ] as const) {
      expect((await agent.submit(shown, { user_code: userCode })).status).toBe(429);
    }
    const foreign = await other.page(`${provider.issuer}/realms/acme/device`);
    expect((await other.submit(foreign, wrong)).status).toBe(303);
    const rows = await sql`SELECT key FROM lockout_ceilings WHERE key LIKE 'device code address:203.0.113.6%'`;
    expect(rows).toHaveLength(2);
  }, 30_000);
});

describe('asking for codes', () => {
  test('one address: 120 in ten minutes, then 429 with Retry-After and no row', async () => {
    const send = (address: string) =>
      post(
        `${provider.issuer}/device_authorization`,
        { client_id: 'television', scope: 'openid' },
        { 'x-forwarded-for': address },
      );
    const before = (await rowCounts(provider, ['device_authorizations']))['device_authorizations'] ?? 0;
    const responses = await Promise.all(Array.from({ length: 130 }, () => send('203.0.113.9')));
    const refused = responses.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(10);
    expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await rowCounts(provider, ['device_authorizations']))['device_authorizations']).toBe(before + 120);
    expect((await send('203.0.113.10')).status).toBe(200);
  }, 30_000);
});
