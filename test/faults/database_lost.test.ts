import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import {
  alice,
  authorizeUrl,
  callback,
  objectOf,
  type Parameters,
  redirectOf,
  requestOf,
  rowCounts,
  signedInAgent,
  textOf,
} from '../endpoints/run_browser.ts';
import { type Provider, startProvider } from '../provider.ts';
import type { UserAgent } from '../user_agent.ts';
import { type DatabaseProxy, startDatabaseProxy } from './database_proxy.ts';
import { databaseUrlOf, type Process, placeOfDatabase, startProcess } from './process.ts';

/** A process whose database goes away and comes back. It is never restarted here. */

let provider: Provider;
let proxy: DatabaseProxy;
let process: Process;
let signedIn: UserAgent;
const secrets = encodeBase64url(randomBytes(32));

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_SECRETS: secrets } });
  const place = await placeOfDatabase(provider);
  proxy = await startDatabaseProxy(place);
  process = await startProcess(provider, {
    secrets,
    databaseUrl: databaseUrlOf({ ...place, folder: proxy.folder }),
  });
  signedIn = (await signedInAgent(provider)).agent;
  await healthy();
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  proxy.mend();
  await process.stop();
  await proxy.close();
  await provider.stop();
});

afterEach(async () => {
  proxy.mend();
  await healthy();
});

const timeout = 30_000;
const form = (parameters: Parameters): RequestInit => ({
  method: 'POST',
  headers: {
    'content-type': 'application/x-www-form-urlencoded',
    authorization: `Basic ${btoa(`demo-web:${provider.secretOf('demo-web')}`)}`,
  },
  body: new URLSearchParams(parameters).toString(),
});

async function token(parameters: Parameters) {
  const response = await process.fetch('/token', form(parameters));
  return { response, body: objectOf(await response.json()) };
}

const refresh = (refreshToken: string) => token({ grant_type: 'refresh_token', refresh_token: refreshToken });

/** A code that this process has not seen yet. */
async function freshCode(): Promise<string> {
  const back = redirectOf(await signedIn.open(authorizeUrl(provider.issuer)));
  return back.searchParams.get('code') ?? '';
}

const redeem = (code: string) => token({ grant_type: 'authorization_code', code, redirect_uri: callback });

const issue = async () => (await redeem(await freshCode())).body;

/** Waits until the process answers from the database again, without anybody's help. */
async function healthy(): Promise<void> {
  for (let time = 0; time < 100; time += 1) {
    const answers = await Promise.all([process.fetch('/readyz'), process.fetch('/introspect', form({ token: 'x' }))]);
    if (answers.every(({ status }) => status === 200)) return;
    await Bun.sleep(100);
  }
  throw new Error('the process did not recover');
}

/** 503 as it must be: when to come back, and an id that the log resolves; nothing of the database. */
function expectUnavailable(response: Response, text: string): void {
  expect(response.status).toBe(503);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(response.headers.get('cache-control')).toContain('no-store');
  const [, errorId] = /error id ([\w-]{12})|<code[^>]*>([\w-]{12})<\/code>/.exec(text)?.filter(Boolean) ?? [];
  expect(errorId).toBeDefined();
  expect(process.log.some((line) => line.includes(`"${errorId}"`))).toBe(true);
  for (const word of ['ECONN', 'EPIPE', 'CONNECTION', 'SELECT', 'token_families', '.s.PGSQL'])
    expect(text).not.toContain(word);
}

