import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { compactDecrypt, decodeProtectedHeader, exportJWK, generateKeyPair, type JWK } from 'jose';
import type { ClientMetadata } from '../../src/oidc/client.ts';
import { checkClient } from '../../src/oidc/client_class.ts';
import { createClientKeys, type KeySet } from '../../src/oidc/client_keys.ts';
import {
  chooseRecipient,
  contentEncryptions,
  encryptedResponses,
  encryptionAlgorithms,
  encryptionKeys,
  encryptionOf,
} from '../../src/oidc/response_encryption.ts';
import { granted, refused, web } from './parties.ts';

async function make(alg: string, more: Partial<JWK> = {}, crv?: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg, {
    extractable: true,
    ...(crv === undefined ? {} : { crv }),
  });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), ...more } };
}
const rsa = await make('RSA-OAEP-256', { kid: 'rsa', use: 'enc' });
const p256 = await make('ECDH-ES', { kid: 'p256', use: 'enc' });
const curves = await Promise.all(
  ['P-256', 'P-384', 'P-521', 'X25519'].map((crv) => make('ECDH-ES', { kid: crv, use: 'enc' }, crv)),
);
const keysFor = (alg: string) => (alg.startsWith('RSA') ? [rsa] : curves);

/** A place that gives these one after the other as it is asked anew. */
function published(...sets: readonly (KeySet | null)[]) {
  const asked: string[] = [];
  let at = 0;
  const clientKeys = createClientKeys({
    async get() {
      asked.push('get');
      return sets[at] ?? null;
    },
    async refetch() {
      asked.push('refetch');
      at += 1;
      return sets[at] ?? null;
    },
  });
  return { asked, clientKeys };
}

const nowhere = published().clientKeys;
const withKeys = (keys: readonly JWK[], metadata: ClientMetadata) => ({ jwks: { keys }, metadata });
const idToken = (alg: string, enc?: string): ClientMetadata => ({
  id_token_encrypted_response_alg: alg,
  ...(enc === undefined ? {} : { id_token_encrypted_response_enc: enc }),
});

async function encryptTo(keys: readonly JWK[], metadata: ClientMetadata, content = 'a.b.c'): Promise<string> {
  const recipient = granted(await chooseRecipient(nowhere, withKeys(keys, metadata), 'id_token'));
  if (recipient === null) throw new Error('nobody to encrypt to');
  return recipient.encrypt(content, 'JWT');
}

describe('OIDC Core §10.2', () => {
  const served = encryptionAlgorithms.flatMap((alg) =>
    contentEncryptions.flatMap((enc) => keysFor(alg).map((key) => [alg, enc, key.jwk.kid ?? '', key] as const)),
  );
  test.each(served)('%s with %s to %s: only the client reads it', async (alg, enc, kid, key) => {
    const jwe = await encryptTo([key.jwk], idToken(alg, enc));
    expect(decodeProtectedHeader(jwe)).toMatchObject({ alg, enc, kid, cty: 'JWT' });
    expect(new TextDecoder().decode((await compactDecrypt(jwe, key.privateKey)).plaintext)).toBe('a.b.c');
    const stranger = await make(alg, {}, key.jwk.crv);
    await expect(compactDecrypt(jwe, stranger.privateKey)).rejects.toThrow();
  });

  test('property: whatever is encrypted comes back, and is not in the JWE', async () => {
    const recipient = granted(await chooseRecipient(nowhere, withKeys([p256.jwk], idToken('ECDH-ES')), 'id_token'));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 8, maxLength: 200 }), async (content) => {
        const jwe = (await recipient?.encrypt(content)) ?? '';
        expect(
          new TextDecoder('utf-8', { ignoreBOM: true }).decode((await compactDecrypt(jwe, p256.privateKey)).plaintext),
        ).toBe(content);
        expect(jwe).not.toContain(Buffer.from(content).toString('base64url').slice(2, -2));
        expect(decodeProtectedHeader(jwe)).not.toHaveProperty('cty');
      }),
      { numRuns: 50 },
    );
  });

  test('A128CBC-HS256 where no enc was registered', async () => {
    expect(decodeProtectedHeader(await encryptTo([p256.jwk], idToken('ECDH-ES')))).toMatchObject({
      enc: 'A128CBC-HS256',
    });
  });

  test('a key without a name names none', async () => {
    const { kid: _, ...nameless } = p256.jwk;
    expect(decodeProtectedHeader(await encryptTo([nameless], idToken('ECDH-ES')))).not.toHaveProperty('kid');
  });

  test('who registered none is not encrypted to, and nobody is asked for keys', async () => {
    const { asked, clientKeys } = published({ keys: [p256.jwk] });
    const client = { jwks: null, metadata: { jwks_uri: 'https://rp.example/jwks', ...idToken('ECDH-ES') } };
    expect(await chooseRecipient(clientKeys, client, 'userinfo')).toEqual({ ok: true, value: null });
    expect(asked).toEqual([]);
  });

  test.each(encryptedResponses)('%s is encrypted by its own members', (response) => {
    const metadata = {
      [`${response}_encrypted_response_alg`]: 'ECDH-ES',
      [`${response}_encrypted_response_enc`]: 'A256GCM',
    };
    expect(encryptedResponses.map((other) => encryptionOf({ metadata }, other))).toEqual(
      encryptedResponses.map((other) => (other === response ? { alg: 'ECDH-ES', enc: 'A256GCM' } : null)),
    );
  });
});

