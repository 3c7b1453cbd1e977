import type { RawRequest } from '../raw_http.ts';
import { redirectUri } from '../relying_party.ts';
import { asPerson, type BadRequest, basicHeader, encode, get, guess, postForm } from './bad_request.ts';
import type { Known } from './known.ts';

/** What is wrong before any endpoint is reached: host, path, realm, method, message. */

const told = (
  name: string,
  status: number,
  request: BadRequest['request'],
  more: Partial<BadRequest> = {},
): BadRequest => ({
  name,
  request,
  status,
  told: 'json',
  error: 'invalid_request',
  parameter: null,
  ...more,
});

/** A request that would be answered well, were it not for the change. */
const goodToken = ({ serviceSecret }: Known): RawRequest =>
  postForm('/token', [['grant_type', 'client_credentials']], [basicHeader('demo-service', serviceSecret)]);

const tokenAt = (target: string) => (known: Known) => ({ ...goodToken(known), target });
const tokenWith = (more: Partial<RawRequest>) => (known: Known) => ({ ...goodToken(known), ...more });
const headed = (headers: readonly (readonly [string, string])[]) => (known: Known) => {
  const request = goodToken(known);
  return { ...request, headers: [...(request.headers ?? []), ...headers] };
};

export const hostRequests: readonly BadRequest[] = [
  told('another host', 421, tokenWith({ host: 'evil.example' })),
  told('the right host on another port', 421, tokenWith({ host: '127.0.0.1:1' })),
  told('the right host without its port', 421, tokenWith({ host: '127.0.0.1' })),
  told('another name of this machine', 421, (known) =>
    tokenWith({ host: `localhost:${new URL(known.issuer).port}` })(known),
  ),
  told('a host of one letter', 421, tokenWith({ host: 'x' })),
  told('a host with ours as its beginning', 421, tokenWith({ host: '127.0.0.1.evil.example' })),
  told('a host with something behind its port', 400, (known) =>
    tokenWith({ host: `${known.host}.evil.example` })(known),
  ),
  told('no host in HTTP/1.0', 421, tokenWith({ host: null, version: '1.0' })),
  told('an empty host', 400, tokenWith({ host: '' })),
  told('a host with a space', 400, tokenWith({ host: 'a b' })),
  told('a host with a path', 400, tokenWith({ host: 'evil/token?' })),
  told('a host with a user', 400, (known) => tokenWith({ host: `me@${known.host}` })(known)),
  told('two hosts, ours first', 400, headed([['Host', 'evil.example']])),
  told('two hosts, ours last', 400, (known) => ({ ...headed([['Host', known.host]])(known), host: 'evil.example' })),
  told('X-Forwarded-Host from anyone', 421, (known) => ({
    ...headed([
      ['X-Forwarded-Host', known.host],
      ['X-Forwarded-For', '203.0.113.9'],
    ])(known),
    host: 'evil.example',
  })),
  told('Forwarded from anyone', 421, (known) => ({
    ...headed([['Forwarded', `host=${known.host}`]])(known),
    host: 'evil.example',
  })),
  told('an absolute target of another host, with its Host', 421, (known) => ({
    ...goodToken(known),
    target: 'http://evil.example/token',
    host: 'evil.example',
  })),
  told('no host', 400, tokenWith({ host: null }), { told: 'server', error: null }),
];

const nowhere = (name: string, target: string): BadRequest => told(name, 404, tokenAt(target));

