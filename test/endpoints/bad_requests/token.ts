import { redirectUri } from '../relying_party.ts';
import { type BadRequest, basicHeader, changed, type Fields, guess, postForm } from './bad_request.ts';
import type { Known } from './known.ts';
import { bodyRows } from './token_body.ts';
import { asWeb, bad, codeFields, path } from './token_start.ts';

const refreshFields = ({ webTokens }: Known): Fields => [
  ['grant_type', 'refresh_token'],
  ['refresh_token', webTokens.refreshToken],
];
const spaFields = ({ spaCode }: Known): Fields => [
  ['grant_type', 'authorization_code'],
  ['client_id', 'demo-spa'],
  ['code', spaCode],
  ['redirect_uri', redirectUri],
];

type Change = readonly [name: string, value: string | null];
type Row = readonly [name: string, error: string, parameter: string | null, ...changes: readonly Change[]];

const large = 'x'.repeat(5000);

/** Changes of a good request with a code, by demo-web. */
const codeRows: readonly Row[] = [
  ['grant_type missing', 'invalid_request', 'grant_type', ['grant_type', null]],
  ['grant_type empty', 'invalid_request', 'grant_type', ['grant_type', '']],
  ['grant_type unknown', 'unsupported_grant_type', 'grant_type', ['grant_type', 'password']],
  ['grant_type in other case', 'unsupported_grant_type', 'grant_type', ['grant_type', 'Authorization_Code']],
  ['grant_type a property of every object', 'unsupported_grant_type', 'grant_type', ['grant_type', '__proto__']],
  ['a grant that the client may not use', 'unauthorized_client', 'grant_type', ['grant_type', 'client_credentials']],
  ['code missing', 'invalid_request', 'code', ['code', null]],
  ['code empty', 'invalid_request', 'code', ['code', '']],
  ['code oversized', 'invalid_request', 'code', ['code', large]],
  ['code of nobody', 'invalid_grant', null, ['code', guess]],
  ['code with another letter at its end', 'invalid_grant', null, ['code', `${guess}A`]],
  ['redirect_uri missing though no PKCE was used', 'invalid_request', 'redirect_uri', ['redirect_uri', null]],
  ['redirect_uri of another path', 'invalid_grant', null, ['redirect_uri', `${redirectUri}/`]],
  [
    'redirect_uri registered, but not the one used',
    'invalid_grant',
    null,
    ['redirect_uri', 'http://localhost:4020/callback'],
  ],
  ['redirect_uri oversized', 'invalid_request', 'redirect_uri', ['redirect_uri', large]],
  ['code_verifier for a code without challenge', 'invalid_grant', 'code_verifier', ['code_verifier', 'v'.repeat(43)]],
  ['code_verifier oversized', 'invalid_request', 'code_verifier', ['code_verifier', large]],
  ['resource that was not asked for', 'invalid_target', 'resource', ['resource', 'https://api.example']],
  ['a refresh token as code', 'invalid_grant', null, ['code', 'A'.repeat(98)]],
];

const refreshRows: readonly Row[] = [
  ['refresh_token missing', 'invalid_request', 'refresh_token', ['refresh_token', null]],
  ['refresh_token oversized', 'invalid_request', 'refresh_token', ['refresh_token', large]],
  ['refresh_token malformed', 'invalid_grant', null, ['refresh_token', guess]],
  ['refresh_token of the right length, but made up', 'invalid_grant', null, ['refresh_token', 'A'.repeat(98)]],
  ['refresh scope wider than granted', 'invalid_scope', 'scope', ['scope', 'openid email']],
  ['refresh scope of nothing', 'invalid_scope', 'scope', ['scope', ' ']],
  ['refresh scope oversized', 'invalid_request', 'scope', ['scope', large]],
  ['refresh resource that was not granted', 'invalid_target', 'resource', ['resource', 'https://api.example']],
];

const spaRows: readonly Row[] = [
  ['code_verifier missing', 'invalid_grant', 'code_verifier', ['code_verifier', null]],
  ['code_verifier wrong', 'invalid_grant', 'code_verifier', ['code_verifier', 'w'.repeat(43)]],
  ['code_verifier too short', 'invalid_grant', 'code_verifier', ['code_verifier', 'v'.repeat(42)]],
  ['code_verifier too long', 'invalid_grant', 'code_verifier', ['code_verifier', 'v'.repeat(129)]],
  ['code_verifier of other characters', 'invalid_grant', 'code_verifier', ['code_verifier', `${'v'.repeat(43)}=`]],
  ['public client with a guessed secret', 'invalid_client', null, ['client_secret', guess]],
  [
    'public client with a grant for confidential ones',
    'unauthorized_client',
    'grant_type',
    ['grant_type', 'client_credentials'],
  ],
];

const changedRows = (rows: readonly Row[], fields: (known: Known) => Fields, withBasic: boolean) =>
  rows.map(([name, error, parameter, ...changes]) =>
    bad(name, error, (known) => postForm(path, changed(fields(known), ...changes), withBasic ? [asWeb(known)] : []), {
      parameter,
    }),
  );

