import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { CompactSign, exportJWK, generateKeyPair, type JWK } from 'jose';
import {
  longestRequestObject,
  openRequestObject,
  type RequestObjectPorts,
  requestObjectAlgorithms,
} from '../../../src/oidc/authorize/request_object.ts';
import type { Client } from '../../../src/oidc/client.ts';
import { createClientKeys } from '../../../src/oidc/client_keys.ts';
import type { ErrorCode } from '../../../src/oidc/errors.ts';
import { keysByValue } from '../client_auth/authenticate.ts';
import { callback, formOf, issuer, realmWith, spa, start, web } from '../parties.ts';

const now = start / 1000;

async function make(algorithm: string) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid: 'k1' };
  return { jwk, privateKey, header: { alg: algorithm, kid: 'k1' } };
}
type Key = Awaited<ReturnType<typeof make>>;
const key = await make('ES256');
const stranger = await make('ES256');

const client: Client = {
  ...web,
  jwks: { keys: [key.jwk] },
  metadata: { request_uris: ['https://rp.example/r', 'https://rp.example/versioned#one'] },
};
const withMetadata = (metadata: Client['metadata']): Client => ({
  ...client,
  metadata: { ...client.metadata, ...metadata },
});

type Claims = { readonly [name: string]: unknown };
const sign = (payload: Claims | string, { privateKey, header }: Key = key, more: object = {}): Promise<string> =>
  new CompactSign(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))
    .setProtectedHeader({ ...header, ...more })
    .sign(privateKey);
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const unsigned = (payload: Claims): string => `${part({ alg: 'none' })}.${part(payload)}.`;

const outer = { client_id: 'web', response_type: 'code', scope: 'openid' };
type Sent = { readonly [name: string]: string | readonly string[] };
type Circumstances = { readonly client?: Client; readonly skew?: number } & Partial<RequestObjectPorts>;

const nothingThere = { clientKeys: keysByValue, fetchRequestObject: async () => null };
const open = (sent: Sent, { client: by = client, skew = 15, ...ports }: Circumstances = {}) =>
  openRequestObject(
    {
      form: formOf({ ...outer, ...sent }),
      client: by,
      realm: realmWith({ clockSkewSeconds: skew }),
      now: start,
    },
    { ...nothingThere, ...ports },
  );

const openSigned = async (payload: Claims, circumstances: Circumstances = {}, sent: Sent = {}) =>
  open({ ...sent, request: await sign(payload) }, circumstances);

const errorOf = async (opened: ReturnType<typeof open>) => (await opened).refusal?.error ?? null;

