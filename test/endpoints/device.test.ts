import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { proofMaker } from '../oidc/dpop_proof.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import {
  approve,
  ask,
  askForDevice,
  decide,
  deviceGrant,
  endOf,
  poll,
  pollError,
  reachDecision,
  registerDevice,
} from './device_flow.ts';
import { refreshFields, tokenProof, tokenRequest } from './dpop_party.ts';
import { enableUser, realmIdOf, signOutEverywhere } from './operator.ts';
import { bodyOf, claimsOf, type Party, refresh, text, tokensOf, userinfo, webOf } from './relying_party.ts';
import { bob, rowCounts, signedInAgent } from './run_browser.ts';

let provider: Provider;
let television: Party;
let other: Party;
let box: Party;

beforeAll(async () => {
  provider = await startProvider();
  television = await registerDevice(provider, 'television');
  other = await registerDevice(provider, 'other-television');
  box = await registerDevice(provider, 'box', {
    class: 'confidential',
    authMethod: 'client_secret_basic',
    grantTypes: [deviceGrant],
    resources: ['https://api.example'],
    scope: ['openid', 'orders'],
  });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** What was asked of the database about devices and their tokens; configuration is read whenever it is due. */
const ofDevices = () => provider.statements().filter((sent) => /device_authorizations|token_families/.test(sent));
const verbsOf = (sent: readonly string[]) => sent.map((statement) => statement.trim().split(' ')[0]);

const errorOf = async (response: Response) => [response.status, text(await bodyOf(response), 'error')];

describe('RFC 8628 §3.1, §3.2: a device asks', () => {
  test('the answer names codes, addresses, lifetime and interval, and must not be cached', async () => {
    const response = await askForDevice(television);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = await bodyOf(response);
    const userCode = text(body, 'user_code');
    expect(userCode).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(body).toEqual({
      device_code: expect.any(String),
      user_code: userCode,
      verification_uri: `${provider.issuer}/device`,
      verification_uri_complete: `${provider.issuer}/device?user_code=${userCode}`,
      expires_in: 600,
      interval: 5,
    });
  });

  test('metadata names the endpoint and the grant, and both are there', async () => {
    const metadata = await bodyOf(await fetch(`${provider.issuer}/.well-known/oauth-authorization-server`));
    expect(metadata['device_authorization_endpoint']).toBe(`${provider.issuer}/device_authorization`);
    expect(metadata['grant_types_supported']).toContain(deviceGrant);
  });

  test('of the code only a hash is stored', async () => {
    const { deviceCode } = await ask(television);
    const rows = await provider.database.sql`SELECT to_jsonb(d)::text AS row FROM device_authorizations d`;
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ row }) => String(row).includes(deviceCode))).toEqual([]);
  });

  const refusals: readonly [string, () => Promise<Response>, number, string][] = [
    ['unknown client', () => askForDevice({ ...television, clientId: 'nobody' }), 401, 'invalid_client'],
    ['wrong secret', () => askForDevice({ ...box, secret: 'wrong' }), 401, 'invalid_client'],
    ['confidential without secret', () => askForDevice({ ...box, secret: null }), 401, 'invalid_client'],
    ['grant not registered', () => askForDevice(webOf(provider)), 400, 'unauthorized_client'],
    ['no scope', () => askForDevice(television, {}), 400, 'invalid_scope'],
    ['foreign scope', () => askForDevice(television, { scope: 'orders' }), 400, 'invalid_scope'],
    [
      'foreign resource',
      () => askForDevice(box, { scope: 'orders', resource: 'https://elsewhere.example' }),
      400,
      'invalid_target',
    ],
  ];
  test.each(refusals)('%s: refused, and no row', async (_, send, status, error) => {
    const before = await rowCounts(provider, ['device_authorizations']);
    expect(await errorOf(await send())).toEqual([status, error]);
    expect(await rowCounts(provider, ['device_authorizations'])).toEqual(before);
  });

  test('a doubled parameter, or a body of another kind: refused', async () => {
    const send = (body: string, type: string) =>
      fetch(`${provider.issuer}/device_authorization`, { method: 'POST', headers: { 'content-type': type }, body });
    const form = 'application/x-www-form-urlencoded';
    expect(await errorOf(await send('client_id=television&client_id=box&scope=openid', form))).toEqual([
      400,
      'invalid_request',
    ]);
    expect((await send('{}', 'application/json')).status).toBe(415);
    expect((await fetch(`${provider.issuer}/device_authorization`)).status).toBe(405);
  });
});

