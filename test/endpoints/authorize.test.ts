import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bob,
  claimsOf,
  codeOf,
  fail,
  type Parameters,
  redeem,
  redirectUri,
  spaOf,
  tokensFor,
  tokensOf,
  webOf,
} from './relying_party.ts';

let provider: Provider;
/** Signed in once, for the tests that leave it so. */
let steady: Awaited<ReturnType<typeof signedIn>>;

beforeAll(async () => {
  provider = await startProvider();
  steady = await signedIn();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const url = (parameters: Parameters = {}): string => authorizeUrl(webOf(provider), parameters);
const asPage = (opened: Shown | URL): Shown => (opened instanceof URL ? fail(`sent to ${opened.href}`) : opened);
const asRedirect = (opened: Shown | URL): URL => (opened instanceof URL ? opened : fail(`shown "${opened.title}"`));

/** A browser in which alice is signed in and has allowed demo-web `openid`. */
async function signedIn() {
  const browser = new UserAgent();
  const first = claimsOf((await tokensFor(webOf(provider), alice, {}, browser)).idToken);
  return { browser, first };
}

/** What the ID token of a silent request in this browser says. */
async function silently(browser: UserAgent, parameters: Parameters = {}) {
  const back = asRedirect(await browser.open(url(parameters)));
  return claimsOf((await tokensOf(await redeem(webOf(provider), codeOf(back)))).idToken);
}

const errorOf = (opened: Shown | URL): string | null => asRedirect(opened).searchParams.get('error');

describe('the answer (RFC 6749 §4.1.2, RFC 9207)', () => {
  test.each([
    ['plain', 'a state'],
    ['of 128 characters', 'x'.repeat(128)],
    ['of 1000 characters', '~'.repeat(1000)],
    ['of characters that mean something in a URL', 'a+b c&d=e#f?g/h%2f"<>ä\u{1f600}'],
  ])('a state that is %s comes back byte by byte, with code and issuer and nothing else', async (_, state) => {
    const { browser } = steady;
    const back = asRedirect(await browser.open(url({ state })));
    expect([...back.searchParams.keys()]).toEqual(['code', 'state', 'iss']);
    expect(back.searchParams.get('state')).toBe(state);
    expect(back.searchParams.get('iss')).toBe(provider.issuer);
  });

  test('an error names state and issuer too', async () => {
    const back = asRedirect(await new UserAgent().open(url({ prompt: 'none', state: 'a state' })));
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: 'login_required',
      error_description: expect.stringMatching(/^[ !#-[\]-~]+$/),
      state: 'a state',
      iss: provider.issuer,
    });
  });

  test('without a state there is none', async () => {
    const { browser } = steady;
    expect(asRedirect(await browser.open(url())).searchParams.has('state')).toBe(false);
  });
});

describe('by POST (OIDC Core §3.1.2.1)', () => {
  const postedFrom = (browser: UserAgent, parameters: Parameters) => {
    const target = new URL(url(parameters));
    return browser.fetch(`${target.origin}${target.pathname}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: target.search.slice(1),
    });
  };

  test('goes on at the run by GET, and no cookie is set by an answer to a foreign site’s form', async () => {
    const response = await postedFrom(new UserAgent(), {});
    expect(response.status).toBe(303);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(response.headers.get('location')).toStartWith(`${provider.issuer}/run/`);
  });

  test('ends like one by GET', async () => {
    const { browser, first } = steady;
    // A cross-site POST carries no Lax cookie; the redirect after it does.
    const response = await postedFrom(new UserAgent(), { state: 'a state' });
    const back = asRedirect(await browser.open(response.headers.get('location') ?? ''));
    expect(back.searchParams.get('state')).toBe('a state');
    expect(claimsOf((await tokensOf(await redeem(webOf(provider), codeOf(back)))).idToken)['sub']).toBe(
      String(first['sub']),
    );
  });
});

describe('response_mode=form_post', () => {
  const fieldsOf = ({ hidden }: Shown) => hidden;

  test('a code is posted by a page that may post there and nowhere else', async () => {
    const { browser } = steady;
    const page = asPage(await browser.open(url({ response_mode: 'form_post', state: '"a" <state>' })));
    expect(page.html).toContain(`action="${redirectUri}"`);
    expect(fieldsOf(page)).toEqual({ code: expect.any(String), state: '"a" <state>', iss: provider.issuer });
    expect(page.headers.get('content-security-policy')).toContain(`form-action 'self' ${new URL(redirectUri).origin}`);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect((await redeem(webOf(provider), fieldsOf(page)['code'] ?? '')).status).toBe(200);
  });

  test.each([
    ['of the request', { prompt: 'maybe' }, 'invalid_request'],
    ['of the run', { prompt: 'none' }, 'login_required'],
  ])('an error %s is posted too', async (_, parameters: Parameters, error) => {
    const page = asPage(await new UserAgent().open(url({ response_mode: 'form_post', state: 's', ...parameters })));
    expect(fieldsOf(page)).toEqual({ error, error_description: expect.any(String), state: 's', iss: provider.issuer });
  });
});

describe('who is signed in already', () => {
  test('goes on silently, as the same subject since the same time', async () => {
    const { browser, first } = steady;
    const { sub, auth_time, sid } = first;
    expect(await silently(browser)).toMatchObject({ sub, auth_time, sid });
    expect(await silently(browser, { prompt: 'none' })).toMatchObject({ sub, auth_time, sid });
  });

  test('must sign in anew for prompt=login, and is then signed in since later', async () => {
    const { browser, first } = await signedIn();
    expect(asPage(await browser.open(url({ prompt: 'login' }))).html).toMatch(/id="(username|password)"/);
    await provider.shiftClock(5);
    const again = claimsOf((await tokensFor(webOf(provider), alice, { prompt: 'login' }, browser)).idToken);
    expect(again['sub']).toBe(String(first['sub']));
    expect(Number(again['auth_time'])).toBeGreaterThan(Number(first['auth_time']));
  });

  test('must sign in anew where max_age is over, and not before', async () => {
    const { browser, first } = steady;
    await provider.shiftClock(5);
    expect(await silently(browser, { max_age: '10000' })).toMatchObject({ auth_time: first['auth_time'] });
    expect(errorOf(await browser.open(url({ max_age: '1', prompt: 'none' })))).toBe('login_required');
    const again = claimsOf((await tokensFor(webOf(provider), alice, { max_age: '1' }, browser)).idToken);
    expect(Number(again['auth_time'])).toBeGreaterThan(Number(first['auth_time']));
  });

  test('is asked for consent again by prompt=consent, and may say no', async () => {
    const { browser } = steady;
    const page = asPage(await browser.open(url({ prompt: 'consent', state: 's' })));
    expect(page.html).toContain('id="allow"');
    const back = asRedirect(await browser.answer(page, { decision: 'deny' }));
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'access_denied', state: 's' });
    expect(back.searchParams.has('code')).toBe(false);
  });

  test('is asked for a scope not allowed yet: consent_required with prompt=none', async () => {
    const { browser } = steady;
    expect(errorOf(await browser.open(url({ scope: 'openid email', prompt: 'none' })))).toBe('consent_required');
    expect(asPage(await browser.open(url({ scope: 'openid email' }))).html).toContain('id="allow"');
  });

  test('is always asked by a public client on a loopback address (RFC 8252 §8.6)', async () => {
    const browser = new UserAgent();
    await authorize(spaOf(provider), alice, {}, browser);
    const silent = await browser.open(authorizeUrl(spaOf(provider), { prompt: 'none' }));
    expect(errorOf(silent)).toBe('consent_required');
  });
});

describe('whom the request names', () => {
  test('by id_token_hint: the one signed in goes on silently, anyone else is login_required', async () => {
    const browser = new UserAgent();
    const { idToken } = await tokensFor(webOf(provider), alice, {}, browser);
    expect(await silently(browser, { prompt: 'none', id_token_hint: idToken })).toMatchObject({
      sub: claimsOf(idToken)['sub'],
    });
    const ofBob = (await tokensFor(webOf(provider), bob)).idToken;
    expect(errorOf(await browser.open(url({ prompt: 'none', id_token_hint: ofBob })))).toBe('login_required');
    await provider.shiftClock(601);
    expect(await silently(browser, { prompt: 'none', id_token_hint: idToken })).toHaveProperty('sub');
  });

  test('by the claim sub: likewise (OIDC Core §5.5.1)', async () => {
    const { browser, first } = steady;
    const claims = (value: unknown) => JSON.stringify({ id_token: { sub: { value } } });
    expect(await silently(browser, { prompt: 'none', claims: claims(first['sub']) })).toHaveProperty('sub');
    const stranger = claims('0190f3a4-0000-7000-8000-000000000000');
    expect(errorOf(await browser.open(url({ prompt: 'none', claims: stranger })))).toBe('login_required');
  });

  test('by login_hint: it stands in the field', async () => {
    const page = await new UserAgent().page(url({ login_hint: 'buffy@slayers.example' }));
    expect(page.html).toMatch(/<input[^>]*value="buffy@slayers\.example"/);
  });
});

describe('what changes nothing but the page, or nothing', () => {
  test.each([
    ['de', 'de'],
    ['se de', 'de'],
    ['se', 'en'],
    ['EN-us', 'en'],
  ])('ui_locales=%s gives %s', async (ui_locales, language) => {
    expect((await new UserAgent().page(url({ ui_locales }))).headers.get('content-language')).toBe(language);
  });

  test.each([
    ['claims_locales', 'se'],
    ['display', 'popup'],
    ['display', 'page'],
    ['extra', 'foobar'],
    ['login_hint', 'alice'],
    ['scope', 'openid'],
  ])('%s=%s succeeds', async (name, value) => {
    const { browser } = steady;
    expect(await silently(browser, { [name]: value })).toHaveProperty('sub');
  });

  test('acr_values: what was reached is told, and another is no obstacle', async () => {
    const { browser } = steady;
    for (const acr_values of ['urn:limen:acr:password', '1 2', '1 urn:limen:acr:password']) {
      expect(await silently(browser, { acr_values })).toMatchObject({ acr: 'urn:limen:acr:password' });
    }
  });

  test('an essential acr that nothing reaches is refused, and the client told why', async () => {
    const claims = '{"id_token":{"acr":{"essential":true,"value":"urn:example:hardware"}}}';
    const back = await authorize(webOf(provider), alice, { claims });
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'unmet_authentication_requirements' });
    expect(back.searchParams.has('code')).toBe(false);
  });
});
