import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { sha256 } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { register, rotateSecret, until } from './operator.ts';
import {
  alice,
  authorize,
  basic,
  bodyOf,
  claimsOf,
  codeChallenge,
  codeOf,
  codeVerifier,
  post,
  redeem,
  refresh,
  spaOf,
  text,
  tokensFor,
  tokensOf,
  userinfo,
  webOf,
} from './relying_party.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const refused = async (response: Response) => ({ status: response.status, error: (await bodyOf(response))['error'] });
const invalidGrant = { status: 400, error: 'invalid_grant' };
const invalidClient = { status: 401, error: 'invalid_client' };

const service = (fields: { readonly [name: string]: string } = {}, headers: { readonly [name: string]: string } = {}) =>
  post(
    `${provider.issuer}/token`,
    { grant_type: 'client_credentials', ...fields },
    { authorization: basic('demo-service', provider.secretOf('demo-service')), ...headers },
  );

async function verified(token: string) {
  const { keys } = await bodyOf(await fetch(`${provider.issuer}/jwks`));
  const jwks = createLocalJWKSet({ keys: Array.isArray(keys) ? keys : [] });
  return jwtVerify(token, jwks, { issuer: provider.issuer });
}

describe('the token response (RFC 6749 §5.1, OIDC Core §3.1.3.3)', () => {
  test('has what they say, is JSON and never kept', async () => {
    const response = await redeem(
      webOf(provider),
      codeOf(await authorize(webOf(provider), alice, { scope: 'openid email' })),
    );
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('pragma')).toBe('no-cache');
    expect(await bodyOf(response)).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'openid email',
      refresh_token: expect.stringMatching(/^[A-Za-z0-9_-]{98}$/),
      id_token: expect.any(String),
    });
  });

  test('the ID token verifies with the JWKS and vouches for the access token', async () => {
    const { accessToken, idToken } = await tokensFor(webOf(provider), alice, { nonce: 'a nonce' });
    const { payload, protectedHeader } = await verified(idToken);
    expect(protectedHeader).toMatchObject({ alg: 'RS256', kid: expect.any(String) });
    expect(payload).toEqual({
      iss: provider.issuer,
      sub: expect.stringMatching(/./),
      aud: 'demo-web',
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 600,
      auth_time: expect.any(Number),
      nonce: 'a nonce',
      acr: expect.any(String),
      amr: ['pwd'],
      sid: expect.any(String),
      at_hash: encodeBase64url(sha256(accessToken).subarray(0, 16)),
    });
  });

  test('the access token is a JWT of RFC 9068 for the issuer', async () => {
    const { accessToken, idToken } = await tokensFor(webOf(provider), alice, { scope: 'openid email' });
    const { payload, protectedHeader } = await verified(accessToken);
    expect(protectedHeader).toMatchObject({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
    expect(payload).toMatchObject({
      iss: provider.issuer,
      sub: claimsOf(idToken)['sub'],
      aud: provider.issuer,
      client_id: 'demo-web',
      scope: 'openid email',
      jti: expect.any(String),
    });
  });

  test('without a nonce asked for there is none', async () => {
    expect(claimsOf((await tokensFor(webOf(provider), alice)).idToken)).not.toHaveProperty('nonce');
  });

  test('client_credentials gives an access token and nothing of a user', async () => {
    const body = await bodyOf(await service());
    expect(Object.keys(body).toSorted()).toEqual(['access_token', 'expires_in', 'scope', 'token_type']);
    expect(body).toMatchObject({ scope: 'orders.read orders.write' });
    expect(claimsOf(text(body, 'access_token'))).toMatchObject({ sub: 'demo-service', client_id: 'demo-service' });
    expect(await bodyOf(await service({ scope: 'orders.read' }))).toMatchObject({ scope: 'orders.read' });
  });
});

describe('what is forgiven', () => {
  test.each([
    ['an unknown parameter', { extra: 'foobar' }, {}],
    ['an empty parameter, as if it were absent', { scope: '' }, {}],
    ['a charset beside the media type', {}, { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }],
    ['a media type in upper case', {}, { 'content-type': 'APPLICATION/X-WWW-FORM-URLENCODED' }],
    ['the scheme in lower case', {}, { lower: 'yes' }],
    ['a body as large as it may be', { extra: 'x'.repeat(64 * 1024 - 36) }, {}],
  ])('%s', async (_, fields, { lower, ...headers }: { readonly [name: string]: string }) => {
    const secret = provider.secretOf('demo-service');
    const authorization = basic('demo-service', secret).replace('Basic', lower === undefined ? 'Basic' : 'basic');
    expect((await service(fields, { ...headers, authorization })).status).toBe(200);
  });
});

describe('a code', () => {
  test('used twice: refused, and what it gave is dead (RFC 6749 §4.1.2)', async () => {
    const web = webOf(provider);
    const code = codeOf(await authorize(web, alice));
    const { accessToken, refreshToken } = await tokensOf(await redeem(web, code));
    expect((await userinfo(web, accessToken)).status).toBe(200);
    expect(await refused(await redeem(web, code))).toEqual(invalidGrant);
    expect((await userinfo(web, accessToken)).status).toBe(401);
    expect(await refused(await refresh(web, refreshToken))).toEqual(invalidGrant);
  });

  test('refused for a wrong verifier is not used up', async () => {
    const spa = spaOf(provider);
    const code = codeOf(await authorize(spa, alice));
    expect(await refused(await redeem(spa, code, { code_verifier: 'w'.repeat(43) }))).toEqual(invalidGrant);
    expect((await redeem(spa, code)).status).toBe(200);
  });

  test('of a confidential client with a challenge needs its verifier too, and then no redirect_uri', async () => {
    const web = webOf(provider);
    const pkce = { code_challenge: codeChallenge, code_challenge_method: 'S256' };
    const code = codeOf(await authorize(web, alice, pkce));
    expect(await refused(await redeem(web, code))).toEqual(invalidGrant);
    expect((await redeem(web, code, { code_verifier: codeVerifier, redirect_uri: '' })).status).toBe(200);
  });

  test('for a loopback port that is not registered is redeemed with that port (RFC 8252 §7.3)', async () => {
    const spa = { ...spaOf(provider), redirectUri: 'http://127.0.0.1:51234/callback' };
    expect((await redeem(spa, codeOf(await authorize(spa, alice)))).status).toBe(200);
  });
});

