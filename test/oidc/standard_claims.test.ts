import { describe, expect, test } from 'bun:test';
import { Value } from '@sinclair/typebox/value';
import { claimNames, claimScopes, claimsOfScope, standardClaimsSchema } from '../../src/oidc/standard_claims.ts';

describe('OIDC Core §5.4', () => {
  test.each([
    [
      'profile',
      'name family_name given_name middle_name nickname preferred_username profile picture website gender birthdate zoneinfo locale updated_at',
    ],
    ['email', 'email email_verified'],
    ['address', 'address'],
    ['phone', 'phone_number phone_number_verified'],
    ['openid', ''],
    ['offline_access', ''],
    ['constructor', ''],
  ])('%s asks for exactly its claims', (scope, names) => {
    expect(claimsOfScope(scope).toSorted()).toEqual(
      names
        .split(' ')
        .filter((name) => name !== '')
        .toSorted(),
    );
  });

  test('every claim belongs to one scope', () => {
    expect(claimScopes.toSorted()).toEqual(['address', 'email', 'phone', 'profile']);
    expect(claimScopes.flatMap(claimsOfScope).toSorted()).toEqual([...claimNames].toSorted());
  });
});

describe('OIDC Core §5.1', () => {
  test('a person with every claim', () => {
    const ann = {
      name: 'Ann Example',
      given_name: 'Ann',
      family_name: 'Example',
      birthdate: '1990-04-01',
      zoneinfo: 'Europe/Berlin',
      locale: 'de-DE',
      updated_at: 1_800_000_000,
      email: 'ann@example.org',
      email_verified: true,
      address: { country: 'Germany', formatted: 'Weg 1\nBerlin' },
      phone_number: '+49 30 1234',
      phone_number_verified: false,
      picture: 'https://example.org/ann.png',
    };
    expect(Value.Check(standardClaimsSchema, ann)).toBe(true);
  });

  test.each([
    { name: '' },
    { name: 5 },
    { birthdate: '1.4.1990' },
    { email: 'ann' },
    { email_verified: 'true' },
    { phone_number_verified: 1 },
    { updated_at: '2020-01-01' },
    { updated_at: -1 },
    { picture: 'javascript:alert(1)' },
    { address: 'Berlin' },
    { address: { planet: 'Earth' } },
    { sub: 'someone else' },
    { admin: true },
  ])('%j is no standard claim of a person', (claims) => {
    expect(Value.Check(standardClaimsSchema, claims)).toBe(false);
  });
});
