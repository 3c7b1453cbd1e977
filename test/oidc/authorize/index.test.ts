import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decideAuthorization, type RequestFacts } from '../../../src/oidc/authorize/index.ts';
import type { Client } from '../../../src/oidc/client.ts';
import { refusal } from '../../../src/oidc/errors.ts';
import { parseForm } from '../../../src/oidc/parameters.ts';
import { isSubject, subjectOf } from '../../../src/oidc/subject.ts';
import {
  callback,
  challenge,
  formOf,
  granted,
  issuer,
  realm,
  refused,
  spa,
  start,
  userId,
  web,
  withSettings,
} from '../parties.ts';

type Sent = { readonly [name: string]: string | readonly string[] | undefined };

const request: Sent = {
  client_id: 'spa',
  redirect_uri: callback,
  response_type: 'code',
  scope: 'openid profile',
  state: 'af0ifjsldkj',
  code_challenge: challenge,
  code_challenge_method: 'S256',
};

/** What a sign-in can reach. */
const acrValues = ['pwd', 'mfa'];

const decide = (sent: Sent, client: Client | null = spa, hint: RequestFacts['hint'] = null) =>
  decideAuthorization({
    form: formOf({ ...request, ...sent }),
    client,
    realm,
    hint,
    objectRefusal: null,
    acrValues,
    now: start,
  });

const hintOf = (subject: string): RequestFacts['hint'] => ({
  ok: true,
  value: { subject, clientId: 'spa', sid: null },
});

describe('RFC 6749 §4.1.1: a request that every rule lets pass', () => {
  test('becomes data', () => {
    expect(
      granted(decide({ nonce: 'n-0S6', login_hint: 'ann', ui_locales: 'de en', prompt: 'login', max_age: '60' })),
    ).toEqual({
      clientId: 'spa',
      target: { redirectUri: callback, responseMode: 'query', state: 'af0ifjsldkj' },
      responseType: 'code',
      scope: ['openid', 'profile'],
      audience: [issuer],
      nonce: 'n-0S6',
      codeChallenge: challenge,
      prompt: ['login'],
      maxAgeSeconds: 60,
      claims: { userinfo: [], idToken: [], subject: null, acr: { values: [], essential: false } },
      acr: { values: [], essential: false },
      subject: null,
      loginHint: 'ann',
      uiLocales: ['de', 'en'],
      receivedAt: start,
    });
  });

  test('without state, nonce and everything else that is optional: accepted, and nothing is made up', () => {
    expect(granted(decide({ state: undefined }))).toMatchObject({
      target: { state: null },
      nonce: null,
      prompt: [],
      maxAgeSeconds: null,
      loginHint: null,
      uiLocales: [],
    });
  });

  test.each([
    ['an unknown parameter', { extra: 'foobar' }],
    ['an unknown parameter sent twice', { extra: ['a', 'b'] }],
    ['an empty one', { prompt: '', request: '', request_uri: '', max_age: '' }],
    ['display, claims_locales and acr_values', { display: 'popup', claims_locales: 'se', acr_values: '1 2' }],
    ['a scope nobody knows beside openid', { scope: 'openid nonsense' }],
    ['the scope in another order', { scope: 'profile openid' }],
    ['a state of 1000 characters and a nonce of 384', { state: 's'.repeat(1000), nonce: 'n'.repeat(384) }],
  ])('%s is no reason to refuse', (_, sent: Sent) => {
    expect(decide(sent).ok).toBe(true);
  });

  test('a loopback client of another port gets its answer at that port', () => {
    const native = { ...spa, redirectUris: ['http://127.0.0.1/cb'] };
    expect(granted(decide({ redirect_uri: 'http://127.0.0.1:50123/cb' }, native)).target.redirectUri).toBe(
      'http://127.0.0.1:50123/cb',
    );
  });

  test('essential acr of the claims parameter wins over acr_values, which are voluntary', () => {
    const claims = JSON.stringify({ id_token: { acr: { essential: true, values: ['mfa'] } } });
    expect(granted(decide({ claims, acr_values: 'pwd' })).acr).toEqual({ values: ['mfa'], essential: true });
    expect(granted(decide({ acr_values: 'pwd  mfa' })).acr).toEqual({ values: ['pwd', 'mfa'], essential: false });
  });
});

