import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import {
  alice,
  authorizeUrl,
  bob,
  finish,
  pageOf,
  reach,
  redeemCode,
  rowCounts,
  screenOf,
  sessionCookieOf,
} from './run_browser.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const asking = { prompt: 'consent' };
const url = (parameters: { readonly [name: string]: string } = {}) =>
  authorizeUrl(provider.issuer, { ...asking, ...parameters });

/** Too much for a handle, and nothing that could be packed. */
const longState = encodeBase64url(randomBytes(1500));

/** Every trace that a submit could leave. */
const everyTrace = () =>
  rowCounts(provider, ['auth_sessions', 'sso_sessions', 'consents', 'audit_events', 'lockouts', 'lockout_ceilings']);

describe('another browser with the URL of a run', () => {
  test('sealed: it starts at its first screen, and nothing that was typed is shown', async () => {
    const owner = new UserAgent();
    const password = await reach(owner, url(), 'password');
    const thief = new UserAgent();
    const seen = await thief.page(password.url);
    expect(screenOf(seen)).toBe('identifier');
    expect(seen.html).not.toContain('alice');
    expect(seen.url).not.toBe(password.url);
  });

  test('sealed: both browsers may finish, each as who they are, and neither takes the run from the other', async () => {
    const owner = new UserAgent();
    const password = await reach(owner, url(), 'password');
    const thief = new UserAgent();
    const theirs = await finish(thief, await thief.page(password.url), bob);
    const mine = await finish(owner, password, alice);
    const subjects = await Promise.all(
      [theirs, mine].map(async (end) => {
        const issued = await redeemCode(provider, end);
        expect(issued.status).toBe(200);
        const userinfo = await fetch(`${provider.issuer}/userinfo`, {
          headers: { authorization: `Bearer ${issued.body['access_token']}` },
        });
        return JSON.stringify(await userinfo.json());
      }),
    );
    expect(subjects[0]).toContain('Bob Baker');
    expect(subjects[1]).toContain('Alice Adler');
  });

  test('sealed: a submit in the owner’s name from there changes nothing', async () => {
    const owner = new UserAgent();
    const password = await reach(owner, url(), 'password');
    const thief = new UserAgent();
    await thief.page(password.url);
    const before = await everyTrace();
    const at = pageOf(await thief.answer(password, { password: alice.password }));
    expect(screenOf(at)).toBe('identifier');
    expect(at.html).not.toContain('alice');
    expect(await everyTrace()).toEqual(before);
  });

  test('stored: it is told where to go on and nothing of the run, by GET and by POST', async () => {
    const owner = new UserAgent();
    const consent = await reach(owner, url(), 'consent');
    const thief = new UserAgent();
    const seen = await thief.page(consent.url);
    expect([screenOf(seen), seen.status]).toEqual(['elsewhere', 403]);
    for (const word of ['alice', 'Alice', 'Demo web application', 'profile'])
      expect(seen.html.replace(/<style>[\s\S]*<\/style>/, '')).not.toContain(word);
    const before = await everyTrace();
    const cookieless = await thief.submit(consent, { decision: 'allow' });
    expect([cookieless.status, await everyTrace()]).toEqual([400, before]);
    await thief.page(url());
    const answered = await thief.submit(consent, { decision: 'allow' });
    expect([answered.status, await everyTrace()]).toEqual([403, before]);
    expect((await redeemCode(provider, await finish(owner, consent))).status).toBe(200);
    // Also when it is over.
    const after = await thief.page(consent.url);
    expect([screenOf(after), after.headers.get('location')]).toEqual(['elsewhere', null]);
  });

  test('a consent page that a session opened is nobody else’s', async () => {
    const owner = new UserAgent();
    await finish(owner, await owner.page(url()));
    const consent = await reach(owner, url(), 'consent');
    const thief = new UserAgent();
    const seen = await thief.page(consent.url);
    expect(screenOf(seen)).toBe('identifier');
    expect(seen.html).not.toContain('alice');
  });
});

