import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { responseTypeNames } from '../../src/oidc/authorize/response_type.ts';
import type { ClientMetadata } from '../../src/oidc/client.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { type EncryptionKey, newEncryptionKey, publishKeys } from './encryption_key.ts';
import { register } from './operator.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bodyOf,
  codeOf,
  type Party,
  postAs,
  redeem,
  refresh,
  text,
  tokensFor,
  tokensOf,
  userinfo,
} from './relying_party.ts';

let provider: Provider;
let ours: ReturnType<typeof createRemoteJWKSet>;
const ec = await newEncryptionKey('ECDH-ES', 'ec');
const rsa = await newEncryptionKey('RSA-OAEP-256', 'rsa');
const site = publishKeys();

beforeAll(async () => {
  provider = await startProvider({
    environment: { LIMEN_OUTBOUND_LOOPBACK: 'true', LIMEN_SETTING_IMPLICIT_AND_HYBRID: 'true' },
  });
  ours = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  site.stop();
  await provider.stop();
});

const numbers = { next: 0 };
const registerWith = (metadata: ClientMetadata, key: EncryptionKey | null = ec): Promise<Party> =>
  register(provider, `enc-${++numbers.next}`, {
    scope: ['openid', 'profile', 'email', 'reports'],
    grantTypes: ['authorization_code', 'implicit', 'refresh_token', 'client_credentials'],
    responseTypes: responseTypeNames,
    consent: 'never',
    jwks: key === null ? null : { keys: [key.jwk] },
    metadata,
  });

const encryptedIdTokens = (alg = 'ECDH-ES', enc?: string): ClientMetadata => ({
  id_token_encrypted_response_alg: alg,
  ...(enc === undefined ? {} : { id_token_encrypted_response_enc: enc }),
});

const published = () => registerWith({ ...encryptedIdTokens(), jwks_uri: `${site.url}?${numbers.next}` }, null);

/** Decrypted by the client, verified with the provider's published keys. */
async function opened(jwe: string, { clientId }: Party, key: EncryptionKey = ec) {
  const { header, text: inner } = await key.decrypt(jwe);
  expect(header).toMatchObject({ cty: 'JWT', kid: key.jwk.kid });
  const { payload } = await jwtVerify(inner, ours, { issuer: provider.issuer, audience: clientId });
  return { header, inner, payload };
}

describe('OIDC Core §10.2: ID tokens from the token endpoint', () => {
  test.each([
    ['ECDH-ES', undefined, 'A128CBC-HS256', ec],
    ['ECDH-ES+A256KW', 'A256GCM', 'A256GCM', ec],
    ['RSA-OAEP-256', 'A256CBC-HS512', 'A256CBC-HS512', rsa],
  ] as const)('%s, enc %p: signed, then encrypted with %s', async (alg, registered, enc, key) => {
    const party = await registerWith(encryptedIdTokens(alg, registered), key);
    const tokens = await tokensFor(party, alice, { nonce: 'n' });
    const { header, payload } = await opened(tokens.idToken, party, key);
    expect(header).toMatchObject({ alg, enc });
    expect(payload).toMatchObject({ nonce: 'n', at_hash: expect.any(String) });
    // The access token is for others.
    expect(decodeProtectedHeader(tokens.accessToken)).toMatchObject({ typ: 'at+jwt' });
    const again = await tokensOf(await refresh(party, tokens.refreshToken));
    expect((await opened(again.idToken, party, key)).payload.sub).toBe(payload.sub ?? '');
  });
});

