import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  ClientSecretJwt,
  type Configuration,
  calculatePKCECodeChallenge,
  dynamicClientRegistration,
  enableDecryptingResponses,
  enableNonRepudiationChecks,
  fetchUserInfo,
  getDecryptedResponses,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  refreshTokenGrant,
  tokenIntrospection,
  tokenRevocation,
  useCodeIdTokenResponseType,
} from 'openid-client';
import { databaseTimeoutMilliseconds } from '../../database.ts';
import { type EncryptionKey, newEncryptionKey } from '../../endpoints/encryption_key.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { signIn, UserAgent } from '../../user_agent.ts';
import { alice } from './registered_client.ts';

/** `openid-client` registers itself, authenticates with `client_secret_jwt` and decrypts what it is sent. */

let provider: Provider;
const callback = 'https://rp.example/callback';
const keys: { readonly [alg: string]: EncryptionKey } = {
  'RSA-OAEP-256': await newEncryptionKey('RSA-OAEP-256'),
  'ECDH-ES': await newEncryptionKey('ECDH-ES'),
  'ECDH-ES+A256KW': await newEncryptionKey('ECDH-ES+A256KW'),
};

beforeAll(async () => {
  provider = await startProvider({
    environment: { LIMEN_SETTING_REGISTRATION: 'open', LIMEN_SETTING_IMPLICIT_AND_HYBRID: 'true' },
  });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const kinds = ['id_token', 'userinfo', 'introspection'] as const;

async function registered(alg: string, enc: string): Promise<Configuration> {
  const key = keys[alg];
  if (key === undefined) throw new Error(`no key for ${alg}`);
  const encryption = kinds.flatMap((kind) => [
    [`${kind}_encrypted_response_alg`, alg],
    [`${kind}_encrypted_response_enc`, enc],
  ]);
  const configuration = await dynamicClientRegistration(
    new URL(provider.issuer),
    {
      redirect_uris: [callback],
      response_types: ['code', 'code id_token'],
      grant_types: ['authorization_code', 'refresh_token', 'implicit'],
      token_endpoint_auth_method: 'client_secret_jwt',
      userinfo_signed_response_alg: 'ES256',
      introspection_signed_response_alg: 'ES256',
      jwks: { keys: [key.jwk] },
      ...Object.fromEntries(encryption),
    },
    ClientSecretJwt(),
    { execute: [allowInsecureRequests, enableNonRepudiationChecks] },
  );
  enableDecryptingResponses(configuration, [enc], { key: key.privateKey, kid: 'enc', alg });
  return configuration;
}

async function attempt(configuration: Configuration, further: { readonly [name: string]: string } = {}) {
  const pkceCodeVerifier = randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier, expectedState: randomState(), expectedNonce: randomNonce() };
  const url = buildAuthorizationUrl(configuration, {
    redirect_uri: callback,
    scope: 'openid profile email',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    code_challenge: await calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...further,
  });
  return { url: url.href, checks };
}

describe.each([
  ['RSA-OAEP-256', 'A256GCM'],
  ['ECDH-ES', 'A128CBC-HS256'],
  ['ECDH-ES+A256KW', 'A256CBC-HS512'],
])('%s with %s', (alg, enc) => {
  test('sign-in, userinfo, introspection, refresh, sign-out and revocation', async () => {
    const configuration = await registered(alg, enc);
    const { url, checks } = await attempt(configuration);
    const agent = new UserAgent();
    const tokens = await authorizationCodeGrant(configuration, await signIn(agent, url, alice), checks);
    const signed = getDecryptedResponses(tokens)?.id_token?.token_endpoint ?? '';
    expect(signed.split('.')).toHaveLength(3);
    expect(tokens.id_token?.split('.')).toHaveLength(5);
    const sub = tokens.claims()?.sub ?? '';
    const userinfo = await fetchUserInfo(configuration, tokens.access_token, sub);
    expect(userinfo).toMatchObject({ name: 'Alice Adler', email: 'alice@example.com' });
    expect(getDecryptedResponses(userinfo)).toBeString();

    const about = await tokenIntrospection(configuration, tokens.refresh_token ?? '');
    expect(about).toMatchObject({ active: true, sub });
    expect(getDecryptedResponses(about)).toBeString();
    const refreshed = await refreshTokenGrant(configuration, tokens.refresh_token ?? '');
    expect(refreshed.claims()?.sub).toBe(sub);

    const out = buildEndSessionUrl(configuration, { id_token_hint: signed });
    const page = await agent.open(out.href);
    expect(page instanceof URL || page.hidden).not.toHaveProperty('token');
    await tokenRevocation(configuration, refreshed.refresh_token ?? '');
    const { active } = await tokenIntrospection(configuration, refreshed.refresh_token ?? '');
    expect(active).toBe(false);
  });

  test('hybrid: both ID tokens', async () => {
    const configuration = await registered(alg, enc);
    useCodeIdTokenResponseType(configuration);
    const { url, checks } = await attempt(configuration, { response_type: 'code id_token' });
    const back = await signIn(new UserAgent(), url, alice);
    const tokens = await authorizationCodeGrant(configuration, back, checks);
    expect(getDecryptedResponses(tokens)?.id_token).toEqual({
      token_endpoint: expect.any(String),
      authorization_endpoint: expect.any(String),
    });
  });
});
