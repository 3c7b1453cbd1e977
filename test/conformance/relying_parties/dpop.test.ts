import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { databaseTimeoutMilliseconds } from '../../database.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { signIn, UserAgent } from '../../user_agent.ts';
import { alice, redirectUri } from './registered_client.ts';
import { rejection } from './rejection.ts';

/** RFC 9449 by `openid-client`: its proofs, and its one retry where a nonce is demanded. */

let key: client.CryptoKeyPair;
let another: client.CryptoKeyPair;

beforeAll(async () => {
  [key, another] = await Promise.all([client.randomDPoPKeyPair('ES256'), client.randomDPoPKeyPair('Ed25519')]);
});

describe.each(['off', 'required'])('a realm whose dpopNonce is %s', (dpopNonce) => {
  let provider: Provider;
  let sent: number;

  beforeAll(async () => {
    provider = await startProvider({ environment: { LIMEN_SETTING_DPOP_NONCE: dpopNonce } });
  }, databaseTimeoutMilliseconds);

  afterAll(() => provider.stop());

  /** Counts the requests of what it is given. */
  const requestsOf = async (work: () => Promise<unknown>): Promise<number> => {
    sent = 0;
    await work();
    return sent;
  };

  async function configure(clientId: string): Promise<client.Configuration> {
    const authentication =
      clientId === 'demo-spa' ? client.None() : client.ClientSecretBasic(provider.secretOf(clientId));
    const configuration = await client.discovery(new URL(provider.issuer), clientId, {}, authentication, {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
    });
    configuration[client.customFetch] = (url, options) => {
      sent += 1;
      const { body, headers, method, redirect, signal } = options;
      return fetch(url, { body: body ?? null, headers, method, redirect, signal: signal ?? null });
    };
    return configuration;
  }

  async function signInWith(configuration: client.Configuration, DPoP: client.DPoPHandle, bindsCode: boolean) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const url = client.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: 'openid profile',
      state: expectedState,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...(bindsCode ? { dpop_jkt: await DPoP.calculateThumbprint() } : {}),
    });
    const callback = await signIn(new UserAgent(), url.href, alice);
    const redeem = (options: client.DPoPOptions) =>
      client.authorizationCodeGrant(configuration, callback, { pkceCodeVerifier, expectedState }, undefined, options);
    return { callback, redeem, tokens: await redeem({ DPoP }) };
  }

  test.each(['demo-spa', 'demo-web'])('%s: discovery, code, userinfo, refresh, all bound', async (clientId) => {
    const configuration = await configure(clientId);
    expect(configuration.serverMetadata().dpop_signing_alg_values_supported).toContain('ES256');
    const DPoP = client.getDPoPHandle(configuration, key);
    const { tokens } = await signInWith(configuration, DPoP, true);
    expect(tokens.token_type).toBe('dpop');
    const subject = tokens.claims()?.sub ?? '';
    const userinfo = await client.fetchUserInfo(configuration, tokens.access_token, subject, { DPoP });
    expect(userinfo.name).toBe('Alice Adler');
    const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '', {}, { DPoP });
    expect(refreshed.token_type).toBe('dpop');
    const later = client.fetchUserInfo(configuration, refreshed.access_token, subject, { DPoP });
    expect((await later).sub).toBe(subject);
  });

  test('its access token with its proof passes the validation of an API that demands both', async () => {
    const configuration = await configure('demo-service');
    const DPoP = client.getDPoPHandle(configuration, key);
    const { access_token } = await client.clientCredentialsGrant(configuration, { scope: 'orders.read' }, { DPoP });
    const shown: Request[] = [];
    const api = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch(request) {
        shown.push(new Request(request.url, { headers: request.headers }));
        return new Response('');
      },
    });
    try {
      const url = new URL(`http://127.0.0.1:${api.port}/orders`);
      await client.fetchProtectedResource(configuration, access_token, url, 'GET', undefined, undefined, { DPoP });
      const server = configuration.serverMetadata();
      const [request = new Request(url.href)] = shown;
      const accepted = oauth.validateJwtAccessToken(server, request, provider.issuer, {
        requireDPoP: true,
        [oauth.allowInsecureRequests]: true,
      });
      expect(await accepted).toMatchObject({
        client_id: 'demo-service',
        cnf: { jkt: await DPoP.calculateThumbprint() },
      });
    } finally {
      await api.stop(true);
    }
  });

  test('a nonce costs one request more, once', async () => {
    const configuration = await configure('demo-service');
    const DPoP = client.getDPoPHandle(configuration, key);
    const ask = () => client.clientCredentialsGrant(configuration, {}, { DPoP });
    const expected = dpopNonce === 'required' ? 2 : 1;
    expect([await requestsOf(ask), await requestsOf(ask)]).toEqual([expected, 1]);
  });

  test('another key: a public client’s refresh token and a bound code are refused; userinfo is too', async () => {
    const configuration = await configure('demo-spa');
    const DPoP = client.getDPoPHandle(configuration, key);
    const stranger = { DPoP: client.getDPoPHandle(configuration, another) };
    const { tokens } = await signInWith(configuration, DPoP, false);
    const refreshed = client.refreshTokenGrant(configuration, tokens.refresh_token ?? '', {}, stranger);
    expect(await rejection(refreshed)).toMatchObject({ error: 'invalid_grant' });
    const subject = tokens.claims()?.sub ?? '';
    const read = await rejection(client.fetchUserInfo(configuration, tokens.access_token, subject, stranger));
    expect(read).toBeInstanceOf(client.WWWAuthenticateChallengeError);
    const asBearer = await rejection(client.fetchUserInfo(configuration, tokens.access_token, subject));
    expect(asBearer).toBeInstanceOf(client.WWWAuthenticateChallengeError);
  });

  test('a confidential client refreshes with a new key', async () => {
    const configuration = await configure('demo-web');
    const { tokens } = await signInWith(configuration, client.getDPoPHandle(configuration, key), false);
    const DPoP = client.getDPoPHandle(configuration, another);
    const refreshed = await client.refreshTokenGrant(configuration, tokens.refresh_token ?? '', {}, { DPoP });
    const subject = tokens.claims()?.sub ?? '';
    expect((await client.fetchUserInfo(configuration, refreshed.access_token, subject, { DPoP })).sub).toBe(subject);
  });
});
