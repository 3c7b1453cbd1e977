import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { changeClient, enableUser, register, signOutEverywhere, until } from './operator.ts';
import { type Received, type ReceivingParty, startReceivingParty } from './receiving_party.ts';
import {
  alice,
  authorize,
  bob,
  claimsOf,
  codeOf,
  membersOf,
  type Party,
  redeem,
  refresh,
  tokensFor,
  tokensOf,
} from './relying_party.ts';

let provider: Provider;
let party: Party;
let other: Party;
let web: ReceivingParty;

beforeAll(async () => {
  web = startReceivingParty();
  provider = await startProvider({ environment: { LIMEN_OUTBOUND_LOOPBACK: 'true' } });
  party = await register(provider, 'listening', { metadata: { backchannel_logout_uri: `${web.origin}/ended?of=one` } });
  other = await register(provider, 'listening-too', {
    idTokenSignedResponseAlg: 'ES256',
    metadata: { backchannel_logout_uri: `${web.origin}/ended-too` },
  });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await provider.stop();
  await web.stop();
});

/** Sessions of the test before would be looked at again. */
beforeEach(async () => {
  web.answer(200);
  await provider.database.sql`DELETE FROM sso_sessions`;
  await provider.database.sql`DELETE FROM logout_deliveries`;
});

const tokenIn = (received: Received | undefined): string => received?.form['logout_token'] ?? 'no logout_token';

/** What this client was told of this sign-in so far. */
const told = (path: string, idToken: string): readonly Received[] =>
  web.at(path).filter((received) => claimsOf(tokenIn(received))['sid'] === claimsOf(idToken)['sid']);

const untilTold = async (path: string, idToken: string, times = 1): Promise<readonly Received[]> => {
  await until(async () => told(path, idToken).length >= times);
  return told(path, idToken);
};

/** Long enough for a delivery that should not be. */
const aWhile = (): Promise<void> => Bun.sleep(2500);

const logoutUrl = (idToken: string): string => `${provider.issuer}/logout?id_token_hint=${idToken}`;

const rows = async () => {
  const found = await provider.database.sql`
    SELECT client_id, outcome, attempts, fault FROM logout_deliveries ORDER BY queued_at`;
  return found.map((row) => ({ ...row }));
};

describe('OIDC Back-Channel Logout §2.5, §2.6: when somebody signs out', () => {
  test('the client gets a POST with exactly a logout token, signed and filled as §2.4 says', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(party, alice, {}, agent);
    await agent.open(logoutUrl(idToken));
    const [received] = await untilTold('/ended', idToken);
    expect(received).toMatchObject({ method: 'POST', query: { of: 'one' } });
    expect(received?.headers.get('content-type')).toBe('application/x-www-form-urlencoded');
    expect(Object.keys(received?.form ?? {})).toEqual(['logout_token']);
    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
    const { payload, protectedHeader } = await jwtVerify(tokenIn(received), keys, {
      issuer: provider.issuer,
      audience: 'listening',
      typ: 'logout+jwt',
      algorithms: ['RS256'],
    });
    const signedIn = claimsOf(idToken);
    expect(protectedHeader.kid).toBeString();
    expect(Object.keys(payload).toSorted()).toEqual(['aud', 'events', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
    expect(payload).toMatchObject({ sub: String(signedIn['sub']), sid: String(signedIn['sid']) });
    expect(payload['events']).toEqual({ 'http://schemas.openid.net/event/backchannel-logout': {} });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBeWithin(1, 121);
  });

  test('every client of the sign-in is told, each in its own algorithm and by its own sid; no other client is', async () => {
    const agent = new UserAgent();
    const first = await tokensFor(party, alice, {}, agent);
    const second = await tokensFor(other, alice, {}, agent);
    await agent.open(logoutUrl(first.idToken));
    const [one] = await untilTold('/ended', first.idToken);
    const [two] = await untilTold('/ended-too', second.idToken);
    const header = (token: string): unknown =>
      JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    expect(membersOf(header(tokenIn(one)))['alg']).toBe('RS256');
    expect(membersOf(header(tokenIn(two)))['alg']).toBe('ES256');
    expect(claimsOf(tokenIn(two))['sid']).not.toBe(claimsOf(tokenIn(one))['sid']);
    await aWhile();
    expect([told('/ended', first.idToken).length, told('/ended-too', second.idToken).length]).toEqual([1, 1]);
  });

  test('a client that the sign-in was never passed on to, or whose code was never redeemed, hears nothing', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(party, alice, {}, agent);
    await authorize(other, alice, {}, agent);
    await agent.open(logoutUrl(idToken));
    await untilTold('/ended', idToken);
    expect(await rows()).toMatchObject([{ client_id: 'listening' }]);
  });

  test('another browser of the same person stays signed in', async () => {
    const [here, there] = [new UserAgent(), new UserAgent()];
    const { idToken } = await tokensFor(party, alice, {}, here);
    await tokensFor(other, alice, {}, there);
    await here.open(logoutUrl(idToken));
    await untilTold('/ended', idToken);
    expect(await rows()).toMatchObject([{ client_id: 'listening' }]);
  });

  test('offline access outlives the sign-in, and its client is told all the same', async () => {
    const agent = new UserAgent();
    const scoped = await register(provider, 'offline', {
      scope: ['openid', 'offline_access'],
      metadata: { backchannel_logout_uri: `${web.origin}/ended` },
    });
    const { idToken } = await tokensFor(scoped, alice, { scope: 'openid offline_access', prompt: 'consent' }, agent);
    await agent.open(logoutUrl(idToken));
    expect(claimsOf(tokenIn((await untilTold('/ended', idToken))[0]))['aud']).toBe('offline');
  });
});

