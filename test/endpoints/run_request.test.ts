import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import {
  alice,
  authorizeUrl,
  callback,
  challenge,
  entryFor,
  finish,
  isPage,
  type Parameters,
  pageOf,
  reach,
  redeemCode,
  redirectOf,
  requestOf,
  rowCounts,
  screenOf,
  sessionCookieOf,
  signedInAgent,
} from './run_browser.ts';

/** How a request comes in and how its answer goes out: by POST, too large for a URL, as a form. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const asking = { prompt: 'consent' };
const url = (parameters: Parameters = {}) => authorizeUrl(provider.issuer, { ...asking, ...parameters });

/** As a form of the client's page posts it: from another site, so without a cookie of ours. */
const postAuthorize = (parameters: Parameters): Promise<Response> =>
  fetch(`${provider.issuer}/authorize`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'cross-site',
      origin: 'https://client.example',
      accept: 'text/html',
    },
    body: new URLSearchParams(requestOf(parameters)).toString(),
  });

async function locationOf(response: Response): Promise<string> {
  expect(response.status).toBe(303);
  return response.headers.get('location') ?? '';
}

/** Random, so that it cannot be packed. Characters. */
const stateOf = (length: number): string => encodeBase64url(randomBytes(length)).slice(0, length);
/** With the rest of the request it is more than a URL should carry, and as long as this server takes. */
const longestState = 4096;

describe('POST /authorize', () => {
  test('neither reads nor sets a cookie, and leads to the run', async () => {
    const response = await postAuthorize(asking);
    expect(response.headers.getSetCookie()).toEqual([]);
    const agent = new UserAgent();
    const page = pageOf(await agent.open(await locationOf(response)));
    expect(screenOf(page)).toBe('identifier');
    expect((await redeemCode(provider, await finish(agent, page))).status).toBe(200);
  });

  test('finds the browser’s session at the next request, which is one of our own', async () => {
    const { agent } = await signedInAgent(provider);
    const back = redirectOf(await agent.open(await locationOf(await postAuthorize({ prompt: '' }))));
    expect((await redeemCode(provider, back)).status).toBe(200);
  });

  test('with prompt=none: login_required without a session, a code with one, never a page', async () => {
    const start = await locationOf(await postAuthorize({ prompt: 'none' }));
    const back = redirectOf(await new UserAgent().open(start));
    expect(Object.fromEntries(back.searchParams)).toMatchObject({
      error: 'login_required',
      state: 'a state',
      iss: provider.issuer,
    });
    const { agent } = await signedInAgent(provider);
    const silent = redirectOf(await agent.open(await locationOf(await postAuthorize({ prompt: 'none' }))));
    expect((await redeemCode(provider, silent)).status).toBe(200);
  });

  test('writes nothing', async () => {
    const tables = ['auth_sessions', 'sso_sessions', 'token_families', 'audit_events'];
    const before = await rowCounts(provider, tables);
    provider.resetStatements();
    await new UserAgent().open(await locationOf(await postAuthorize(asking)));
    expect(provider.statements()).toEqual([]);
    expect(await rowCounts(provider, tables)).toEqual(before);
  });
});

