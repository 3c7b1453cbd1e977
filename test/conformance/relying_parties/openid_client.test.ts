import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { JWK } from 'jose';
import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  ClientError,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  clientCredentialsGrant,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
  None,
  PrivateKeyJwt,
  ResponseBodyError,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  tokenIntrospection,
  tokenRevocation,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { databaseTimeoutMilliseconds } from '../../database.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { signIn, UserAgent } from '../../user_agent.ts';
import { alice, newKey, redirectUri, registerClient, signedOutUri } from './registered_client.ts';
import { rejection } from './rejection.ts';

/** `openid-client` as a relying party would use it: ID token signatures are verified with the published keys. */

let provider: Provider;
let authentications: { readonly [clientId: string]: ClientAuth };

beforeAll(async () => {
  provider = await startProvider();
  const key = await newKey('rp-key');
  const post = await registerClient(provider, { clientId: 'rp-post', authMethod: 'client_secret_post' });
  await registerClient(provider, { clientId: 'rp-key', authMethod: 'private_key_jwt', key });
  authentications = {
    'demo-spa': None(),
    'demo-web': ClientSecretBasic(provider.secretOf('demo-web')),
    'rp-post': ClientSecretPost(post),
    'rp-key': PrivateKeyJwt({ key: key.privateKey, kid: 'rp-key' }),
    'demo-service': ClientSecretBasic(provider.secretOf('demo-service')),
  };
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const configure = (clientId: string, authentication = authentications[clientId]): Promise<Configuration> =>
  discovery(new URL(provider.issuer), clientId, {}, authentication, {
    execute: [allowInsecureRequests, enableNonRepudiationChecks],
  });

const maxAge = 300;

/** One authorization request and what has to come back with it. */
async function newAttempt(configuration: Configuration, further: { readonly [name: string]: string } = {}) {
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const checks = {
    pkceCodeVerifier,
    expectedState: randomState(),
    expectedNonce: randomNonce(),
    idTokenExpected: true,
    maxAge,
  };
  const url = buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: 'openid profile email',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    max_age: String(maxAge),
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...further,
  });
  return { url: url.href, checks };
}

async function signInAs(configuration: Configuration, agent = new UserAgent()) {
  const { url, checks } = await newAttempt(configuration);
  const callback = await signIn(agent, url, alice);
  return { callback, checks, tokens: await authorizationCodeGrant(configuration, callback, checks) };
}

describe.each(['demo-spa', 'demo-web', 'rp-post', 'rp-key'])('%s signs in with code and PKCE', (clientId) => {
  test('ID token, userinfo, refresh and end session: the library accepts all of it', async () => {
    const configuration = await configure(clientId);
    const before = Math.floor(Date.now() / 1000);
    const { tokens } = await signInAs(configuration);
    const claims = tokens.claims();
    expect(claims).toMatchObject({ iss: provider.issuer, aud: clientId });
    expect(claims?.auth_time).toBeGreaterThanOrEqual(before);
    const userinfo = await fetchUserInfo(configuration, tokens.access_token, claims?.sub ?? '');
    expect(userinfo).toMatchObject({ name: 'Alice Adler', email: 'alice@example.com', email_verified: true });

    const refreshed = await refreshTokenGrant(configuration, tokens.refresh_token ?? '');
    expect(refreshed.refresh_token).toBeString();
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    expect(refreshed.access_token).not.toBe(tokens.access_token);
    expect(refreshed.claims()?.sub).toBe(claims?.sub);
    expect(refreshed.claims()?.auth_time).toBe(claims?.auth_time);
    await fetchUserInfo(configuration, refreshed.access_token, claims?.sub ?? '');
  });

  test('revocation ends the family: userinfo and refresh are refused from then on', async () => {
    const configuration = await configure(clientId);
    const { tokens } = await signInAs(configuration);
    const subject = tokens.claims()?.sub ?? '';
    await tokenRevocation(configuration, tokens.refresh_token ?? '', { token_type_hint: 'refresh_token' });
    const refused = await rejection(fetchUserInfo(configuration, tokens.access_token, subject));
    expect(refused).toBeInstanceOf(WWWAuthenticateChallengeError);
    const again = await rejection(refreshTokenGrant(configuration, tokens.refresh_token ?? ''));
    expect(again).toBeInstanceOf(ResponseBodyError);
    expect(again).toMatchObject({ error: 'invalid_grant', status: 400 });
  });
});