describe('OIDC Core §6.1: a request object by value', () => {
  test('its parameters are added to the others, and win over them', async () => {
    const opened = await openSigned(
      { redirect_uri: callback, state: 'inner', scope: 'openid email' },
      {},
      {
        state: 'outer',
        nonce: 'n',
      },
    );
    expect(opened).toEqual({
      form: {
        values: { ...outer, scope: 'openid email', redirect_uri: callback, state: 'inner', nonce: 'n' },
        faults: [],
      },
      refusal: null,
    });
  });

  test('a request without one stays as it is', async () => {
    expect(await open({ state: 's' })).toEqual({
      form: { values: { ...outer, state: 's' }, faults: [] },
      refusal: null,
    });
  });

  test('JSON and numbers become what they are in a query; an empty value leaves the outer one', async () => {
    const claims = { userinfo: { name: { essential: true } } };
    const { form } = await openSigned(
      { claims, max_age: 0, resource: ['https://a.example'], state: '' },
      {},
      {
        state: 'outer',
      },
    );
    expect(form.values).toMatchObject({
      claims: JSON.stringify(claims),
      max_age: '0',
      resource: ['https://a.example'],
      state: 'outer',
    });
  });

  test('what is no parameter of ours is not taken', async () => {
    const { form } = await openSigned({ iss: 'web', aud: issuer, jti: 'j', toString: 'x', client_secret: 'x' });
    expect(Object.keys(form.values).toSorted()).toEqual(['client_id', 'response_type', 'scope']);
  });

  const good: readonly (readonly [what: string, claims: Claims])[] = [
    ['iss the client and aud the issuer', { iss: 'web', aud: issuer }],
    ['aud a list with the issuer in it', { aud: ['https://other.example', issuer] }],
    ['the same client_id and response_type', { client_id: 'web', response_type: 'code' }],
  ];
  test.each(good)('%s: opened', async (_, payload) => {
    expect(await errorOf(openSigned(payload))).toBeNull();
  });

  const bad: readonly (readonly [what: string, claims: Claims])[] = [
    ['iss another client', { iss: 'spa' }],
    ['iss no text', { iss: 1 }],
    ['aud another server', { aud: 'https://other.example' }],
    ['aud the issuer with a slash more', { aud: `${issuer}/` }],
    ['aud an empty list', { aud: [] }],
    ['sub the client: made to authenticate it (RFC 9101 §10.8)', { sub: 'web' }],
    ['another client_id', { client_id: 'spa' }],
    ['client_id no text', { client_id: ['web'] }],
    ['another response_type', { response_type: 'code id_token' }],
    ['request inside', { request: 'x' }],
    ['request_uri inside', { request_uri: 'https://rp.example/r' }],
    ['state a number', { state: 5 }],
    ['state null', { state: null }],
    ['state an object', { state: {} }],
    ['state with a NUL, which no database stores', { state: 'a\0' }],
    ['state with a lone surrogate, which has no percent-encoding', { state: '\ud800' }],
    ['resource with a number in it', { resource: ['https://a.example', 1] }],
    ['claims a number', { claims: 1 }],
  ];
  test.each(bad)('%s: invalid_request_object', async (_, payload) => {
    expect(await errorOf(openSigned(payload))).toBe('invalid_request_object');
  });

  test('nested as deep as its length allows, it is no crash', async () => {
    const claims = `{"a":${'['.repeat(6000)}${']'.repeat(6000)}}`;
    const { form } = await open({ request: await sign(`{"claims":${claims}}`) });
    expect(form.values['claims']).toBe(claims);
  });

  test('longer than its limit: refused before anything else', async () => {
    const asked: unknown[] = [];
    const clientKeys: RequestObjectPorts['clientKeys'] = {
      ...keysByValue,
      async current(by) {
        asked.push(by);
        return null;
      },
    };
    const request = await sign({ login_hint: 'x'.repeat(longestRequestObject.byValue) });
    expect(await errorOf(open({ request }, { clientKeys }))).toBe('invalid_request_object');
    expect(asked).toEqual([]);
  });

  test('property: what an object says arrives as if the query had said it, or is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (state) => {
        const { form, refusal } = await openSigned({ state });
        const inQuery = formOf({ ...outer, state });
        const isText = state.isWellFormed() && inQuery.faults.length === 0;
        expect(refusal === null).toBe(isText);
        if (isText) expect(form).toEqual({ ...inQuery, values: { ...inQuery.values } });
      }),
      { numRuns: 200 },
    );
  });
});

