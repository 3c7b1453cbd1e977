import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { bearerChallenge, readBearerToken, readPresentedToken } from '../../src/oidc/bearer.ts';
import { refusal } from '../../src/oidc/errors.ts';
import { formOf, granted, issuer, refused } from './parties.ts';

const tokens = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,40}={0,2}$/);

describe('RFC 6750 §2', () => {
  test('property: any b64token is read from the header, whatever the case of the scheme, or from the body', () => {
    fc.assert(
      fc.property(tokens, fc.mixedCase(fc.constant('bearer')), (token, scheme) => {
        expect(granted(readBearerToken(`${scheme} ${token}`, null))).toBe(token);
        expect(granted(readBearerToken(null, formOf({ access_token: token })))).toBe(token);
      }),
    );
  });

  test('property: RFC 9449 §7.1: one of the scheme DPoP is told apart, in the header only', () => {
    fc.assert(
      fc.property(tokens, fc.mixedCase(fc.constant('dpop')), (token, scheme) => {
        expect(granted(readPresentedToken(`${scheme} ${token}`, null))).toEqual({ scheme: 'DPoP', token });
        expect(granted(readPresentedToken(null, formOf({ access_token: token })))?.scheme).toBe('Bearer');
        expect(refused(readPresentedToken(`${scheme} ${token}`, formOf({ access_token: token }))).error).toBe(
          'invalid_request',
        );
      }),
    );
  });

  test('none is no error: null', () => {
    expect(granted(readBearerToken(null, null))).toBeNull();
    expect(granted(readBearerToken(null, formOf({ access_token: '' })))).toBeNull();
    expect(granted(readBearerToken('Basic d2ViOng=', null))).toBeNull();
    expect(granted(readBearerToken('DPoP abc', null))).toBeNull();
    expect(granted(readBearerToken('Bearerx abc', null))).toBeNull();
  });

  test.each(['Bearer', 'Bearer a b', 'Bearer a,b', 'Bearer "a"', 'Bearer ä', 'Bearer a=b'])(
    '%j is invalid_request',
    (header) => {
      expect(refused(readBearerToken(header, null)).error).toBe('invalid_request');
    },
  );

  test('two ways at once, or twice in the body: invalid_request', () => {
    expect(refused(readBearerToken('Bearer a', formOf({ access_token: 'a' }))).error).toBe('invalid_request');
    expect(refused(readBearerToken('Basic x', formOf({ access_token: 'a' }))).error).toBe('invalid_request');
    expect(refused(readBearerToken(null, formOf({ access_token: ['a', 'b'] }))).error).toBe('invalid_request');
    expect(refused(readBearerToken('Bearer a', formOf({ access_token: ['a', 'b'] }))).error).toBe('invalid_request');
  });
});

describe('RFC 6750 §3', () => {
  test('no token: the challenge tells no error', () => {
    expect(bearerChallenge(issuer, null)).toBe('Bearer realm="https://id.example"');
  });

  test('a bad token: error and description, each once', () => {
    expect(bearerChallenge(issuer, refusal('invalid_token', 'the token is no longer valid', 'RFC 6750 §3.1'))).toBe(
      'Bearer realm="https://id.example", error="invalid_token", error_description="the token is no longer valid"',
    );
  });

  test('too little scope: which one is needed', () => {
    const challenge = bearerChallenge(issuer, refusal('insufficient_scope', 'openid is needed', 'RFC 6750 §3.1'));
    expect(challenge).toEndWith('scope="openid"');
  });
});
