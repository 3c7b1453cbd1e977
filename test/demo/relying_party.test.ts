import { afterEach, describe, expect, test } from 'bun:test';
import { startRelyingParty } from '../../src/demo/relying_party/index.ts';
import { decodeToken } from '../../src/demo/relying_party/token_view.ts';
import { createTestProvider, type Flaw, issuer, secret, type TestProvider } from './relying_party_provider.ts';

type Page = {
  readonly status: number;
  readonly location: string | null;
  readonly html: string;
  readonly headers: Headers;
};
type Browser = {
  readonly cookie: () => string;
  get(path: string): Promise<Page>;
  /** Presses a button of a page, by id; does not follow the redirect. */
  press(page: Page, id: string): Promise<Page>;
};

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(): Promise<{ provider: TestProvider; url: string }> {
  const provider = await createTestProvider();
  const started = await startRelyingParty({
    port: 0,
    hostname: '127.0.0.1',
    issuer,
    client: { client_id: 'demo-web', client_secret: secret },
    publicClient: { client_id: 'demo-spa' },
    users: [{ username: 'alice', password: 'alice-password' }],
    fetch: provider.fetch,
  });
  if (!started.ok) throw new Error(started.error);
  stops.push(started.value.stop);
  return { provider, url: started.value.url };
}

function openBrowser(url: string): Browser {
  let cookie = '';
  const visit = async (path: string, init: RequestInit): Promise<Page> => {
    const response = await fetch(`${url}${path}`, { ...init, headers: { cookie }, redirect: 'manual' });
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    const { status, headers } = response;
    return { status, headers, location: headers.get('location'), html: await response.text() };
  };
  return {
    cookie: () => cookie,
    get: (path) => visit(path, {}),
    press(page, id) {
      const forms = page.html.split('<form ').map((rest) => rest.split('</form>')[0] ?? '');
      const form = forms.find((candidate) => candidate.includes(`id="${id}"`)) ?? '';
      const body = new URLSearchParams();
      for (const [, name = '', value = ''] of form.matchAll(/name="([^"]*)" value="([^"]*)"/g)) body.set(name, value);
      return visit(/action="([^"]*)"/.exec(form)?.[1] ?? `/no-button-${id}`, { method: 'POST', body });
    },
  };
}

/** The text inside the element of this id, `null` if there is none. */
function textOf({ html }: Page, id: string): string | null {
  let text: string | null = null;
  new HTMLRewriter()
    .on(`#${id}`, {
      element: () => {
        text = '';
      },
    })
    .on(`#${id}, #${id} *`, {
      text: (chunk) => {
        text = (text ?? '') + chunk.text;
      },
    })
    .transform(html);
  return text;
}

async function begin(browser: Browser, button = 'sign-in'): Promise<URL> {
  const { location } = await browser.press(await browser.get('/'), button);
  return new URL(location ?? 'no redirect to the provider');
}

async function signIn(browser: Browser, provider: TestProvider, button = 'sign-in'): Promise<Page> {
  const answer = provider.authorize(await begin(browser, button));
  expect(await browser.get(`/callback?${answer}`)).toMatchObject({ status: 303, location: '/' });
  return await browser.get('/');
}

/** Presses the buttons one after the other, each on the page that the one before led to. */
async function pressAll(browser: Browser, ...ids: readonly string[]): Promise<Page> {
  for (const id of ids)
    expect(await browser.press(await browser.get('/'), id)).toMatchObject({ status: 303, location: '/' });
  return await browser.get('/');
}

const generations = ({ html }: Page): number[] =>
  [...html.matchAll(/data-generation="(\d+)"/g)].map(([, n]) => Number(n));

