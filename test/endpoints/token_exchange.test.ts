import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { allowInsecureRequests, ClientSecretBasic, discovery, genericGrantRequest } from 'openid-client';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { countWrites, type WriteCounter, writtenBetween } from './cost_counters.ts';
import { changeClient, enableUser, endClient, register, until } from './operator.ts';
import {
  acmeOf,
  alice,
  type Body,
  bodyOf,
  carol,
  claimsOf,
  type Party,
  postAs,
  refresh,
  type Tokens,
  text,
  tokensFor,
  userinfo,
  webOf,
} from './relying_party.ts';

/** RFC 8693 over HTTP: a shop, the gateway that its tokens are for, and the services behind. */

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const gatewayApi = 'https://gateway.example';
const ordersApi = 'https://orders.example';
const reason = 'it calls the orders service for people';

let provider: Provider;
let shop: Party;
let gateway: Party;
let orders: Party;

beforeAll(async () => {
  provider = await startProvider();
  shop = await register(provider, 'shop', { scope: ['openid', 'profile', 'orders'], resources: [gatewayApi] });
  gateway = await register(provider, 'gateway', {
    grantTypes: [grantType, 'client_credentials'],
    responseTypes: [],
    redirectUris: [],
    scope: ['openid', 'profile', 'orders'],
    resources: [ordersApi],
    introspects: [gatewayApi],
    overrides: {
      tokenExchange: { value: 'impersonation and delegation', reason },
      tokenExchangeClients: { value: 'shop', reason },
      tokenExchangeAudiences: { value: gatewayApi, reason },
    },
  });
  orders = await register(provider, 'orders', { introspects: [ordersApi, gatewayApi] });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const ask = (subject_token: string, more: { readonly [name: string]: string } = {}, party = gateway) =>
  postAs(party, '/token', { grant_type: grantType, subject_token, subject_token_type: accessToken, ...more });
const exchange = async (subjectToken: string, more: { readonly [name: string]: string } = {}): Promise<Body> => {
  const response = await ask(subjectToken, more);
  const body = await bodyOf(response);
  expect({ status: response.status, body }).toMatchObject({ status: 200 });
  return body;
};
const exchanged = async (subjectToken: string, more: { readonly [name: string]: string } = {}): Promise<string> =>
  text(await exchange(subjectToken, more), 'access_token');
const signedIn = (agent?: UserAgent): Promise<Tokens> => tokensFor(shop, alice, { scope: 'openid orders' }, agent);
const introspect = async (token: string): Promise<Body> => bodyOf(await postAs(orders, '/introspect', { token }));
const inactive = { active: false };

describe('RFC 8693 §2.2.1: the answer', () => {
  test('an access token for the other service, its type, and nothing else', async () => {
    const { accessToken: subject } = await signedIn();
    await provider.shiftClock(2);
    const body = await exchange(subject, { resource: ordersApi, scope: 'orders' });
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: accessToken,
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'orders',
    });
    const claims = claimsOf(text(body, 'access_token'));
    const { sub, exp, auth_time, acr } = claimsOf(subject);
    expect(claims).toMatchObject({
      iss: provider.issuer,
      sub,
      exp,
      auth_time,
      acr,
      aud: ordersApi,
      client_id: 'gateway',
    });
    expect(body['expires_in']).toBe(Number(exp) - Number(claims['iat']));
    expect(body['expires_in']).toBeLessThan(600);
    expect(claims).not.toHaveProperty('act');
    const line = provider.log.findLast((logged) => logged.includes('token.exchanged')) ?? '';
    expect(JSON.parse(line)).toMatchObject({ clientId: 'gateway', subjectClientId: 'shop', subject: sub, actor: null });
  });

  test('it verifies as any access token of ours (RFC 9068 §4)', async () => {
    const token = await exchanged((await signedIn()).accessToken);
    const jwks = (await (await fetch(`${provider.issuer}/jwks`)).json()) as JSONWebKeySet;
    const currentDate = new Date(Number(claimsOf(token)['iat']) * 1000);
    const { issuer } = provider;
    await jwtVerify(token, createLocalJWKSet(jwks), { typ: 'at+jwt', issuer, audience: ordersApi, currentDate });
  });

  test('openid-client takes it', async () => {
    const { accessToken: subject_token } = await signedIn();
    const authentication = ClientSecretBasic(gateway.secret ?? '');
    const execute = [allowInsecureRequests];
    const configuration = await discovery(new URL(provider.issuer), 'gateway', {}, authentication, { execute });
    const tokens = await genericGrantRequest(configuration, grantType, {
      subject_token,
      subject_token_type: accessToken,
      resource: ordersApi,
    });
    expect(tokens).toMatchObject({ token_type: 'bearer', issued_token_type: accessToken, scope: 'openid orders' });
    expect(tokens.claims()).toBeUndefined();
  });

  test('no ID token with openid either; userinfo then says what the scope says, to the gateway', async () => {
    const tokens = await tokensFor(shop, alice, {
      scope: 'openid orders',
      claims: '{"userinfo":{"nickname":null}}',
    });
    expect(await bodyOf(await userinfo(shop, tokens.accessToken))).toHaveProperty('nickname');
    const body = await exchange(tokens.accessToken, { scope: 'openid' });
    expect(body).not.toHaveProperty('id_token');
    expect(body).not.toHaveProperty('refresh_token');
    const answer = await userinfo(gateway, text(body, 'access_token'));
    expect(await bodyOf(answer)).toEqual({ sub: claimsOf(tokens.accessToken)['sub'] });
  });
});