describe('RFC 9101 §6.2: the signature', () => {
  test.each([...requestObjectAlgorithms])('%s is listed and is served', async (algorithm) => {
    const one = await make(algorithm);
    const by = { ...client, jwks: { keys: [one.jwk] } };
    expect(await errorOf(open({ request: await sign({}, one) }, { client: by }))).toBeNull();
  });

  const forged: readonly (readonly [what: string, request: () => string | Promise<string>])[] = [
    ['alg none', () => unsigned({})],
    ['another key under the same kid', () => sign({}, stranger)],
    [
      'HS256 with the public key as secret',
      () =>
        new CompactSign(Buffer.from('{}'))
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(Buffer.from(JSON.stringify(key.jwk))),
    ],
    ['an algorithm that is not listed', async () => sign({}, await make('ES512'))],
    ['typed as something else', () => sign({}, key, { typ: 'dpop+jwt' })],
    ['no JSON', () => sign('x')],
    ['no object', () => sign('[]')],
    ['nothing like a JWT', () => 'x'],
    ['five parts', () => 'a.b.c.d.e'],
  ];
  test.each(forged)('%s: invalid_request_object', async (_, request) => {
    expect(await errorOf(open({ request: await request() }))).toBe('invalid_request_object');
  });

  test.each(['JWT', 'oauth-authz-req+jwt', 'application/oauth-authz-req+jwt'])('typ %s: opened', async (typ) => {
    expect(await errorOf(open({ request: await sign({}, key, { typ }) }))).toBeNull();
  });

  test('the algorithm that the client registered is the only one', async () => {
    const request = await sign({});
    const by = (request_object_signing_alg: string) => withMetadata({ request_object_signing_alg });
    expect(await errorOf(open({ request }, { client: by('ES256') }))).toBeNull();
    for (const other of ['RS256', 'none', 'ES512']) {
      expect(await errorOf(open({ request }, { client: by(other) }))).toBe('invalid_request_object');
    }
    expect(await errorOf(open({ request: unsigned({}) }, { client: by('none') }))).toBe('invalid_request_object');
  });

  test('what another client signed is refused, and so is all of a client without keys', async () => {
    const other: Client = { ...client, jwks: { keys: [stranger.jwk] } };
    expect(await errorOf(openSigned({}, { client: other }))).toBe('invalid_request_object');
    expect(await errorOf(openSigned({}, { client: { ...client, jwks: null } }))).toBe('invalid_request_object');
  });

  test('keys that rotated are fetched anew; what nobody could have signed fetches nothing', async () => {
    const asked: string[] = [];
    const clientKeys = createClientKeys({
      async get() {
        asked.push('get');
        return { keys: [stranger.jwk] };
      },
      async refetch() {
        asked.push('refetch');
        return { keys: [key.jwk] };
      },
    });
    const by: Client = { ...withMetadata({ jwks_uri: 'https://rp.example/jwks' }), jwks: null };
    expect(await errorOf(openSigned({}, { client: by, clientKeys }))).toBeNull();
    expect(asked).toEqual(['get', 'refetch']);
    await open({ request: unsigned({}) }, { client: by, clientKeys });
    expect(asked).toEqual(['get', 'refetch']);
  });
});

describe('time, at the edges of the realm’s clock skew', () => {
  for (const skew of [0, 15, 120]) {
    const table: readonly (readonly [what: string, claims: Claims, passes: boolean])[] = [
      ['expired by just less than the skew allows', { exp: now - skew + 1 }, true],
      ['expired by exactly the skew', { exp: now - skew }, false],
      ['not before exactly the skew from now', { nbf: now + skew }, true],
      ['not before one second later than that', { nbf: now + skew + 1 }, false],
      ['issued exactly the skew from now', { iat: now + skew }, true],
      ['issued one second later than that', { iat: now + skew + 1 }, false],
    ];
    test.each(table)(`skew ${skew}: %s`, async (_, payload, passes) => {
      expect((await errorOf(openSigned(payload, { skew }))) === null).toBe(passes);
    });
  }
});

