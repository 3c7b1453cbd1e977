import { describe, expect, test } from 'bun:test';
import { CompactSign, exportJWK, generateKeyPair, type JWK, UnsecuredJWT } from 'jose';
import type { Client } from '../../../src/oidc/client.ts';
import { longestAssertionSeconds } from '../../../src/oidc/client_auth/client_assertion.ts';
import { privateKeyJwtAlgorithms } from '../../../src/oidc/client_auth/private_key_jwt.ts';
import { granted, issuer, realmId, realmWith, refused, start, web } from '../parties.ts';
import { authenticate, tokenEndpoint } from './authenticate.ts';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const now = start / 1000;

const make = async (algorithm: string, kid?: string) => {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const named = kid === undefined ? {} : { kid };
  const jwk: JWK = { ...(await exportJWK(publicKey)), ...named };
  return { jwk, privateKey, header: { alg: algorithm, ...named } };
};
type Key = Awaited<ReturnType<typeof make>>;
const key = await make('ES256', 'k1');
const stranger = await make('ES256', 'k1');
const unnamed = await make('ES256');
const unnamedToo = await make('ES256');

const clientWith = (...keys: readonly Key[]): Client => ({
  ...web,
  authMethod: 'private_key_jwt',
  jwks: { keys: keys.map(({ jwk }) => jwk) },
});

type Claims = { readonly [name: string]: unknown };
const claims = { iss: 'web', sub: 'web', aud: issuer, exp: now + 60, iat: now, jti: 'j1' };
const without = (...names: readonly string[]): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([name]) => !names.includes(name)));

const sign = (payload: Claims | string, { privateKey, header }: Key = key): Promise<string> =>
  new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
    .setProtectedHeader(header)
    .sign(privateKey);

type Circumstances = {
  readonly client?: Client;
  readonly skew?: number;
  readonly now?: number;
  readonly client_id?: string;
};
const present = (
  assertion: string,
  { client = clientWith(key), skew = 15, now: at = start, client_id }: Circumstances = {},
) =>
  authenticate({ client_assertion: assertion, client_assertion_type: assertionType, client_id }, client, {
    realm: realmWith({ clockSkewSeconds: skew }),
    now: at,
  });

describe('RFC 7523 §3', () => {
  test('a good assertion passes, and its jti is to be spent, known by its own exp', async () => {
    expect(granted(await present(await sign(claims)))).toEqual({
      client: clientWith(key),
      proof: { kind: 'client assertion', realmId, owner: 'web', jti: 'j1', expiresAt: (now + 60) * 1000 },
    });
  });

  const good: readonly (readonly [what: string, claims: Claims])[] = [
    ['aud the token endpoint', { ...claims, aud: tokenEndpoint }],
    ['aud a list with the issuer in it', { ...claims, aud: ['https://other.example', issuer] }],
    ['no iat', without('iat')],
    ['members that nobody asked for', { ...claims, extra: { deep: true } }],
  ];
  test.each(good)('%s: passes', async (_, payload) => {
    expect((await present(await sign(payload))).ok).toBe(true);
  });

  const bad: readonly (readonly [what: string, claims: Claims | string])[] = [
    ['no iss', without('iss')],
    ['no sub', without('sub')],
    ['no aud', without('aud')],
    ['no exp', without('exp')],
    ['no jti', without('jti')],
    ['an empty jti', { ...claims, jti: '' }],
    ['a jti of 513 characters', { ...claims, jti: 'j'.repeat(513) }],
    ['a jti that is a number', { ...claims, jti: 1 }],
    ['iss another client', { ...claims, iss: 'spa' }],
    ['sub another client', { ...claims, sub: 'spa' }],
    ['aud another server', { ...claims, aud: 'https://other.example' }],
    ['aud the issuer with a slash more', { ...claims, aud: `${issuer}/` }],
    ['aud an empty list', { ...claims, aud: [] }],
    ['aud the client itself', { ...claims, aud: 'web' }],
    ['exp a text', { ...claims, exp: String(now + 60) }],
    ['nbf a text', { ...claims, nbf: 'soon' }],
    ['iat a text', { ...claims, iat: 'now' }],
    ['a payload that is no object', '"web"'],
    ['a payload that is no JSON', 'web'],
  ];
  test.each(bad)('%s: invalid_client', async (_, payload) => {
    expect(refused(await present(await sign(payload))).error).toBe('invalid_client');
  });

  test('client_id beside it must be the same (RFC 7521 §4.2)', async () => {
    const assertion = await sign(claims);
    expect((await present(assertion, { client_id: 'web' })).ok).toBe(true);
    expect(refused(await present(assertion, { client_id: 'spa' })).error).toBe('invalid_client');
  });

  test('every refusal of a verified or forged assertion has the same words', async () => {
    const descriptions = await Promise.all([
      present(await sign({ ...claims, aud: 'x' })),
      present(await sign(claims, stranger)),
      present(await sign({ ...claims, exp: 1 })),
    ]);
    expect(new Set(descriptions.map((result) => refused(result).description)).size).toBe(1);
  });
});