describe('a refresh', () => {
  test('gives new tokens; the ID token is the same sign-in without nonce (OIDC Core §12.2)', async () => {
    const web = webOf(provider);
    const first = await tokensFor(web, alice, { nonce: 'a nonce' });
    const response = await refresh(web, first.refreshToken);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const second = await tokensOf(response);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    expect(second.accessToken).not.toBe(first.accessToken);
    const { sub, auth_time, sid, aud } = claimsOf(first.idToken);
    expect(claimsOf(second.idToken)).toMatchObject({ iss: provider.issuer, sub, auth_time, sid, aud });
    expect(claimsOf(second.idToken)).not.toHaveProperty('nonce');
  });

  test('narrows the scope for one token, never for the grant (RFC 6749 §6)', async () => {
    const web = webOf(provider);
    const first = await tokensFor(web, alice, { scope: 'openid profile email' });
    const narrow = await bodyOf(await refresh(web, first.refreshToken, { scope: 'openid email' }));
    expect(narrow['scope']).toBe('openid email');
    const claims = await bodyOf(await userinfo(web, text(narrow, 'access_token')));
    expect(Object.keys(claims).toSorted()).toEqual(['email', 'email_verified', 'sub']);
    const wide = await bodyOf(await refresh(web, text(narrow, 'refresh_token')));
    expect(wide['scope']).toBe('openid profile email');
    expect(await refused(await refresh(web, text(wide, 'refresh_token'), { scope: 'openid phone' }))).toEqual({
      status: 400,
      error: 'invalid_scope',
    });
    expect((await refresh(web, text(wide, 'refresh_token'))).status).toBe(200);
  });

  test('without openid gives no ID token', async () => {
    const web = webOf(provider);
    const { refreshToken } = await tokensFor(web, alice, { scope: 'openid email' });
    expect(await bodyOf(await refresh(web, refreshToken, { scope: 'email' }))).not.toHaveProperty('id_token');
  });

  test('by the parent gives the same heir; by anything older ends all', async () => {
    const web = webOf(provider);
    const first = await tokensFor(web, alice);
    const second = await tokensOf(await refresh(web, first.refreshToken));
    expect((await tokensOf(await refresh(web, first.refreshToken))).refreshToken).toBe(second.refreshToken);
    const third = await tokensOf(await refresh(web, second.refreshToken));
    expect(await refused(await refresh(web, first.refreshToken))).toEqual(invalidGrant);
    expect(await refused(await refresh(web, third.refreshToken))).toEqual(invalidGrant);
    expect((await userinfo(web, third.accessToken)).status).toBe(401);
  });
});

describe('a client authenticates', () => {
  const credentials = (clientId: string, clientSecret: string) =>
    post(`${provider.issuer}/token`, {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    });

  test('by client_secret_post, and then not by Basic', async () => {
    const { secret } = await register(provider, 'by-post', {
      authMethod: 'client_secret_post',
      grantTypes: ['client_credentials'],
      responseTypes: [],
      redirectUris: [],
      scope: ['reports'],
    });
    expect((await credentials('by-post', secret ?? '')).status).toBe(200);
    expect(await refused(await credentials('by-post', `${secret}x`))).toEqual(invalidClient);
    const byBasic = { authorization: basic('by-post', secret ?? '') };
    const answer = await post(`${provider.issuer}/token`, { grant_type: 'client_credentials' }, byBasic);
    expect(await refused(answer)).toEqual(invalidClient);
    expect(answer.headers.get('www-authenticate')).toBe(`Basic realm="${provider.issuer}"`);
  });

  test('by two secrets while one is rotated, then by the new one only', async () => {
    const more = { grantTypes: ['client_credentials'], responseTypes: [], redirectUris: [], scope: ['reports'] };
    const first = (await register(provider, 'rotating', more)).secret ?? '';
    const by = async (secret: string) =>
      (
        await post(
          `${provider.issuer}/token`,
          { grant_type: 'client_credentials' },
          { authorization: basic('rotating', secret) },
        )
      ).status;
    expect(await by(first)).toBe(200);
    const second = await rotateSecret(provider, 'rotating', 3600);
    await until(async () => (await by(second)) === 200);
    expect(await by(first)).toBe(200);
    const third = await rotateSecret(provider, 'rotating', 0);
    await until(async () => (await by(third)) === 200);
    expect([await by(first), await by(second)]).toEqual([401, 401]);
  });
});

/** Last, because the clock stays where it was put. */
describe('after a minute', () => {
  test('a code is over, and a refused code is used up no more than before', async () => {
    const web = webOf(provider);
    const code = codeOf(await authorize(web, alice));
    await provider.shiftClock(61);
    expect(await refused(await redeem(web, code))).toEqual(invalidGrant);
  });
});
