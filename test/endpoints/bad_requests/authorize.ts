import { codeChallenge, redirectUri } from '../relying_party.ts';
import {
  asPerson,
  type BadRequest,
  changed,
  encode,
  type Fields,
  formType,
  get,
  guess,
  postForm,
} from './bad_request.ts';
import type { Known } from './known.ts';

const path = '/authorize';

const webFields: Fields = [
  ['client_id', 'demo-web'],
  ['redirect_uri', redirectUri],
  ['response_type', 'code'],
  ['scope', 'openid'],
  ['state', 'a state'],
];
const spaFields: Fields = [
  ...changed(webFields, ['client_id', 'demo-spa']),
  ['code_challenge', codeChallenge],
  ['code_challenge_method', 'S256'],
];

const at = (fields: Fields): string => `${path}?${encode(fields)}`;
type Change = readonly [name: string, value: string | null];
type Row = readonly [name: string, error: string, parameter: string | null, ...changes: readonly Change[]];

const large = 'x'.repeat(5000);

/** Told to the client, because client and redirect URI are beyond doubt (RFC 6749 §4.1.2.1). */
const webRows: readonly Row[] = [
  ['response_type missing', 'invalid_request', 'response_type', ['response_type', null]],
  ['response_type empty', 'invalid_request', 'response_type', ['response_type', '']],
  ['response_type token', 'unsupported_response_type', 'response_type', ['response_type', 'token']],
  ['response_type code id_token', 'unsupported_response_type', 'response_type', ['response_type', 'code id_token']],
  ['response_type in other case', 'unsupported_response_type', 'response_type', ['response_type', 'Code']],
  [
    'response_type a property of every object',
    'unsupported_response_type',
    'response_type',
    ['response_type', 'toString'],
  ],
  ['response_mode unknown', 'invalid_request', 'response_mode', ['response_mode', 'query.jwt']],
  ['scope missing', 'invalid_scope', 'scope', ['scope', null]],
  ['scope that names nothing', 'invalid_scope', 'scope', ['scope', 'unknown']],
  ['scope of forbidden characters', 'invalid_scope', 'scope', ['scope', 'openid "x"']],
  ['scope oversized', 'invalid_request', 'scope', ['scope', large]],
  ['state oversized', 'invalid_request', 'state', ['state', large]],
  ['nonce oversized', 'invalid_request', 'nonce', ['nonce', large]],
  ['prompt unknown', 'invalid_request', 'prompt', ['prompt', 'maybe']],
  ['prompt none with another', 'invalid_request', 'prompt', ['prompt', 'none login']],
  ['max_age negative', 'invalid_request', 'max_age', ['max_age', '-1']],
  ['max_age no number', 'invalid_request', 'max_age', ['max_age', '1e3']],
  ['claims no JSON', 'invalid_request', 'claims', ['claims', '{']],
  ['claims of the wrong shape', 'invalid_request', 'claims', ['claims', '{"userinfo":["name"]}']],
  [
    'claims that demand two subjects',
    'login_required',
    'claims',
    ['claims', '{"userinfo":{"sub":{"value":"a"}},"id_token":{"sub":{"value":"b"}}}'],
  ],
  ['request object of nobody', 'invalid_request_object', 'request', ['request', 'e30.e30.']],
  ['request object oversized', 'invalid_request_object', 'request', ['request', large]],
  ['request_uri unregistered', 'invalid_request_uri', 'request_uri', ['request_uri', 'https://client.example/r']],
  ['registration', 'registration_not_supported', 'registration', ['registration', '{}']],
  ['resource of nobody', 'invalid_target', 'resource', ['resource', 'https://api.example']],
  ['id_token_hint that is none', 'invalid_request', 'id_token_hint', ['id_token_hint', guess]],
  ['code_challenge_method alone', 'invalid_request', 'code_challenge', ['code_challenge_method', 'S256']],
  ['login_hint oversized', 'invalid_request', 'login_hint', ['login_hint', large]],
  ['nobody signed in with prompt none', 'login_required', null, ['prompt', 'none']],
];

const spaRows: readonly Row[] = [
  [
    'code_challenge missing',
    'invalid_request',
    'code_challenge',
    ['code_challenge', null],
    ['code_challenge_method', null],
  ],
  ['code_challenge_method plain', 'invalid_request', 'code_challenge_method', ['code_challenge_method', 'plain']],
  ['code_challenge_method missing', 'invalid_request', 'code_challenge_method', ['code_challenge_method', null]],
  [
    'code_challenge_method in other case',
    'invalid_request',
    'code_challenge_method',
    ['code_challenge_method', 's256'],
  ],
  ['code_challenge too short', 'invalid_request', 'code_challenge', ['code_challenge', 'abc']],
  ['code_challenge padded', 'invalid_request', 'code_challenge', ['code_challenge', `${codeChallenge}=`]],
];

const redirected = (rows: readonly Row[], fields: Fields): readonly BadRequest[] =>
  rows.map(([name, error, parameter, ...changes]) => ({
    name,
    error,
    parameter,
    status: 303,
    told: 'redirect',
    request: () => get(at(changed(fields, ...changes)), [asPerson]),
  }));

const twice = (name: string, value: string): BadRequest => ({
  name: `${name} twice`,
  error: 'invalid_request',
  parameter: name,
  status: 303,
  told: 'redirect',
  request: () => get(at([...changed(webFields, [name, value]), [name, value]]), [asPerson]),
});

const paged = (name: string, parameter: string | null, request: BadRequest['request'], status = 400): BadRequest => ({
  name,
  parameter,
  request,
  status,
  told: 'page',
  error: null,
});

const pagedChange = (name: string, parameter: string | null, ...changes: readonly Change[]): BadRequest =>
  paged(name, parameter, () => get(at(changed(webFields, ...changes)), [asPerson]));

