import { type BadRequest, basicHeader, formType, get, guess, postForm } from './bad_request.ts';

/** `/userinfo`, `/introspect` and `/revoke`: where a token is shown. */

const bearer = (token: string) => ['Authorization', `Bearer ${token}`] as const;
const tampered = (token: string): string => `${token.slice(0, -10)}${token.slice(-10).split('').reverse().join('')}`;

const challenged = (
  name: string,
  error: string | null,
  request: BadRequest['request'],
  more: Partial<BadRequest> = {},
) => ({
  name,
  request,
  error,
  told: 'json' as const,
  status: error === 'invalid_request' ? 400 : 401,
  headers: {
    'www-authenticate':
      error === null
        ? /^Bearer realm="[^"]*", DPoP algs="[^"]*"$/
        : new RegExp(`^Bearer realm="[^"]*", error="${error}"`),
  },
  ...more,
});

export const userinfoRequests: readonly BadRequest[] = [
  challenged('no token', null, () => get('/userinfo')),
  challenged('no token, by POST', null, () => postForm('/userinfo', '')),
  challenged('Basic', null, ({ web }) => get('/userinfo', [basicHeader(web.clientId, web.secret)])),
  challenged('the token in the query', null, ({ webTokens }) => get(`/userinfo?access_token=${webTokens.accessToken}`)),
  challenged('a Bearer scheme without token', 'invalid_request', () => get('/userinfo', [['Authorization', 'Bearer']])),
  challenged('two words behind Bearer', 'invalid_request', () => get('/userinfo', [bearer(`${guess} ${guess}`)])),
  challenged('two Authorization headers', 'invalid_request', ({ webTokens }) =>
    get('/userinfo', [bearer(webTokens.accessToken), bearer(guess)]),
  ),
  challenged('a token of forbidden characters', 'invalid_request', () => get('/userinfo', [bearer('"x"')])),
  challenged('the token in header and body', 'invalid_request', ({ webTokens }) =>
    postForm('/userinfo', [['access_token', webTokens.accessToken]], [bearer(webTokens.accessToken)]),
  ),
  challenged('access_token twice', 'invalid_request', ({ webTokens }) =>
    postForm('/userinfo', [
      ['access_token', webTokens.accessToken],
      ['access_token', webTokens.accessToken],
    ]),
  ),
  challenged('a body of malformed percent-encoding', 'invalid_request', () =>
    postForm('/userinfo', 'access_token=%zz'),
  ),
  challenged('a name of malformed percent-encoding', 'invalid_request', () => postForm('/userinfo', '%zz=1')),
  challenged('another parameter twice beside a good token', 'invalid_request', ({ webTokens }) =>
    postForm('/userinfo', 'a=1&a=2', [bearer(webTokens.accessToken)]),
  ),
  challenged('a token of nobody', 'invalid_token', () => get('/userinfo', [bearer(guess)])),
  challenged('a token with a tampered signature', 'invalid_token', ({ webTokens }) =>
    get('/userinfo', [bearer(tampered(webTokens.accessToken))]),
  ),
  challenged('a token without signature', 'invalid_token', ({ webTokens }) => {
    const [, payload = ''] = webTokens.accessToken.split('.');
    const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    return get('/userinfo', [bearer(`${header}.${payload}.`)]);
  }),
  challenged('an ID token', 'invalid_token', ({ webTokens }) => get('/userinfo', [bearer(webTokens.idToken)])),
  challenged('a refresh token', 'invalid_token', ({ webTokens }) => get('/userinfo', [bearer(webTokens.refreshToken)])),
  challenged('a token of another realm', 'invalid_token', ({ acmeTokens }) =>
    get('/userinfo', [bearer(acmeTokens.accessToken)]),
  ),
  challenged(
    'JSON',
    'invalid_request',
    ({ webTokens }) => ({
      method: 'POST',
      target: '/userinfo',
      headers: [['Content-Type', 'application/json']],
      body: JSON.stringify({ access_token: webTokens.accessToken }),
    }),
    { status: 415, headers: {} },
  ),
  challenged('1 MB', 'invalid_request', () => postForm('/userinfo', 'x'.repeat(1024 * 1024)), {
    status: 413,
    headers: {},
  }),
];