describe('OIDC Core §3.2, §3.3: ID tokens from the authorization endpoint', () => {
  test.each(['id_token', 'code id_token', 'code id_token token'] as const)('%s', async (response_type) => {
    const party = await registerWith(encryptedIdTokens());
    const back = await authorize(party, alice, { response_type, nonce: 'n' });
    const { payload } = await opened(new URLSearchParams(back.hash.slice(1)).get('id_token') ?? '', party);
    expect(payload['nonce']).toBe('n');
    expect(payload['c_hash'] !== undefined).toBe(response_type.startsWith('code'));
  });

  test('no key to be had: the client is told, and gets neither code nor token', async () => {
    site.fail();
    const party = await published();
    const agent = new UserAgent();
    const sent = { response_type: 'code id_token token', nonce: 'n', state: 's' };
    const back = await authorize(party, alice, sent, agent);
    const fields = new URLSearchParams(back.hash.slice(1));
    expect(Object.fromEntries(fields)).toEqual({
      error: 'temporarily_unavailable',
      error_description: expect.stringContaining('keys of this client'),
      state: 's',
      iss: provider.issuer,
    });
    const [families] = await provider.database.sql`
      SELECT count(*)::int AS count FROM token_families WHERE client_id = ${party.clientId}`;
    expect(families).toMatchObject({ count: 0 });
    site.publish(ec.jwk);
    await provider.shiftClock(11);
    const later = await agent.open(authorizeUrl(party, sent));
    if (!(later instanceof URL)) throw new Error(`a page: ${later.title}`);
    const idToken = new URLSearchParams(later.hash.slice(1)).get('id_token') ?? '';
    expect((await opened(idToken, party)).payload['nonce']).toBe('n');
  });

  test('the code flow asks for no key at the authorization endpoint', async () => {
    site.fail();
    const party = await published();
    const before = site.asked();
    expect(codeOf(await authorize(party, alice))).toBeString();
    expect(site.asked()).toBe(before);
  });
});

describe('no key can be had: nothing is consumed', () => {
  const unavailable = { status: 503, error: 'temporarily_unavailable' };
  const outcome = async (response: Response) => ({ status: response.status, error: (await bodyOf(response))['error'] });

  test('a code is good again once the keys are there', async () => {
    site.fail();
    const party = await published();
    const code = codeOf(await authorize(party, alice));
    expect(await outcome(await redeem(party, code))).toEqual(unavailable);
    site.publish(ec.jwk);
    await provider.shiftClock(11);
    const { idToken } = await tokensOf(await redeem(party, code));
    expect((await opened(idToken, party)).payload.sub).toBeString();
  });

  test('a refresh token stays what it is', async () => {
    site.publish(ec.jwk);
    const party = await published();
    const first = await tokensFor(party, alice);
    site.fail();
    // Longer than a key set without a lifetime of its own is kept.
    await provider.shiftClock(3700);
    const before = await rowOf(party);
    expect(await outcome(await refresh(party, first.refreshToken))).toEqual(unavailable);
    expect(await rowOf(party)).toEqual(before);
    site.publish(ec.jwk);
    await provider.shiftClock(11);
    expect((await refresh(party, first.refreshToken)).status).toBe(200);
  });

  test('keys that do not fit: the client must mend them; the code stays', async () => {
    site.publish(rsa.jwk, { ...ec.jwk, use: 'sig' });
    const party = await published();
    const code = codeOf(await authorize(party, alice));
    expect(await outcome(await redeem(party, code))).toEqual({ status: 400, error: 'invalid_client_metadata' });
    site.publish(ec.jwk);
    await provider.shiftClock(11);
    expect((await redeem(party, code)).status).toBe(200);
  });

  test('a grant without a user needs no key', async () => {
    site.fail();
    const party = await published();
    const response = await postAs(party, '/token', { grant_type: 'client_credentials', scope: 'reports' });
    expect(response.status).toBe(200);
  });

  const rowOf = async ({ clientId }: Party) => {
    const [row] = await provider.database.sql`
      SELECT generation, encode(secret_hash, 'hex') AS hash FROM token_families WHERE client_id = ${clientId}`;
    return row;
  };
});

describe('keys are rotated', () => {
  test('a new key set is used without anyone’s doing once the old one is stale', async () => {
    site.publish(ec.jwk);
    const party = await published();
    await tokensFor(party, alice);
    const next = await newEncryptionKey('ECDH-ES', 'next');
    site.publish(next.jwk);
    await provider.shiftClock(3700);
    const { idToken } = await tokensFor(party, alice);
    expect(decodeProtectedHeader(idToken)).toMatchObject({ kid: 'next' });
    expect((await opened(idToken, party, next)).payload.sub).toBeString();
  });
});