describe('which key', () => {
  const chosen = async (keys: readonly JWK[], alg = 'ECDH-ES') =>
    decodeProtectedHeader(await encryptTo(keys, idToken(alg))).kid;
  const { use: _, ...unsaid } = p256.jwk;

  test('use enc before one that does not say, never use sig', async () => {
    const undecided = { ...unsaid, kid: 'undecided' };
    expect(await chosen([undecided, p256.jwk])).toBe('p256');
    expect(await chosen([{ ...unsaid, kid: 'signing', use: 'sig' }, undecided])).toBe('undecided');
    expect(encryptionKeys([{ ...unsaid, use: 'sig' }], 'ECDH-ES')).toEqual([]);
  });

  test('of the algorithm that it names, of a kind that fits, for operations that encrypt', () => {
    const fits = (key: JWK, alg = 'ECDH-ES') => encryptionKeys([key], alg).length === 1;
    expect(fits({ ...unsaid, alg: 'ECDH-ES' })).toBe(true);
    expect(fits({ ...unsaid, alg: 'ECDH-ES+A256KW' })).toBe(false);
    expect(fits({ ...unsaid, alg: 'ES256' })).toBe(false);
    expect(fits({ ...unsaid, key_ops: ['deriveBits'] })).toBe(true);
    expect(fits({ ...unsaid, key_ops: ['verify'] })).toBe(false);
    expect(fits({ ...unsaid, crv: 'secp256k1' })).toBe(false);
    expect(fits({ kty: 'OKP', crv: 'Ed25519', x: 'x' })).toBe(false);
    expect(fits(rsa.jwk)).toBe(false);
    expect(fits(rsa.jwk, 'RSA-OAEP-256')).toBe(true);
    expect(fits(p256.jwk, 'RSA-OAEP-256')).toBe(false);
    expect(fits(rsa.jwk, 'RSA1_5')).toBe(false);
  });

  const [zero, full] = [
    Buffer.alloc(32).toString('base64url'),
    (octets: number) => Buffer.alloc(octets, 0xff).toString('base64url'),
  ];
  const broken: readonly (readonly [what: string, alg: string, key: JWK])[] = [
    ['a point that is not on its curve', 'ECDH-ES', { kty: 'EC', crv: 'P-256', x: p256.jwk.x ?? '', y: zero }],
    ['a point of small order', 'ECDH-ES', { kty: 'OKP', crv: 'X25519', x: zero }],
    ['an RSA modulus of 1024 bits', 'RSA-OAEP-256', { kty: 'RSA', n: full(128), e: 'AQAB' }],
    [
      'an even RSA modulus',
      'RSA-OAEP-256',
      { kty: 'RSA', n: Buffer.alloc(256, 0xfe).toString('base64url'), e: 'AQAB' },
    ],
    ['an RSA exponent of 1', 'RSA-OAEP-256', { kty: 'RSA', n: full(256), e: 'AQ' }],
    ['no modulus', 'RSA-OAEP-256', { kty: 'RSA', e: 'AQAB' }],
  ];
  test.each(broken)('%s is passed over, and refused where it is the only one', async (_, alg, key) => {
    const good = alg === 'ECDH-ES' ? p256.jwk : rsa.jwk;
    expect(await chosen([{ ...key, use: 'enc', kid: 'broken' }, good], alg)).toBe(good.kid);
    const alone = await chooseRecipient(nowhere, withKeys([{ ...key, use: 'enc' }], idToken(alg)), 'id_token');
    expect(refused(alone)).toMatchObject({ error: 'invalid_client_metadata', rule: 'OIDC Core §10.2' });
  });
});