describe('signing in', () => {
  test('asks with code, PKCE S256, state and nonce, then shows what it got', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    const home = await browser.get('/');
    expect(home.headers.get('set-cookie')).toMatch(/^limen_demo_\d+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(textOf(home, 'demo-credentials')).toContain('alice-password');
    expect(Object.fromEntries((await begin(browser)).searchParams)).toMatchObject({
      response_type: 'code',
      client_id: 'demo-web',
      redirect_uri: `${url}/callback`,
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
    });
    const page = await signIn(browser, provider);
    expect(page.html).not.toContain('Alice <b>');
    expect(textOf(page, 'id-token')).toContain('user-1');
    expect(textOf(page, 'access-token')).toContain('at+jwt');
    expect(textOf(page, 'userinfo')).toContain('alice@example.test');
    expect(textOf(page, 'family-state')).toBe('alive');
    expect(generations(page)).toEqual([1]);
  });

  test('as the public client: works without a secret', async () => {
    const { provider, url } = await start();
    expect(textOf(await signIn(openBrowser(url), provider, 'sign-in-public'), 'id-token')).toContain('demo-spa');
  });

  test('changes the cookie: the one from before opens nothing', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    await browser.get('/');
    const before = browser.cookie();
    await signIn(browser, provider);
    expect(browser.cookie()).not.toBe(before);
    const stale = await (await fetch(url, { headers: { cookie: before } })).text();
    expect(stale).toContain('id="sign-in"');
    expect(stale).not.toContain('id="sign-out"');
  });

  test('in two tabs: both come back to the signed-in page', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    const [first, second] = [await begin(browser), await begin(browser)];
    for (const tab of [second, first]) {
      expect(await browser.get(`/callback?${provider.authorize(tab)}`)).toMatchObject({ status: 303, location: '/' });
    }
  });

  test('refused by the provider: shows error, description and iss as they came, again after reload, and tries again', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    const state = (await begin(browser)).searchParams.get('state') ?? '';
    const answer = new URLSearchParams({ error: 'access_denied', error_description: 'no <i>', state, iss: issuer });
    await browser.get(`/callback?${answer}`);
    const page = await browser.get(`/callback?${answer}`);
    expect(page.status).toBe(400);
    expect(textOf(page, 'error')).toBe('access_denied');
    expect(textOf(page, 'error-description')).toBe('no &lt;i&gt;');
    expect(textOf(page, 'error-issuer')).toBe(issuer);
    const again = new URL((await browser.press(page, 'try-again')).location ?? '');
    expect(await browser.get(`/callback?${provider.authorize(again)}`)).toMatchObject({ status: 303 });
  });

  const flaws: readonly (readonly [Flaw, string])[] = [
    ['signature', 'OAUTH_'],
    ['nonce', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['audience', 'OAUTH_JWT_CLAIM_COMPARISON_FAILED'],
    ['issuer', 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED'],
    ['unreachable', 'ECONNREFUSED'],
  ];
  test.each(flaws)('with a wrong %s: no sign-in, and a page that says which check failed', async (flaw, code) => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    if (flaw === 'issuer' || flaw === 'unreachable') provider.flaw = flaw;
    const begun = await browser.press(await browser.get('/'), 'sign-in');
    provider.flaw = flaw;
    const refused =
      begun.location === null ? begun : await browser.get(`/callback?${provider.authorize(new URL(begun.location))}`);
    expect(refused.status).toBe(502);
    expect(textOf(refused, 'error')).toStartWith(code);
    expect((await browser.get('/')).html).not.toContain('id="sign-out"');
    provider.flaw = null;
    expect(textOf(await signIn(browser, provider), 'family-state')).toBe('alive');
  });

  test.each(['other iss', 'no iss', 'other state', 'other browser'])('with %s: refused', async (difference) => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    const answer = provider.authorize(await begin(browser));
    if (difference === 'other iss') answer.set('iss', 'http://127.0.0.1:2');
    if (difference === 'no iss') answer.delete('iss');
    if (difference === 'other state') answer.set('state', 'x'.repeat(43));
    const receiver = difference === 'other browser' ? openBrowser(url) : browser;
    const page = await receiver.get(`/callback?${answer}`);
    expect(page.status).toBe(difference.endsWith('iss') ? 502 : 400);
    expect((await receiver.get('/')).html).not.toContain('id="sign-out"');
  });
});