describe('RFC 8693 §4.1: delegation', () => {
  test('the token names who acts, and introspection does', async () => {
    const { accessToken: subject } = await signedIn();
    const actor = text(
      await bodyOf(await postAs(gateway, '/token', { grant_type: 'client_credentials' })),
      'access_token',
    );
    const token = await exchanged(subject, { actor_token: actor, actor_token_type: accessToken });
    expect(claimsOf(token)).toMatchObject({ act: { sub: 'gateway' }, sub: claimsOf(subject)['sub'] });
    expect(await introspect(token)).toMatchObject({
      active: true,
      client_id: 'gateway',
      act: { sub: 'gateway' },
      username: 'alice',
    });
  });
});

describe('it costs', () => {
  let writes: WriteCounter;
  beforeAll(async () => {
    writes = await countWrites(provider.database);
  });
  const costOf = async (work: () => Promise<unknown>) => {
    const before = await writes.read();
    provider.resetStatements();
    await work();
    const roundTrips = provider.statements().length;
    return { roundTrips, rows: writtenBetween(before, await writes.read()) };
  };

  test('one round trip and no row; what policy refuses costs nothing', async () => {
    const { accessToken: subject } = await signedIn();
    await exchange(subject);
    expect(await costOf(() => exchange(subject))).toEqual({ roundTrips: 1, rows: {} });
    const own = await tokensFor(webOf(provider), alice);
    expect(await costOf(() => ask(own.accessToken))).toEqual({ roundTrips: 0, rows: {} });
  });
});

