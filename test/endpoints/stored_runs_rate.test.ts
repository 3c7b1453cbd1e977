import { afterAll, beforeAll, expect, test } from 'bun:test';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { alice, authorizeUrl, finish, type Parameters, pageOf, requestOf, rowCounts } from './run_browser.ts';

/** A request too large for a URL becomes a row before anybody has proved anything: only so many of them, by sender. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_TRUSTED_PROXIES: '127.0.0.1' } });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const most = 60;

/** Random, so that it cannot be packed. */
const large = (): Parameters => ({ state: encodeBase64url(randomBytes(3000)).slice(0, 4000) });

const post = (address: string | null, parameters: Parameters): Promise<Response> =>
  fetch(`${provider.issuer}/authorize`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'text/html',
      ...(address === null ? {} : { 'x-forwarded-for': address }),
    },
    body: new URLSearchParams(requestOf(parameters)).toString(),
  });

const get = (address: string, parameters: Parameters): Promise<Response> =>
  new UserAgent({ 'x-forwarded-for': address }).fetch(authorizeUrl(provider.issuer, parameters));

const rows = async (): Promise<number> => (await rowCounts(provider, ['auth_sessions']))['auth_sessions'] ?? 0;

/** Sends so many large requests at once; how many were taken. */
async function taken(address: string | null, count: number, send = post): Promise<number> {
  const answers = await Promise.all(Array.from({ length: count }, () => send(address ?? '', large())));
  expect(answers.every(({ status }) => status === 303 || status === 429)).toBe(true);
  return answers.filter(({ status }) => status === 303).length;
}

async function expectCrowded(answer: Response): Promise<void> {
  expect({ status: answer.status, location: answer.headers.get('location') }).toEqual({ status: 429, location: null });
  const wait = Number(answer.headers.get('retry-after'));
  expect(Number.isInteger(wait) && wait > 0 && wait <= 600).toBe(true);
  expect(answer.headers.get('content-type')).toStartWith('text/html');
  expect(answer.headers.get('cache-control')).toContain('no-store');
}

test('beyond the limit of an address: 429 with a time to come back, and no row', async () => {
  const address = '203.0.113.7';
  const before = await rows();
  expect(await taken(address, most + 20)).toBe(most);
  expect(await rows()).toBe(before + most);
  await expectCrowded(await post(address, large()));
  await expectCrowded(await get(address, large()));
  expect(await rows()).toBe(before + most);
});

test('by GET it is the same limit', async () => {
  const before = await rows();
  expect(await taken('203.0.113.8', most + 10, (address, parameters) => get(address ?? '', parameters))).toBe(most);
  expect(await rows()).toBe(before + most);
});

test('whoever used it up signs in as usual with a request that fits a URL', async () => {
  const address = '203.0.113.9';
  await taken(address, most + 1);
  const agent = new UserAgent({ 'x-forwarded-for': address });
  const page = pageOf(await agent.open(authorizeUrl(provider.issuer)));
  expect((await finish(agent, page, alice)).searchParams.get('code')).not.toBeNull();
});

test('another address is not touched by it', async () => {
  await taken('203.0.113.10', most + 1);
  const answer = await post('203.0.113.11', large());
  expect(answer.status).toBe(303);
  const agent = new UserAgent({ 'x-forwarded-for': '203.0.113.11' });
  const page = pageOf(await agent.open(answer.headers.get('location') ?? ''));
  expect((await finish(agent, page, alice)).searchParams.get('code')).not.toBeNull();
});

test('one sender’s many IPv6 addresses are one', async () => {
  expect(await taken('2001:db8:1:1::1', most)).toBe(most);
  await expectCrowded(await post('2001:db8:1:1:ffff::2', large()));
  expect((await post('2001:db8:2:1::1', large())).status).toBe(303);
});

test('a limit of one realm is none of another', async () => {
  const address = '203.0.113.12';
  await taken(address, most + 1);
  const parameters = { client_id: 'acme-web', redirect_uri: 'http://127.0.0.1:4020/callback', scope: 'openid' };
  const url = `${provider.issuer}/realms/acme/authorize?${new URLSearchParams(requestOf({ ...parameters, ...large() }))}`;
  expect((await new UserAgent({ 'x-forwarded-for': address }).fetch(url)).status).toBe(303);
});

test('a private peer that names nobody stands for everyone behind it, and has no limit', async () => {
  const answers = await Promise.all(Array.from({ length: most + 10 }, () => post(null, large())));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
});

test('with time it may again', async () => {
  const address = '203.0.113.13';
  await taken(address, most + 1);
  const refused = await post(address, large());
  await provider.shiftClock(Number(refused.headers.get('retry-after')) + 1);
  expect((await post(address, large())).status).toBe(303);
});
