import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { noClaims, parseClaims } from '../../src/oidc/claims_parameter.ts';
import { claimNames } from '../../src/oidc/standard_claims.ts';
import { granted, refused, userId } from './parties.ts';

const parse = (document: unknown) => parseClaims(JSON.stringify(document));
const other = '01900000-0000-7000-8000-0000000000b0';

describe('OIDC Core §5.5', () => {
  test('property: the claims that are known are kept, each where it was asked for; all others are ignored', () => {
    const members = fc.dictionary(
      fc
        .oneof(fc.constantFrom(...claimNames), fc.string({ maxLength: 8 }))
        .filter((name) => !['sub', 'acr'].includes(name)),
      fc.constantFrom(null, {}, { essential: true }, { value: 'x' }, { values: ['x', 1] }, { purpose: 'y' }),
    );
    fc.assert(
      fc.property(members, members, (userinfo, idToken) => {
        const request = granted(parse({ userinfo, id_token: idToken }));
        const known = (asked: object) => claimNames.filter((name) => Object.keys(asked).includes(name));
        expect(request.userinfo).toEqual(known(userinfo));
        expect(request.idToken).toEqual(known(idToken));
        expect(request.subject).toBeNull();
        expect(request.acr).toEqual(noClaims.acr);
      }),
    );
  });

  test('property: any text at all is a request or a refusal and never throws', () => {
    const texts = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.json(),
      fc.json().map((json) => `{"id_token":${json},"userinfo":{}}`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const result = parseClaims(text);
        if (!result.ok) expect(result.error.parameter).toBe('claims');
      }),
    );
  });

  test('not sent, empty, null members and unknown members ask for nothing', () => {
    for (const nothing of [
      parseClaims(undefined),
      parse({}),
      parse({ userinfo: null, id_token: null }),
      parse({ x: 1 }),
    ]) {
      expect(granted(nothing)).toEqual(noClaims);
    }
  });

  test.each([
    '',
    '{',
    'null',
    '[]',
    '"x"',
    '1',
    '{"id_token":[]}',
    '{"id_token":"name"}',
    '{"id_token":{"name":true}}',
    '{"id_token":{"name":[]}}',
    '{"id_token":{"name":{"essential":"yes"}}}',
    '{"userinfo":{"name":{"values":"x"}}}',
    `{"id_token":{"acr":{"values":[${Array.from({ length: 21 }, () => '"x"')}]}}}`,
  ])('%s is invalid_request', (text) => {
    expect(refused(parseClaims(text))).toMatchObject({ error: 'invalid_request', parameter: 'claims' });
  });

  test('names that every object inherits are names like any other', () => {
    const text = '{"id_token":{"__proto__":{"sub":{"value":"x"}},"constructor":null,"toString":{"essential":true}}}';
    expect(granted(parseClaims(text))).toEqual(noClaims);
  });
});

describe('OIDC Core §5.5.1 sub', () => {
  test.each([
    [{ id_token: { sub: { value: userId } } }],
    [{ userinfo: { sub: { value: userId } } }],
    [{ id_token: { sub: { value: userId } }, userinfo: { sub: { value: userId } } }],
    [{ id_token: { sub: { essential: true } }, userinfo: { sub: { value: userId } } }],
    [{ id_token: { sub: { value: userId } }, userinfo: { sub: null } }],
  ])('%j demands this subject', (document) => {
    expect(granted(parse(document)).subject).toBe(userId);
  });

  test.each([
    [{ id_token: { sub: { value: userId } }, userinfo: { sub: { value: other } } }],
    [{ id_token: { sub: { value: 7 } } }],
    [{ userinfo: { sub: { value: null } } }],
    [{ id_token: { sub: { value: [userId] } } }],
  ])('%j can be nobody, which is not the same as anybody', (document) => {
    expect(refused(parse(document)).error).toBe('login_required');
  });
});

describe('OIDC Core §5.5.1.1 acr', () => {
  test.each([
    [{ value: 'mfa' }, { values: ['mfa'], essential: false }],
    [{ values: ['mfa', 'urn:x:pwd'] }, { values: ['mfa', 'urn:x:pwd'], essential: false }],
    [
      { essential: true, values: ['mfa'] },
      { values: ['mfa'], essential: true },
    ],
    [{ essential: true }, { values: [], essential: true }],
    [null, { values: [], essential: false }],
  ])('%j', (acr, expected) => {
    expect(granted(parse({ id_token: { acr } })).acr).toEqual(expected);
  });

  test('in userinfo it demands nothing', () => {
    expect(granted(parse({ userinfo: { acr: { essential: true, value: 'mfa' } } })).acr).toEqual(noClaims.acr);
  });

  test.each([['two words'], [''], ['a\u0000b'], ['\ud800'], [7], [null], ['x'.repeat(256)]])(
    'the value %j is none and is refused, not dropped: dropping it would lower an essential demand',
    (value) => {
      for (const acr of [{ value }, { values: ['mfa', value] }]) {
        expect(refused(parse({ id_token: { acr: { essential: true, ...acr } } })).error).toBe('invalid_request');
      }
    },
  );
});
