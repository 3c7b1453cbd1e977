import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import {
  alice,
  authorizeUrl,
  bob,
  callback,
  challenge,
  codeVerifier,
  entryFor,
  objectOf,
  type Parameters,
  pageOf,
  reach,
  screenOf,
  signedInAgent,
  textOf,
} from '../endpoints/run_browser.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { type Process, startProcess } from './process.ts';

/** Two processes on one database, as behind a load balancer that knows nothing of sessions. */

let provider: Provider;
let second: Process;
const secrets = encodeBase64url(randomBytes(32));

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_SECRETS: secrets } });
  second = await startProcess(provider, { secrets });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await second.stop();
  await provider.stop();
});

type Send = (path: string, init?: RequestInit) => Promise<Response>;
const first: Send = (path, init) => fetch(provider.issuer + path, init);
const processes = (): readonly Send[] => [first, second.fetch];

/** To the processes in turn. */
const spread = <Value>(count: number, work: (send: Send) => Promise<Value>): Promise<readonly Value[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(processes()[index % 2] ?? first)));

async function token(send: Send, form: Parameters, clientId: string) {
  const isPublic = clientId === 'demo-spa';
  const basic = isPublic ? {} : { authorization: `Basic ${btoa(`${clientId}:${provider.secretOf(clientId)}`)}` };
  const response = await send('/token', {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic },
    body: new URLSearchParams({ ...form, ...(isPublic ? { client_id: clientId } : {}) }).toString(),
  });
  return { status: response.status, body: objectOf(await response.json()) };
}

const codeForm = (back: URL): Parameters => ({
  grant_type: 'authorization_code',
  code: back.searchParams.get('code') ?? '',
  redirect_uri: callback,
  code_verifier: codeVerifier,
});
const refreshForm = (refreshToken: string): Parameters => ({
  grant_type: 'refresh_token',
  refresh_token: refreshToken,
});

const userinfo = (send: Send, accessToken: string) =>
  send('/userinfo', { headers: { authorization: `Bearer ${accessToken}` } });

const signIn = async (clientId: string) =>
  (await signedInAgent(provider, alice, { client_id: clientId, ...challenge })).back;

describe('over HTTP', () => {
  for (const clientId of ['demo-spa', 'demo-web']) {
    test(`100 parallel refreshes of one token of ${clientId}: one heir, nobody refused`, async () => {
      let { refresh_token: current } = (await token(first, codeForm(await signIn(clientId)), clientId)).body;
      for (let generation = 0; generation < 3; generation += 1) {
        const answers = await spread(100, (send) => token(send, refreshForm(String(current)), clientId));
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
        const heirs = new Set(answers.map(({ body }) => body['refresh_token']));
        expect(heirs.size).toBe(1);
        // Each of the access tokens is one of its own, and all are good.
        expect(new Set(answers.map(({ body }) => body['access_token'])).size).toBe(100);
        const accessToken = textOf(answers[99]?.body ?? {}, 'access_token');
        expect((await userinfo(first, accessToken)).status).toBe(200);
        [current] = heirs;
      }
    });
  }

  test('50 parallel redemptions of one code: one success, and what it gave is dead', async () => {
    const back = await signIn('demo-web');
    const answers = await spread(50, (send) => token(send, codeForm(back), 'demo-web'));
    const served = answers.filter(({ status }) => status === 200);
    expect([served.length, answers.filter(({ status }) => status === 400).length]).toEqual([1, 49]);
    for (const { status, body } of answers) if (status === 400) expect(body['error']).toBe('invalid_grant');
    const { body } = served[0] ?? { body: {} };
    expect((await token(first, refreshForm(textOf(body, 'refresh_token')), 'demo-web')).status).toBe(400);
    expect((await userinfo(second.fetch, textOf(body, 'access_token'))).status).toBe(401);
  });

  test('what one process ends, the other does not honour, from the next request on', async () => {
    const issued = (await token(first, codeForm(await signIn('demo-web')), 'demo-web')).body;
    const accessToken = textOf(issued, 'access_token');
    expect((await userinfo(second.fetch, accessToken)).status).toBe(200);
    await first('/revoke', {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${btoa(`demo-web:${provider.secretOf('demo-web')}`)}`,
      },
      body: new URLSearchParams({ token: accessToken }).toString(),
    });
    expect((await userinfo(second.fetch, accessToken)).status).toBe(401);
  });
});

describe('a sign-in', () => {
  test('whose every request goes to the other process: finishes', async () => {
    const agent = new UserAgent();
    const cookies = () => [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    let page = pageOf(await agent.open(authorizeUrl(provider.issuer, { prompt: 'consent', ...challenge })));
    for (const screen of ['identifier', 'password'] as const) {
      expect(screenOf(page)).toBe(screen);
      const response = await second.fetch(new URL(page.url).pathname, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'sec-fetch-site': 'same-origin',
          cookie: cookies(),
        },
        body: new URLSearchParams({ ...page.hidden, ...entryFor(screen, alice) }).toString(),
      });
      expect(response.status).toBe(303);
      page = await agent.page(response.headers.get('location') ?? '');
    }
    const end = await second.fetch(new URL(page.url).pathname, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        'sec-fetch-site': 'same-origin',
        cookie: cookies(),
      },
      body: new URLSearchParams({ ...page.hidden, decision: 'allow' }).toString(),
    });
    const location = end.headers.get('location') ?? '';
    expect(location).toStartWith(callback);
    // The first process says the same of it.
    const again = await agent.submit(page, { decision: 'allow' });
    expect(again.headers.get('location')).toBe(location);
    expect((await token(first, codeForm(new URL(location)), 'demo-web')).status).toBe(200);
  });

  test('50 wrong passwords spread over both: five hashes, then the lock for both', async () => {
    const browsers = [];
    for (let index = 0; index < 50; index += 1) {
      const agent = new UserAgent();
      browsers.push({ agent, page: await reach(agent, authorizeUrl(provider.issuer), 'password', bob) });
    }
    await provider.database.sql`TRUNCATE audit_events`;
    const answers = await Promise.all(
      browsers.map(({ agent, page }, index) => {
        const send = index % 2 === 0 ? first : second.fetch;
        return send(new URL(page.url).pathname, {
          method: 'POST',
          redirect: 'manual',
          headers: {
            'content-type': 'application/x-www-form-urlencoded',
            'sec-fetch-site': 'same-origin',
            cookie: [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          },
          body: new URLSearchParams({ ...page.hidden, password: `wrong ${index}` }).toString(),
        });
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
    const [counted] = await provider.database.sql`
      SELECT count(*) FILTER (WHERE detail ->> 'reason' = 'wrong')::int AS wrong,
             count(*) FILTER (WHERE event = 'lockout.started')::int AS locks FROM audit_events`;
    expect(counted).toEqual({ wrong: 5, locks: 1 });
  });
});
