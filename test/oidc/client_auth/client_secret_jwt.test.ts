import { describe, expect, test } from 'bun:test';
import { CompactSign, exportJWK, generateKeyPair, type JWTPayload, UnsecuredJWT } from 'jose';
import { randomToken, sha256 } from '../../../src/core/crypto.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Client, ClientSecretHash } from '../../../src/oidc/client.ts';
import { clientSecretJwtAlgorithms } from '../../../src/oidc/client_auth/client_secret_jwt.ts';
import type { OpenClientSecret } from '../../../src/oidc/client_auth/method.ts';
import { granted, issuer, realmId, refused, start, web } from '../parties.ts';
import { authenticate, tokenEndpoint } from './authenticate.ts';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const now = start / 1000;
const secretOf = (octets: number): string => randomToken().repeat(2).slice(0, octets);
const secret = secretOf(64);
const claims: JWTPayload = { iss: 'web', sub: 'web', aud: issuer, exp: now + 60, iat: now, jti: 'j1' };

const entry = (text: string, more: Partial<ClientSecretHash> = {}): ClientSecretHash => ({
  hash: sha256(text),
  createdAt: start,
  expiresAt: null,
  sealed: text,
  ...more,
});
const clientWith = (secrets: readonly ClientSecretHash[], more: Partial<Client> = {}): Client => ({
  ...web,
  authMethod: 'client_secret_jwt',
  secrets,
  ...more,
});
const client = clientWith([entry(secret)]);

/** Sealed is here the text itself; `unopenable` has no key. */
const opened: OpenClientSecret = (_, { sealed }) => {
  if (sealed === 'unopenable') throw new Error('no key');
  return sealed === undefined ? null : new Secret(sealed);
};

const mac = (payload: JWTPayload, key: string = secret, alg = 'HS256'): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(payload))).setProtectedHeader({ alg }).sign(Buffer.from(key));

const present = (assertion: string, to: Client = client, client_id?: string) =>
  authenticate({ client_assertion: assertion, client_assertion_type: assertionType, client_id }, to, {
    openClientSecret: opened,
  });

describe('OIDC Core §9: client_secret_jwt', () => {
  test.each([...clientSecretJwtAlgorithms])('%s passes, and its jti is to be spent', async (alg) => {
    expect(granted(await present(await mac(claims, secret, alg)))).toEqual({
      client,
      proof: { kind: 'client assertion', realmId, owner: 'web', jti: 'j1', expiresAt: (now + 60) * 1000 },
    });
  });

  test('for the token endpoint, and beside the client_id that it names', async () => {
    expect((await present(await mac({ ...claims, aud: tokenEndpoint }), client, 'web')).ok).toBe(true);
  });

  const bad: readonly (readonly [what: string, payload: JWTPayload])[] = [
    ['for another server', { ...claims, aud: 'https://other.example' }],
    ['by another client', { ...claims, iss: 'spa' }],
    ['expired beyond the skew', { ...claims, exp: now - 15 }],
    ['good for longer than an hour', { ...claims, exp: now + 3616 }],
    ['issued in the future', { ...claims, iat: now + 16 }],
    ['not valid yet', { ...claims, nbf: now + 16 }],
    ['without jti', Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'jti'))],
    ['without exp', Object.fromEntries(Object.entries(claims).filter(([name]) => name !== 'exp'))],
  ];
  test.each(bad)('%s: invalid_client', async (_, payload) => {
    expect(refused(await present(await mac(payload))).error).toBe('invalid_client');
  });

  test('under another secret, and under the hash that everyone who reads the table has', async () => {
    expect(refused(await present(await mac(claims, secretOf(64)))).error).toBe('invalid_client');
    const hash = sha256(secret).toString('hex');
    expect(refused(await present(await mac(claims, hash))).error).toBe('invalid_client');
  });

  test('not signed: invalid_client', async () => {
    expect(refused(await present(new UnsecuredJWT(claims).encode())).error).toBe('invalid_client');
  });
});

describe('RFC 7518 §3.2: as long as the hash', () => {
  test.each([
    ['HS256', 31, false],
    ['HS256', 32, true],
    ['HS384', 47, false],
    ['HS384', 48, true],
    ['HS512', 63, false],
    ['HS512', 64, true],
  ] as const)('%s with a secret of %d octets: %p', async (alg, octets, passes) => {
    const text = secretOf(octets);
    expect((await present(await mac(claims, text, alg), clientWith([entry(text)]))).ok).toBe(passes);
  });

  test('the algorithm that the client registered is the only one', async () => {
    const registered = clientWith([entry(secret)], { metadata: { token_endpoint_auth_signing_alg: 'HS512' } });
    expect((await present(await mac(claims, secret, 'HS512'), registered)).ok).toBe(true);
    expect((await present(await mac(claims, secret, 'HS256'), registered)).ok).toBe(false);
  });
});

describe('which secrets', () => {
  const former = secretOf(64);

  test('either of two while rotating, an expired one never', async () => {
    const rotating = (expiresAt: number) => clientWith([entry(secret), entry(former, { expiresAt })]);
    for (const key of [secret, former])
      expect((await present(await mac(claims, key), rotating(start + 1))).ok).toBe(true);
    expect((await present(await mac(claims, former), rotating(start))).ok).toBe(false);
  });

  test('one of which only the hash is kept is none', async () => {
    const { sealed: _, ...hashed } = entry(secret);
    expect(refused(await present(await mac(claims), clientWith([hashed]))).error).toBe('invalid_client');
    expect(refused(await present(await mac(claims), clientWith([]))).error).toBe('invalid_client');
  });

  test('one that cannot be opened is an outage, unless the other is right', async () => {
    const unopenable = entry(former, { sealed: 'unopenable' });
    expect((await present(await mac(claims), clientWith([unopenable, entry(secret)]))).ok).toBe(true);
    await expect(present(await mac(claims, former), clientWith([unopenable, entry(secret)]))).rejects.toThrow('no key');
  });
});

describe('no algorithm makes one method another', () => {
  test('a MAC for a client with keys, its public key as the secret', async () => {
    const { publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = await exportJWK(publicKey);
    const signing = clientWith([entry(JSON.stringify(jwk))], { authMethod: 'private_key_jwt', jwks: { keys: [jwk] } });
    expect(refused(await present(await mac(claims, JSON.stringify(jwk)), signing)).error).toBe('invalid_client');
  });

  test('a signature for a client with a secret, even with a key of its own', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const both = clientWith([entry(secret)], { jwks: { keys: [await exportJWK(publicKey)] } });
    const assertion = await new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'ES256' })
      .sign(privateKey);
    expect(refused(await present(assertion, both)).error).toBe('invalid_client');
  });

  test('an assertion under a secret that was registered for the header or the body', async () => {
    for (const authMethod of ['client_secret_basic', 'client_secret_post']) {
      const other = clientWith([entry(secret)], { authMethod });
      expect(refused(await present(await mac(claims), other)).error).toBe('invalid_client');
    }
  });
});