describe('RFC 9449 §5: a device that proves a key', () => {
  test('its tokens are bound to the key, and a public client refreshes with that key alone', async () => {
    const [key, another] = await Promise.all([proofMaker(), proofMaker()]);
    const { deviceCode, userCode } = await ask(television);
    await approve(provider.issuer, userCode);
    const polled = { grant_type: deviceGrant, device_code: deviceCode };
    const issued = await bodyOf(await tokenRequest(television, polled, tokenProof(key, television)));
    expect(issued['token_type']).toBe('DPoP');
    expect(claimsOf(text(issued, 'access_token'))['cnf']).toEqual({ jkt: key.thumbprint });
    const fields = refreshFields(text(issued, 'refresh_token'));
    for (const proof of [null, tokenProof(another, television)]) {
      expect(await errorOf(await tokenRequest(television, fields, proof))).toEqual([400, 'invalid_grant']);
    }
    expect((await tokenRequest(television, fields, tokenProof(key, television))).status).toBe(200);
  });
});

describe('RFC 8628 §3.4, §3.5: polling', () => {
  test('pending, then approved: tokens once, and invalid_grant for ever after', async () => {
    const { deviceCode, userCode } = await ask(television);
    expect(await pollError(television, deviceCode)).toBe('authorization_pending');
    expect(endOf(await approve(provider.issuer, userCode))).toBe('approved');
    const response = await poll(television, deviceCode);
    const tokens = await tokensOf(response);
    expect(claimsOf(tokens.idToken)).toMatchObject({ aud: 'television', amr: ['pwd'], auth_time: expect.any(Number) });
    expect(claimsOf(tokens.accessToken)).toMatchObject({ client_id: 'television', scope: 'openid profile' });
    expect(await bodyOf(await userinfo(television, tokens.accessToken))).toMatchObject({ name: 'Alice Adler' });
    expect(await pollError(television, deviceCode)).toBe('invalid_grant');
    // A device that polls twice must not lose what it was given.
    expect((await refresh(television, tokens.refreshToken)).status).toBe(200);
  });

  test('polled too soon: slow_down, and the interval grows and stays grown', async () => {
    const { deviceCode } = await ask(television);
    const interval = async () => {
      const [row] = await provider.database.sql`
        SELECT interval_seconds FROM device_authorizations ORDER BY created_at DESC LIMIT 1`;
      return row?.['interval_seconds'];
    };
    const waited = (seconds: number) => provider.database.sql`
      UPDATE device_authorizations SET polled_at = polled_at - make_interval(secs => ${seconds})`;
    expect([await pollError(television, deviceCode), await interval()]).toEqual(['authorization_pending', 5]);
    expect([await pollError(television, deviceCode), await interval()]).toEqual(['slow_down', 10]);
    await waited(6);
    expect([await pollError(television, deviceCode), await interval()]).toEqual(['slow_down', 15]);
    await waited(15);
    expect([await pollError(television, deviceCode), await interval()]).toEqual(['authorization_pending', 15]);
  });

  test('denied: access_denied, as often as it asks', async () => {
    const { deviceCode, userCode } = await ask(television);
    const agent = new UserAgent();
    const page = await reachDecision(agent, provider.issuer, userCode);
    expect(endOf(await decide(agent, page, 'deny'))).toBe('denied');
    expect(await pollError(television, deviceCode)).toBe('access_denied');
    expect(await pollError(television, deviceCode)).toBe('access_denied');
  });

  test("another client's code, another realm's, a forged one and none: refused without a query", async () => {
    const { deviceCode, userCode } = await ask(television);
    await approve(provider.issuer, userCode);
    const acme: Party = { ...television, issuer: `${provider.issuer}/realms/acme` };
    const acmeRealm = await realmIdOf(provider, 'acme');
    await registerDevice(provider, 'television', { realmId: acmeRealm });
    await poll(acme, deviceCode);
    await pollError(other, deviceCode);
    provider.resetStatements();
    expect(await pollError(other, deviceCode)).toBe('invalid_grant');
    expect(await pollError(acme, deviceCode)).toBe('invalid_grant');
    expect(await pollError(television, `${deviceCode.slice(0, -2)}AA`)).toBe('invalid_grant');
    expect(await pollError(television, 'x')).toBe('invalid_grant');
    expect(ofDevices()).toEqual([]);
    expect(await pollError(television, '')).toBe('invalid_request');
    expect((await poll(television, deviceCode)).status).toBe(200);
  });

  test('a client without the grant: unauthorized_client', async () => {
    const { deviceCode } = await ask(television);
    expect(await errorOf(await poll(webOf(provider), deviceCode))).toEqual([400, 'unauthorized_client']);
  });

  test('a pending poll is one statement and one row; a redemption one more', async () => {
    const { deviceCode, userCode } = await ask(television);
    await pollError(television, deviceCode);
    provider.resetStatements();
    await pollError(television, deviceCode);
    expect(verbsOf(ofDevices())).toEqual(['UPDATE']);
    await approve(provider.issuer, userCode);
    provider.resetStatements();
    expect((await poll(television, deviceCode)).status).toBe(200);
    expect(verbsOf(ofDevices())).toEqual(['UPDATE', 'INSERT']);
  });

  test('fifty polls of one approved code at the same time: exactly one has tokens, and keeps them', async () => {
    const { deviceCode, userCode } = await ask(television);
    await approve(provider.issuer, userCode);
    const responses = await Promise.all(Array.from({ length: 50 }, () => poll(television, deviceCode)));
    const won = responses.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const errors = await Promise.all(responses.filter(({ status }) => status !== 200).map(errorOf));
    expect(errors).toEqual(errors.map(() => [400, 'invalid_grant']));
    const [winner] = won;
    if (winner === undefined) throw new Error('nobody won');
    const { accessToken, refreshToken } = await tokensOf(winner);
    expect((await userinfo(television, accessToken)).status).toBe(200);
    expect((await refresh(television, refreshToken)).status).toBe(200);
  });

  test('confidential, without refresh_token, with a resource: that audience, and no refresh token', async () => {
    const { deviceCode, userCode } = await ask(box, { scope: 'orders', resource: 'https://api.example' });
    await approve(provider.issuer, userCode);
    const body = await bodyOf(await poll(box, deviceCode));
    expect(Object.keys(body).sort()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
    expect(claimsOf(text(body, 'access_token'))).toMatchObject({ aud: 'https://api.example', scope: 'orders' });
  });
});

describe('liveness', () => {
  test('the person is disabled, or signed out everywhere, between approval and poll: invalid_grant', async () => {
    const first = await ask(television);
    await approve(provider.issuer, first.userCode, new UserAgent(), bob);
    await enableUser(provider, 'bob', false);
    expect(await pollError(television, first.deviceCode)).toBe('invalid_grant');
    await enableUser(provider, 'bob', true);
    const second = await ask(television);
    await approve(provider.issuer, second.userCode, new UserAgent(), bob);
    await signOutEverywhere(provider, 'bob');
    expect(await pollError(television, second.deviceCode)).toBe('invalid_grant');
  });

  test('without offline_access the tokens end with the sign-in that approved; with it they go on', async () => {
    const { agent } = await signedInAgent(provider, bob);
    const bound = await ask(television);
    const lasting = await ask(television, { scope: 'openid offline_access' });
    for (const { userCode } of [bound, lasting]) await approve(provider.issuer, userCode, agent, bob);
    const boundTokens = await tokensOf(await poll(television, bound.deviceCode));
    const lastingTokens = await tokensOf(await poll(television, lasting.deviceCode));
    const page = await agent.page(`${provider.issuer}/logout`);
    await agent.answer(page, { decision: 'sign_out' });
    expect((await refresh(television, boundTokens.refreshToken)).status).toBe(400);
    expect((await refresh(television, lastingTokens.refreshToken)).status).toBe(200);
  });
});

describe('audit', () => {
  test('approval and denial say who, for which client, where the device was', async () => {
    const approved = await ask(television);
    await approve(provider.issuer, approved.userCode);
    const denied = await ask(television);
    const agent = new UserAgent();
    await decide(agent, await reachDecision(agent, provider.issuer, denied.userCode), 'deny');
    const events = await provider.database.sql`
      SELECT event, client_id, user_id IS NOT NULL AS person, session_id IS NOT NULL AS session, detail FROM audit_events
      WHERE event LIKE 'device.%' ORDER BY id DESC LIMIT 2`;
    const shared = { client_id: 'television', person: true };
    const detail = { scope: 'openid profile', device: { address: '127.0.0.1', agent: expect.any(String) } };
    expect([...events]).toEqual([
      { event: 'device.denied', ...shared, session: false, detail },
      { event: 'device.approved', ...shared, session: true, detail },
    ]);
  });
});

describe('a client that registered itself and that nobody used', () => {
  test('is used once a device of it was approved', async () => {
    const party = await registerDevice(provider, 'unused-television');
    await provider.database.sql`UPDATE clients SET unused_since = limen_now() WHERE client_id = 'unused-television'`;
    const { userCode } = await ask(party);
    await approve(provider.issuer, userCode);
    const [row] = await provider.database.sql`
      SELECT unused_since FROM clients WHERE client_id = 'unused-television'`;
    expect(row?.['unused_since']).toBeNull();
  });
});

describe('time, last because it moves the clock', () => {
  test('expired before anybody decided, and after: expired_token by the clock alone, then without a row', async () => {
    const waiting = await ask(television);
    const approved = await ask(television);
    await approve(provider.issuer, approved.userCode);
    const agent = new UserAgent();
    const late = await ask(television);
    const page = await reachDecision(agent, provider.issuer, late.userCode);
    await provider.database.sql`UPDATE device_authorizations SET expires_at = limen_now()`;
    expect(await pollError(television, waiting.deviceCode)).toBe('expired_token');
    expect(await pollError(television, approved.deviceCode)).toBe('expired_token');
    const gone = await decide(agent, page, 'allow');
    expect([endOf(gone), gone.status]).toEqual(['gone', 410]);
    await provider.shiftClock(700);
    provider.resetStatements();
    expect(await pollError(television, approved.deviceCode)).toBe('expired_token');
    expect(ofDevices()).toEqual([]);
  });
});
