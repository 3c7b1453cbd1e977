import { beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { settings } from '../../src/core/settings.ts';
import { metadata } from '../../src/oidc/discovery.ts';
import {
  addressOf,
  dpopAlgorithms,
  dpopChallenge,
  dpopPolicyOf,
  earliestProofSeconds,
  isTimely,
  oldestProofSeconds,
  type ProofFacts,
  verifyProof,
} from '../../src/oidc/dpop.ts';
import { refusal } from '../../src/oidc/errors.ts';
import { athOf, type ProofMaker, proofMaker, unsigned } from './dpop_proof.ts';
import { granted, issuer, realm, realmId, realmWith, refused, start, web, withSettings } from './parties.ts';

let key: ProofMaker;
beforeAll(async () => {
  key = await proofMaker();
});

const url = `${issuer}/token`;
const iat = start / 1000;
const claims = { htm: 'POST', htu: url, iat };
const facts: ProofFacts = { realm, method: 'POST', url, now: start, accessToken: null, isNonce: null };
const verify = async (proof: string | Promise<string>, more: Partial<ProofFacts> = {}) =>
  verifyProof(await proof, { ...facts, ...more });

describe('RFC 9449 §4.2, §4.3: a proof is taken', () => {
  test('with the thumbprint of its key (RFC 7638), and what is to be spent of it', async () => {
    const verified = granted(await verify(key.prove({ ...claims, jti: 'one' })));
    expect(verified).toEqual({
      thumbprint: key.thumbprint,
      spend: { kind: 'dpop', realmId, owner: key.thumbprint, jti: 'one', expiresAt: expect.any(Number) },
    });
  });

  test.each([...dpopAlgorithms])('by %s', async (algorithm) => {
    const other = await proofMaker(algorithm);
    expect(granted(await verify(other.prove(claims))).thumbprint).toBe(other.thumbprint);
  });

  test('what discovery lists is what is taken, and nothing where DPoP is off', () => {
    expect(metadata(realm, [], [])).toMatchObject({ dpop_signing_alg_values_supported: [...dpopAlgorithms] });
    expect(Object.keys(metadata(realmWith({ dpop: 'off' }), [], []))).not.toContain(
      'dpop_signing_alg_values_supported',
    );
  });

  test.each([
    ['with nbf and exp', { nbf: iat - 10, exp: iat + 60 }],
    ['with claims that nobody knows', { client_id: 'web', extra: { deep: [1] } }],
    ['with an ath that nobody asked for', { ath: athOf('a token') }],
    ['with a nonce that nobody asked for', { nonce: 'from somewhere' }],
    ['ten seconds old', { iat: iat - 10 }],
    ['ten seconds ahead', { iat: iat + 10 }],
    ['with a fraction of a second', { iat: iat + 0.5 }],
    ['with a query and a fragment in htu', { htu: `${url}?a=b#c` }],
    ['with the host in capitals', { htu: 'https://ID.example/token' }],
    ['with the scheme in capitals', { htu: 'HTTPS://id.example/token' }],
    ['with the port of the scheme', { htu: 'https://id.example:443/token' }],
    ['with an escape that need not be', { htu: 'https://id.example/%74oken' }],
    ['with dot segments', { htu: 'https://id.example/a/../token' }],
  ])('%s', async (_, more) => {
    granted(await verify(key.prove({ ...claims, ...more })));
  });

  test('with further members in its public key, which do not make it another key', async () => {
    const jwk = { ...key.jwk, kid: 'mine', use: 'sig', alg: 'ES256' };
    expect(granted(await verify(key.prove(claims, { jwk }))).thumbprint).toBe(key.thumbprint);
  });

  test('for its access token', async () => {
    granted(await verify(key.prove({ ...claims, ath: athOf('a token') }), { accessToken: 'a token' }));
  });
});

const hour = 3600;
const payload = { ...claims, jti: 'j' };
type Fault = readonly [string, () => string | Promise<string>];

/** By what the client's developer is told, so that each is refused for its own reason. */
const faults: { readonly [description: string]: readonly Fault[] } = {
  'is not exactly one JWT': [
    ['nothing', () => ''],
    ['garbage', () => 'garbage'],
    ['two in one header', async () => `${await key.prove(claims)}, ${await key.prove(claims)}`],
    ['one and a comma', async () => `${await key.prove(claims)},`],
    ['longer than 8 KB', () => key.prove({ ...claims, long: 'x'.repeat(8192) })],
    ['by none, without a signature', () => unsigned({ typ: 'dpop+jwt', jwk: key.jwk, alg: 'none' }, payload, '')],
  ],
  'must be signed by one of': [
    ['three parts of garbage', () => 'a.b.c'],
    ['without alg', () => unsigned({ typ: 'dpop+jwt', jwk: key.jwk }, payload)],
    ['by none', () => unsigned({ typ: 'dpop+jwt', jwk: key.jwk, alg: 'none' }, payload)],
    ['by HS256 with the public key as the secret', () => byHmac({ ...key.jwk })],
    ['by HS256 with a shared key in the header', () => byHmac({ kty: 'oct', k: 'AAAA' })],
    ['by RS256', () => byAnother('RS256')],
    ['by ES512', () => byAnother('ES512')],
  ],
  'does not carry its public key': [
    ['without jwk', () => key.prove(claims, { jwk: undefined })],
    ['with a key that is no object', () => key.prove(claims, { jwk: 'a key' })],
    ['with a key of an unknown kty', () => key.prove(claims, { jwk: { ...key.jwk, kty: 'AKP' } })],
    ['with a shared key', () => key.prove(claims, { jwk: { kty: 'oct', k: 'AAAA' } })],
    ['with half a key', () => key.prove(claims, { jwk: { ...key.jwk, y: undefined } })],
    ['with a kid instead of a key', () => key.prove(claims, { jwk: undefined, kid: 'k' })],
  ],
  'gives its private key away': [
    ['with its private key', () => key.prove(claims, { jwk: key.privateJwk })],
    ['with an empty private member', () => key.prove(claims, { jwk: { ...key.jwk, d: '' } })],
  ],
  'has an RSA key of more than 4096 bits': [
    ['with a large RSA key', () => unsigned({ typ: 'dpop+jwt', alg: 'PS256', jwk: largeKey }, payload)],
  ],
  'is not signed by the key that it carries, or is over': [
    ['without typ', () => key.prove(claims, { typ: undefined })],
    ['of another typ', () => key.prove(claims, { typ: 'JWT' })],
    ['with another key than it is signed by', async () => key.prove(claims, { jwk: (await proofMaker()).jwk })],
    ['with a key of another curve than its algorithm', async () => key.prove(claims, await headerOf('ES384'))],
    ['with a point that is on no curve', () => key.prove(claims, { jwk: { ...key.jwk, y: key.jwk.x } })],
    ['with a critical extension', () => critical()],
    ['with a tampered signature', async () => tampered(await key.prove(claims))],
    ['with tampered claims', async () => forged(await key.prove(claims))],
    ['with an exp that is over', () => key.prove({ ...claims, exp: iat - 60 })],
    ['with an iat that is text', () => key.prove({ ...claims, iat: String(iat) })],
    ['with an nbf to come', () => key.prove({ ...claims, nbf: iat + 60 })],
  ],
  'lacks a claim, or has one of another form': [
    ...['jti', 'htm', 'htu', 'iat'].map(
      (name): Fault => [`without ${name}`, () => key.prove({ ...claims, [name]: undefined })],
    ),
    ['with an empty jti', () => key.prove({ ...claims, jti: '' })],
    ['with a jti of 257 characters', () => key.prove({ ...claims, jti: 'x'.repeat(257) })],
    ['with a jti that is a number', () => key.prove({ ...claims, jti: 5 })],
  ],
  'is for another method': [
    ['for another method', () => key.prove({ ...claims, htm: 'GET' })],
    ['for the method in small letters', () => key.prove({ ...claims, htm: 'post' })],
  ],
  'is for another address': [
    ['for another path', () => key.prove({ ...claims, htu: `${issuer}/userinfo` })],
    ['for the path with a slash behind', () => key.prove({ ...claims, htu: `${url}/` })],
    ['for the path in capitals', () => key.prove({ ...claims, htu: `${issuer}/TOKEN` })],
    ['for another host', () => key.prove({ ...claims, htu: 'https://id.example.evil.example/token' })],
    ['for another port', () => key.prove({ ...claims, htu: 'https://id.example:8443/token' })],
    ['for http', () => key.prove({ ...claims, htu: 'http://id.example/token' })],
    ['for a realm beside', () => key.prove({ ...claims, htu: `${issuer}/realms/acme/token` })],
    ['for a path alone', () => key.prove({ ...claims, htu: '/token' })],
    ['for an address with a user', () => key.prove({ ...claims, htu: 'https://id.example@id.example/token' })],
    ['for an address with a backslash', () => key.prove({ ...claims, htu: 'https://id.example\\token' })],
    ['for an address with a space', () => key.prove({ ...claims, htu: ` ${url}` })],
  ],
  'is too old, or from the future': [
    ['an hour old', () => key.prove({ ...claims, iat: iat - hour })],
    ['an hour ahead', () => key.prove({ ...claims, iat: iat + hour })],
  ],
};

describe('RFC 9449 §4.3: a proof is refused', () => {
  for (const [description, group] of Object.entries(faults)) {
    test.each(group)('%s', async (_, proof) => {
      const refusal = refused(await verify(proof()));
      expect(refusal.error).toBe('invalid_dpop_proof');
      expect(refusal.description).toStartWith(`the DPoP proof ${description}`);
    });
  }

  test.each([
    ['without ath', undefined],
    ['for another access token', athOf('another token')],
    ['with the access token itself', 'a token'],
  ])('beside an access token: %s', async (_, ath) => {
    const proof = key.prove({ ...claims, ath });
    expect(refused(await verify(proof, { accessToken: 'a token' })).error).toBe('invalid_dpop_proof');
  });

  test('property: whatever is sent, it is refused and never thrown', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.jsonValue(), fc.jsonValue(), async (text, header, payload) => {
        const parts = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'));
        for (const proof of [text, `${parts.join('.')}.AAAA`]) expect((await verify(proof)).ok).toBe(false);
      }),
    );
  });

  test('the description says what is wrong and repeats nothing that was sent', async () => {
    const { description } = refused(await verify(key.prove({ ...claims, htu: 'https://evil.example/secret' })));
    expect(description).toBe('the DPoP proof is for another address');
  });
});