describe('OIDC Core §6.2: a request object by reference', () => {
  const fetching = (object: string | null) => {
    const asked: string[] = [];
    const fetchRequestObject = async (url: string) => {
      asked.push(url);
      return object;
    };
    return { asked, fetchRequestObject };
  };

  test.each([
    'https://rp.example/r',
    'https://rp.example/r#any',
    'https://rp.example/versioned',
    'https://rp.example/versioned#one',
    'https://rp.example/versioned#two',
  ])('%s: registered, with or without a fragment', async (request_uri) => {
    const { asked, fetchRequestObject } = fetching(`${await sign({ state: 'inner' })}\n`);
    const { form, refusal } = await open({ request_uri }, { fetchRequestObject });
    expect(refusal).toBeNull();
    expect(form.values).toEqual({ ...outer, state: 'inner' });
    expect(asked).toEqual([request_uri]);
  });

  test.each([
    'https://rp.example/R',
    'https://rp.example/r?x=1',
    'https://rp.example/r/',
    'https://rp.example',
    'https://rp.example/r%23any',
    'http://rp.example/r',
    'https://evil.example/r',
    'urn:ietf:params:oauth:request_uri:x',
  ])('%s: invalid_request_uri, and nothing is asked', async (request_uri) => {
    const { asked, fetchRequestObject } = fetching(await sign({}));
    expect(await errorOf(open({ request_uri }, { fetchRequestObject }))).toBe('invalid_request_uri');
    expect(asked).toEqual([]);
  });

  test('of a client that registered none: invalid_request_uri', async () => {
    const { asked, fetchRequestObject } = fetching(await sign({}));
    const by = { ...client, metadata: {} };
    expect(await errorOf(open({ request_uri: 'https://rp.example/r' }, { client: by, fetchRequestObject }))).toBe(
      'invalid_request_uri',
    );
    expect(asked).toEqual([]);
  });

  const there: readonly (readonly [what: string, object: () => Promise<string> | null, error: ErrorCode])[] = [
    ['nothing', () => null, 'invalid_request_uri'],
    ['more than may be', async () => 'x'.repeat(longestRequestObject.byReference + 1), 'invalid_request_uri'],
    ['what a stranger signed', () => sign({}, stranger), 'invalid_request_object'],
    ['what nobody signed', async () => unsigned({}), 'invalid_request_object'],
  ];
  test.each(there)('there is %s: %s', async (_, object, error) => {
    const { fetchRequestObject } = fetching(await object());
    expect(await errorOf(open({ request_uri: 'https://rp.example/r' }, { fetchRequestObject }))).toBe(error);
  });

  test('beside an object by value: invalid_request', async () => {
    const request = await sign({});
    expect(await errorOf(open({ request, request_uri: 'https://rp.example/r' }))).toBe('invalid_request');
  });
});

describe('where a refusal goes', () => {
  const says = { redirect_uri: callback, response_mode: 'form_post', state: 'inner', nonce: 'inner', scope: 'inner' };

  test('what the refused object says of it counts where the outer request says nothing, and nothing else of it', async () => {
    const { form, refusal } = await open({ request: unsigned(says) });
    expect(refusal?.error).toBe('invalid_request_object');
    expect(form.values).toEqual({
      ...outer,
      redirect_uri: callback,
      response_mode: 'form_post',
      state: 'inner',
    });
  });

  test('what the outer request says of it stays', async () => {
    const sent = { redirect_uri: 'https://rp.example/other', response_mode: 'query', state: 'outer' };
    const { form } = await open({ ...sent, request: unsigned(says) });
    expect(form.values).toEqual({ ...outer, ...sent });
  });

  test('what the outer request says twice is not decided by the object', async () => {
    const { form } = await open({ redirect_uri: [callback, 'https://rp.example/other'], request: unsigned(says) });
    expect(form.values).not.toHaveProperty('redirect_uri');
    expect(form.faults).toMatchObject([{ parameter: 'redirect_uri' }]);
  });

  test.each(['\0', '\ud800', 7, null, { a: 1 }])('state %j of a refused object is not taken', async (state) => {
    const { form } = await open({ request: unsigned({ state }) });
    expect(form.values).not.toHaveProperty('state');
  });
});

describe('RFC 9101 §10.5: a client that must sign its requests', () => {
  const signing = withMetadata({ require_signed_request_object: true });

  test('a request without an object is refused', async () => {
    expect(await errorOf(open({ redirect_uri: callback }, { client: signing }))).toBe('invalid_request');
  });

  test('what is outside the object does not count', async () => {
    const { form, refusal } = await openSigned(
      { response_type: 'code', redirect_uri: callback },
      { client: signing },
      {
        prompt: 'none',
        state: 'outer',
      },
    );
    expect(refusal).toBeNull();
    expect(form.values).toEqual({ client_id: 'web', response_type: 'code', redirect_uri: callback });
  });
});

test('a public client with keys may sign as well', async () => {
  const by: Client = { ...spa, jwks: { keys: [key.jwk] } };
  expect(await errorOf(open({ client_id: 'spa', request: await sign({ iss: 'spa' }) }, { client: by }))).toBeNull();
});
