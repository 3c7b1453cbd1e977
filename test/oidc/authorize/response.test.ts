import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { appendQuery, errorResponse, successResponse } from '../../../src/oidc/authorize/response.ts';
import { refusal } from '../../../src/oidc/errors.ts';
import { parseForm } from '../../../src/oidc/parameters.ts';
import { callback, issuer } from '../parties.ts';

const target = { redirectUri: callback, responseMode: 'query', state: 's t&a=t%e+ü' } as const;
const failure = refusal('access_denied', 'the person said no', 'RFC 6749 §4.1.2.1');
const states = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });
const bases = fc.constantFrom(
  'https://rp.example',
  'https://rp.example/cb',
  'http://127.0.0.1:5000/',
  'com.example.app:/cb',
);
const queries = fc.constantFrom('', '?', '?foo=bar', '?foo=b%20r&', '?a=1&a=2', '?%zz');

const onlyCode = (code: string) => ({ code, accessToken: null, idToken: null });
const everything = {
  code: 'c0de',
  accessToken: { value: 'a.b.c', lifetimeSeconds: 600, scope: 'openid profile' },
  idToken: 'd.e.f',
};

describe('OIDC Core §3.3.2.5', () => {
  test('what a hybrid type returns is in the fragment, and nothing is in the query', () => {
    const response = successResponse({ ...target, responseMode: 'fragment' }, issuer, everything);
    if (response.kind !== 'redirect') throw new Error('not a redirect');
    const url = new URL(response.location);
    expect(url.search).toBe('');
    expect(Object.fromEntries(new URLSearchParams(url.hash.slice(1)))).toEqual({
      code: 'c0de',
      access_token: 'a.b.c',
      token_type: 'Bearer',
      expires_in: '600',
      scope: 'openid profile',
      id_token: 'd.e.f',
      state: target.state,
      iss: issuer,
    });
  });
});

describe('OIDC Core §3.1.2.5, RFC 9207 §2', () => {
  test('code, state and issuer, in the query', () => {
    expect(successResponse(target, issuer, onlyCode('c0de'))).toEqual({
      kind: 'redirect',
      location: `${callback}?code=c0de&state=s%20t%26a%3Dt%25e%2B%C3%BC&iss=https%3A%2F%2Fid.example`,
    });
  });

  test('property: what the client decodes is what was put in, byte for byte, and what it registered is still in front', () => {
    fc.assert(
      fc.property(bases, queries, states, fc.boolean(), (base, query, state, good) => {
        const to = { redirectUri: base + query, responseMode: 'query', state } as const;
        const response = good ? successResponse(to, issuer, onlyCode('c0de')) : errorResponse(to, issuer, failure);
        if (response.kind !== 'redirect') throw new Error('not a redirect');
        expect(response.location.startsWith(base + query)).toBe(true);
        expect(response.location).toMatch(/^[!-~]+$/);
        const added = new URLSearchParams(response.location.slice(base.length + 1));
        expect(added.get('state')).toBe(state);
        expect(added.get('iss')).toBe(issuer);
        expect(added.get('code')).toBe(good ? 'c0de' : null);
        expect(added.get('error')).toBe(good ? null : 'access_denied');
        expect(response.location).not.toContain('#');
        expect(response.location.split('?').length - 1).toBe(1);
      }),
    );
  });

  test('no state was sent: none comes back', () => {
    expect(successResponse({ ...target, state: null }, issuer, onlyCode('c'))).toEqual({
      kind: 'redirect',
      location: `${callback}?code=c&iss=https%3A%2F%2Fid.example`,
    });
  });

  test('an empty state cannot reach here, for empty is absent', () => {
    expect(parseForm('state=').values['state']).toBeUndefined();
  });
});

describe('RFC 6749 §4.1.2.1', () => {
  test('error, description, state and issuer, and nothing else', () => {
    expect(errorResponse(target, issuer, failure)).toEqual({
      kind: 'redirect',
      location: `${callback}?error=access_denied&error_description=the%20person%20said%20no&state=s%20t%26a%3Dt%25e%2B%C3%BC&iss=https%3A%2F%2Fid.example`,
    });
  });
});

describe('OAuth 2.0 Form Post Response Mode §2', () => {
  test('the same fields unencoded, for a page that posts to the redirect URI', () => {
    expect(successResponse({ ...target, responseMode: 'form_post' }, issuer, onlyCode('c'))).toEqual({
      kind: 'form_post',
      action: callback,
      fields: [
        ['code', 'c'],
        ['state', target.state],
        ['iss', issuer],
      ],
    });
    expect(errorResponse({ ...target, responseMode: 'form_post', state: null }, issuer, failure)).toMatchObject({
      fields: [
        ['error', 'access_denied'],
        ['error_description', 'the person said no'],
        ['iss', issuer],
      ],
    });
  });
});

describe('RFC 6749 §3.1.2', () => {
  test.each([
    ['https://rp.example/cb', 'https://rp.example/cb?a=1'],
    ['https://rp.example/cb?', 'https://rp.example/cb?a=1'],
    ['https://rp.example/cb?foo=bar', 'https://rp.example/cb?foo=bar&a=1'],
    ['https://rp.example/cb?foo=bar&', 'https://rp.example/cb?foo=bar&a=1'],
    ['https://rp.example/cb?foo=a%20b+c', 'https://rp.example/cb?foo=a%20b+c&a=1'],
  ])('%s keeps its query', (uri, expected) => {
    expect(appendQuery(uri, [['a', '1']])).toBe(expected);
  });

  test('nothing to add: the URI as it is', () => {
    expect(appendQuery('https://rp.example/cb', [])).toBe('https://rp.example/cb');
  });
});