describe('OIDC Core §5.3.2: userinfo', () => {
  const answerTo = async (party: Party) => {
    const { accessToken } = await tokensFor(party, alice, { scope: 'openid email' });
    return userinfo(party, accessToken);
  };
  const encrypted = { userinfo_encrypted_response_alg: 'ECDH-ES' };

  test('signed', async () => {
    const party = await registerWith({ userinfo_signed_response_alg: 'ES256' });
    const response = await answerTo(party);
    expect(response.headers.get('content-type')).toBe('application/jwt');
    const { payload } = await jwtVerify(await response.text(), ours, {
      issuer: provider.issuer,
      audience: party.clientId,
    });
    expect(payload['email']).toBe('alice@example.com');
  });

  test('signed, then encrypted', async () => {
    const party = await registerWith({ userinfo_signed_response_alg: 'PS256', ...encrypted });
    const response = await answerTo(party);
    expect(response.headers.get('content-type')).toBe('application/jwt');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { payload, inner } = await opened(await response.text(), party);
    expect(decodeProtectedHeader(inner).alg).toBe('PS256');
    expect(payload['email']).toBe('alice@example.com');
  });

  test('encrypted alone: the claims themselves are in it', async () => {
    const party = await registerWith(encrypted);
    const response = await answerTo(party);
    expect(response.headers.get('content-type')).toBe('application/jwt');
    const { header, text: inner } = await ec.decrypt(await response.text());
    expect(header).not.toHaveProperty('cty');
    expect(JSON.parse(inner)).toMatchObject({
      sub: expect.any(String),
      email: 'alice@example.com',
      iss: provider.issuer,
      aud: party.clientId,
    });
  });

  test('no key to be had: 503 and no claim', async () => {
    site.fail();
    const party = await registerWith({ ...encrypted, jwks_uri: `${site.url}?userinfo` }, null);
    const response = await answerTo(party);
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('alice');
  });
});

describe('OIDC Core §3.1.2.1: id_token_hint', () => {
  test('the signed ID token out of the encrypted one is a hint', async () => {
    const party = await registerWith(encryptedIdTokens());
    const agent = new UserAgent();
    const { idToken } = await tokensFor(party, alice, {}, agent);
    const { inner } = await opened(idToken, party);
    const back = await agent.open(authorizeUrl(party, { prompt: 'none', id_token_hint: inner }));
    expect(back instanceof URL && codeOf(back)).toBeString();
  });

  test('the encrypted one is refused, and the description says what to send', async () => {
    const party = await registerWith(encryptedIdTokens());
    const agent = new UserAgent();
    const { idToken } = await tokensFor(party, alice, {}, agent);
    const back = await agent.open(authorizeUrl(party, { prompt: 'none', id_token_hint: idToken }));
    if (!(back instanceof URL)) throw new Error(`a page: ${back.title}`);
    expect(back.searchParams.get('error')).toBe('invalid_request');
    expect(back.searchParams.get('error_description')).toContain('send the signed ID token that is in it');
  });

  test('at sign-out it is no hint: the person is asked, and the log says why', async () => {
    const party = await registerWith(encryptedIdTokens());
    const agent = new UserAgent();
    const { idToken } = await tokensFor(party, alice, {}, agent);
    const { inner } = await opened(idToken, party);
    const before = provider.log.length;
    const asked = await agent.page(`${provider.issuer}/logout?id_token_hint=${idToken}`);
    expect(asked.hidden).toHaveProperty('token');
    const lines = provider.log.slice(before).map((line) => JSON.parse(line));
    expect(lines).toContainEqual(expect.objectContaining({ event: 'logout.hint_ignored', rule: 'OIDC Core §3.1.2.1' }));
    const signedOut = await agent.page(`${provider.issuer}/logout?id_token_hint=${inner}`);
    expect(signedOut.hidden).not.toHaveProperty('token');
  });
});

test('discovery lists what is served, for each kind of response', async () => {
  const document = await bodyOf(await fetch(`${provider.issuer}/.well-known/openid-configuration`));
  for (const response of ['id_token', 'userinfo', 'introspection']) {
    expect(document[`${response}_encryption_alg_values_supported`]).toEqual([
      'RSA-OAEP-256',
      'ECDH-ES',
      'ECDH-ES+A256KW',
    ]);
    expect(document[`${response}_encryption_enc_values_supported`]).toEqual([
      'A128CBC-HS256',
      'A256CBC-HS512',
      'A128GCM',
      'A256GCM',
    ]);
  }
  expect(text(document, 'issuer')).toBe(provider.issuer);
});