/** The boundary where an answer becomes a JWKS. */
const jwksIn = (json: unknown) => json as { readonly keys: readonly JWK[] };

/** The check of the library that a promise failed at: its code and what exactly it found. */
async function failedCheck(promise: Promise<unknown>): Promise<readonly [string, string]> {
  const thrown = await rejection(promise);
  if (!(thrown instanceof ClientError)) throw thrown;
  const reason = thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
  return [thrown.code ?? '', reason];
}

describe('single sign-on and sign-out', () => {
  test('a second client signs in silently with prompt=none; with max_age=0 it may not', async () => {
    const agent = new UserAgent();
    const first = await signInAs(await configure('demo-web'), agent);
    const configuration = await configure('rp-post');
    // Consent is asked for once per client, so the first time is not silent.
    await signInAs(configuration, agent);
    const { url, checks } = await newAttempt(configuration, { prompt: 'none' });
    const callback = await agent.open(url);
    if (!(callback instanceof URL)) throw new Error(`prompt=none showed a page: ${callback.title}`);
    const tokens = await authorizationCodeGrant(configuration, callback, checks);
    expect(tokens.claims()?.sub).toBe(first.tokens.claims()?.sub ?? '');
    expect(tokens.claims()?.auth_time).toBe(first.tokens.claims()?.auth_time);

    const fresh = await newAttempt(configuration, { prompt: 'none', max_age: '0' });
    const refused = await agent.open(fresh.url);
    const thrown = await rejection(
      authorizationCodeGrant(configuration, refused instanceof URL ? refused : new URL('about:blank'), fresh.checks),
    );
    expect(thrown).toBeInstanceOf(AuthorizationResponseError);
    expect(thrown).toMatchObject({ error: 'login_required' });
  });

  test('the end session URL signs out unasked and comes back with its state; then prompt=none is login_required', async () => {
    const agent = new UserAgent();
    const configuration = await configure('demo-web');
    const { tokens } = await signInAs(configuration, agent);
    const url = buildEndSessionUrl(configuration, {
      id_token_hint: tokens.id_token ?? '',
      post_logout_redirect_uri: signedOutUri,
      state: 'good bye',
    });
    const back = await agent.open(url.href);
    expect(back instanceof URL && back.origin + back.pathname).toBe(signedOutUri);
    expect(back instanceof URL && [...back.searchParams]).toEqual([['state', 'good bye']]);
    const { url: silent, checks } = await newAttempt(configuration, { prompt: 'none' });
    const callback = await agent.open(silent);
    const thrown = await rejection(
      authorizationCodeGrant(configuration, callback instanceof URL ? callback : new URL('about:blank'), checks),
    );
    expect(thrown).toMatchObject({ error: 'login_required' });
    const refused = await rejection(fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? ''));
    expect(refused).toBeInstanceOf(WWWAuthenticateChallengeError);
  });
});

describe('services and introspection', () => {
  test.each(['demo-service', 'rp-post', 'rp-key'])('client_credentials as %s', async (clientId) => {
    const configuration = await configure(clientId);
    const tokens = await clientCredentialsGrant(configuration, { scope: 'orders.read' });
    expect(tokens).toMatchObject({ token_type: 'bearer', scope: 'orders.read' });
    expect(tokens.refresh_token).toBeUndefined();
    expect(tokens.expires_in).toBeGreaterThan(0);
  });

  test('client_credentials is refused to a client that has not got the grant', async () => {
    const thrown = await rejection(clientCredentialsGrant(await configure('demo-web'), { scope: 'openid' }));
    expect(thrown).toBeInstanceOf(ResponseBodyError);
    expect(thrown).toMatchObject({ error: 'unauthorized_client' });
  });

  test('demo-web introspects tokens of this issuer: active, then inactive after revocation', async () => {
    const configuration = await configure('demo-web');
    const { tokens } = await signInAs(configuration);
    expect(await tokenIntrospection(configuration, tokens.access_token)).toMatchObject({
      active: true,
      iss: provider.issuer,
      aud: provider.issuer,
      client_id: 'demo-web',
      username: 'alice',
      sub: tokens.claims()?.sub ?? '',
      scope: 'openid profile email',
    });
    await tokenRevocation(configuration, tokens.access_token);
    expect(Object.entries(await tokenIntrospection(configuration, tokens.access_token))).toEqual([['active', false]]);
  });

  test('a public client may not introspect', async () => {
    const spa = await configure('demo-spa');
    const { tokens } = await signInAs(spa);
    const thrown = await rejection(tokenIntrospection(spa, tokens.access_token));
    expect(thrown instanceof ResponseBodyError || thrown instanceof WWWAuthenticateChallengeError).toBe(true);
    expect(thrown).toMatchObject({ status: 401 });
  });
});