describe('a submit that is not of our page', () => {
  type Forged = { readonly headers?: { readonly [name: string]: string }; readonly token?: string | null };

  /** Posts the right password as something else than our page would. */
  async function post(agent: UserAgent, page: Shown, { headers = {}, token }: Forged): Promise<Response> {
    const { token: own = '', ...hidden } = page.hidden;
    const sent = token === undefined ? { token: own } : token === null ? {} : { token };
    return agent.fetch(page.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ ...hidden, ...sent, password: alice.password }).toString(),
    });
  }

  const sameOrigin = { 'sec-fetch-site': 'same-origin' };

  const refused: readonly (readonly [string, (agent: UserAgent, page: Shown) => Promise<Forged>])[] = [
    ['without a form token', async () => ({ headers: sameOrigin, token: null })],
    ['with an empty form token', async () => ({ headers: sameOrigin, token: '' })],
    [
      'with the form token of another step',
      async (agent) => ({
        headers: sameOrigin,
        token: (await reach(agent, url(), 'identifier')).hidden['token'] ?? '',
      }),
    ],
    [
      'with the form token of another run at the same step',
      async (agent) => ({ headers: sameOrigin, token: (await reach(agent, url(), 'password')).hidden['token'] ?? '' }),
    ],
    [
      'with the form token of another browser',
      async () => ({
        headers: sameOrigin,
        token: (await reach(new UserAgent(), url(), 'password')).hidden['token'] ?? '',
      }),
    ],
    ['from another site', async () => ({ headers: { 'sec-fetch-site': 'cross-site' } })],
    ['from another origin of the same site', async () => ({ headers: { 'sec-fetch-site': 'same-site' } })],
    ['typed into the address bar', async () => ({ headers: { 'sec-fetch-site': 'none' } })],
    [
      'from another site with our Origin',
      async () => ({ headers: { 'sec-fetch-site': 'cross-site', origin: provider.issuer } }),
    ],
    ['with the Origin of another site', async () => ({ headers: { origin: 'https://evil.example' } })],
    ['with the Origin null', async () => ({ headers: { origin: 'null' } })],
    ['with our host in another Origin', async () => ({ headers: { origin: `${provider.issuer}.evil.example` } })],
    ['without Sec-Fetch-Site and Origin', async () => ({})],
  ];

  for (const [how, forge] of refused) {
    test(`${how}: the screen again, no hash, no counter`, async () => {
      const agent = new UserAgent();
      const page = await reach(agent, url(), 'password');
      const forged = await forge(agent, page);
      const before = await everyTrace();
      const response = await post(agent, page, forged);
      expect([response.status, response.headers.get('location')]).toEqual([303, page.url]);
      expect(await everyTrace()).toEqual(before);
      const again = await agent.page(page.url);
      expect(again.html).toBe(page.html);
      expect((await redeemCode(provider, await finish(agent, again))).status).toBe(200);
    });
  }

  test('with our Origin and without Sec-Fetch-Site, as older browsers send it: goes on', async () => {
    const agent = new UserAgent();
    const page = await reach(agent, url(), 'password');
    const response = await post(agent, page, { headers: { origin: provider.issuer } });
    const next = await agent.page(new URL(response.headers.get('location') ?? '', page.url).href);
    expect(screenOf(next)).toBe('consent');
  });

  test('a consent is not given either', async () => {
    const agent = new UserAgent();
    const page = await reach(agent, url(), 'consent');
    const before = await everyTrace();
    const response = await post(agent, page, { headers: { 'sec-fetch-site': 'cross-site' } });
    expect([response.status, response.headers.get('location')]).toEqual([303, page.url]);
    expect(await everyTrace()).toEqual(before);
  });

  test('another media type is refused as a page, and the run goes on', async () => {
    const agent = new UserAgent();
    const page = await reach(agent, url(), 'password');
    const response = await agent.fetch(page.url, {
      method: 'POST',
      headers: { ...sameOrigin, 'content-type': 'text/plain' },
      body: new URLSearchParams({ ...page.hidden, password: alice.password }).toString(),
    });
    expect(response.status).toBe(415);
    await response.text();
    await finish(agent, page);
  });
});

describe('a browser that blocks cookies', () => {
  test('is told so at its first submit; nothing is written, and no redirect goes in circles', async () => {
    const agent = new UserAgent();
    const page = await agent.page(url());
    agent.cookies.clear();
    const again = await agent.page(page.url);
    expect(screenOf(again)).toBe('identifier');
    const before = await everyTrace();
    agent.cookies.clear();
    const response = await agent.submit(again, { username: 'alice' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Your browser did not send our cookie');
    expect(await everyTrace()).toEqual(before);
  });

  test('is told so for a request that had to be stored, too', async () => {
    const agent = new UserAgent();
    const page = await agent.page(url({ state: longState }));
    expect(page.url.length).toBeLessThan(200);
    agent.cookies.clear();
    const response = await agent.submit(page, { username: 'alice' });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Your browser did not send our cookie');
  });
});

describe('cookies', () => {
  test('one binding cookie for the browser; the session appears with the authentication and changes with each', async () => {
    const agent = new UserAgent();
    const consent = await reach(agent, url(), 'consent');
    expect([...agent.cookies.keys()]).toEqual(['limen.main.browser']);
    const binding = agent.cookies.get('limen.main.browser');
    await finish(agent, consent);
    const first = sessionCookieOf(agent);
    expect(first).toMatch(/^[A-Za-z0-9_-]{43}$/);
    await finish(agent, await agent.page(url({ prompt: 'login consent' })));
    expect(sessionCookieOf(agent)).not.toBe(first);
    expect(sessionCookieOf(agent)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(agent.cookies.get('limen.main.browser')).toBe(binding);
    expect([...agent.cookies.keys()].toSorted()).toEqual([
      'limen.main.browser',
      'limen.main.device',
      'limen.main.session',
    ]);
  });

  test('a session cookie that was planted before the sign-in is worth nothing after it', async () => {
    const planted = 'A'.repeat(43);
    const agent = new UserAgent();
    agent.cookies.set('limen.main.session', planted);
    await finish(agent, await agent.page(url()));
    expect(sessionCookieOf(agent)).not.toBe(planted);
    const attacker = new UserAgent();
    attacker.cookies.set('limen.main.session', planted);
    expect(screenOf(pageOf(await attacker.open(url())))).toBe('identifier');
  });

  test('the database holds none of the cookies', async () => {
    const agent = new UserAgent();
    await finish(agent, await agent.page(url()));
    const rows = await provider.database.sql`
      SELECT (SELECT string_agg(to_jsonb(s)::text, ' ') FROM sso_sessions s) AS sessions,
             (SELECT string_agg(to_jsonb(r)::text, ' ') FROM auth_sessions r) AS runs,
             (SELECT string_agg(to_jsonb(d)::text, ' ') FROM known_devices d) AS devices,
             (SELECT string_agg(to_jsonb(a)::text, ' ') FROM audit_events a) AS events`;
    const text = JSON.stringify(rows);
    // The token of a known device is what its cookie begins with.
    for (const cookie of [...agent.cookies.values()].map((value) => value.slice(0, 43))) {
      expect(text).not.toContain(cookie);
      expect(text).not.toContain(Buffer.from(cookie, 'base64url').toString('hex'));
    }
    expect(text).not.toContain(alice.password);
  });
});
