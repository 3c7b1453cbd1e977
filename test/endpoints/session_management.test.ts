import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { sha256 } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { openAccount } from './account_page.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bob,
  bodyOf,
  codeOf,
  type Party,
  redeem,
  tokensOf,
  webOf,
} from './relying_party.ts';

let watching: Provider;
let plain: Provider;
let party: Party;

beforeAll(async () => {
  [watching, plain] = await Promise.all([
    startProvider({ environment: { LIMEN_SETTING_SESSION_MANAGEMENT: 'true' } }),
    startProvider(),
  ]);
  party = webOf(watching);
}, databaseTimeoutMilliseconds);

afterAll(() => Promise.all([watching.stop(), plain.stop()]));

const cookie = 'limen.main.state';
const stateOf = (back: URL | unknown): string =>
  (back instanceof URL ? back.searchParams.get('session_state') : null) ?? 'no session_state';

/** As the page of `check_session_iframe` computes it, for a message from this origin. */
const computed = (sessionState: string, browserState: string, origin = 'http://127.0.0.1:4020'): string => {
  const [, salt = ''] = sessionState.split('.');
  return `${sha256(`demo-web ${origin} ${browserState} ${salt}`).toString('hex')}.${salt}`;
};

const metadataOf = async ({ issuer }: Provider): Promise<object> =>
  bodyOf(await fetch(`${issuer}/.well-known/openid-configuration`));

describe('OIDC Session Management §2: session_state', () => {
  test('comes with the code, has no space, and is what the page will compute for this client, origin and browser', async () => {
    const agent = new UserAgent();
    const state = stateOf(await authorize(party, alice, {}, agent));
    expect(state).toMatch(/^[0-9a-f]{64}\.[A-Za-z0-9_-]{22}$/);
    expect(computed(state, agent.cookies.get(cookie) ?? '')).toBe(state);
    expect(computed(state, '')).not.toBe(state);
    expect(computed(state, agent.cookies.get(cookie) ?? '', 'https://evil.example')).not.toBe(state);
  });

  test('is salted anew each time, over the same browser state as long as the sign-in lasts', async () => {
    const agent = new UserAgent();
    const first = stateOf(await authorize(party, alice, {}, agent));
    const browserState = agent.cookies.get(cookie);
    const second = stateOf(await agent.open(authorizeUrl(party, { prompt: 'none' })));
    expect(second).not.toBe(first);
    expect(agent.cookies.get(cookie)).toBe(browserState ?? 'none');
    expect(computed(second, browserState ?? '')).toBe(second);
  });

  test('another person in the same browser is another state', async () => {
    const agent = new UserAgent();
    const before = stateOf(await authorize(party, alice, {}, agent));
    await authorize(party, bob, { prompt: 'login' }, agent);
    expect(computed(before, agent.cookies.get(cookie) ?? '')).not.toBe(before);
  });

  test('a sign-in for the account page gives the browser the state that applications will watch', async () => {
    const agent = new UserAgent();
    await openAccount(agent, watching.issuer, alice);
    const browserState = agent.cookies.get(cookie) ?? 'none';
    const state = stateOf(await authorize(party, alice, {}, agent));
    expect(agent.cookies.get(cookie)).toBe(browserState);
    expect(computed(state, browserState)).toBe(state);
  });

  test('signing out takes the state away', async () => {
    const agent = new UserAgent();
    const tokens = await tokensOf(await redeem(party, codeOf(await authorize(party, alice, {}, agent))));
    expect(agent.cookies.has(cookie)).toBe(true);
    await agent.open(`${watching.issuer}/logout?id_token_hint=${tokens.idToken}`);
    expect(agent.cookies.has(cookie)).toBe(false);
  });

  test('the cookie can be read by script and nothing can be signed in with it', async () => {
    const agent = new UserAgent();
    const back = await authorize(party, alice, {}, agent);
    const answer = await agent.fetch(authorizeUrl(party, { prompt: 'none' }));
    const line = answer.headers.getSetCookie().find((one) => one.startsWith(`${cookie}=`)) ?? '';
    expect(line).not.toContain('HttpOnly');
    expect(line).toContain('SameSite=Lax');
    const thief = new UserAgent();
    thief.cookies.set(cookie, agent.cookies.get(cookie) ?? '');
    thief.cookies.set('limen.main.session', agent.cookies.get(cookie) ?? '');
    const refused = await thief.open(authorizeUrl(party, { prompt: 'none' }));
    expect(refused instanceof URL && refused.searchParams.get('error')).toBe('login_required');
    expect(back.searchParams.get('error')).toBeNull();
  });
});

describe('OIDC Session Management §3.3: check_session_iframe', () => {
  test('is in discovery, and any page may frame it; it runs one pinned script and nothing else', async () => {
    expect(await metadataOf(watching)).toHaveProperty('check_session_iframe', `${watching.issuer}/check_session`);
    const page = await fetch(`${watching.issuer}/check_session`);
    expect(page.status).toBe(200);
    expect(page.headers.get('x-frame-options')).toBeNull();
    const policy = page.headers.get('content-security-policy') ?? '';
    const [, script = ''] = /<script>([\s\S]*?)<\/script>/.exec(await page.text()) ?? [];
    expect(policy).toContain('frame-ancestors *');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("form-action 'none'");
    expect(policy).toContain(`script-src 'sha256-${sha256(script).toString('base64')}'`);
  });

  test('no other page of ours can be framed', async () => {
    for (const path of ['/logout', '/authorize', `/authorize?${authorizeUrl(party).split('?')[1]}`]) {
      const page = await new UserAgent().page(watching.issuer + path);
      expect(page.headers.get('x-frame-options')).toBe('DENY');
      expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
  });
});

describe('a realm that did not switch it on', () => {
  test('has neither page nor metadata nor session_state nor cookie', async () => {
    const agent = new UserAgent();
    const back = await authorize(webOf(plain), alice, {}, agent);
    expect(back.searchParams.has('session_state')).toBe(false);
    expect([...agent.cookies.keys()].toSorted()).toEqual([
      'limen.main.browser',
      'limen.main.device',
      'limen.main.session',
    ]);
    expect(Object.keys(await metadataOf(plain))).not.toContain('check_session_iframe');
    expect((await fetch(`${plain.issuer}/check_session`)).status).toBe(404);
  });
});