/** What is sent instead of a client's credentials, with a good code. */
const credentialRows: readonly BadRequest[] = [
  bad('no client at all', 'invalid_client', (known) => postForm(path, codeFields(known))),
  bad('confidential client that only names itself', 'invalid_client', (known) =>
    postForm(path, [...codeFields(known), ['client_id', 'demo-web']]),
  ),
  bad('unknown client', 'invalid_client', (known) => postForm(path, codeFields(known), [basicHeader('nobody', guess)])),
  bad('client_id oversized', 'invalid_client', (known) => postForm(path, [...codeFields(known), ['client_id', large]])),
  bad('client_id with NUL', 'invalid_request', (known) =>
    postForm(path, [...codeFields(known), ['client_id', 'demo\0web']]),
  ),
  bad('wrong secret', 'invalid_client', (known) => postForm(path, codeFields(known), [basicHeader('demo-web', guess)])),
  bad('right secret with a space behind', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [basicHeader('demo-web', `${known.web.secret} `)]),
  ),
  bad('secret of another client', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [basicHeader('demo-web', known.serviceSecret)]),
  ),
  bad('client and secret of another realm', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [basicHeader('acme-web', known.acme.secret)]),
  ),
  bad('the right secret by the method that is not registered', 'invalid_client', (known) =>
    postForm(path, [...codeFields(known), ['client_id', 'demo-web'], ['client_secret', known.web.secret]]),
  ),
  bad('Basic and client_secret', 'invalid_request', (known) =>
    postForm(
      path,
      [...codeFields(known), ['client_id', 'demo-web'], ['client_secret', known.web.secret]],
      [asWeb(known)],
    ),
  ),
  bad('Basic and an assertion', 'invalid_request', (known) =>
    postForm(path, [...codeFields(known), ['client_assertion', guess]], [asWeb(known)]),
  ),
  bad('client_secret and an assertion', 'invalid_request', (known) =>
    postForm(path, [
      ...codeFields(known),
      ['client_id', 'demo-web'],
      ['client_secret', guess],
      ['client_assertion', guess],
    ]),
  ),
  bad('Basic beside another client_id', 'invalid_client', (known) =>
    postForm(path, [...codeFields(known), ['client_id', 'demo-spa']], [asWeb(known)]),
  ),
  bad('two Authorization headers', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [asWeb(known), ['Authorization', `Bearer ${guess}`]]),
  ),
  bad('Basic that is no base64', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [['Authorization', 'Basic %%%']]),
  ),
  bad('Basic without a colon', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [['Authorization', `Basic ${Buffer.from(guess).toString('base64')}`]]),
  ),
  bad('Basic with malformed percent-encoding', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [['Authorization', `Basic ${Buffer.from('demo-web:%zz').toString('base64')}`]]),
  ),
  bad('Bearer instead of Basic', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [['Authorization', `Bearer ${known.webTokens.accessToken}`]]),
  ),
  bad('Digest instead of Basic', 'invalid_client', (known) =>
    postForm(path, codeFields(known), [['Authorization', 'Digest username="demo-web"']]),
  ),
  bad('client_secret without client_id', 'invalid_client', (known) =>
    postForm(path, [...codeFields(known), ['client_secret', known.web.secret]]),
  ),
  bad('assertion of an unknown type', 'invalid_client', (known) =>
    postForm(path, [...codeFields(known), ['client_assertion_type', 'urn:example:saml'], ['client_assertion', guess]]),
  ),
  bad('assertion without its type', 'invalid_client', (known) =>
    postForm(path, [...codeFields(known), ['client_assertion', guess]]),
  ),
  bad('assertion that is no JWT', 'invalid_client', (known) =>
    postForm(path, [
      ...codeFields(known),
      ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
      ['client_assertion', guess],
    ]),
  ),
  bad('an ID token as assertion', 'invalid_client', (known) =>
    postForm(path, [
      ...codeFields(known),
      ['client_assertion_type', 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'],
      ['client_assertion', known.webTokens.idToken],
    ]),
  ),
];

/** Good credentials and grants that do not belong together. */
const wrongOwnerRows: readonly BadRequest[] = [
  bad('a code of another client', 'invalid_grant', (known) =>
    postForm(path, changed(codeFields(known), ['code', known.spaCode]), [asWeb(known)]),
  ),
  bad('a code of a confidential client, by a public one', 'invalid_grant', (known) =>
    postForm(path, changed(spaFields(known), ['code', known.webCode])),
  ),
  bad('a code of another realm', 'invalid_grant', (known) =>
    postForm(path, changed(codeFields(known), ['code', known.acmeCode]), [asWeb(known)]),
  ),
  bad('a refresh token of another client', 'invalid_grant', (known) =>
    postForm(path, [...refreshFields(known), ['client_id', 'demo-spa']]),
  ),
  bad('a refresh token of another realm', 'invalid_grant', (known) =>
    postForm(path, changed(refreshFields(known), ['refresh_token', known.acmeTokens.refreshToken]), [asWeb(known)]),
  ),
  bad('an access token as refresh token', 'invalid_request', (known) =>
    postForm(path, changed(refreshFields(known), ['refresh_token', known.webTokens.accessToken]), [asWeb(known)]),
  ),
  bad('an access token as code', 'invalid_grant', (known) =>
    postForm(path, changed(codeFields(known), ['code', known.webTokens.accessToken]), [asWeb(known)]),
  ),
  bad('a service with a scope of users only', 'invalid_scope', (known) =>
    postForm(
      path,
      [
        ['grant_type', 'client_credentials'],
        ['scope', 'openid'],
      ],
      [basicHeader('demo-service', known.serviceSecret)],
    ),
  ),
  bad('a service with a scope of forbidden characters', 'invalid_scope', (known) =>
    postForm(
      path,
      [
        ['grant_type', 'client_credentials'],
        ['scope', 'orders."read"'],
      ],
      [basicHeader('demo-service', known.serviceSecret)],
    ),
  ),
  bad('a service with a code', 'unauthorized_client', (known) =>
    postForm(path, codeFields(known), [basicHeader('demo-service', known.serviceSecret)]),
  ),
];

export const tokenRequests: readonly BadRequest[] = [
  ...changedRows(codeRows, codeFields, true),
  ...changedRows(refreshRows, refreshFields, true),
  ...changedRows(spaRows, spaFields, false),
  ...credentialRows,
  ...wrongOwnerRows,
  ...bodyRows,
];