export const pathRequests: readonly BadRequest[] = [
  nowhere('an unknown path', '/tokens'),
  nowhere('a secret pasted as path', `/${guess}/${guess}${guess}${guess}`),
  nowhere('a trailing slash', '/token/'),
  nowhere('a doubled slash', '//token'),
  nowhere('an upper-case path', '/TOKEN'),
  nowhere('an escaped letter', '/%74oken'),
  nowhere('an escaped slash', '/realms%2Facme/token'),
  nowhere('an escaped slash in lower case', '/realms/acme%2ftoken'),
  nowhere('an escaped backslash', '/realms/acme%5Ctoken'),
  nowhere('an escaped NUL', '/token%00'),
  nowhere('malformed percent-encoding', '/token%zz'),
  nowhere('a cut escape', '/token%2'),
  nowhere('a path parameter', '/token;v=1'),
  nowhere('a fragment', '/token#x'),
  nowhere('a byte that is no ASCII', '/token\xe4'),
  nowhere('a realm that is none', '/realms/nowhere/token'),
  nowhere('the default realm under its slug', '/realms/main/token'),
  nowhere('a realm in other case', '/realms/Acme/token'),
  nowhere('a realm of escaped letters', '/realms/%61cme/token'),
  nowhere('an empty realm', '/realms//token'),
  nowhere('a realm in a realm', '/realms/acme/realms/acme/token'),
  nowhere('a realm that climbs out', '/realms/acme/../main/token'),
  nowhere('a realm without endpoint', '/realms/acme'),
  nowhere('an operation below a realm', '/realms/acme/livez'),
  nowhere('a property of every object as realm', '/realms/__proto__/token'),
  nowhere('an oversized realm', `/realms/${'a'.repeat(3000)}/token`),
  {
    ...nowhere('a good authorization request at the default realm’s slug', ''),
    request: () =>
      get(
        `/realms/main/authorize?${encode([
          ['client_id', 'demo-web'],
          ['redirect_uri', redirectUri],
          ['response_type', 'code'],
          ['scope', 'openid'],
        ])}`,
      ),
  },
  {
    ...nowhere('an unknown path, by a person', ''),
    told: 'page',
    error: null,
    request: () => get('/nowhere', [asPerson]),
  },
  {
    ...nowhere('metadata of the default realm by slug', ''),
    request: () => get('/.well-known/oauth-authorization-server/realms/main'),
  },
  {
    ...nowhere('discovery below a realm where RFC 8414 does not put it', ''),
    request: () => get('/realms/acme/.well-known/oauth-authorization-server'),
  },
  { ...nowhere('a NUL', ''), request: tokenAt('/tok\0en'), status: 505, told: 'server', error: null },
  { ...nowhere('a space', ''), request: tokenAt('/tok en'), status: 505, told: 'server', error: null },
  {
    ...nowhere('a target of 20,000 characters', ''),
    request: () => get(`/authorize?state=${'x'.repeat(20_000)}`),
    status: 431,
    told: 'server',
    error: null,
  },
];

const allows: { readonly [path: string]: string } = {
  '/.well-known/openid-configuration': 'GET, HEAD, OPTIONS',
  '/.well-known/oauth-authorization-server': 'GET, HEAD, OPTIONS',
  '/jwks': 'GET, HEAD, OPTIONS',
  '/authorize': 'GET, POST, HEAD',
  '/run/x': 'GET, POST, HEAD',
  '/token': 'POST, OPTIONS',
  '/userinfo': 'GET, POST, HEAD, OPTIONS',
  '/introspect': 'POST',
  '/revoke': 'POST, OPTIONS',
  '/logout': 'GET, POST, HEAD',
  '/livez': 'GET, HEAD',
  '/readyz': 'GET, HEAD',
  '/realms/acme/token': 'POST, OPTIONS',
};

const wrongMethod = (method: string, path: string): BadRequest =>
  told(`${method} ${path}`, 405, (known) => ({ ...goodToken(known), method, target: path }), {
    headers: { allow: allows[path] ?? '' },
  });

const withoutBody = (method: string, path: string): BadRequest => ({
  ...wrongMethod(method, path),
  request: () => ({ method, target: path }),
});

export const methodRequests: readonly BadRequest[] = [
  ...Object.keys(allows).flatMap((path) => ['PUT', 'DELETE', 'PATCH'].map((method) => wrongMethod(method, path))),
  ...Object.entries(allows)
    .filter(([, allow]) => !allow.includes('OPTIONS'))
    .map(([path]) => withoutBody('OPTIONS', path)),
  ...Object.entries(allows)
    .filter(([, allow]) => !allow.includes('GET'))
    .map(([path]) => withoutBody('GET', path)),
  ...Object.entries(allows)
    .filter(([, allow]) => !allow.includes('POST'))
    .map(([path]) => wrongMethod('POST', path)),
  withoutBody('TRACE', '/token'),
  { ...told('CONNECT', 404, () => ({ method: 'CONNECT', target: '127.0.0.1:1' })) },
  { ...told('an unknown method', 0, (known) => ({ ...goodToken(known), method: 'FOO' })), told: 'server', error: null },
  {
    ...told('a method in lower case', 0, (known) => ({ ...goodToken(known), method: 'post' })),
    told: 'server',
    error: null,
  },
  { ...told('OPTIONS of everything', 400, () => ({ method: 'OPTIONS', target: '*' })), told: 'server', error: null },
];

export const messageRequests: readonly BadRequest[] = [
  told(
    'two lengths',
    400,
    headed([
      ['Content-Length', '29'],
      ['Content-Length', '30'],
    ]),
  ),
  told(
    'length and chunks',
    400,
    headed([
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '29'],
    ]),
  ),
  told('a negative length', 400, headed([['Content-Length', '-1']])),
  told('a control character in a header', 400, headed([['X-Note', 'a\x01b']])),
  told('headers of 20,000 characters', 431, headed([['X-Note', 'x'.repeat(20_000)]])),
].map((bad) => ({ ...bad, told: 'server' as const, error: null }));