/** Shown to the person: with doubt about client or redirect URI nothing is ever redirected. */
const pages: readonly BadRequest[] = [
  paged('no parameters', 'client_id', () => get(path, [asPerson])),
  pagedChange('client_id missing', 'client_id', ['client_id', null]),
  pagedChange('client_id unknown', 'client_id', ['client_id', guess]),
  pagedChange('client_id oversized', 'client_id', ['client_id', large]),
  pagedChange('client_id of another realm', 'client_id', ['client_id', 'acme-web']),
  pagedChange('client_id in other case', 'client_id', ['client_id', 'Demo-Web']),
  pagedChange('client_id with NUL', 'client_id', ['client_id', 'demo-web\0']),
  paged('client_id twice', 'client_id', () => get(`${at(webFields)}&client_id=demo-spa`, [asPerson])),
  pagedChange('redirect_uri missing', 'redirect_uri', ['redirect_uri', null]),
  pagedChange('redirect_uri unregistered', 'redirect_uri', ['redirect_uri', 'https://evil.example/callback']),
  pagedChange('redirect_uri with a path added', 'redirect_uri', ['redirect_uri', `${redirectUri}/..`]),
  pagedChange('redirect_uri with a query added', 'redirect_uri', ['redirect_uri', `${redirectUri}?a=b`]),
  pagedChange('redirect_uri with a fragment added', 'redirect_uri', ['redirect_uri', `${redirectUri}#f`]),
  pagedChange('redirect_uri in other case', 'redirect_uri', ['redirect_uri', redirectUri.toUpperCase()]),
  pagedChange('redirect_uri with a user', 'redirect_uri', ['redirect_uri', 'http://a@127.0.0.1:4020/callback']),
  pagedChange('redirect_uri oversized', 'redirect_uri', ['redirect_uri', `${redirectUri}?${large}`]),
  pagedChange('redirect_uri of another scheme', 'redirect_uri', ['redirect_uri', 'javascript:alert(1)']),
  paged('redirect_uri twice', 'redirect_uri', () =>
    get(`${at(webFields)}&redirect_uri=${encodeURIComponent('https://evil.example')}`, [asPerson]),
  ),
  paged('a client that signs nobody in', 'redirect_uri', () =>
    get(at(changed(webFields, ['client_id', 'demo-service'])), [asPerson]),
  ),
  paged('a name of malformed percent-encoding', null, () => get(`${at(webFields)}&%zz=1`, [asPerson])),
  paged('client_id of malformed percent-encoding', 'client_id', () => get(`${path}?client_id=%zz`, [asPerson])),
  paged('101 parameters', null, () => get(`${at(webFields)}${'&a=1'.repeat(101)}`, [asPerson])),
  paged(
    'JSON',
    null,
    () => ({
      method: 'POST',
      target: path,
      headers: [['Content-Type', 'application/json'], asPerson],
      body: JSON.stringify(Object.fromEntries(webFields)),
    }),
    415,
  ),
  paged('1 MB', null, () => postForm(path, `state=${'x'.repeat(1024 * 1024)}`, [asPerson]), 413),
  paged('bytes that are no UTF-8', null, () => postForm(path, Buffer.from([0x73, 0x3d, 0xff]), [asPerson])),
  paged('a POST with its parameters in the query', 'client_id', () => ({
    method: 'POST',
    target: at(webFields),
    headers: [['Content-Type', formType], asPerson],
    body: '',
  })),
];

const others: readonly BadRequest[] = [
  {
    name: 'a value of malformed percent-encoding',
    error: 'invalid_request',
    parameter: 'nonce',
    status: 303,
    told: 'redirect',
    request: () => get(`${at(webFields)}&nonce=%zz`, [asPerson]),
  },
  {
    name: 'by POST: response_type missing',
    error: 'invalid_request',
    parameter: 'response_type',
    status: 303,
    told: 'redirect',
    request: () => postForm(path, changed(webFields, ['response_type', null]), [asPerson]),
  },
  {
    name: 'by form_post: prompt unknown',
    error: 'invalid_request',
    parameter: 'prompt',
    status: 200,
    told: 'form_post',
    request: () => get(at([...webFields, ['response_mode', 'form_post'], ['prompt', 'maybe']]), [asPerson]),
  },
  {
    name: 'an access token as id_token_hint',
    error: 'invalid_request',
    parameter: 'id_token_hint',
    status: 303,
    told: 'redirect',
    request: ({ webTokens }: Known) => get(at([...webFields, ['id_token_hint', webTokens.accessToken]]), [asPerson]),
  },
  {
    name: 'an id_token_hint of another realm',
    error: 'invalid_request',
    parameter: 'id_token_hint',
    status: 303,
    told: 'redirect',
    request: ({ acmeTokens }: Known) => get(at([...webFields, ['id_token_hint', acmeTokens.idToken]]), [asPerson]),
  },
  {
    name: 'signed in, but the hint is of nobody signed in here',
    error: 'login_required',
    parameter: 'claims',
    status: 303,
    told: 'redirect',
    request: ({ signedIn }: Known) =>
      get(at([...webFields, ['prompt', 'none'], ['claims', '{"id_token":{"sub":{"value":"somebody"}}}']]), [
        ['Cookie', signedIn],
        asPerson,
      ]),
  },
];

export const authorizeRequests: readonly BadRequest[] = [
  ...redirected(webRows, webFields),
  ...redirected(spaRows, spaFields),
  ...['response_type', 'response_mode', 'scope', 'state', 'nonce', 'prompt', 'max_age', 'claims', 'code_challenge'].map(
    (name) => twice(name, 'code'),
  ),
  ...pages,
  ...others,
];
