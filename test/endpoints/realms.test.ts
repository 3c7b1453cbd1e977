import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, type SignIn, UserAgent } from '../user_agent.ts';
import { enableRealm, until } from './operator.ts';
import {
  acmeOf,
  alice,
  authorize,
  authorizeUrl,
  bodyOf,
  carol,
  claimsOf,
  codeOf,
  fail,
  type Party,
  post,
  postAs,
  redeem,
  refresh,
  type Tokens,
  tokensFor,
  userinfo,
  webOf,
} from './relying_party.ts';

let provider: Provider;

/** One realm with everything it has given out. */
type Side = {
  readonly party: Party;
  readonly slug: string;
  readonly user: SignIn;
  readonly browser: UserAgent;
  readonly tokens: Tokens;
  readonly code: string;
  /** A run that waits for a password, in a browser of its own. */
  readonly waiting: { readonly browser: UserAgent; readonly page: Shown };
};

let sides: { readonly main: Side; readonly acme: Side };

async function sideOf(party: Party, slug: string, user: SignIn): Promise<Side> {
  const browser = new UserAgent();
  const tokens = await tokensFor(party, user, {}, browser);
  const waiting = new UserAgent();
  const page = await waiting.answer(await waiting.page(authorizeUrl(party)), { username: user.username });
  if (page instanceof URL) return fail('a run went on without a password');
  const code = codeOf(await authorize(party, user, {}, browser));
  return { party, slug, user, browser, tokens, code, waiting: { browser: waiting, page } };
}