/** RFC 6749 §4.1.2.1: nobody to answer. */
const pages: readonly (readonly [what: string, sent: Sent, client: Client | null, error: string])[] = [
  ['client_id missing', { client_id: undefined }, null, 'invalid_request'],
  ['client_id missing though the caller found a client', { client_id: '' }, spa, 'invalid_request'],
  ['client_id sent twice', { client_id: ['spa', 'web'] }, spa, 'invalid_request'],
  ['client_id sent twice and equal', { client_id: ['spa', 'spa'] }, spa, 'invalid_request'],
  ['client unknown', { client_id: 'nobody' }, null, 'invalid_client'],
  ['redirect_uri missing', { redirect_uri: undefined }, spa, 'invalid_request'],
  ['redirect_uri empty', { redirect_uri: '' }, spa, 'invalid_request'],
  [
    'redirect_uri sent twice, once right',
    { redirect_uri: [callback, 'https://evil.example/'] },
    spa,
    'invalid_request',
  ],
  ['redirect_uri of nobody', { redirect_uri: 'https://evil.example/' }, spa, 'invalid_request'],
  ['redirect_uri with a query added', { redirect_uri: `${callback}?x=1` }, spa, 'invalid_request'],
  ['redirect_uri with a fragment added', { redirect_uri: `${callback}#x` }, spa, 'invalid_request'],
  ['redirect_uri of a client that has none', {}, { ...spa, redirectUris: [] }, 'invalid_request'],
];

