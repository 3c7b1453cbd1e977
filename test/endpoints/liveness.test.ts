import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { changeClient, enableUser, endClient, endRealm, register, signOutEverywhere, until } from './operator.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bob,
  bodyOf,
  codeOf,
  fail,
  type Party,
  postAs,
  redeem,
  refresh,
  type Tokens,
  text,
  tokensFor,
  userinfo,
  webOf,
} from './relying_party.ts';

/** What ends at once when an operator ends it, whatever was issued before. */

let provider: Provider;
let web: Party;
let held: Held;

beforeAll(async () => {
  provider = await startProvider();
  web = webOf(provider);
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** Everything that bob and demo-web hold at one time. */
type Held = { readonly browser: UserAgent; readonly tokens: Tokens; readonly code: string };

async function hold(party: Party): Promise<Held> {
  const browser = new UserAgent();
  const tokens = await tokensFor(party, bob, { scope: 'openid offline_access' }, browser);
  return { browser, tokens, code: codeOf(await authorize(party, bob, { scope: 'openid' }, browser)) };
}

const errorOf = async (response: Response) => ({ status: response.status, error: (await bodyOf(response))['error'] });
const invalidGrant = { status: 400, error: 'invalid_grant' };
const invalidToken = { status: 401, error: 'invalid_token' };
const invalidClient = { status: 401, error: 'invalid_client' };

/** As another client sees it that may look into tokens for the issuer. */
const introspected = async (token: string) => bodyOf(await postAs(serviceParty(), '/introspect', { token }));
const serviceParty = (): Party => ({
  ...web,
  clientId: 'demo-service',
  secret: provider.secretOf('demo-service'),
});

async function silentError(browser: UserAgent): Promise<string | null> {
  const back = await browser.open(authorizeUrl(web, { prompt: 'none' }));
  return back instanceof URL ? back.searchParams.get('error') : fail('a page was shown with prompt=none');
}

async function everythingIsDead({ tokens, code }: Held): Promise<void> {
  expect(await errorOf(await userinfo(web, tokens.accessToken))).toEqual(invalidToken);
  expect(await introspected(tokens.accessToken)).toEqual({ active: false });
  expect(await errorOf(await refresh(web, tokens.refreshToken))).toEqual(invalidGrant);
  expect(await errorOf(await redeem(web, code))).toEqual(invalidGrant);
}

describe('of a user', () => {
  beforeEach(async () => {
    held = await hold(web);
    expect((await userinfo(web, held.tokens.accessToken)).status).toBe(200);
  });

  test('disabled: tokens, code and session are dead at once, and live again when enabled', async () => {
    await enableUser(provider, 'bob', false);
    await everythingIsDead(held);
    expect(await silentError(held.browser)).toBe('login_required');
    await enableUser(provider, 'bob', true);
    expect((await userinfo(web, held.tokens.accessToken)).status).toBe(200);
    expect((await refresh(web, held.tokens.refreshToken)).status).toBe(200);
    expect((await redeem(web, held.code)).status).toBe(200);
  });

  test('signed out everywhere: all of it is dead for good, of nobody else, and a new sign-in counts', async () => {
    const other = await tokensFor(web, alice);
    await signOutEverywhere(provider, 'bob');
    await everythingIsDead(held);
    expect(await silentError(held.browser)).toBe('login_required');
    expect((await userinfo(web, other.accessToken)).status).toBe(200);
    expect((await userinfo(web, (await tokensFor(web, bob)).accessToken)).status).toBe(200);
  });
});

describe('of a client', () => {
  test('ended: its tokens and codes are dead, the person’s session is not, and it may ask anew', async () => {
    held = await hold(web);
    await endClient(provider, 'demo-web');
    await until(async () => (await userinfo(web, held.tokens.accessToken)).status === 401);
    await everythingIsDead(held);
    expect(await silentError(held.browser)).toBeNull();
    expect((await userinfo(web, (await tokensFor(web, bob)).accessToken)).status).toBe(200);
  });

  test('ended: tokens of its own are inactive as well', async () => {
    const service = serviceParty();
    const issue = async () => {
      const response = await postAs(service, '/token', { grant_type: 'client_credentials' });
      return text(await bodyOf(response), 'access_token');
    };
    const token = await issue();
    const looked = async () => (await bodyOf(await postAs(web, '/introspect', { token })))['active'];
    expect(await looked()).toBe(true);
    await provider.shiftClock(5);
    await endClient(provider, 'demo-service');
    await until(async () => (await looked()) === false);
    await provider.shiftClock(5);
    expect(await bodyOf(await postAs(web, '/introspect', { token: await issue() }))).toMatchObject({ active: true });
  });

  test('disabled: every endpoint knows it no more', async () => {
    const party = await register(provider, 'to-be-disabled', { scope: ['openid', 'offline_access'] });
    const before = await hold(party);
    const waiting = new UserAgent();
    const page = await waiting.page(authorizeUrl(party));
    await changeClient(provider, party.clientId, { enabled: false });
    await until(async () => (await userinfo(party, before.tokens.accessToken)).status === 401);
    expect(await errorOf(await userinfo(party, before.tokens.accessToken))).toEqual(invalidToken);
    expect(await introspected(before.tokens.accessToken)).toEqual({ active: false });
    for (const answer of [
      await refresh(party, before.tokens.refreshToken),
      await redeem(party, before.code),
      await postAs(party, '/introspect', { token: before.tokens.accessToken }),
      await postAs(party, '/revoke', { token: before.tokens.refreshToken }),
    ]) {
      expect(await errorOf(answer)).toEqual(invalidClient);
    }
    expect((await new UserAgent().page(authorizeUrl(party))).status).toBe(400);
    expect((await waiting.page(page.url)).html).toContain('id="error"');
    await changeClient(provider, party.clientId, { enabled: true });
    await until(async () => (await userinfo(party, before.tokens.accessToken)).status === 200);
    expect((await refresh(party, before.tokens.refreshToken)).status).toBe(200);
  });
});

describe('of a realm', () => {
  test('ended: all that it issued is dead, at every endpoint; another realm goes on', async () => {
    held = await hold(web);
    const service = await postAs(serviceParty(), '/token', { grant_type: 'client_credentials' });
    const own = text(await bodyOf(service), 'access_token');
    await provider.shiftClock(5);
    await endRealm(provider, 'main');
    await until(async () => (await userinfo(web, held.tokens.accessToken)).status === 401);
    await everythingIsDead(held);
    expect(await bodyOf(await postAs(web, '/introspect', { token: own }))).toEqual({ active: false });
    expect(await silentError(held.browser)).toBe('login_required');
    expect((await userinfo(web, (await tokensFor(web, bob)).accessToken)).status).toBe(200);
  });
});