describe('it dies with the token that it was exchanged for', () => {
  test('revoked by its own client', async () => {
    const { accessToken: subject, refreshToken } = await signedIn();
    const token = await exchanged(subject);
    expect(await introspect(token)).toMatchObject({ active: true });
    await postAs(shop, '/revoke', { token: refreshToken });
    expect(await introspect(token)).toEqual(inactive);
    expect((await ask(subject)).status).toBe(400);
  });

  test('by reuse of a refresh token', async () => {
    const first = await signedIn();
    const token = await exchanged(first.accessToken);
    const second = text(await bodyOf(await refresh(shop, first.refreshToken)), 'refresh_token');
    await refresh(shop, second);
    await refresh(shop, first.refreshToken);
    expect(await introspect(token)).toEqual(inactive);
  });

  test('by sign-out; userinfo then refuses it as well', async () => {
    const agent = new UserAgent();
    const { accessToken: subject, idToken } = await signedIn(agent);
    const token = await exchanged(subject, { scope: 'openid orders' });
    expect((await userinfo(gateway, token)).status).toBe(200);
    await agent.fetch(`${provider.issuer}/logout?${new URLSearchParams({ id_token_hint: idToken })}`);
    expect((await userinfo(gateway, token)).status).toBe(401);
    expect(await introspect(token)).toEqual(inactive);
    expect((await ask(subject)).status).toBe(400);
  });

  test('when its person is disabled', async () => {
    const token = await exchanged((await signedIn()).accessToken);
    await enableUser(provider, 'alice', false);
    expect(await introspect(token)).toEqual(inactive);
    await enableUser(provider, 'alice', true);
    expect(await introspect(token)).toMatchObject({ active: true });
  });

  test('who exchanged it cannot revoke it, and ends nothing of the other client (RFC 7009 §2.2.1)', async () => {
    const { accessToken: subject } = await signedIn();
    const token = await exchanged(subject);
    const answer = await postAs(gateway, '/revoke', { token });
    expect(answer.status).toBe(400);
    expect(await bodyOf(answer)).toMatchObject({ error: 'unsupported_token_type' });
    expect(await introspect(token)).toMatchObject({ active: true });
    expect((await userinfo(shop, subject)).status).toBe(200);
  });

  test.each(['shop', 'gateway'])('everything of %s is ended', async (clientId) => {
    const token = await exchanged((await signedIn()).accessToken);
    expect(await introspect(token)).toMatchObject({ active: true });
    await provider.shiftClock(2);
    await endClient(provider, clientId);
    await until(async () => (await introspect(token))['active'] === false);
    // What is issued from now on counts.
    await provider.shiftClock(2);
    expect(await introspect(await exchanged((await signedIn()).accessToken))).toMatchObject({ active: true });
  });
});

describe('what is refused', () => {
  const errorOf = async (response: Response): Promise<unknown> => (await bodyOf(response))['error'];

  test('a token of another realm, an ID token, a refresh token, noise: invalid_request', async () => {
    const ofAcme = await tokensFor(acmeOf(provider), carol);
    const { idToken, refreshToken, accessToken: subject } = await signedIn();
    for (const token of [ofAcme.accessToken, idToken, refreshToken, `${subject}x`, 'noise']) {
      const answer = await ask(token);
      expect({ status: answer.status, error: await errorOf(answer) }).toEqual({
        status: 400,
        error: 'invalid_request',
      });
    }
  });

  test('the log says which setting refused, the answer does not', async () => {
    const { accessToken: subject } = await tokensFor({ ...shop, ...(await other()) }, alice);
    const body = await bodyOf(await ask(subject));
    const [, errorId = ''] = /error id ([^)]+)/.exec(text(body, 'error_description')) ?? [];
    expect(text(body, 'error_description')).not.toContain('tokenExchange');
    expect(provider.log.find((line) => line.includes(errorId))).toContain('setting tokenExchangeClients');
  });
  const other = () => register(provider, 'other-shop', { resources: [gatewayApi] });

  test('a client whose settings allow nothing: unauthorized_client', async () => {
    const party = await register(provider, 'eager', { grantTypes: [grantType], responseTypes: [], redirectUris: [] });
    const answer = await ask((await signedIn()).accessToken, {}, party);
    expect({ status: answer.status, error: await errorOf(answer) }).toEqual({
      status: 400,
      error: 'unauthorized_client',
    });
  });

  test('what the operator takes back counts within a second', async () => {
    const { accessToken: subject } = await signedIn();
    await exchange(subject);
    await changeClient(provider, 'gateway', { overrides: {} });
    await until(async () => (await ask(subject)).status === 400);
  });
});
