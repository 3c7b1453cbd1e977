import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as oauth from 'oauth4webapi';
import { databaseTimeoutMilliseconds } from '../../database.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { signIn, UserAgent } from '../../user_agent.ts';
import { alice, newKey, redirectUri, registerClient } from './registered_client.ts';
import { rejection } from './rejection.ts';

/** `oauth4webapi` step by step: every response is checked by the function that the library has for it. */

let provider: Provider;
let as: oauth.AuthorizationServer;
let parties: ReadonlyMap<string, Party>;

type Party = { readonly client: oauth.Client; readonly authentication: oauth.ClientAuth };

const insecure = { [oauth.allowInsecureRequests]: true } as const;
const maxAge = 300;

beforeAll(async () => {
  provider = await startProvider();
  as = await discover(provider.issuer, 'oidc');
  const key = await newKey('rp-key');
  const post = await registerClient(provider, { clientId: 'rp-post', authMethod: 'client_secret_post' });
  await registerClient(provider, { clientId: 'rp-key', authMethod: 'private_key_jwt', key });
  parties = new Map([
    party('demo-spa', oauth.None()),
    party('demo-web', oauth.ClientSecretBasic(provider.secretOf('demo-web'))),
    party('demo-service', oauth.ClientSecretBasic(provider.secretOf('demo-service'))),
    party('rp-post', oauth.ClientSecretPost(post)),
    party('rp-key', oauth.PrivateKeyJwt({ key: key.privateKey, kid: 'rp-key' })),
  ]);
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const party = (client_id: string, authentication: oauth.ClientAuth) =>
  [client_id, { client: { client_id }, authentication }] as const;

function partyOf(clientId: string): Party {
  const found = parties.get(clientId);
  if (found === undefined) throw new Error(`no client ${clientId} in this test`);
  return found;
}

async function discover(issuer: string, algorithm: 'oidc' | 'oauth2'): Promise<oauth.AuthorizationServer> {
  const url = new URL(issuer);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm, ...insecure }));
}

type Attempt = { readonly url: string; readonly state: string; readonly nonce: string; readonly verifier: string };

async function newAttempt(clientId: string, further: { readonly [name: string]: string } = {}): Promise<Attempt> {
  const [state, nonce, verifier] = [
    oauth.generateRandomState(),
    oauth.generateRandomNonce(),
    oauth.generateRandomCodeVerifier(),
  ];
  const url = new URL(as.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'openid profile email',
    state,
    nonce,
    max_age: String(maxAge),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...further,
  }).toString();
  return { url: url.href, state, nonce, verifier };
}

/** Redeems the parameters of a callback, ID token and its signature checked. */
async function redeem({ client, authentication }: Party, callback: URL | URLSearchParams, attempt: Attempt) {
  const parameters = oauth.validateAuthResponse(as, client, callback, attempt.state);
  const response = await oauth.authorizationCodeGrantRequest(
    as,
    client,
    authentication,
    parameters,
    redirectUri,
    attempt.verifier,
    insecure,
  );
  const { nonce } = attempt;
  const checks = { expectedNonce: nonce, maxAge, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, checks);
  await oauth.validateApplicationLevelSignature(as, response, insecure);
  return { tokens, claims: claimsOf(tokens) };
}

function claimsOf(tokens: oauth.TokenEndpointResponse): oauth.IDToken {
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  if (claims === undefined) throw new Error('there is no ID token');
  return claims;
}

async function signInAs(clientId: string) {
  const attempt = await newAttempt(clientId);
  const callback = await signIn(new UserAgent(), attempt.url, alice);
  return { attempt, callback, ...(await redeem(partyOf(clientId), callback, attempt)) };
}

async function userinfo({ client }: Party, accessToken: string, subject: string) {
  return oauth.processUserInfoResponse(
    as,
    client,
    subject,
    await oauth.userInfoRequest(as, client, accessToken, insecure),
  );
}

async function refresh({ client, authentication }: Party, refreshToken: string) {
  const response = await oauth.refreshTokenGrantRequest(as, client, authentication, refreshToken, insecure);
  const tokens = await oauth.processRefreshTokenResponse(as, client, response);
  await oauth.validateApplicationLevelSignature(as, response, insecure);
  return tokens;
}