describe('RFC 6749 §4.1.2.1: a page and never a redirect', () => {
  test.each(pages)('%s', (_, sent, client, error) => {
    expect(refused(decide(sent, client))).toMatchObject({ kind: 'page', refusal: { error } });
    const wrongElsewhere = { ...sent, response_type: 'token', scope: '', prompt: 'none login', max_age: 'x' };
    expect(refused(decide(wrongElsewhere, client))).toMatchObject({ kind: 'page', refusal: { error } });
  });

  test.each(['redirect_uri=%ff', '%ff=1', 'client_id=%ff'])('%s beside good ones', (extra) => {
    const good = new URLSearchParams({ client_id: 'spa', redirect_uri: callback, response_type: 'code' });
    const facts = {
      form: parseForm(`${good}&${extra}`),
      acrValues,
      client: spa,
      realm,
      hint: null,
      objectRefusal: null,
      now: start,
    };
    expect(refused(decideAuthorization(facts)).kind).toBe('page');
  });

  test('property: whatever else is sent, a redirect goes to a registered URI of a known client only', () => {
    const values = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(callback, 'https://evil.example', 'spa', 'code', 'S256', 'none'),
    );
    const names = fc.constantFrom(
      ...Object.keys(request),
      'prompt',
      'response_mode',
      'claims',
      'request_uri',
      'resource',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(names, values), { maxLength: 8 }), fc.constantFrom(null, spa), (pairs, client) => {
        const form = parseForm(
          new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString(),
        );
        const decision = decideAuthorization({
          form,
          client,
          realm,
          hint: null,
          objectRefusal: null,
          acrValues,
          now: start,
        });
        if (decision.ok) expect(decision.value.target.redirectUri).toBe(callback);
        else if (decision.error.kind === 'redirect') {
          expect(client).not.toBeNull();
          expect(decision.error.target.redirectUri).toBe(callback);
          expect(form.values['redirect_uri']).toBe(callback);
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** Each is refused to the client, at its redirect URI, with its state. */
const redirects: readonly (readonly [what: string, sent: Sent, error: string, client?: Client])[] = [
  ['response_type missing', { response_type: undefined }, 'invalid_request'],
  ['response_type token', { response_type: 'token' }, 'unsupported_response_type'],
  ['response_type none', { response_type: 'none' }, 'unsupported_response_type'],
  ['response_type constructor', { response_type: 'constructor' }, 'unsupported_response_type'],
  ['response_type sent twice', { response_type: ['code', 'token'] }, 'invalid_request'],
  ['response_type not registered', {}, 'unauthorized_client', { ...spa, responseTypes: [] }],
  ['grant not registered', {}, 'unauthorized_client', { ...spa, grantTypes: ['refresh_token'] }],
  ['response_mode unknown', { response_mode: 'web_message' }, 'invalid_request'],
  ['response_mode inherited by every object', { response_mode: 'toString' }, 'invalid_request'],
  ['request object that was not opened', { request: 'eyJhbGciOiJub25lIn0..' }, 'request_not_supported'],
  ['request_uri that was not opened', { request_uri: 'https://rp.example/r' }, 'request_uri_not_supported'],
  ['registration', { registration: '{}' }, 'registration_not_supported'],
  ['code_challenge missing', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
  ['code_challenge_method missing', { code_challenge_method: undefined }, 'invalid_request'],
  ['code_challenge_method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['code_challenge sent twice', { code_challenge: [challenge, challenge] }, 'invalid_request'],
  ['scope missing', { scope: undefined }, 'invalid_scope'],
  ['scope of nothing known', { scope: 'nonsense' }, 'invalid_scope'],
  ['scope with a forbidden character', { scope: 'openid "x' }, 'invalid_scope'],
  ['scope sent twice', { scope: ['openid', 'email'] }, 'invalid_request'],
  ['resource not allowed', { resource: 'https://other.example' }, 'invalid_target'],
  ['one resource of two not allowed', { resource: [issuer, 'https://other.example'] }, 'invalid_target'],
  ['prompt unknown', { prompt: 'sometimes' }, 'invalid_request'],
  ['prompt none with login', { prompt: 'none login' }, 'invalid_request'],
  ['max_age negative', { max_age: '-1' }, 'invalid_request'],
  ['max_age no number', { max_age: '1e3' }, 'invalid_request'],
  ['claims no JSON', { claims: '{' }, 'invalid_request'],
  ['claims of the wrong shape', { claims: '{"id_token":[]}' }, 'invalid_request'],
  ['claims for a subject that is nobody here', { claims: '{"id_token":{"sub":{"value":"x"}}}' }, 'login_required'],
  ['nonce too long', { nonce: 'n'.repeat(1025) }, 'invalid_request'],
  ['claims sent twice', { claims: ['{}', '{}'] }, 'invalid_request'],
];

describe('OIDC Core §3.1.2.1: openid', () => {
  const front = withSettings(
    { ...spa, responseTypes: ['code', 'id_token', 'id_token token'], grantTypes: ['authorization_code', 'implicit'] },
    { implicitAndHybrid: true },
  );
  const sent = { scope: 'profile', nonce: 'n-0S6' };

  test.each(['id_token', 'id_token token'])('a request for %s without it is refused', (response_type) => {
    const refusal = { error: 'invalid_scope', parameter: 'scope' };
    expect(refused(decide({ ...sent, response_type }, front))).toMatchObject({ kind: 'redirect', refusal });
    expect(granted(decide({ ...sent, response_type, scope: 'openid' }, front)).responseType).toBe(response_type);
  });

  test('§11: offline_access is ignored where no code is returned', () => {
    const client = { ...front, responseTypes: [...front.responseTypes, 'code id_token'] };
    const scopeOf = (response_type: string) =>
      granted(decide({ ...sent, scope: 'openid offline_access', response_type }, client)).scope;
    expect(scopeOf('code')).toEqual(['openid', 'offline_access']);
    expect(scopeOf('code id_token')).toEqual(['openid', 'offline_access']);
    expect(scopeOf('id_token')).toEqual(['openid']);
    expect(scopeOf('id_token token')).toEqual(['openid']);
  });

  test('a code without it is one of OAuth alone', () => {
    expect(granted(decide(sent, front)).scope).toEqual(['profile']);
  });
});

describe('OIDC Registration §2: default_acr_values', () => {
  const registered = { ...spa, metadata: { ...spa.metadata, default_acr_values: ['urn:a', 'urn:b'] } };
  const acr = (values: Sent) => granted(decide(values, registered)).acr;

  test('stand for a request that names none, in their order and voluntarily', () => {
    expect(acr({})).toEqual({ values: ['urn:a', 'urn:b'], essential: false });
    expect(granted(decide({}, spa)).acr).toEqual({ values: [], essential: false });
  });

  test('give way to acr_values and to an acr claim', () => {
    expect(acr({ acr_values: 'urn:c' })).toEqual({ values: ['urn:c'], essential: false });
    expect(acr({ claims: '{"id_token":{"acr":{"values":["mfa"],"essential":true}}}' })).toEqual({
      values: ['mfa'],
      essential: true,
    });
  });
});

describe('RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6: a redirect with the state', () => {
  test.each(redirects)('%s', (_, sent, error, client = spa) => {
    expect(refused(decide(sent, client))).toMatchObject({
      kind: 'redirect',
      refusal: { error },
      client: { clientId: client.clientId },
      target: { redirectUri: callback, responseMode: 'query', state: 'af0ifjsldkj' },
    });
  });

  test.each(redirects)(
    '%s: no refusal describes itself with a character that RFC 6749 forbids, nor with a value',
    (_, sent, _error, client = spa) => {
      const { description } = refused(decide(sent, client)).refusal;
      expect(description).toMatch(/^[ !#-[\]-~]+$/);
      for (const value of Object.values(sent).flat()) {
        if (value !== undefined && value.length > 8) expect(description).not.toContain(value);
      }
    },
  );

  test('a type that would return tokens is refused in the fragment, where its client looks', () => {
    expect(refused(decide({ response_type: 'code id_token' }))).toMatchObject({
      refusal: { error: 'unsupported_response_type' },
      target: { responseMode: 'fragment', state: 'af0ifjsldkj' },
    });
  });

  test('a request without a type is refused where the client looks by its first registered type', () => {
    const implicit = { ...spa, responseTypes: ['id_token token'], grantTypes: ['implicit'] };
    expect(refused(decide({ response_type: undefined }, implicit))).toMatchObject({
      target: { responseMode: 'fragment' },
    });
    expect(refused(decide({ response_type: undefined }, spa))).toMatchObject({ target: { responseMode: 'query' } });
  });

  test('by form post where that was asked for', () => {
    expect(refused(decide({ response_mode: 'form_post', scope: 'nonsense' }))).toMatchObject({
      target: { responseMode: 'form_post', state: 'af0ifjsldkj' },
    });
  });

  test('a state that was sent twice or is too long is not echoed, and its request is refused', () => {
    for (const state of [['a', 'b'], 's'.repeat(4097)]) {
      expect(refused(decide({ state }))).toMatchObject({
        kind: 'redirect',
        refusal: { error: 'invalid_request', parameter: 'state' },
        target: { state: null },
      });
    }
  });

  test('the longest state comes back whole, byte for byte', () => {
    const state = ' äß+%&=#"<>\t'.repeat(300);
    expect(granted(decide({ state })).target.state).toBe(state);
  });

  test('a confidential client needs no challenge unless its policy says so', () => {
    const sent = { client_id: 'web', code_challenge: undefined, code_challenge_method: undefined };
    expect(granted(decide(sent, web)).codeChallenge).toBeNull();
    expect(refused(decide({ ...sent, code_challenge_method: 'S256' }, web)).kind).toBe('redirect');
  });
});

describe('the order of the rules', () => {
  /** Each is wrong in one more way than the next: the first rule that is broken is told. */
  const faults: readonly (readonly [Sent, string])[] = [
    [{ nonce: ['a', 'b'] }, 'nonce'],
    [{ request: 'x' }, 'request'],
    [{ response_type: 'token' }, 'response_type'],
    [{ response_mode: 'web_message' }, 'response_mode'],
    [{ code_challenge_method: 'plain' }, 'code_challenge_method'],
    [{ scope: 'nonsense' }, 'scope'],
    [{ resource: 'https://other.example' }, 'resource'],
    [{ prompt: 'sometimes' }, 'prompt'],
    [{ max_age: 'x' }, 'max_age'],
    [{ claims: '{' }, 'claims'],
  ];

  test.each(faults.map(([sent, parameter], index) => ({ sent, parameter, index })))(
    '$parameter is told before all that follow',
    ({ parameter, index }) => {
      const all = Object.assign({}, ...faults.slice(index).map(([sent]) => sent));
      expect(refused(decide(all)).refusal.parameter).toBe(parameter);
    },
  );
});

describe('OIDC Core §3.1.2.1 id_token_hint, §5.5.1 sub', () => {
  const bySub = (value: unknown): string => JSON.stringify({ id_token: { sub: { value } } });

  test('names the one user who will do', () => {
    expect(granted(decide({}, spa, hintOf(userId))).subject).toBe(userId);
    expect(granted(decide({ claims: bySub(userId) })).subject).toBe(userId);
    expect(granted(decide({ claims: bySub(userId) }, spa, hintOf(userId))).subject).toBe(userId);
  });

  test('two that differ can never be met', () => {
    const other = '01900000-0000-7000-8000-0000000000b0';
    expect(isSubject(spa, other)).toBe(true);
    expect(refused(decide({ claims: bySub(other) }, spa, hintOf(userId))).refusal.error).toBe('login_required');
  });

  test('a pairwise client demands by the subjects that it was given, and by no other', () => {
    const pairwise: Client = { ...spa, metadata: { subject_type: 'pairwise' } };
    const subject = subjectOf(realm, pairwise, userId);
    expect(granted(decide({}, pairwise, hintOf(subject))).subject).toBe(subject);
    expect(granted(decide({ claims: bySub(subject) }, pairwise)).subject).toBe(subject);
    expect(refused(decide({}, pairwise, hintOf(userId))).refusal.error).toBe('login_required');
    expect(refused(decide({ claims: bySub(subject) }, spa)).refusal.error).toBe('login_required');
  });

  test('a request object that cannot be opened refuses the request, before any other rule', () => {
    const objectRefusal = refusal('invalid_request_object', 'no', 'rule', 'request');
    const form = formOf({ ...request, response_type: 'unknown', state: 's' });
    const decision = decideAuthorization({
      form,
      client: spa,
      realm,
      hint: null,
      objectRefusal,
      acrValues,
      now: start,
    });
    expect(refused(decision)).toMatchObject({ kind: 'redirect', refusal: objectRefusal, target: { state: 's' } });
  });

  test('a hint that did not verify refuses the request', () => {
    const hint = { ok: false, error: refusal('invalid_request', 'no', 'rule', 'id_token_hint') } as const;
    expect(refused(decide({}, spa, hint))).toMatchObject({ kind: 'redirect', refusal: { parameter: 'id_token_hint' } });
  });
});
