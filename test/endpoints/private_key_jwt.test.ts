import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { claimsOfClient, good, invalidClient, now, outcome, present as presentTo } from './client_assertion.ts';
import { register } from './operator.ts';
import type { Parameters } from './relying_party.ts';

let provider: Provider;
let keys: Awaited<ReturnType<typeof generateKeyPair>>;
let stranger: Awaited<ReturnType<typeof generateKeyPair>>;

beforeAll(async () => {
  provider = await startProvider();
  keys = await generateKeyPair('ES256');
  stranger = await generateKeyPair('ES256');
  const more = {
    authMethod: 'private_key_jwt',
    grantTypes: ['client_credentials'],
    responseTypes: [],
    redirectUris: [],
    scope: ['reports'],
  };
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'its-own', alg: 'ES256' };
  await register(provider, 'signing', { ...more, jwks: { keys: [jwk] } });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const claims = (more: JWTPayload = {}): JWTPayload => ({ ...claimsOfClient('signing', provider.issuer), ...more });

const sign = (payload: JWTPayload, key = keys.privateKey): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'its-own' }).sign(key);

const without = (name: string): JWTPayload =>
  Object.fromEntries(Object.entries(claims()).filter(([claim]) => claim !== name));

const present = (assertion: string, path = '/token', fields: Parameters = {}) =>
  presentTo(provider.issuer, assertion, path, fields);

describe('an assertion is taken', () => {
  test.each([
    ['for the issuer', () => claims()],
    ['for the token endpoint', () => claims({ aud: `${provider.issuer}/token` })],
    ['for one of several', () => claims({ aud: ['https://else.example', provider.issuer] })],
    ['without iat', () => without('iat')],
    ['from a clock eight seconds ahead', () => claims({ iat: now() + 8, nbf: now() + 8 })],
  ])('%s', async (_, payload) => {
    expect(await outcome(await present(await sign(payload())))).toEqual(good);
  });

  test('beside the client_id that it names', async () => {
    expect(await outcome(await present(await sign(claims()), '/token', { client_id: 'signing' }))).toEqual(good);
  });
});

describe('an assertion is refused', () => {
  test.each([
    ['for somebody else', () => claims({ aud: 'https://else.example' })],
    ['for another realm', () => claims({ aud: `${provider.issuer}/realms/acme` })],
    ['for an address that only begins like ours', () => claims({ aud: `${provider.issuer}/` })],
    ['five minutes late', () => claims({ exp: now() - 300 })],
    ['for longer than an hour', () => claims({ exp: now() + 7200 })],
    ['from a clock a minute ahead', () => claims({ iat: now() + 62 })],
    ['not valid yet', () => claims({ nbf: now() + 62 })],
    ['by another issuer', () => claims({ iss: 'demo-service' })],
    ['for another client', () => claims({ sub: 'demo-service' })],
    ...['iss', 'sub', 'aud', 'exp', 'jti'].map((name) => [`without ${name}`, () => without(name)] as const),
  ])('%s', async (_, payload) => {
    expect(await outcome(await present(await sign(payload())))).toEqual(invalidClient);
  });

  test('signed by a stranger under our key’s name', async () => {
    expect(await outcome(await present(await sign(claims(), stranger.privateKey)))).toEqual(invalidClient);
  });

  test('signed with the public key as a shared secret', async () => {
    const shared = new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)));
    const assertion = await new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(shared);
    expect(await outcome(await present(assertion))).toEqual(invalidClient);
  });

  test('not signed', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    expect(await outcome(await present(`${part({ alg: 'none' })}.${part(claims())}.`))).toEqual(invalidClient);
  });

  test('beside another client_id', async () => {
    const assertion = await sign(claims());
    expect(await outcome(await present(assertion, '/token', { client_id: 'demo-service' }))).toEqual(invalidClient);
  });
});

describe('an assertion counts once (RFC 7523 §3)', () => {
  test.each(['/token', '/introspect', '/revoke'])(
    'shown again at %s it is refused, and the log says why',
    async (path) => {
      const assertion = await sign(claims());
      expect(await outcome(await present(assertion))).toEqual(good);
      const before = provider.log.length;
      expect(await outcome(await present(assertion, path, { token: 'x' }))).toEqual(invalidClient);
      const lines = provider.log.slice(before);
      expect(lines).toHaveLength(1);
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({ rule: 'RFC 7523 §3', clientId: 'signing' });
    },
  );

  test('of 20 at once one is taken', async () => {
    const assertion = await sign(claims());
    const outcomes = await Promise.all(Array.from({ length: 20 }, async () => (await present(assertion)).status));
    expect(outcomes.filter((status) => status === 200)).toHaveLength(1);
    expect(outcomes.filter((status) => status === 401)).toHaveLength(19);
  });

  test('refused for something else it may be sent again', async () => {
    const assertion = await sign(claims());
    expect(await outcome(await present(assertion, '/token', { scope: 'openid' }))).toEqual({
      status: 400,
      error: 'invalid_scope',
    });
    expect(await outcome(await present(assertion))).toEqual(good);
  });
});