describe('what the library refuses', () => {
  test('a callback of another attempt: state', async () => {
    const configuration = await configure('demo-web');
    const { url, checks } = await newAttempt(configuration);
    const callback = await signIn(new UserAgent(), url, alice);
    const wrong = { ...checks, expectedState: randomState() };
    expect(await failedCheck(authorizationCodeGrant(configuration, callback, wrong))).toEqual([
      'OAUTH_INVALID_RESPONSE',
      'unexpected "state" response parameter value',
    ]);
  });

  test('an ID token of another attempt: nonce', async () => {
    const configuration = await configure('demo-web');
    const { url, checks } = await newAttempt(configuration);
    const callback = await signIn(new UserAgent(), url, alice);
    const wrong = { ...checks, expectedNonce: randomNonce() };
    expect(await failedCheck(authorizationCodeGrant(configuration, callback, wrong))).toEqual([
      'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
      'unexpected ID Token "nonce" claim value',
    ]);
  });

  test.each([
    ['another', 'http://127.0.0.1:1'],
    ['no', null],
  ])('a callback with %s iss (RFC 9207)', async (_, iss) => {
    const configuration = await configure('demo-web');
    const { url, checks } = await newAttempt(configuration);
    const callback = await signIn(new UserAgent(), url, alice);
    expect(callback.searchParams.get('iss')).toBe(provider.issuer);
    if (iss === null) callback.searchParams.delete('iss');
    else callback.searchParams.set('iss', iss);
    const [code, reason] = await failedCheck(authorizationCodeGrant(configuration, callback, checks));
    expect([code, reason.match(/"\w+"/)?.[0]]).toEqual(['OAUTH_INVALID_RESPONSE', '"iss"']);
  });

  test('an ID token that is not signed with a published key', async () => {
    const configuration = await configure('demo-web');
    const published = jwksIn(await (await fetch(`${provider.issuer}/jwks`)).json());
    const keys = await Promise.all(published.keys.map(async ({ kid = '', alg = '' }) => (await newKey(kid, alg)).jwk));
    configuration[customFetch] = (url, { body, ...init }) =>
      new URL(url).pathname === '/jwks'
        ? Promise.resolve(Response.json({ keys }))
        : fetch(url, { ...init, body: body instanceof URLSearchParams ? body : null });
    expect(await failedCheck(signInAs(configuration))).toEqual([
      'OAUTH_INVALID_RESPONSE',
      'JWT signature verification failed',
    ]);
  });
});