describe('refreshing', () => {
  test('gives the next generation each time', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    await signIn(browser, provider);
    const page = await pressAll(browser, 'refresh', 'refresh');
    expect(generations(page)).toEqual([1, 2, 3]);
    expect(textOf(page, 'notice')).toContain('Rotated.');
    for (const token of provider.presented) expect(page.html).not.toContain(token);
  });

  test('pressed twice at once: takes turns, so no token is presented twice', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    const page = await signIn(browser, provider);
    await Promise.all([1, 2, 3, 4].map(() => browser.press(page, 'refresh')));
    expect(generations(await browser.get('/'))).toEqual([1, 2, 3, 4, 5]);
    expect(new Set(provider.presented).size).toBe(4);
  });

  test('the parent again: the same heir, no new generation, alive', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    await signIn(browser, provider);
    const page = await pressAll(browser, 'refresh', 'replay-parent');
    expect(generations(page)).toEqual([1, 2]);
    expect(textOf(page, 'notice')).toContain('The same heir again.');
    expect(textOf(page, 'family-state')).toBe('alive');
  });

  test('the parent after the leeway: refused, and the family is dead', async () => {
    const { provider, url } = await start();
    provider.leeway = false;
    const browser = openBrowser(url);
    await signIn(browser, provider);
    expect(textOf(await pressAll(browser, 'refresh', 'replay-parent'), 'family-state')).toBe('dead');
  });

  test('the oldest again: invalid_grant, then the current one too; userinfo is refused; a new sign-in lives', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    await signIn(browser, provider);
    const page = await pressAll(browser, 'refresh', 'refresh', 'replay-old');
    expect(page.html.match(/data-accepted="no"/g)).toHaveLength(2);
    expect(textOf(page, 'provider-answer')).toContain('invalid_grant');
    expect(textOf(page, 'family-state')).toBe('dead');
    expect(textOf(page, 'userinfo')).toContain('invalid_token');
    const again = new URL((await browser.press(page, 'sign-in-again')).location ?? '');
    await browser.get(`/callback?${provider.authorize(again)}`);
    expect(textOf(await browser.get('/'), 'family-state')).toBe('alive');
  });

  test('the oldest too early: says how often to refresh first and presents nothing', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    await signIn(browser, provider);
    expect(textOf(await pressAll(browser, 'replay-old'), 'notice')).toContain('Refresh 2 times first.');
    expect(provider.presented).toEqual([]);
    expect(textOf(await pressAll(browser, 'refresh', 'replay-old'), 'notice')).toContain('Refresh once more first.');
    expect(provider.presented).toHaveLength(1);
  });

  test('while the provider is away: says so and does not call the family dead', async () => {
    const { provider, url } = await start();
    const browser = openBrowser(url);
    await signIn(browser, provider);
    provider.flaw = 'unreachable';
    const page = await pressAll(browser, 'refresh');
    expect(textOf(page, 'notice')).toContain('unreachable');
    expect(textOf(page, 'family-state')).toBe('alive');
  });
});

test('signing out forgets the tokens and hands the browser to RP-initiated logout', async () => {
  const { provider, url } = await start();
  const browser = openBrowser(url);
  const { location } = await browser.press(await signIn(browser, provider), 'sign-out');
  const logout = new URL(location ?? '');
  expect(`${logout.origin}${logout.pathname}`).toBe(`${issuer}/logout`);
  expect(logout.searchParams.get('post_logout_redirect_uri')).toBe(`${url}/signed-out`);
  expect(decodeToken(logout.searchParams.get('id_token_hint') ?? '')?.claims['sub']).toBe('user-1');
  expect((await browser.get('/')).html).not.toContain('id="sign-out"');
  expect(textOf(await browser.get('/signed-out'), 'rp-signed-out')).toBe('You are signed out');
});

describe('the edge', () => {
  test('a form of another browser, or none: nothing is done', async () => {
    const { provider, url } = await start();
    const [browser, other] = [openBrowser(url), openBrowser(url)];
    const own = await signIn(browser, provider);
    const foreign = await signIn(other, provider);
    expect((await browser.press(foreign, 'refresh')).status).toBe(403);
    expect((await browser.press({ ...own, html: own.html.replaceAll('form_token', 'x') }, 'refresh')).status).toBe(403);
    expect(provider.presented).toEqual([]);
  });

  test('a wrong method, path, media type or host is refused', async () => {
    const { url } = await start();
    const ask = (path: string, init: RequestInit = {}) => fetch(`${url}${path}`, { ...init, redirect: 'manual' });
    const wrongMethod = await ask('/refresh');
    expect([wrongMethod.status, wrongMethod.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await ask('/callback', { method: 'HEAD' })).status).toBe(405);
    expect((await ask('/nothing')).status).toBe(404);
    expect((await ask('/refresh', { method: 'POST', body: '{}' })).status).toBe(415);
    const elsewhere = await ask('/callback?a=b', { headers: { host: 'localhost:9' } });
    expect([elsewhere.status, elsewhere.headers.get('location')]).toEqual([302, `${url}/callback?a=b`]);
    expect((await ask('/refresh', { method: 'POST', headers: { host: 'evil.test' } })).status).toBe(421);
  });

  test('a taken port: a sentence with the port and the option that mends it', async () => {
    const { url } = await start();
    const port = Number(new URL(url).port);
    const second = await startRelyingParty({ port, hostname: '127.0.0.1', issuer, client: { client_id: 'demo-web' } });
    expect(second.ok).toBe(false);
    expect(second.ok ? '' : second.error).toMatch(new RegExp(`port ${port} .*--rp-port`));
  });
});
