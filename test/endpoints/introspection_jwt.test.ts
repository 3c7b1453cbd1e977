import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { newEncryptionKey, publishKeys } from './encryption_key.ts';
import { register } from './operator.ts';
import { alice, basic, bodyOf, claimsOf, type Party, post, spaOf, tokensFor, webOf } from './relying_party.ts';

const mediaType = 'application/token-introspection+jwt';

let provider: Provider;
let ours: ReturnType<typeof createRemoteJWKSet>;
let nosy: Party;
let elliptic: Party;
let secretive: Party;
let keyless: Party;
const key = await newEncryptionKey();
const site = publishKeys();

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_OUTBOUND_LOOPBACK: 'true' } });
  ours = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
  const introspects = [provider.issuer];
  nosy = await register(provider, 'nosy');
  elliptic = await register(provider, 'elliptic', {
    introspects,
    metadata: { introspection_signed_response_alg: 'ES256' },
  });
  const encrypted = {
    introspection_encrypted_response_alg: 'ECDH-ES',
    introspection_encrypted_response_enc: 'A256GCM',
  };
  secretive = await register(provider, 'secretive', { introspects, jwks: { keys: [key.jwk] }, metadata: encrypted });
  keyless = await register(provider, 'keyless', { introspects, metadata: { ...encrypted, jwks_uri: site.url } });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  site.stop();
  await provider.stop();
});

const ask = ({ clientId, secret }: Party, token: string, accept = mediaType): Promise<Response> =>
  post(`${provider.issuer}/introspect`, { token }, { accept, authorization: basic(clientId, secret ?? '') });

const accessToken = async (): Promise<string> =>
  (await tokensFor(webOf(provider), alice, { scope: 'openid email' })).accessToken;

const told = async (caller: Party, jwt: string) => {
  const { payload, protectedHeader } = await jwtVerify(jwt, ours, {
    issuer: provider.issuer,
    audience: caller.clientId,
    typ: 'token-introspection+jwt',
  });
  return { payload, algorithm: protectedHeader.alg };
};

describe('RFC 9701 §5', () => {
  test('who asks for a JWT gets the same, signed for it alone', async () => {
    const token = await accessToken();
    const response = await ask(webOf(provider), token);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(mediaType);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { payload, algorithm } = await told(webOf(provider), await response.text());
    expect(algorithm).toBe('RS256');
    expect(payload).toEqual({
      iss: provider.issuer,
      aud: 'demo-web',
      iat: expect.any(Number),
      token_introspection: {
        ...claimsOf(token),
        active: true,
        token_type: 'Bearer',
        username: 'alice',
      },
    });
  });

  test('with the algorithm that it registered', async () => {
    const { payload, algorithm } = await told(elliptic, await (await ask(elliptic, await accessToken())).text());
    expect(algorithm).toBe('ES256');
    expect(payload['token_introspection']).toMatchObject({ active: true });
  });

  test('inactive, for another audience: that alone, signed too', async () => {
    for (const token of [await accessToken(), 'noise']) {
      const { payload } = await told(nosy, await (await ask(nosy, token)).text());
      expect(payload['token_introspection']).toEqual({ active: false });
    }
  });

  test.each([['application/json'], ['*/*'], [`${mediaType};q=0`], [`${mediaType};q=0.2, application/json`]])(
    '%s: in JSON as ever',
    async (accept) => {
      const response = await ask(webOf(provider), await accessToken(), accept);
      expect(response.headers.get('content-type')).toBe('application/json');
      expect(await bodyOf(response)).toMatchObject({ active: true });
    },
  );

  test('it is no access token and no hint: its type tells it apart', async () => {
    const jwt = await (await ask(webOf(provider), await accessToken())).text();
    const answer = await fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${jwt}` } });
    expect(answer.status).toBe(401);
    expect(await bodyOf(await ask(webOf(provider), jwt, 'application/json'))).toEqual({ active: false });
  });
});

describe('RFC 9701 §6: encrypted', () => {
  test('signed, then encrypted to the caller', async () => {
    const jwe = await (await ask(secretive, await accessToken())).text();
    const { header, text } = await key.decrypt(jwe);
    expect(header).toMatchObject({ alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', kid: 'enc' });
    expect(decodeProtectedHeader(text).typ).toBe('token-introspection+jwt');
    const { payload } = await told(secretive, text);
    expect(payload['token_introspection']).toMatchObject({ active: true, username: 'alice' });
  });

  test('who registered that is answered in no other way', async () => {
    const response = await ask(secretive, await accessToken(), 'application/json');
    expect(response.status).toBe(406);
    const body = await bodyOf(response);
    expect(body).toMatchObject({ error: 'invalid_request' });
    expect(body).not.toHaveProperty('active');
  });

  test('no key to be had: 503, and nothing of the token', async () => {
    const response = await ask(keyless, await accessToken());
    expect(response.status).toBe(503);
    expect(await bodyOf(response)).toMatchObject({ error: 'temporarily_unavailable' });
  });
});

describe('who may not ask in JSON may not ask for a JWT', () => {
  const refusalOf = async (response: Response) => {
    expect(response.headers.get('content-type')).toBe('application/json');
    return { status: response.status, error: (await bodyOf(response))['error'] };
  };
  const invalidClient = { status: 401, error: 'invalid_client' };

  test('nobody, a wrong secret, a public client', async () => {
    const token = await accessToken();
    const url = `${provider.issuer}/introspect`;
    expect(await refusalOf(await post(url, { token }, { accept: mediaType }))).toEqual(invalidClient);
    expect(await refusalOf(await ask({ ...webOf(provider), secret: 'wrong' }, token))).toEqual(invalidClient);
    const { clientId } = spaOf(provider);
    expect(await refusalOf(await post(url, { token, client_id: clientId }, { accept: mediaType }))).toEqual(
      invalidClient,
    );
  });
});

test('discovery lists the algorithms', async () => {
  const document = await bodyOf(await fetch(`${provider.issuer}/.well-known/openid-configuration`));
  expect(document['introspection_signing_alg_values_supported']).toEqual(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']);
});