describe('what the provider refuses, as the library tells it', () => {
  test('a code a second time: invalid_grant, and what the first time gave is revoked', async () => {
    const configuration = await configure('demo-web');
    const { callback, checks, tokens } = await signInAs(configuration);
    const thrown = await rejection(authorizationCodeGrant(configuration, callback, checks));
    expect(thrown).toBeInstanceOf(ResponseBodyError);
    expect(thrown).toMatchObject({ error: 'invalid_grant', status: 400, error_description: expect.any(String) });
    const refused = await rejection(fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? ''));
    expect(refused).toBeInstanceOf(WWWAuthenticateChallengeError);
    expect(refused).toMatchObject({ cause: [{ scheme: 'bearer', parameters: { error: 'invalid_token' } }] });
  });

  test('another code_verifier: invalid_grant', async () => {
    const configuration = await configure('demo-spa');
    const { url, checks } = await newAttempt(configuration);
    const callback = await signIn(new UserAgent(), url, alice);
    const wrong = { ...checks, pkceCodeVerifier: randomPKCECodeVerifier() };
    expect(await rejection(authorizationCodeGrant(configuration, callback, wrong))).toMatchObject({
      error: 'invalid_grant',
    });
  });

  test.each([
    ['demo-web', () => ClientSecretBasic('not the secret')],
    ['rp-post', () => ClientSecretPost('not the secret')],
    ['rp-post', () => ClientSecretBasic('not the method')],
    ['rp-key', async () => PrivateKeyJwt({ key: (await newKey('rp-key')).privateKey, kid: 'rp-key' })],
  ])('%s with wrong credentials: invalid_client', async (clientId, wrong) => {
    const { url, checks } = await newAttempt(await configure(clientId));
    const callback = await signIn(new UserAgent(), url, alice);
    const thrown = await rejection(authorizationCodeGrant(await configure(clientId, await wrong()), callback, checks));
    const error = thrown instanceof WWWAuthenticateChallengeError ? await thrown.response?.clone().json() : thrown;
    expect(error).toMatchObject({ error: 'invalid_client' });
    expect(thrown).toMatchObject({ status: 401 });
    // Nothing was consumed: the client itself still redeems its code.
    await authorizationCodeGrant(await configure(clientId), callback, checks);
  });

  type Refused = readonly [string, string, { readonly [name: string]: string }];
  const refusals: readonly Refused[] = [
    ['login_required', 'demo-web', { prompt: 'none' }],
    ['invalid_scope', 'demo-web', { scope: 'nothing.of.ours' }],
    ['invalid_request', 'demo-spa', { code_challenge_method: 'plain' }],
    ['unsupported_response_type', 'demo-web', { response_type: 'token' }],
    ['invalid_request_object', 'demo-web', { request: 'e30.e30.' }],
  ];
  test.each(refusals)('%s comes back on the redirect, with iss and state', async (error, clientId, parameters) => {
    const configuration = await configure(clientId);
    const { url, checks } = await newAttempt(configuration, parameters);
    const callback = await new UserAgent().open(url);
    if (!(callback instanceof URL)) throw new Error(`expected a redirect, got the page ${callback.title}`);
    const thrown = await rejection(authorizationCodeGrant(configuration, callback, checks));
    expect(thrown).toBeInstanceOf(AuthorizationResponseError);
    expect(thrown).toMatchObject({ error, error_description: expect.any(String) });
    const cause = thrown instanceof AuthorizationResponseError ? thrown.cause : new URLSearchParams();
    expect(cause.get('iss')).toBe(provider.issuer);
    expect(cause.get('state')).toBe(checks.expectedState);
  });

  test('a person who says no: access_denied, with iss', async () => {
    const configuration = await configure('demo-web');
    const { url, checks } = await newAttempt(configuration, { prompt: 'consent' });
    const agent = new UserAgent();
    let at = await agent.open(url);
    for (const fields of [{ username: 'alice' }, { password: alice.password }, { decision: 'deny' }]) {
      if (at instanceof URL) throw new Error('sent back too early');
      at = await agent.answer(at, fields);
    }
    if (!(at instanceof URL)) throw new Error(`still at ${at.title}`);
    const thrown = await rejection(authorizationCodeGrant(configuration, at, checks));
    expect(thrown).toBeInstanceOf(AuthorizationResponseError);
    expect(thrown).toMatchObject({ error: 'access_denied' });
  });
});

test('another realm is another issuer: its client signs in its user there, and is unknown here', async () => {
  const { acme } = provider.access.realms;
  const authentication = ClientSecretBasic(provider.secretOf('acme-web', 'acme'));
  const execute = [allowInsecureRequests, enableNonRepudiationChecks];
  const configuration = await discovery(new URL(acme?.issuer ?? ''), 'acme-web', {}, authentication, { execute });
  const { url, checks } = await newAttempt(configuration);
  const callback = await signIn(new UserAgent(), url, { username: 'carol', password: 'carol-in-the-demo' });
  const tokens = await authorizationCodeGrant(configuration, callback, checks);
  expect(tokens.claims()?.iss).toBe(acme?.issuer ?? '');
  expect(await fetchUserInfo(configuration, tokens.access_token, tokens.claims()?.sub ?? '')).toMatchObject({
    name: 'Carol Clarke',
  });
  const here = await discovery(new URL(provider.issuer), 'acme-web', {}, authentication, { execute });
  const thrown = await rejection(refreshTokenGrant(here, tokens.refresh_token ?? ''));
  expect(thrown).toMatchObject({ status: 401 });
});