const endBackends = () =>
  provider.database.sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'limen %'`;

describe('a database that is gone', () => {
  test(
    'token, userinfo and introspection answer 503, and the same requests succeed when it is back',
    async () => {
      const issued = await issue();
      const refreshToken = textOf(issued, 'refresh_token');
      const accessToken = textOf(issued, 'access_token');
      const requests: readonly (readonly [string, RequestInit])[] = [
        ['/token', form({ grant_type: 'refresh_token', refresh_token: refreshToken })],
        ['/userinfo', { headers: { authorization: `Bearer ${accessToken}` } }],
        ['/introspect', form({ token: accessToken })],
      ];
      proxy.cut();
      for (const [path, init] of requests) {
        const response = await process.fetch(path, init);
        const text = await response.text();
        expectUnavailable(response, text);
        expect(JSON.parse(text)).toMatchObject({ error: 'temporarily_unavailable' });
      }
      // What needs no database is served on.
      expect((await process.fetch('/jwks')).status).toBe(200);
      proxy.mend();
      await healthy();
      for (const [path, init] of requests) expect((await process.fetch(path, init)).status).toBe(200);
    },
    timeout,
  );

  test(
    'a browser gets a page, loses neither its session nor its place, and goes on',
    async () => {
      const { agent } = await signedInAgent(provider, alice);
      const cookie = [...agent.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const path = `/authorize?${new URLSearchParams(requestOf())}`;
      proxy.cut();
      const response = await process.fetch(path, { headers: { cookie, accept: 'text/html' } });
      const html = await response.text();
      expectUnavailable(response, html);
      expect(html).toContain('The fault is on our side');
      expect(response.headers.getSetCookie()).toEqual([]);
      proxy.mend();
      await healthy();
      const back = await process.fetch(path, { headers: { cookie, accept: 'text/html' } });
      expect(back.headers.get('location')).toStartWith(`${callback}?code=`);
    },
    timeout,
  );

  test(
    'for longer than configuration may be unconfirmed: not ready, then ready again by itself',
    async () => {
      proxy.cut();
      await Bun.sleep(11_500);
      for (const path of ['/authorize', '/readyz']) expect((await process.fetch(path)).status).toBe(503);
      expect((await process.fetch('/token', form({ grant_type: 'client_credentials' }))).status).toBe(503);
      proxy.mend();
      await healthy();
    },
    timeout,
  );
});

describe('connections that are ended', () => {
  test(
    'while they are being opened: nothing is thrown where nobody can catch it, and the process goes on',
    async () => {
      const refreshToken = textOf(await issue(), 'refresh_token');
      for (let time = 0; time < 3; time += 1) {
        await endBackends();
        // The driver's first question on each new connection.
        proxy.onceSent('pg_catalog.pg_type', () => proxy.cut());
        const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));
        for (const { response } of answers) expect([200, 503]).toContain(response.status);
        proxy.mend();
        await healthy();
      }
    },
    timeout,
  );

  test(
    'while idle: the next requests are served, or told to come back',
    async () => {
      const refreshToken = textOf(await issue(), 'refresh_token');
      await endBackends();
      const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(refreshToken)));
      for (const { response, body } of answers) {
        if (response.status !== 200) expectUnavailable(response, JSON.stringify(body));
      }
      await healthy();
      expect((await refresh(refreshToken)).response.status).toBe(200);
    },
    timeout,
  );

  test(
    'under 40 refreshes of 40 families at once, three times: each client goes on by asking again',
    async () => {
      const issued = [];
      for (let index = 0; index < 40; index += 1) issued.push(textOf(await issue(), 'refresh_token'));
      let current: readonly string[] = issued;
      let cutOff = 0;
      for (let round = 0; round < 3; round += 1) {
        const [answers] = await Promise.all([
          Promise.all(current.map(refresh)),
          Bun.sleep(round).then(endBackends),
          Bun.sleep(3 + 2 * round).then(endBackends),
        ]);
        await healthy();
        current = await Promise.all(
          answers.map(async ({ response, body }, index) => {
            if (response.status === 200) return textOf(body, 'refresh_token');
            cutOff += 1;
            expectUnavailable(response, JSON.stringify(body));
            const again = await refresh(current[index] ?? '');
            expect(again.response.status).toBe(200);
            return textOf(again.body, 'refresh_token');
          }),
        );
      }
      expect(cutOff).toBeGreaterThan(0);
      expect((await provider.database.sql`SELECT 1 FROM token_families WHERE revoked_at IS NOT NULL`).length).toBe(0);
    },
    timeout,
  );
});

describe('an answer of the database that is lost', () => {
  test(
    'a refresh that was carried out: 503, and asking again gives the heir',
    async () => {
      const refreshToken = textOf(await issue(), 'refresh_token');
      proxy.onceSent('UPDATE token_families', () => proxy.cut());
      const lost = await refresh(refreshToken);
      expectUnavailable(lost.response, JSON.stringify(lost.body));
      proxy.mend();
      await healthy();
      const again = await refresh(refreshToken);
      expect(again.response.status).toBe(200);
      expect((await refresh(textOf(again.body, 'refresh_token'))).response.status).toBe(200);
    },
    timeout,
  );

  test(
    'a redemption: 503; asking again is served if nothing was made, else a replay (RFC 6749 §4.1.2), never two families',
    async () => {
      const before = await rowCounts(provider, ['token_families']);
      const code = await freshCode();
      proxy.onceSent('INSERT INTO token_families', () => proxy.cut());
      const lost = await redeem(code);
      expectUnavailable(lost.response, JSON.stringify(lost.body));
      proxy.mend();
      await healthy();
      // The server may have carried it out after its client was gone.
      const again = await redeem(code);
      const [newest] = await provider.database.sql`
        SELECT revoked_reason FROM token_families ORDER BY rotated_at DESC LIMIT 1`;
      expect([again.response.status, newest?.['revoked_reason']]).toBeOneOf([
        [200, null],
        [400, 'authorization code replay'],
      ]);
      expect(await rowCounts(provider, ['token_families'])).toEqual({
        token_families: (before['token_families'] ?? 0) + 1,
      });
    },
    timeout,
  );

  test(
    'the last step of a sign-in: 503, and a reload or the same submit again gives the redirect; one session',
    async () => {
      for (const point of ['insert into "audit_events"', 'commit', 'UPDATE auth_sessions'] as const) {
        const walked = await walkToConsent();
        const before = await rowCounts(provider, ['sso_sessions']);
        proxy.onceSent(point, () => proxy.cut());
        const lost = await walked.submit({ decision: 'allow' });
        expectUnavailable(lost, await lost.text());
        proxy.mend();
        await healthy();
        const again = await walked.submit({ decision: 'allow' });
        expect([point, again.status]).toEqual([point, 303]);
        const location = new URL(again.headers.get('location') ?? '');
        expect(location.origin + location.pathname).toBe(callback);
        expect(again.headers.getSetCookie().join()).toContain('limen.main.session=');
        expect(await rowCounts(provider, ['sso_sessions'])).toEqual({
          sso_sessions: (before['sso_sessions'] ?? 0) + 1,
        });
        expect((await redeem(location.searchParams.get('code') ?? '')).response.status).toBe(200);
      }
    },
    timeout,
  );
});

/** A browser at this process's consent page. */
async function walkToConsent() {
  const jar = new Map<string, string>();
  const send = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ accept: 'text/html', 'sec-fetch-site': 'same-origin' });
    new Headers(init.headers).forEach((value, name) => {
      headers.set(name, value);
    });
    headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await process.fetch(path, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    return response;
  };
  const pathOf = (response: Response) => {
    const location = new URL(response.headers.get('location') ?? '');
    return location.pathname + location.search;
  };
  let path = `/authorize?${new URLSearchParams(requestOf({ prompt: 'consent' }))}`;
  let html = '';
  const show = async () => {
    let response = await send(path);
    while (response.status === 303) {
      path = pathOf(response);
      response = await send(path);
    }
    html = await response.text();
  };
  const submit = (fields: Parameters) => {
    const [own = ''] = /<form[\s\S]*?<\/form>/.exec(html) ?? [];
    const hidden = [...own.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    const values = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    return send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ ...values, ...fields }).toString(),
    });
  };
  for (const fields of [{ username: alice.username }, { password: alice.password }]) {
    await show();
    path = pathOf(await submit(fields));
  }
  await show();
  expect(html).toContain('id="allow"');
  return { submit };
}
