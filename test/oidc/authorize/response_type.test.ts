import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { checkResponseType, isFrontChannel, responseTypeNames } from '../../../src/oidc/authorize/response_type.ts';
import { granted, realm, refused } from '../parties.ts';

const strict = realm.settings;
const lax = { ...strict, implicitAndHybrid: true };
const grantTypes = ['authorization_code', 'implicit'];
const registered = { responseTypes: ['code'], grantTypes, settings: strict };
const everything = { responseTypes: responseTypeNames, grantTypes, settings: lax };

describe('RFC 6749 §3.1.1', () => {
  test('code is served', () => {
    expect(granted(checkResponseType('code', registered))).toBe('code');
  });

  test.each(['token', 'none', 'Code', 'code code', ' code', '__proto__', 'toString'])(
    '%j is unsupported_response_type, even if a client were registered for it',
    (sent) => {
      const client = { ...everything, responseTypes: ['code', sent] };
      expect(refused(checkResponseType(sent, client)).error).toBe('unsupported_response_type');
    },
  );

  test('missing is invalid_request, not registered is unauthorized_client', () => {
    expect(refused(checkResponseType(undefined, registered)).error).toBe('invalid_request');
    expect(refused(checkResponseType('code', { ...registered, responseTypes: [] })).error).toBe('unauthorized_client');
  });

  test('without the grant that it draws on it is unauthorized_client', () => {
    expect(refused(checkResponseType('code', { ...registered, grantTypes: ['implicit'] })).error).toBe(
      'unauthorized_client',
    );
    const codeOnly = { ...everything, grantTypes: ['authorization_code'] };
    expect(refused(checkResponseType('code id_token', codeOnly)).error).toBe('unauthorized_client');
  });
});

describe('RFC 9700 §2.1.2: tokens through the browser', () => {
  test.each(responseTypeNames.filter(isFrontChannel))('%s is refused unless the setting allows it', (type) => {
    expect(refused(checkResponseType(type, { ...everything, settings: strict })).error).toBe(
      'unsupported_response_type',
    );
    expect(granted(checkResponseType(type, everything))).toBe(type);
  });

  test('property: the order of the words means nothing', () => {
    const shuffled = fc
      .constantFrom(...responseTypeNames)
      .chain((type) =>
        fc.tuple(fc.constant(type), fc.shuffledSubarray(type.split(' '), { minLength: type.split(' ').length })),
      );
    fc.assert(
      fc.property(shuffled, ([type, words]) => {
        expect(granted(checkResponseType(words.join(' '), everything))).toBe(type);
      }),
    );
  });
});
