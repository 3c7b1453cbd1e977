import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { alice, type Body, bodyOf, membersOf, tokensFor, webOf } from './relying_party.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** Where each realm's metadata is: OIDC Discovery §4, and RFC 8414 §3.1, which puts the realm behind. */
const locations = {
  main: ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'],
  acme: ['/realms/acme/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/realms/acme'],
} as const;

const issuers = () => ({ main: provider.issuer, acme: `${provider.issuer}/realms/acme` });
const documents = [...locations.main, ...locations.acme, '/jwks', '/realms/acme/jwks'];
const fetchPath = (path: string, headers: { readonly [name: string]: string } = {}, method = 'GET') =>
  fetch(provider.issuer + path, { method, headers });

describe('metadata', () => {
  test.each([
    ['main', locations.main[0]],
    ['main', locations.main[1]],
    ['acme', locations.acme[0]],
    ['acme', locations.acme[1]],
  ] as const)('of %s at %s names its issuer and endpoints below it', async (realm, path) => {
    const response = await fetchPath(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json');
    const issuer = issuers()[realm];
    expect(await bodyOf(response)).toMatchObject({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      userinfo_endpoint: `${issuer}/userinfo`,
      jwks_uri: `${issuer}/jwks`,
      introspection_endpoint: `${issuer}/introspect`,
      revocation_endpoint: `${issuer}/revoke`,
      end_session_endpoint: `${issuer}/logout`,
    });
  });

  test('the two places of a realm serve the same bytes', async () => {
    for (const [first, second] of Object.values(locations)) {
      expect(await (await fetchPath(first)).text()).toBe(await (await fetchPath(second)).text());
    }
  });

  test('says what is served, types as OIDC Discovery §3 wants them', async () => {
    const body = await bodyOf(await fetchPath(locations.main[0]));
    const authenticated = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt'];
    expect(body).toMatchObject({
      // Implicit and hybrid types are off where nobody switched them on.
      response_types_supported: ['code'],
      grant_types_supported: [
        'authorization_code',
        'refresh_token',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
      token_endpoint_auth_methods_supported: ['none', ...authenticated],
      introspection_endpoint_auth_methods_supported: authenticated,
      code_challenge_methods_supported: ['S256'],
      claims_parameter_supported: true,
      request_parameter_supported: true,
      request_uri_parameter_supported: true,
      // OIDC Discovery §3: where it is left out, false is meant.
      require_request_uri_registration: true,
      authorization_response_iss_parameter_supported: true,
    });
    const lists = {
      response_modes_supported: ['query', 'form_post'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      scopes_supported: ['openid', 'offline_access', 'profile', 'email', 'address', 'phone'],
    };
    for (const [name, values] of Object.entries(lists)) expect(body[name]).toEqual(expect.arrayContaining(values));
    expect(body['id_token_signing_alg_values_supported']).not.toContain('HS256');
    for (const weak of ['"plain"', '"password"', '"RSA1_5"', '"dir"']) expect(JSON.stringify(body)).not.toContain(weak);
  });

  test('every endpoint it names is there', async () => {
    const body = await bodyOf(await fetchPath(locations.acme[0]));
    const urls = Object.entries(body).filter(([name]) => name.endsWith('_endpoint') || name === 'jwks_uri');
    expect(urls.length).toBeGreaterThanOrEqual(7);
    for (const [, url] of urls) expect((await fetch(String(url), { redirect: 'manual' })).status).not.toBe(404);
  });
});

describe('JWKS', () => {
  const keysOf = async (path: string): Promise<readonly Body[]> => {
    const { keys } = await bodyOf(await fetchPath(path));
    return Array.isArray(keys) ? keys.map(membersOf) : [];
  };

  test.each(['/jwks', '/realms/acme/jwks'])('%s has public keys only, each with a name of its own', async (path) => {
    const keys = await keysOf(path);
    for (const alg of ['ES256', 'RS256']) expect(keys.map((key) => key['alg'])).toContain(alg);
    expect(new Set(keys.map(({ kid }) => kid)).size).toBe(keys.length);
    for (const key of keys) {
      expect(key).toMatchObject({ use: 'sig', kid: expect.stringMatching(/./) });
      expect(['EC', 'RSA', 'OKP']).toContain(String(key['kty']));
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']) expect(key).not.toHaveProperty(secret);
    }
  });

  test('has the keys that signed, and those of another realm are others', async () => {
    const { accessToken, idToken } = await tokensFor(webOf(provider), alice);
    const kids = (await keysOf('/jwks')).map(({ kid }) => kid);
    const acme = (await keysOf('/realms/acme/jwks')).map(({ kid }) => kid);
    for (const token of [accessToken, idToken]) {
      const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
      expect(kids).toContain(membersOf(header)['kid']);
      expect(acme).not.toContain(membersOf(header)['kid']);
    }
  });

  test('is typed as RFC 7517 §8.5 says', async () => {
    expect((await fetchPath('/jwks')).headers.get('content-type')).toBe('application/jwk-set+json');
  });
});

describe.each(documents)('%s', (path) => {
  test('may be kept for five minutes and asked for by its tag', async () => {
    const response = await fetchPath(path);
    const etag = response.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[^"]+"$/);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    // RFC 9110 §13.1.2: weak comparison, lists and the wildcard.
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await fetchPath(path, { 'if-none-match': known });
      expect({ status: again.status, body: await again.text() }).toEqual({ status: 304, body: '' });
      expect(again.headers.get('etag')).toBe(etag);
      expect(again.headers.get('cache-control')).toBe('public, max-age=300');
    }
    expect((await fetchPath(path, { 'if-none-match': '"other"' })).status).toBe(200);
  });

  test('answers HEAD like GET, without content', async () => {
    const [head, get] = [await fetchPath(path, {}, 'HEAD'), await fetchPath(path)];
    const content = await get.text();
    expect({ status: head.status, body: await head.text() }).toEqual({ status: 200, body: '' });
    for (const name of ['etag', 'content-type', 'cache-control']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    expect(head.headers.get('content-length')).toBe(String(Buffer.byteLength(content)));
  });
});