const told = (
  name: string,
  error: string,
  request: BadRequest['request'],
  more: Partial<BadRequest> = {},
): BadRequest => ({
  name,
  request,
  error,
  told: 'json',
  status: error === 'invalid_client' ? 401 : 400,
  ...(error === 'invalid_client' ? { headers: { 'www-authenticate': /^Basic realm="/ } } : {}),
  ...more,
});

/** The two share how a caller authenticates and what it sends. */
const shown = (path: string): readonly BadRequest[] => [
  told('nobody calls', 'invalid_client', ({ webTokens }) => postForm(path, [['token', webTokens.accessToken]])),
  told('an unknown client calls', 'invalid_client', ({ webTokens }) =>
    postForm(path, [['token', webTokens.accessToken]], [basicHeader('nobody', guess)]),
  ),
  told('a wrong secret', 'invalid_client', ({ webTokens }) =>
    postForm(path, [['token', webTokens.accessToken]], [basicHeader('demo-web', guess)]),
  ),
  told('a client of another realm calls', 'invalid_client', ({ acme, webTokens }) =>
    postForm(path, [['token', webTokens.accessToken]], [basicHeader(acme.clientId, acme.secret)]),
  ),
  told('the token itself as credential', 'invalid_client', ({ webTokens }) =>
    postForm(path, [['token', webTokens.accessToken]], [bearer(webTokens.accessToken)]),
  ),
  told('two authentication methods', 'invalid_request', ({ web }) =>
    postForm(
      path,
      [
        ['token', guess],
        ['client_id', 'demo-web'],
        ['client_secret', web.secret],
      ],
      [basicHeader(web.clientId, web.secret)],
    ),
  ),
  told('token missing', 'invalid_request', ({ web }) => postForm(path, '', [basicHeader(web.clientId, web.secret)]), {
    parameter: 'token',
  }),
  told(
    'token twice',
    'invalid_request',
    ({ web, webTokens }) =>
      postForm(
        path,
        [
          ['token', webTokens.accessToken],
          ['token', guess],
        ],
        [basicHeader(web.clientId, web.secret)],
      ),
    { parameter: 'token' },
  ),
  told(
    'token oversized',
    'invalid_request',
    ({ web }) => postForm(path, [['token', 'x'.repeat(20_000)]], [basicHeader(web.clientId, web.secret)]),
    { parameter: 'token' },
  ),
  told(
    'token_type_hint oversized',
    'invalid_request',
    ({ web }) =>
      postForm(
        path,
        [
          ['token', guess],
          ['token_type_hint', 'x'.repeat(100)],
        ],
        [basicHeader(web.clientId, web.secret)],
      ),
    { parameter: 'token_type_hint' },
  ),
  told(
    'JSON',
    'invalid_request',
    ({ web, webTokens }) => ({
      method: 'POST',
      target: path,
      headers: [['Content-Type', 'application/json'], basicHeader(web.clientId, web.secret)],
      body: JSON.stringify({ token: webTokens.refreshToken }),
    }),
    { status: 415 },
  ),
  told(
    '1 MB',
    'invalid_request',
    ({ web }) => postForm(path, `token=${'x'.repeat(1024 * 1024)}`, [basicHeader(web.clientId, web.secret)]),
    { status: 413 },
  ),
  told(
    'the token in the query',
    'invalid_request',
    ({ web, webTokens }) => ({
      method: 'POST',
      target: `${path}?token=${webTokens.refreshToken}`,
      headers: [['Content-Type', formType], basicHeader(web.clientId, web.secret)],
      body: '',
    }),
    { parameter: 'token' },
  ),
];

export const introspectRequests: readonly BadRequest[] = [
  ...shown('/introspect'),
  told('a public client calls', 'invalid_client', ({ webTokens }) =>
    postForm('/introspect', [
      ['token', webTokens.accessToken],
      ['client_id', 'demo-spa'],
    ]),
  ),
];

export const revokeRequests: readonly BadRequest[] = shown('/revoke');