describe('whatever ends the sign-in, the clients are told', () => {
  const table: readonly (readonly [what: string, end: (agent: UserAgent) => Promise<unknown>])[] = [
    ['another person signs in in the same browser', (agent) => authorize(other, bob, { prompt: 'login' }, agent)],
    ['sign out everywhere', () => signOutEverywhere(provider, 'alice')],
    ['the user is disabled', () => enableUser(provider, 'alice', false)],
    [
      'an operator ends the session',
      () => provider.database.sql`UPDATE sso_sessions SET ended_at = limen_now() WHERE ended_at IS NULL`,
    ],
    ['the user is deleted', () => provider.database.sql`DELETE FROM sso_sessions`],
  ];
  afterEach(() => enableUser(provider, 'alice', true));

  test.each(table)('%s', async (_, end) => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(party, alice, {}, agent);
    expect(told('/ended', idToken)).toEqual([]);
    await end(agent);
    await untilTold('/ended', idToken);
  });

  test('an old refresh token comes back, where the policy ends the sign-in for it', async () => {
    const reacting = await register(provider, 'reacting', {
      metadata: { backchannel_logout_uri: `${web.origin}/ended` },
      overrides: { reuseReaction: { value: 'session' } },
    });
    const first = await tokensFor(reacting, alice);
    const second = await tokensOf(await refresh(reacting, first.refreshToken));
    expect((await refresh(reacting, second.refreshToken)).status).toBe(200);
    expect((await refresh(reacting, first.refreshToken)).status).toBe(400);
    await untilTold('/ended', first.idToken);
  });
});

describe('a client that does not understand is asked again', () => {
  const endOne = async (): Promise<string> => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(party, alice, {}, agent);
    await agent.open(logoutUrl(idToken));
    return idToken;
  };

  test('after 10 s, with a token of its own; after success never again', async () => {
    web.answer(500);
    const idToken = await endOne();
    const [first] = await untilTold('/ended', idToken);
    await until(async () => (await rows())[0]?.['fault'] !== null);
    await aWhile();
    expect(told('/ended', idToken)).toHaveLength(1);
    web.answer(204);
    await provider.shiftClock(11);
    const [, second] = await untilTold('/ended', idToken, 2);
    expect(claimsOf(tokenIn(second))['jti']).not.toBe(claimsOf(tokenIn(first))['jti']);
    await until(async () => (await rows())[0]?.['outcome'] === 'delivered');
    await provider.shiftClock(24 * 3600);
    await aWhile();
    expect(told('/ended', idToken)).toHaveLength(2);
    expect(await rows()).toMatchObject([{ client_id: 'listening', outcome: 'delivered', attempts: 2, fault: null }]);
  }, 30_000);

  test('a redirect is not followed: the token goes nowhere but to the registered address', async () => {
    web.answer(307, { location: `${web.origin}/elsewhere` });
    await untilTold('/ended', await endOne());
    await until(async () => String((await rows())[0]?.['fault']).includes('redirect'));
    expect(web.at('/elsewhere')).toEqual([]);
  });

  test('for a day, then the log says that it was given up', async () => {
    web.answer(400);
    await untilTold('/ended', await endOne());
    await until(async () => (await rows())[0]?.['fault'] !== null);
    await provider.shiftClock(24 * 3600 - 30);
    await until(async () => (await rows())[0]?.['outcome'] === 'given_up');
    const [event] = await provider.database.sql`
      SELECT event, client_id, detail FROM audit_events WHERE event LIKE 'logout.%' ORDER BY id DESC LIMIT 1`;
    expect(event).toMatchObject({
      event: 'logout.given_up',
      client_id: 'listening',
      detail: { attempts: 2, fault: 'the client answered with status 400' },
    });
  }, 30_000);

  test('success is in the audit log, with whose sign-in it was', async () => {
    const [received] = await untilTold('/ended', await endOne());
    await until(async () => (await rows())[0]?.['outcome'] === 'delivered');
    const [event] = await provider.database.sql`
      SELECT event, client_id, user_id FROM audit_events WHERE event LIKE 'logout.%' ORDER BY id DESC LIMIT 1`;
    expect(event).toMatchObject({
      event: 'logout.delivered',
      client_id: 'listening',
      user_id: claimsOf(tokenIn(received))['sub'],
    });
  });

  test('a client that has no address any more is left in peace', async () => {
    const silent = await register(provider, 'falling-silent', {
      metadata: { backchannel_logout_uri: `${web.origin}/silent` },
    });
    const agent = new UserAgent();
    const { idToken } = await tokensFor(silent, alice, {}, agent);
    web.answer(500);
    await agent.open(logoutUrl(idToken));
    await web.until('/silent', 1);
    await changeClient(provider, 'falling-silent', { metadata: {} });
    await provider.shiftClock(11);
    await until(async () => (await rows())[0]?.['outcome'] === 'given_up');
    expect(web.at('/silent')).toHaveLength(1);
  }, 30_000);
});

test('what comes after the sign-out finds nothing alive: neither code nor refresh token', async () => {
  const agent = new UserAgent();
  const { idToken } = await tokensFor(party, alice, {}, agent);
  const late = codeOf(await authorize(other, alice, {}, agent));
  await agent.open(logoutUrl(idToken));
  await untilTold('/ended', idToken);
  expect((await redeem(other, late)).status).toBe(400);
});
