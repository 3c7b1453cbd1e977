import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import { alice, authorizeUrl, claimsOf, fail, refresh, spaOf, tokensFor, userinfo, webOf } from './relying_party.ts';

let provider: Provider;
/** Signed in once, for the tests whose point is that it stays so. */
let steady: Awaited<ReturnType<typeof signedIn>>;

beforeAll(async () => {
  provider = await startProvider();
  steady = await signedIn();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const signedOutUri = 'http://127.0.0.1:4020/signed-out';

const logoutUrl = (parameters: { readonly [name: string]: string }): string =>
  `${provider.issuer}/logout?${new URLSearchParams(parameters)}`;

/** A browser in which alice is signed in at demo-web. */
async function signedIn() {
  const browser = new UserAgent();
  return { browser, tokens: await tokensFor(webOf(provider), alice, {}, browser) };
}

/** Whether the browser still signs in silently. */
async function isSignedIn(browser: UserAgent): Promise<boolean> {
  const back = await browser.open(authorizeUrl(webOf(provider), { prompt: 'none' }));
  if (!(back instanceof URL)) return fail('a page was shown with prompt=none');
  return back.searchParams.get('error') !== 'login_required';
}

const asPage = (opened: Shown | URL): Shown => (opened instanceof URL ? fail(`sent to ${opened.href}`) : opened);
const asks = ({ html, status }: Shown): boolean => status === 200 && html.includes('value="sign_out"');
const saysSignedOut = ({ html, status }: Shown): boolean => status === 200 && html.includes('id="signed-out"');

describe('with a hint of this browser’s session (RP-Initiated Logout §2, §3)', () => {
  test('signs out unasked and sends to the registered address with the state, byte by byte, and nothing else', async () => {
    const { browser, tokens } = await signedIn();
    const state = 'ä + & = % ~ "';
    const response = await browser.fetch(
      logoutUrl({ id_token_hint: tokens.idToken, post_logout_redirect_uri: signedOutUri, state }),
    );
    expect(response.status).toBe(303);
    const location = new URL(response.headers.get('location') ?? '');
    expect(location.origin + location.pathname).toBe(signedOutUri);
    expect([...location.searchParams]).toEqual([['state', state]]);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('without state sends none', async () => {
    const { browser, tokens } = await signedIn();
    const back = await browser.open(
      logoutUrl({ id_token_hint: tokens.idToken, post_logout_redirect_uri: signedOutUri }),
    );
    expect(back instanceof URL && back.href).toBe(signedOutUri);
  });

  test('without an address to return to shows that it is done', async () => {
    const { browser, tokens } = await signedIn();
    expect(saysSignedOut(await browser.page(logoutUrl({ id_token_hint: tokens.idToken })))).toBe(true);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('takes a hint that has expired, and client_id beside it', async () => {
    const { browser, tokens } = await signedIn();
    await provider.shiftClock(601);
    const back = await browser.open(
      logoutUrl({ id_token_hint: tokens.idToken, client_id: 'demo-web', post_logout_redirect_uri: signedOutUri }),
    );
    expect(back instanceof URL && back.href).toBe(signedOutUri);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('by a POST from the application’s site, which carries no cookie: the same as by GET', async () => {
    const { browser, tokens } = await signedIn();
    const fields = { id_token_hint: tokens.idToken, post_logout_redirect_uri: signedOutUri, state: 'a state' };
    // SameSite=Lax keeps the cookies of a cross-site POST back.
    const posted = await new UserAgent().fetch(`${provider.issuer}/logout`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams(fields).toString(),
    });
    expect(posted.status).toBe(303);
    expect(posted.headers.getSetCookie()).toEqual([]);
    const back = await browser.open(posted.headers.get('location') ?? '');
    expect(back instanceof URL && back.href).toBe(`${signedOutUri}?state=a%20state`);
    expect(await isSignedIn(browser)).toBe(false);
    expect((await userinfo(webOf(provider), tokens.accessToken)).status).toBe(401);
  });

  test('ends what the session carried, but not what was granted for offline use', async () => {
    const browser = new UserAgent();
    const online = await tokensFor(webOf(provider), alice, {}, browser);
    const offline = await tokensFor(webOf(provider), alice, { scope: 'openid offline_access' }, browser);
    await browser.open(logoutUrl({ id_token_hint: online.idToken }));
    expect((await userinfo(webOf(provider), online.accessToken)).status).toBe(401);
    expect((await refresh(webOf(provider), online.refreshToken)).status).toBe(400);
    expect((await refresh(webOf(provider), offline.refreshToken)).status).toBe(200);
  });
});

describe('without being sure, it asks and redirects nowhere', () => {
  test.each([
    ['no parameters', {}],
    ['a state alone', { state: 'a state' }],
    ['an address without a hint', { post_logout_redirect_uri: signedOutUri }],
    ['an address and a client without a hint', { client_id: 'demo-web', post_logout_redirect_uri: signedOutUri }],
    ['a hint that is none', { id_token_hint: 'x.y.z', post_logout_redirect_uri: signedOutUri }],
  ])('%s', async (_, parameters: { readonly [name: string]: string }) => {
    const { browser } = steady;
    expect(asks(await browser.page(logoutUrl(parameters)))).toBe(true);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test('a hint whose signature was taken off, or is of others', async () => {
    const { browser, tokens } = steady;
    const [header = '', payload = '', signature = ''] = tokens.idToken.split('.');
    const unsigned = Buffer.from('{"alg":"none"}').toString('base64url');
    const forged = [`${unsigned}.${payload}.`, `${header}.${payload}.${signature.split('').reverse().join('')}`];
    for (const id_token_hint of [...forged, tokens.accessToken]) {
      const page = await browser.page(logoutUrl({ id_token_hint, post_logout_redirect_uri: signedOutUri }));
      expect(asks(page)).toBe(true);
    }
    expect(await isSignedIn(browser)).toBe(true);
  });

  test('a hint of another session of the same person', async () => {
    const [{ browser }, other] = [steady, await signedIn()];
    const url = logoutUrl({ id_token_hint: other.tokens.idToken, post_logout_redirect_uri: signedOutUri });
    expect(asks(await browser.page(url))).toBe(true);
    expect([await isSignedIn(browser), await isSignedIn(other.browser)]).toEqual([true, true]);
  });

  test('where nobody is signed in, it says so', async () => {
    expect(saysSignedOut(await new UserAgent().page(logoutUrl({})))).toBe(true);
  });
});

describe('the question', () => {
  const otherSession = async () => {
    const [{ browser }, other] = [await signedIn(), await signedIn()];
    const url = logoutUrl({
      id_token_hint: other.tokens.idToken,
      post_logout_redirect_uri: signedOutUri,
      state: 'a state',
    });
    return { browser, page: await browser.page(url) };
  };

  test('answered with yes signs out and goes where the request said', async () => {
    const { browser, page } = await otherSession();
    const back = await browser.answer({ ...page, url: `${provider.issuer}/logout` }, { decision: 'sign_out' });
    expect(back instanceof URL && back.href).toBe(`${signedOutUri}?state=a%20state`);
    expect(await isSignedIn(browser)).toBe(false);
  });

  test('answered with no leaves everything as it is', async () => {
    const { browser, page } = await otherSession();
    const answered = asPage(await browser.answer({ ...page, url: `${provider.issuer}/logout` }, { decision: 'stay' }));
    expect(saysSignedOut(answered)).toBe(false);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test.each([
    ['from another site', { 'sec-fetch-site': 'cross-site' }, {}],
    ['from a sister site', { 'sec-fetch-site': 'same-site' }, {}],
    ['by a browser that says nothing of where it comes from', { 'sec-fetch-site': '' }, {}],
    ['with a token made up', { 'sec-fetch-site': 'same-origin' }, { token: 'A'.repeat(22) }],
    ['without its token', { 'sec-fetch-site': 'same-origin' }, { token: '' }],
  ])('answered %s signs nobody out', async (_, headers: { readonly [name: string]: string }, fields) => {
    const { browser } = steady;
    const page = await browser.page(logoutUrl({}));
    const response = await browser.fetch(`${provider.issuer}/logout`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ ...page.hidden, decision: 'sign_out', ...fields }).toString(),
    });
    expect(response.headers.getSetCookie().filter((cookie) => cookie.includes('.session='))).toEqual([]);
    expect(await isSignedIn(browser)).toBe(true);
  });

  test('answered with another browser’s token signs nobody out', async () => {
    const [{ browser }, other] = [steady, await signedIn()];
    const page = await browser.page(logoutUrl({}));
    const foreign = await other.browser.page(logoutUrl({}));
    await browser.submit({ ...page, url: `${provider.issuer}/logout` }, { ...foreign.hidden, decision: 'sign_out' });
    expect([await isSignedIn(browser), await isSignedIn(other.browser)]).toEqual([true, true]);
  });
});

describe('the session’s name in ID tokens (Front-Channel Logout §3)', () => {
  test('is one for all tokens of a client in a browser, and another for each client', async () => {
    const browser = new UserAgent();
    const sid = async (party: ReturnType<typeof webOf>) =>
      claimsOf((await tokensFor(party, alice, {}, browser)).idToken)['sid'];
    const [first, second, spa] = [await sid(webOf(provider)), await sid(webOf(provider)), await sid(spaOf(provider))];
    expect(second).toBe(first ?? fail('no sid'));
    expect(spa).not.toBe(first);
  });
});