beforeAll(async () => {
  provider = await startProvider();
  sides = {
    main: await sideOf(webOf(provider), 'main', alice),
    acme: await sideOf(acmeOf(provider), 'acme', carol),
  };
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const refused = async (response: Response) => ({ status: response.status, error: (await bodyOf(response))['error'] });
const invalidGrant = { status: 400, error: 'invalid_grant' };
const invalidClient = { status: 401, error: 'invalid_client' };

/** A browser with the cookies of another, each under the name that it has in the realm `to`. */
function disguised(from: UserAgent, fromSlug: string, toSlug: string): UserAgent {
  const browser = new UserAgent();
  for (const [name, value] of from.cookies) browser.cookies.set(name.replace(`.${fromSlug}.`, `.${toSlug}.`), value);
  return browser;
}

const isSignedIn = async (browser: UserAgent, party: Party): Promise<boolean> => {
  const back = await browser.open(authorizeUrl(party, { prompt: 'none' }));
  return back instanceof URL && back.searchParams.has('code');
};

describe.each([
  ['main', 'acme'],
  ['acme', 'main'],
] as const)('what %s gave is unknown in %s', (from, to) => {
  const given = () => sides[from];
  const taker = () => sides[to];

  test('a code, also to a client of the same name and secret', async () => {
    expect(await refused(await redeem(taker().party, given().code))).toEqual(invalidGrant);
  });

  test('a client and its secret, at every endpoint where clients authenticate', async () => {
    const stranger = { ...given().party, issuer: taker().party.issuer };
    for (const path of ['/token', '/introspect', '/revoke']) {
      expect(await refused(await postAs(stranger, path, { grant_type: 'x', token: 'x' }))).toEqual(invalidClient);
    }
    const page = await new UserAgent().page(authorizeUrl(stranger));
    expect({ status: page.status, isError: page.html.includes('id="error"') }).toEqual({ status: 400, isError: true });
  });

  test('a refresh token: refused, inactive, not revoked', async () => {
    const { refreshToken } = given().tokens;
    expect(await refused(await refresh(taker().party, refreshToken))).toEqual(invalidGrant);
    expect(await bodyOf(await postAs(taker().party, '/introspect', { token: refreshToken }))).toEqual({
      active: false,
    });
    expect((await postAs(taker().party, '/revoke', { token: refreshToken })).status).toBe(200);
  });

  test('an access token: refused at userinfo in each way, inactive, not revoked', async () => {
    const { accessToken } = given().tokens;
    const url = `${taker().party.issuer}/userinfo`;
    const answers = [
      await userinfo(taker().party, accessToken),
      await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${accessToken}` } }),
      await post(url, { access_token: accessToken }),
    ];
    for (const answer of answers) expect(await refused(answer)).toEqual({ status: 401, error: 'invalid_token' });
    expect(await bodyOf(await postAs(taker().party, '/introspect', { token: accessToken }))).toEqual({ active: false });
    expect((await postAs(taker().party, '/revoke', { token: accessToken })).status).toBe(200);
  });

  test('an ID token as a hint, at /authorize and at /logout', async () => {
    const hint = { id_token_hint: given().tokens.idToken };
    const back = await taker().browser.open(authorizeUrl(taker().party, { prompt: 'none', ...hint }));
    expect(back instanceof URL && back.searchParams.get('error')).toBe('invalid_request');
    const query = new URLSearchParams({ ...hint, post_logout_redirect_uri: 'http://127.0.0.1:4020/signed-out' });
    const page = await taker().browser.page(`${taker().party.issuer}/logout?${query}`);
    expect(page.html).toContain('value="sign_out"');
    expect(await isSignedIn(taker().browser, taker().party)).toBe(true);
  });

  test('a session cookie, under its own name and under the name it has there', async () => {
    expect(await isSignedIn(given().browser, taker().party)).toBe(false);
    expect(await isSignedIn(disguised(given().browser, given().slug, taker().slug), taker().party)).toBe(false);
    expect(await isSignedIn(disguised(taker().browser, 'none', 'none'), taker().party)).toBe(true);
  });

  test('a session cookie signs nobody out there', async () => {
    const thief = disguised(given().browser, given().slug, taker().slug);
    const page = await thief.page(`${taker().party.issuer}/logout`);
    expect(page.html).toContain('id="signed-out"');
    expect(await isSignedIn(given().browser, given().party)).toBe(true);
  });

  test('a run, by its handle: nothing of it is shown', async () => {
    const { browser, page } = given().waiting;
    const handle = page.url.split('/').at(-1);
    const url = `${taker().party.issuer}/run/${handle}`;
    for (const agent of [browser, disguised(browser, given().slug, taker().slug), taker().browser]) {
      const shown = await agent.page(url);
      expect(shown.status).toBe(404);
      expect(shown.html).not.toContain(given().user.username);
    }
  });

  test('a stored run, by its id', async () => {
    // After the password, before the consent: the run has a row.
    const browser = new UserAgent();
    let at = await browser.open(authorizeUrl(given().party, { prompt: 'login consent' }));
    if (!(at instanceof URL)) at = await browser.answer(at, { username: given().user.username });
    if (!(at instanceof URL)) at = await browser.answer(at, { password: given().user.password });
    if (at instanceof URL || !at.html.includes('id="allow"')) return fail('no question for consent');
    const url = `${taker().party.issuer}/run/${at.url.split('/').at(-1)}`;
    for (const agent of [browser, disguised(browser, given().slug, taker().slug)]) {
      expect((await agent.page(url)).status).toBe(404);
    }
    expect((await browser.page(at.url)).html).toContain('id="allow"');
  });

  test('a form token and a binding cookie: the submit moves nothing', async () => {
    const own = taker().waiting;
    const foreign = given().waiting;
    const before = await own.browser.page(own.page.url);
    const answered = await own.browser.submit(before, {
      ...before.hidden,
      token: foreign.page.hidden['token'] ?? fail('no form token'),
      password: taker().user.password,
    });
    expect(answered.headers.get('location')).toBe(own.page.url);
    const impostor = disguised(foreign.browser, given().slug, taker().slug);
    const thieved = await impostor.submit(before, { ...before.hidden, password: taker().user.password });
    expect(thieved.headers.get('location')).toStartWith(`${taker().party.issuer}/run/`);
    expect(thieved.headers.getSetCookie().filter((cookie) => cookie.includes('.session='))).toEqual([]);
  });

  test('a user and the password', async () => {
    const browser = new UserAgent();
    let at = await browser.open(authorizeUrl(taker().party));
    if (!(at instanceof URL)) at = await browser.answer(at, { username: given().user.username });
    if (!(at instanceof URL)) at = await browser.answer(at, { password: given().user.password });
    expect(at instanceof URL ? at.href : at.html).toContain('id="error"');
    expect([...browser.cookies.keys()].filter((name) => name.endsWith('.session'))).toEqual([]);
  });

  test('a subject', async () => {
    const value = claimsOf(given().tokens.idToken)['sub'];
    const claims = JSON.stringify({ id_token: { sub: { value } } });
    const back = await taker().browser.open(authorizeUrl(taker().party, { prompt: 'none', claims }));
    expect(back instanceof URL && back.searchParams.get('error')).toBe('login_required');
  });
});

describe('after all of it', () => {
  test.each(['main', 'acme'] as const)('what %s gave still counts at home', async (realm) => {
    const { party, code, tokens, browser, waiting, user } = sides[realm];
    expect((await redeem(party, code)).status).toBe(200);
    expect((await userinfo(party, tokens.accessToken)).status).toBe(200);
    expect(await bodyOf(await postAs(party, '/introspect', { token: tokens.refreshToken }))).toMatchObject({
      active: true,
    });
    expect((await refresh(party, tokens.refreshToken)).status).toBe(200);
    expect(await isSignedIn(browser, party)).toBe(true);
    const page = await waiting.browser.page(waiting.page.url);
    const next = await waiting.browser.answer(page, { password: user.password });
    expect(next instanceof URL ? next.searchParams.has('code') : next.html.includes('id="allow"')).toBe(true);
  });
});

describe('a realm has one issuer', () => {
  const paths = [
    '/.well-known/openid-configuration',
    '/jwks',
    '/authorize',
    '/run/x',
    '/token',
    '/userinfo',
    '/introspect',
    '/revoke',
    '/logout',
  ];
  const statusOf = async (prefix: string, path: string): Promise<number> => {
    const isPost = ['/token', '/introspect', '/revoke'].includes(path);
    return (await fetch(provider.issuer + prefix + path, { method: isPost ? 'POST' : 'GET', redirect: 'manual' }))
      .status;
  };

  test.each(paths)('the default realm’s %s is not below its slug as well', async (path) => {
    expect(await statusOf('/realms/main', path)).toBe(404);
  });

  test('a realm that is disabled is nowhere, and back when it is enabled', async () => {
    await enableRealm(provider, 'acme', false);
    await until(async () => (await statusOf('/realms/acme', '/jwks')) === 404);
    for (const path of paths) expect([path, await statusOf('/realms/acme', path)]).toEqual([path, 404]);
    expect((await fetch(`${provider.issuer}/.well-known/oauth-authorization-server/realms/acme`)).status).toBe(404);
    expect((await userinfo(sides.acme.party, sides.acme.tokens.accessToken)).status).toBe(404);
    expect(await statusOf('', '/jwks')).toBe(200);
    await enableRealm(provider, 'acme', true);
    await until(async () => (await statusOf('/realms/acme', '/jwks')) === 200);
    expect((await userinfo(sides.acme.party, sides.acme.tokens.accessToken)).status).toBe(200);
  });
});
