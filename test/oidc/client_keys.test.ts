import { describe, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { checkClient } from '../../src/oidc/client_class.ts';
import { createClientKeys, type KeySet, readKeySet, verifySignedByClient } from '../../src/oidc/client_keys.ts';
import { granted, refused, start } from './parties.ts';

const url = 'https://rp.example/jwks';
const byReference = { jwks: null, metadata: { jwks_uri: url } };

async function make(kid: string) {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { privateKey, privateJwk: await exportJWK(privateKey), jwk: { ...(await exportJWK(publicKey)), kid } };
}
const first = await make('first');
const second = await make('second');

/** A place with these key sets, one after the other as it is asked anew. */
function publishing(...sets: readonly (KeySet | null)[]) {
  const asked: string[] = [];
  let at = 0;
  const clientKeys = createClientKeys({
    async get(from) {
      asked.push(`get ${from}`);
      return sets[at] ?? null;
    },
    async refetch(from) {
      asked.push(`refetch ${from}`);
      at += 1;
      return sets[at] ?? null;
    },
  });
  return { asked, clientKeys };
}

const sign = (payload: JWTPayload, { privateKey, jwk }: typeof first): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: jwk.kid }).sign(privateKey);

const facts = { registeredAlgorithm: undefined, now: start, clockSkewSeconds: 15 };

describe('whose keys', () => {
  test('by value: nothing is ever fetched, not for a stranger’s signature either', async () => {
    const { asked, clientKeys } = publishing({ keys: [second.jwk] });
    const client = { ...byReference, jwks: { keys: [first.jwk] } };
    expect((await verifySignedByClient(await sign({}, first), { ...facts, client, clientKeys }))?.payload).toEqual({});
    expect(await verifySignedByClient(await sign({}, second), { ...facts, client, clientKeys })).toBeNull();
    expect(asked).toEqual([]);
  });

  test('by reference: asked anew once where no key that is known signed', async () => {
    const { asked, clientKeys } = publishing({ keys: [first.jwk] }, { keys: [second.jwk] });
    const jwt = await sign({}, second);
    expect(await verifySignedByClient(jwt, { ...facts, client: byReference, clientKeys })).not.toBeNull();
    expect(asked).toEqual([`get ${url}`, `refetch ${url}`]);
  });

  test('what is signed rightly but late does not make anybody ask anew', async () => {
    const { asked, clientKeys } = publishing({ keys: [first.jwk] });
    for (const claims of [{ exp: start / 1000 - 60 }, { nbf: start / 1000 + 60 }]) {
      const jwt = await sign(claims, first);
      expect(await verifySignedByClient(jwt, { ...facts, client: byReference, clientKeys })).toBeNull();
    }
    expect(asked).toEqual([`get ${url}`, `get ${url}`]);
  });

  test('neither: nobody', async () => {
    const { clientKeys } = publishing({ keys: [first.jwk] });
    const client = { jwks: null, metadata: {} };
    expect(await verifySignedByClient(await sign({}, first), { ...facts, client, clientKeys })).toBeNull();
  });

  test('what cannot be had counts as no key', async () => {
    const { clientKeys } = publishing(null, null);
    const jwt = await sign({}, first);
    expect(await verifySignedByClient(jwt, { ...facts, client: byReference, clientKeys })).toBeNull();
  });
});

describe('RFC 7517 §5: a key set that was fetched', () => {
  test('private and symmetric keys are left out, the others stay', () => {
    const secret = { kty: 'oct', k: 'c2VjcmV0' };
    const published = { keys: [first.jwk, { ...first.privateJwk, kid: 'leaked' }, secret] };
    expect(granted(readKeySet(published))).toEqual({ keys: [first.jwk] });
  });

  test.each([
    ['a list', [first.jwk]],
    ['keys no list', { keys: first.jwk }],
    ['a key without kty', { keys: [{ kid: 'x' }] }],
    ['more keys than anybody needs', { keys: Array.from({ length: 21 }, () => first.jwk) }],
    ['null', null],
  ])('%s is none', (_, document) => {
    expect(readKeySet(document).ok).toBe(false);
  });
});

describe('RFC 7517 §4.5: a JWT that names its key', () => {
  const verify = (jwt: string, ...keys: KeySet['keys']) => {
    const { clientKeys } = publishing();
    return verifySignedByClient(jwt, { ...facts, client: { jwks: { keys }, metadata: {} }, clientKeys });
  };
  test('is tried with that key and not with the others', async () => {
    const jwt = await sign({}, first);
    expect(await verify(jwt, second.jwk, first.jwk)).not.toBeNull();
    // The key that signed, under another name.
    expect(await verify(jwt, second.jwk, { ...first.jwk, kid: 'renamed' })).toBeNull();
  });

  test('is tried with each of one name', async () => {
    expect(await verify(await sign({}, first), { ...second.jwk, kid: 'first' }, first.jwk)).not.toBeNull();
  });

  test('which names none is tried with all that fit its algorithm', async () => {
    const jwt = await new SignJWT({}).setProtectedHeader({ alg: 'ES256' }).sign(first.privateKey);
    expect(await verify(jwt, second.jwk, first.jwk)).not.toBeNull();
    expect(await verify(jwt, second.jwk)).toBeNull();
  });
});

describe('a key that costs much to verify with', () => {
  /** Of so many bits; the modulus alone decides, so it need not be a product of primes. */
  const rsaOf = (bits: number) => ({
    kty: 'RSA',
    e: 'AQAB',
    n: Buffer.alloc(bits / 8, 0xff).toString('base64url'),
    kid: `rsa-${bits}`,
  });

  test.each([
    [2048, true],
    [4096, true],
    [4104, false],
    [8192, false],
    [16_384, false],
  ])('RSA of %d bits: %p', (bits, isTaken) => {
    const [key, small] = [rsaOf(bits), rsaOf(2048)];
    const fetched = granted(readKeySet({ keys: [first.jwk, key] })).keys;
    expect(fetched.length).toBe(isTaken ? 2 : 1);
    const registered = checkClient({
      clientId: 'web',
      class: 'confidential',
      authMethod: 'private_key_jwt',
      redirectUris: ['https://rp.example/callback'],
      postLogoutRedirectUris: [],
      grantTypes: ['authorization_code'],
      responseTypes: ['code'],
      scope: ['openid'],
      idTokenSignedResponseAlg: null,
      jwks: { keys: [small, key] },
      rotation: 'always',
      implicitAndHybrid: false,
    });
    if (isTaken) granted(registered);
    else expect(refused(registered).map(({ member }) => member)).toEqual(['jwks']);
  });
});
