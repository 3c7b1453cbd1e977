import { describe, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { createClientKeys, type KeySet, readKeySet, verifySignedByClient } from '../../src/oidc/client_keys.ts';
import { granted, start } from './parties.ts';

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
    ['more keys than anybody needs', { keys: Array.from({ length: 51 }, () => first.jwk) }],
    ['null', null],
  ])('%s is none', (_, document) => {
    expect(readKeySet(document).ok).toBe(false);
  });
});