describe('a request too large for a URL', () => {
  const starts = [
    ['GET', (parameters: Parameters) => Promise.resolve(url(parameters))],
    ['POST', async (parameters: Parameters) => locationOf(await postAuthorize({ ...asking, ...parameters }))],
  ] as const;

  for (const [method, start] of starts) {
    test(`by ${method}: is stored at once, survives reload and restart, and comes back whole`, async () => {
      const before = await rowCounts(provider, ['auth_sessions']);
      const state = stateOf(longestState);
      const agent = new UserAgent();
      let at: Shown | URL = await agent.open(await start({ state }));
      const address = pageOf(at).url;
      expect(address).toMatch(/\/run\/[0-9a-f-]{36}$/);
      await provider.restart();
      while (isPage(at)) {
        expect(at.url).toBe(address);
        const again: Shown = await agent.page(at.url);
        expect(again.html).toBe(at.html);
        at = await agent.answer(again, entryFor(screenOf(again), alice));
      }
      expect(at.searchParams.get('state')).toBe(state);
      expect((await redeemCode(provider, at)).status).toBe(200);
      expect(await rowCounts(provider, ['auth_sessions'])).toEqual({
        auth_sessions: (before['auth_sessions'] ?? 0) + 1,
      });
    });

    test(`by ${method}: belongs to the first browser that opens it`, async () => {
      const first = await start({ state: stateOf(longestState) });
      const owner = new UserAgent();
      const page = pageOf(await owner.open(first));
      const thief = new UserAgent();
      expect(screenOf(await thief.page(page.url))).toBe('elsewhere');
      expect(screenOf(pageOf(await owner.answer(page, { username: 'alice' })))).toBe('password');
    });

    test(`by ${method}: every step twice and ten times at once: one place, one code`, async () => {
      const agent = new UserAgent();
      let page = pageOf(await agent.open(await start({ state: stateOf(longestState) })));
      for (const screen of ['identifier', 'password'] as const) {
        const entry = entryFor(screen, alice);
        const answers = await Promise.all(Array.from({ length: 10 }, () => agent.submit(page, entry)));
        expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.get('location')}`)).size).toBe(1);
        const next = await agent.page(page.url);
        expect(next.hidden['step']).toBe(String(Number(page.hidden['step']) + 1));
        expect(pageOf(await agent.answer(page, entry)).html).toBe(next.html);
        page = next;
      }
      expect(screenOf(page)).toBe('consent');
      const ends = await Promise.all(Array.from({ length: 10 }, () => agent.answer(page, { decision: 'allow' })));
      expect(new Set(ends.map((end) => redirectOf(end).href)).size).toBe(1);
    });
  }

  test('a wrong password twice: the second answers a screen that is past, and is neither looked at nor counted', async () => {
    const agent = new UserAgent();
    const first = pageOf(await agent.open(url({ state: stateOf(longestState) })));
    const password = pageOf(await agent.answer(first, { username: 'bob' }));
    const shown = pageOf(await agent.answer(password, { password: 'wrong' }));
    expect(shown.html).toContain('We could not sign you in.');
    const before = await rowCounts(provider, ['audit_events']);
    expect(pageOf(await agent.answer(password, { password: 'wrong' })).html).toBe(shown.html);
    expect(await rowCounts(provider, ['audit_events'])).toEqual(before);
  });

  test('a state longer than the limit is refused at the client, not cut', async () => {
    const opened = await new UserAgent().open(url({ state: stateOf(longestState + 1) }));
    expect(isPage(opened) ? opened.status : opened.searchParams.get('error')).toBe('invalid_request');
  });
});

describe('response_mode=form_post', () => {
  const formPost = { response_mode: 'form_post' };

  function fieldsOf(page: Shown): URL {
    expect(screenOf(page)).toBe('form_post');
    expect(page.html).toContain(`action="${callback}"`);
    return new URL(`${callback}?${new URLSearchParams(page.hidden)}`);
  }

  test('the answer is a form that posts itself to the client, by GET, and a reload gives the same', async () => {
    const agent = new UserAgent();
    const consent = await reach(agent, url(formPost), 'consent');
    const response = await agent.submit(consent, { decision: 'allow' });
    expect(response.status).toBe(303);
    const page = await agent.page(response.headers.get('location') ?? '');
    const fields = fieldsOf(page);
    expect(fields.searchParams.get('state')).toBe('a state');
    expect(fields.searchParams.get('iss')).toBe(provider.issuer);
    expect(sessionCookieOf(agent)).toBeDefined();
    expect((await agent.page(page.url)).hidden).toEqual(page.hidden);
    expect(pageOf(await agent.answer(consent, { decision: 'allow' })).hidden).toEqual(page.hidden);
    expect((await redeemCode(provider, fields)).status).toBe(200);
  });

  test('a silent sign-in and an error come the same way', async () => {
    const { agent } = await signedInAgent(provider);
    const silent = fieldsOf(pageOf(await agent.open(authorizeUrl(provider.issuer, formPost))));
    expect((await redeemCode(provider, silent)).status).toBe(200);
    const unknown = new UserAgent();
    const refused = fieldsOf(
      pageOf(await unknown.open(authorizeUrl(provider.issuer, { ...formPost, prompt: 'none' }))),
    );
    expect(refused.searchParams.get('error')).toBe('login_required');
    expect(refused.searchParams.get('code')).toBeNull();
    const denied = await reach(unknown, url(formPost), 'consent');
    const denial = fieldsOf(pageOf(await unknown.answer(denied, { decision: 'deny' })));
    expect(denial.searchParams.get('error')).toBe('access_denied');
  });

  test('with a request by POST that is too large, too', async () => {
    const state = stateOf(longestState);
    const agent = new UserAgent();
    let page = pageOf(await agent.open(await locationOf(await postAuthorize({ ...asking, ...formPost, state }))));
    while (screenOf(page) !== 'form_post') page = pageOf(await agent.answer(page, entryFor(screenOf(page), alice)));
    expect(fieldsOf(page).searchParams.get('state')).toBe(state);
  });
});

describe('consent', () => {
  const spa = { client_id: 'demo-spa', ...challenge };

  test('of a public client on loopback is asked for each time, remembered or not (RFC 8252 §8.6)', async () => {
    const { agent } = await signedInAgent(provider, alice, { ...spa, prompt: '' });
    const again = pageOf(await agent.open(authorizeUrl(provider.issuer, spa)));
    expect(screenOf(again)).toBe('consent');
    const silent = redirectOf(await agent.open(authorizeUrl(provider.issuer, { ...spa, prompt: 'none' })));
    expect(silent.searchParams.get('error')).toBe('consent_required');
    expect((await redeemCode(provider, await finish(agent, again), 'demo-spa')).status).toBe(200);
  });

  test('to more than was allowed before is asked for', async () => {
    const { agent } = await signedInAgent(provider);
    const at = await agent.open(authorizeUrl(provider.issuer, { scope: 'openid profile email address' }));
    expect(screenOf(pageOf(at))).toBe('consent');
  });
});