describe('time, at the edges of the realm’s clock skew', () => {
  for (const skew of [0, 15, 120]) {
    const table: readonly (readonly [what: string, claims: Claims, passes: boolean])[] = [
      ['expired by just less than the skew allows', { ...claims, exp: now - skew + 1 }, true],
      ['expired by exactly the skew', { ...claims, exp: now - skew }, false],
      ['not before exactly the skew from now', { ...claims, nbf: now + skew }, true],
      ['not before one second later than that', { ...claims, nbf: now + skew + 1 }, false],
      ['issued exactly the skew from now', { ...claims, iat: now + skew }, true],
      ['issued one second later than that', { ...claims, iat: now + skew + 1 }, false],
      ['good for the longest time', { ...claims, exp: now + longestAssertionSeconds + skew }, true],
      ['good for one second longer', { ...claims, exp: now + longestAssertionSeconds + skew + 1 }, false],
      ['good for ever', { ...claims, exp: 1e300 }, false],
    ];
    test.each(table)(`skew ${skew}: %s`, async (_, payload, passes) => {
      expect((await present(await sign(payload), { skew })).ok).toBe(passes);
    });
  }

  test('OpenID FAPI 2.0 §5.3.2.1: 8 seconds in the future pass, 62 do not, by default', async () => {
    expect((await present(await sign({ ...claims, nbf: now + 8, iat: now + 8 }))).ok).toBe(true);
    expect((await present(await sign({ ...claims, nbf: now + 62 }))).ok).toBe(false);
    expect((await present(await sign({ ...claims, iat: now + 62 }))).ok).toBe(false);
  });

  test('milliseconds of the clock do not move the edges', async () => {
    const assertion = await sign({ ...claims, exp: now + 1 });
    expect((await present(assertion, { skew: 0, now: start + 999 })).ok).toBe(true);
    expect((await present(assertion, { skew: 0, now: start + 1000 })).ok).toBe(false);
  });

  test.each([0, 15, 120])(
    'skew %d does not make it another proof, and a fraction of a second is rounded up',
    async (skew) => {
      for (const exp of [now + 1, now + 0.5, now + 0.001]) {
        const { proof } = granted(await present(await sign({ ...claims, exp }), { skew }));
        expect(proof?.expiresAt).toBe(start + 1000);
      }
    },
  );
});

describe('RFC 7515 §5.2: the signature', () => {
  test.each([...privateKeyJwtAlgorithms])('%s is listed and is served', async (algorithm) => {
    const one = await make(algorithm === 'EdDSA' ? 'EdDSA' : algorithm, 'k1');
    const assertion = await sign(claims, { ...one, header: { alg: algorithm, kid: 'k1' } });
    expect((await present(assertion, { client: clientWith(one) })).ok).toBe(true);
  });

  const forged: readonly (readonly [what: string, assertion: () => string | Promise<string>])[] = [
    ['alg none', () => new UnsecuredJWT(claims).encode()],
    ['alg none with our header', async () => `${(await sign(claims)).split('.').slice(0, 2).join('.')}.`],
    ['another key under the same kid', () => sign(claims, stranger)],
    ['an unknown kid', () => sign(claims, { ...key, header: { alg: 'ES256', kid: 'k9' } })],
    [
      'HS256 with the public key as secret',
      () =>
        new CompactSign(Buffer.from(JSON.stringify(claims)))
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(Buffer.from(JSON.stringify(key.jwk))),
    ],
    ['an algorithm that is not listed', async () => sign(claims, await make('ES512', 'k1'))],
    ['a changed payload', async () => swapPayload(await sign(claims), { ...claims, jti: 'j2' })],
    ['no signature at all', () => 'a.b'],
    ['five parts', () => 'a.b.c.d.e'],
    ['a critical header that nobody knows', async () => criticalHeader()],
  ];
  test.each(forged)('%s: invalid_client', async (_, assertion) => {
    expect(refused(await present(await assertion())).error).toBe('invalid_client');
  });

  test('the algorithm that the client registered is the only one', async () => {
    const registered = (token_endpoint_auth_signing_alg: string): Client => ({
      ...clientWith(key),
      metadata: { token_endpoint_auth_signing_alg },
    });
    const assertion = await sign(claims);
    expect((await present(assertion, { client: registered('ES256') })).ok).toBe(true);
    for (const other of ['RS256', 'none']) {
      expect(refused(await present(assertion, { client: registered(other) })).error).toBe('invalid_client');
    }
  });

  test('a client without keys never passes', async () => {
    const assertion = await sign(claims);
    expect((await present(assertion, { client: { ...clientWith(), jwks: null } })).ok).toBe(false);
    expect((await present(assertion, { client: clientWith() })).ok).toBe(false);
  });

  test('without a kid any key of the client may be the one, for instance while it rotates its keys', async () => {
    const client = clientWith(unnamed, unnamedToo);
    expect((await present(await sign(claims, unnamed), { client })).ok).toBe(true);
    expect((await present(await sign(claims, unnamedToo), { client })).ok).toBe(true);
    expect((await present(await sign({ ...claims, exp: 1 }, unnamedToo), { client })).ok).toBe(false);
    const foreign = await sign(claims, { ...stranger, header: { alg: 'ES256' } });
    expect((await present(foreign, { client })).ok).toBe(false);
  });
});

function swapPayload(assertion: string, payload: Claims): string {
  const [header = '', , signature = ''] = assertion.split('.');
  return [header, Buffer.from(JSON.stringify(payload)).toString('base64url'), signature].join('.');
}

function criticalHeader(): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 })
    .sign(key.privateKey, { crit: { x: true } });
}