/** An API of somebody else that is called with the access token. */
const callApi = (accessToken: string): Request =>
  new Request('http://api.example/orders', { headers: { authorization: `Bearer ${accessToken}` } });

describe('discovery', () => {
  test('OIDC Discovery and RFC 8414 say the same, for the default realm and for one under a path', async () => {
    const issuers = [provider.issuer, provider.access.realms['acme']?.issuer ?? ''];
    for (const issuer of issuers) {
      const [oidc, oauth2] = [await discover(issuer, 'oidc'), await discover(issuer, 'oauth2')];
      expect(oidc.issuer).toBe(issuer);
      expect(oauth2).toEqual(oidc);
      for (const [name, url] of Object.entries(oidc)) {
        if (name.endsWith('_endpoint') || name === 'jwks_uri') expect(String(url)).toStartWith(`${issuer}/`);
      }
    }
  });

  test('a document of another issuer is refused by the library', async () => {
    const elsewhere = new URL(provider.issuer.replace('127.0.0.1', 'localhost'));
    const response = await oauth.discoveryRequest(new URL(provider.issuer), insecure);
    expect(await rejection(oauth.processDiscoveryResponse(elsewhere, response))).toMatchObject({
      code: oauth.JSON_ATTRIBUTE_COMPARISON,
    });
  });
});

describe.each(['demo-spa', 'demo-web', 'rp-post', 'rp-key'])('%s', (clientId) => {
  test('code, PKCE, signed ID token, userinfo, refresh, revocation: each response passes its check', async () => {
    const asking = partyOf(clientId);
    const { tokens, claims } = await signInAs(clientId);
    expect(tokens.token_type).toBe('bearer');
    expect(tokens.scope).toBe('openid profile email');
    expect((await userinfo(asking, tokens.access_token, claims.sub)).name).toBe('Alice Adler');
    const refreshed = await refresh(asking, tokens.refresh_token ?? '');
    expect(refreshed.refresh_token).toBeString();
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
    await userinfo(asking, refreshed.access_token, claims.sub);
    const { client, authentication } = asking;
    const revoked = await oauth.revocationRequest(as, client, authentication, refreshed.refresh_token ?? '', insecure);
    await oauth.processRevocationResponse(revoked);
    expect(await rejection(refresh(asking, refreshed.refresh_token ?? ''))).toMatchObject({ error: 'invalid_grant' });
    const refused = await rejection(userinfo(asking, refreshed.access_token, claims.sub));
    expect(refused).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
  });

  test('its access token passes RFC 9068 validation at an API, and fails for another audience', async () => {
    const { tokens, claims } = await signInAs(clientId);
    const accepted = await oauth.validateJwtAccessToken(as, callApi(tokens.access_token), provider.issuer, insecure);
    expect(accepted).toMatchObject({ client_id: clientId, sub: claims.sub, scope: 'openid profile email' });
    const elsewhere = oauth.validateJwtAccessToken(as, callApi(tokens.access_token), 'https://other.example', insecure);
    expect(await rejection(elsewhere)).toBeInstanceOf(oauth.OperationProcessingError);
  });
});