const largeKey = { kty: 'RSA', e: 'AQAB', n: 'A'.repeat(684) };
const headerOf = async (alg: string) => ({ jwk: (await proofMaker(alg)).jwk });
const byHmac = (jwk: JWK) =>
  new SignJWT({ ...claims, jti: 'j' })
    .setProtectedHeader({ alg: 'HS256', typ: 'dpop+jwt', jwk })
    .sign(new TextEncoder().encode(JSON.stringify(key.jwk)));
async function byAnother(alg: string): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const header = { alg, typ: 'dpop+jwt', jwk: await exportJWK(publicKey) };
  return new SignJWT({ ...claims, jti: 'j' }).setProtectedHeader(header).sign(privateKey);
}
const critical = () =>
  new SignJWT({ ...claims, jti: 'j' })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, crit: ['exp'], exp: 1 })
    .sign(key.privateKey, { crit: { exp: true } });
const tampered = (proof: string): string => {
  const [header, payload, signature = ''] = proof.split('.');
  return [header, payload, signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`].join('.');
};
const forged = (proof: string): string => {
  const [header, , signature] = proof.split('.');
  const payload = Buffer.from(JSON.stringify({ ...claims, jti: 'forged' })).toString('base64url');
  return [header, payload, signature].join('.');
};

describe('RFC 9449 §8: a nonce, where one is demanded', () => {
  const isNonce = (nonce: string) => nonce === 'good';

  test('the one given out is taken', async () => {
    granted(await verify(key.prove({ ...claims, nonce: 'good' }), { isNonce }));
  });

  test.each([undefined, 'another', ''])('%p: use_dpop_nonce', async (nonce) => {
    expect(refused(await verify(key.prove({ ...claims, nonce }), { isNonce })).error).toBe('use_dpop_nonce');
  });

  test('a proof that is wrong in another way is told that, so that nobody repeats it with a nonce', async () => {
    expect(refused(await verify(key.prove({ ...claims, htm: 'GET' }), { isNonce })).error).toBe('invalid_dpop_proof');
  });
});

describe('the time of a proof', () => {
  const tolerances = fc.integer({ min: 0, max: 120 });

  test('property: taken from a minute ago to ten seconds ahead, and the realm’s tolerance on both sides', () => {
    fc.assert(
      fc.property(tolerances, fc.integer({ min: -7200, max: 7200 }), (tolerance, age) => {
        const timely = age <= oldestProofSeconds + tolerance && age >= -(earliestProofSeconds + tolerance);
        expect(isTimely(iat - age, start, tolerance)).toBe(timely);
      }),
    );
  });

  test('property: within ten seconds always, beyond an hour never', () => {
    fc.assert(
      fc.property(
        tolerances,
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 3600, max: 1e9 }),
        (tolerance, near, far) => {
          for (const sign of [-1, 1]) {
            expect(isTimely(iat + sign * near, start, tolerance)).toBe(true);
            expect(isTimely(iat + sign * far, start, tolerance)).toBe(false);
          }
        },
      ),
    );
  });

  test('property: what is spent is kept until it can be shown no more, and the same whenever and wherever it is shown', async () => {
    const longest = settings.clockSkewSeconds.schema.maximum ?? 0;
    await fc.assert(
      fc.asyncProperty(
        tolerances,
        fc.integer({ min: -58, max: 9 }),
        fc.boolean(),
        async (clockSkewSeconds, age, half) => {
          const issuedAt = iat + age + (half ? 0.5 : 0);
          const proof = await key.prove({ ...claims, iat: issuedAt, jti: 'one' });
          const now = start + (half ? 1000 : 0);
          const shown = granted(await verify(proof, { now, realm: realmWith({ clockSkewSeconds }) })).spend;
          const again = granted(await verify(proof, { now, realm: realmWith({ clockSkewSeconds: longest }) })).spend;
          expect(again).toEqual(shown);
          expect(isTimely(issuedAt, shown.expiresAt + 1000, longest)).toBe(false);
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('RFC 3986 §6.2: the address of a proof', () => {
  const hosts = fc.stringMatching(/^[a-z][a-z0-9]{0,10}(\.[a-z][a-z0-9]{0,5}){0,2}$/);
  const segments = fc.array(fc.stringMatching(/^[A-Za-z0-9_~-]{1,8}$/), { minLength: 1, maxLength: 4 });
  const schemes = fc.constantFrom('http', 'https');
  const escaped = (text: string, each: readonly boolean[]) =>
    [...text]
      .map((character, index) => (each[index] === true ? `%${character.charCodeAt(0).toString(16)}` : character))
      .join('');

  test('property: every spelling of an address is that address', () => {
    const spellings = fc.record({
      capitals: fc.boolean(),
      port: fc.boolean(),
      dots: fc.boolean(),
      escapes: fc.array(fc.boolean(), { maxLength: 8 }),
      query: fc.constantFrom('', '?', '?a=b&c', '#', '#d', '?a#d'),
    });
    fc.assert(
      fc.property(
        schemes,
        hosts,
        segments,
        spellings,
        (scheme, host, path, { capitals, port, dots, escapes, query }) => {
          const own = `${scheme}://${host}/${path.join('/')}`;
          const authority = `${capitals ? host.toUpperCase() : host}${port ? (scheme === 'https' ? ':443' : ':80') : ''}`;
          const spelled = path.map((segment) => escaped(segment, escapes)).join('/');
          const other = `${capitals ? scheme.toUpperCase() : scheme}://${authority}/${dots ? './x/../' : ''}${spelled}${query}`;
          expect(addressOf(other)).toBe(own);
          expect(addressOf(own)).toBe(own);
        },
      ),
    );
  });

  test('property: two addresses that differ in scheme, host, port or path are two', () => {
    const addresses = fc.tuple(schemes, hosts, fc.integer({ min: 1024, max: 65_535 }), segments);
    fc.assert(
      fc.property(addresses, addresses, (one, other) => {
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const [a, b] = [one, other].map(([scheme, host, port, path]) =>
          addressOf(`${scheme}://${host}:${port}/${path.join('/')}`),
        );
        expect(a).not.toBeNull();
        expect(a).not.toBe(b ?? null);
      }),
    );
  });

  test('property: an escape of what must be escaped stays one, in one case', () => {
    expect(addressOf('https://id.example/a%2fb')).toBe('https://id.example/a%2Fb');
    expect(addressOf('https://id.example/a%2fb')).not.toBe(addressOf('https://id.example/a/b'));
  });

  test.each([
    '',
    'token',
    '//id.example/token',
    'ftp://id.example/token',
    'https://',
    'https:id.example',
    'https://u:p@id.example/',
    'https://id.example/ä',
    'https://id.example/\ntoken',
  ])('%j is none', (htu) => {
    expect(addressOf(htu)).toBeNull();
  });
});

describe('the policy of a client', () => {
  test.each([
    ['off', undefined, 'off'],
    ['allowed', undefined, 'allowed'],
    ['allowed', false, 'allowed'],
    ['required', false, 'required'],
    ['off', true, 'required'],
    ['allowed', true, 'required'],
  ] as const)('the setting %s and dpop_bound_access_tokens %p: %s', (dpop, bound, policy) => {
    const registered = bound === undefined ? {} : { dpop_bound_access_tokens: bound };
    expect(dpopPolicyOf({ ...withSettings(web, { dpop }), metadata: registered })).toBe(policy);
  });
});

describe('RFC 9449 §7.1', () => {
  test('the challenge: what was wrong, and what would be taken', () => {
    const algs = `algs="${dpopAlgorithms.join(' ')}"`;
    expect(dpopChallenge(null)).toBe(`DPoP ${algs}`);
    expect(dpopChallenge(refusal('invalid_token', 'over', 'RFC 6750 §3.1'))).toBe(
      `DPoP error="invalid_token", error_description="over", ${algs}`,
    );
  });
});