describe('keys that the client publishes', () => {
  const byReference = { jwks: null, metadata: { jwks_uri: 'https://rp.example/jwks', ...idToken('ECDH-ES') } };
  const choose = (keys: ReturnType<typeof published>) => chooseRecipient(keys.clientKeys, byReference, 'id_token');

  test('known: asked for once', async () => {
    const keys = published({ keys: [p256.jwk] });
    expect((await choose(keys)).ok).toBe(true);
    expect(keys.asked).toEqual(['get']);
  });

  test('without one that fits: asked for anew', async () => {
    const keys = published({ keys: [rsa.jwk] }, { keys: [p256.jwk] });
    expect((await choose(keys)).ok).toBe(true);
    expect(keys.asked).toEqual(['get', 'refetch']);
  });

  test('that cannot be had: later; that do not fit: the client must mend them', async () => {
    expect(refused(await choose(published(null, null))).error).toBe('temporarily_unavailable');
    expect(refused(await choose(published({ keys: [rsa.jwk] }, null))).error).toBe('invalid_client_metadata');
    expect(refused(await choose(published(null, { keys: [] }))).error).toBe('invalid_client_metadata');
  });
});

describe('OIDC Registration §2: what is registered', () => {
  const draft = (metadata: ClientMetadata, jwks: KeySet | null = { keys: [rsa.jwk, p256.jwk] }) =>
    checkClient({ ...web, metadata, jwks, rotation: 'always', implicitAndHybrid: false });
  const members = (...args: Parameters<typeof draft>) => refused(draft(...args)).map(({ member }) => member);

  test.each(encryptionAlgorithms.flatMap((alg) => contentEncryptions.map((enc) => [alg, enc] as const)))(
    '%s with %s',
    (alg, enc) => {
      const metadata = Object.fromEntries(
        encryptedResponses.flatMap((response) => [
          [`${response}_encrypted_response_alg`, alg],
          [`${response}_encrypted_response_enc`, enc],
        ]),
      );
      expect(draft(metadata).ok).toBe(true);
    },
  );

  test.each(['dir', 'A128KW', 'A256KW', 'A128GCMKW', 'A256GCMKW', 'PBES2-HS256+A128KW'])(
    '%s would need a shared key: refused, and the sentence says so',
    (alg) => {
      const [fault] = refused(draft(idToken(alg)));
      expect(fault?.member).toBe('id_token_encrypted_response_alg');
      expect(fault?.sentence).toContain('symmetric');
    },
  );

  test.each(['RSA1_5', 'RSA-OAEP', 'RSA-OAEP-512', 'ECDH-ES+A128KW', 'none', 'constructor'])('%s: refused', (alg) => {
    expect(members(idToken(alg))).toEqual(['id_token_encrypted_response_alg']);
  });

  test('an enc without alg, and one that is not served', () => {
    expect(members({ userinfo_encrypted_response_enc: 'A256GCM' })).toEqual(['userinfo_encrypted_response_enc']);
    expect(members(idToken('ECDH-ES', 'A192GCM'))).toEqual(['id_token_encrypted_response_enc']);
  });

  test('an alg without keys, and without a key that fits', () => {
    const alg = 'id_token_encrypted_response_alg';
    expect(members(idToken('ECDH-ES'), null)).toEqual([alg]);
    expect(members(idToken('ECDH-ES'), { keys: [rsa.jwk] })).toEqual([alg]);
    expect(members(idToken('ECDH-ES'), { keys: [{ ...p256.jwk, use: 'sig' }] })).toEqual([alg]);
    expect(draft({ ...idToken('ECDH-ES'), jwks_uri: 'https://rp.example/jwks' }, null).ok).toBe(true);
  });

  test('a signature algorithm that is not served', () => {
    expect(members({ userinfo_signed_response_alg: 'HS256' })).toEqual(['userinfo_signed_response_alg']);
    expect(members({ introspection_signed_response_alg: 'none' })).toEqual(['introspection_signed_response_alg']);
  });
});