describe('the answers of the authorization endpoint', () => {
  test('response_mode=form_post: the fields that the page posts redeem like a query', async () => {
    const attempt = await newAttempt('demo-web', { response_mode: 'form_post' });
    const agent = new UserAgent();
    let at = await agent.page(attempt.url);
    for (const fields of [{ username: alice.username }, { password: alice.password }, { decision: 'allow' }]) {
      const next = await agent.answer(at, fields);
      if (next instanceof URL) throw new Error('form_post left by a redirect');
      at = next;
    }
    expect(at.html).toContain(`action="${redirectUri}"`);
    const { claims } = await redeem(partyOf('demo-web'), new URLSearchParams(at.hidden), attempt);
    expect(claims.iss).toBe(provider.issuer);
  });

  test('an error is an AuthorizationResponseError with iss; a changed iss or state is refused before it is believed', async () => {
    const { client } = partyOf('demo-web');
    const { url, state } = await newAttempt('demo-web', { prompt: 'none' });
    const callback = await new UserAgent().open(url);
    if (!(callback instanceof URL)) throw new Error(`a page: ${callback.title}`);
    const validate =
      (parameters: URL, expectedState = state) =>
      async () =>
        oauth.validateAuthResponse(as, client, parameters, expectedState);
    const refused = await rejection(validate(callback)());
    expect(refused).toBeInstanceOf(oauth.AuthorizationResponseError);
    expect(refused).toMatchObject({ error: 'login_required' });
    expect(await rejection(validate(callback, 'another')())).toMatchObject({ code: oauth.INVALID_RESPONSE });
    callback.searchParams.set('iss', 'http://127.0.0.1:1');
    expect(await rejection(validate(callback)())).toMatchObject({ code: oauth.INVALID_RESPONSE });
  });

  test('a wrong nonce is caught by the library; a code twice is an invalid_grant that ends what it gave', async () => {
    const asking = partyOf('demo-spa');
    const attempt = await newAttempt('demo-spa');
    const callback = await signIn(new UserAgent(), attempt.url, alice);
    expect(await rejection(redeem(asking, callback, { ...attempt, nonce: 'another' }))).toMatchObject({
      code: oauth.JWT_CLAIM_COMPARISON,
    });
    const again = await rejection(redeem(asking, callback, attempt));
    expect(again).toBeInstanceOf(oauth.ResponseBodyError);
    expect(again).toMatchObject({ error: 'invalid_grant', status: 400 });

    const other = await signInAs('demo-spa');
    await rejection(redeem(asking, other.callback, other.attempt));
    const ended = await rejection(userinfo(asking, other.tokens.access_token, other.claims.sub));
    expect(ended).toBeInstanceOf(oauth.WWWAuthenticateChallengeError);
  });
});

describe('refresh tokens', () => {
  test('the parent gets the same heir; two generations back ends the family', async () => {
    const asking = partyOf('demo-web');
    const { tokens } = await signInAs('demo-web');
    const first = tokens.refresh_token ?? '';
    const heir = (await refresh(asking, first)).refresh_token ?? '';
    expect((await refresh(asking, first)).refresh_token).toBe(heir);
    const third = (await refresh(asking, heir)).refresh_token ?? '';
    expect(await rejection(refresh(asking, first))).toMatchObject({ error: 'invalid_grant' });
    expect(await rejection(refresh(asking, third))).toMatchObject({ error: 'invalid_grant' });
  });

  test('of another client: invalid_grant, and its own client goes on', async () => {
    const { tokens } = await signInAs('demo-spa');
    expect(await rejection(refresh(partyOf('demo-web'), tokens.refresh_token ?? ''))).toMatchObject({
      error: 'invalid_grant',
    });
    await refresh(partyOf('demo-spa'), tokens.refresh_token ?? '');
  });
});

describe('without a user', () => {
  test.each(['demo-service', 'rp-post', 'rp-key'])('client_credentials as %s, accepted by an API', async (clientId) => {
    const { client, authentication } = partyOf(clientId);
    const parameters = { scope: 'orders.read' };
    const response = await oauth.clientCredentialsGrantRequest(as, client, authentication, parameters, insecure);
    const tokens = await oauth.processClientCredentialsResponse(as, client, response);
    const accepted = await oauth.validateJwtAccessToken(as, callApi(tokens.access_token), provider.issuer, insecure);
    expect(accepted).toMatchObject({ client_id: clientId, sub: clientId, scope: 'orders.read' });
  });

  test.each(['demo-web', 'rp-post', 'rp-key'])(
    '%s introspects: active, after revocation inactive',
    async (clientId) => {
      const { client, authentication } = partyOf(clientId);
      const { tokens } = await signInAs('demo-spa');
      const introspect = async () => {
        const response = await oauth.introspectionRequest(as, client, authentication, tokens.access_token, insecure);
        return oauth.processIntrospectionResponse(as, client, response);
      };
      expect(await introspect()).toMatchObject({ active: true, client_id: 'demo-spa', username: 'alice' });
      const spa = partyOf('demo-spa');
      const revoked = await oauth.revocationRequest(as, spa.client, spa.authentication, tokens.access_token, insecure);
      await oauth.processRevocationResponse(revoked);
      expect({ ...(await introspect()) }).toEqual({ active: false });
    },
  );
});
