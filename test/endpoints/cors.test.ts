import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { basic, post, webOf } from './relying_party.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const origin = { origin: 'https://app.example' };
const open = [
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/jwks',
  '/token',
  '/device_authorization',
  '/userinfo',
  '/revoke',
  '/register',
];
const closed = ['/authorize', '/run/x', '/device', '/register/x', '/introspect', '/logout', '/livez', '/readyz'];

const preflight = (path: string, method: string) =>
  fetch(provider.issuer + path, {
    method: 'OPTIONS',
    headers: { ...origin, 'access-control-request-method': method, 'access-control-request-headers': 'authorization' },
  });

/** Fetch §4.8: what a page of another origin may do. */
const grantsOf = ({ headers }: Response): readonly string[] =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'));

describe('a page of another origin', () => {
  test.each(open)('may ask %s, without credentials', async (path) => {
    const method = ['/token', '/device_authorization', '/revoke', '/register'].includes(path) ? 'POST' : 'GET';
    const response = await preflight(path, method);
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-methods')?.split(', ')).toContain(method);
    const headers = response.headers.get('access-control-allow-headers')?.split(', ');
    expect(headers).toEqual(expect.arrayContaining(['authorization', 'content-type', 'mcp-protocol-version']));
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  });

  test.each(closed)('may not ask %s', async (path) => {
    const asked = await preflight(path, 'POST');
    expect({ status: asked.status, grants: grantsOf(asked) }).toEqual({ status: 405, grants: [] });
    const sent = await fetch(provider.issuer + path, { headers: origin, redirect: 'manual' });
    expect(grantsOf(sent)).toEqual([]);
  });

  test('may ask nothing of a realm that is none', async () => {
    const response = await preflight('/realms/nowhere/token', 'POST');
    expect(response.status).toBe(404);
    expect(response.headers.has('access-control-allow-methods')).toBe(false);
  });
});

describe('a page of another origin reads', () => {
  const readable = {
    'access-control-allow-origin': '*',
    'access-control-expose-headers': 'www-authenticate, retry-after, dpop-nonce',
  };
  const grants = ({ headers }: Response) =>
    Object.fromEntries(Object.keys(readable).map((name) => [name, headers.get(name)]));

  test.each(open.filter((path) => path.includes('well-known') || path === '/jwks'))('the document %s', async (path) => {
    expect(grants(await fetch(provider.issuer + path, { headers: origin }))).toEqual(readable);
  });

  test('why it was refused, whatever the reason', async () => {
    const web = webOf(provider);
    const authorization = basic(web.clientId, web.secret ?? '');
    const refused: readonly (readonly [number, Response])[] = [
      [400, await post(`${provider.issuer}/token`, { grant_type: 'nothing' }, { ...origin, authorization })],
      [401, await post(`${provider.issuer}/token`, {}, origin)],
      [401, await fetch(`${provider.issuer}/userinfo`, { headers: origin })],
      [404, await post(`${provider.issuer}/realms/nowhere/token`, {}, origin)],
      [405, await fetch(`${provider.issuer}/token`, { headers: origin })],
      [404, await post(`${provider.issuer}/register`, {}, origin)],
      [413, await post(`${provider.issuer}/revoke`, { token: 'x'.repeat(70_000) }, { ...origin, authorization })],
      [415, await post(`${provider.issuer}/token`, {}, { ...origin, 'content-type': 'text/plain' })],
    ];
    for (const [status, response] of refused) {
      expect({ status: response.status, ...grants(response) }).toEqual({ status, ...readable });
    }
  });
});
