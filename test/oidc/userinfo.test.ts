import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { claimNames, claimScopes, claimsOfScope, type StandardClaims } from '../../src/oidc/standard_claims.ts';
import { userinfoClaims } from '../../src/oidc/userinfo.ts';

const ann: StandardClaims = {
  name: 'Ann Example',
  given_name: 'Ann',
  email: 'ann@example.org',
  email_verified: false,
  updated_at: 0,
  address: { country: 'Germany' },
};

describe('OIDC Core §5.3.2, §5.4', () => {
  test.each([
    [['openid'], []],
    [
      ['openid', 'email'],
      ['email', 'email_verified'],
    ],
    [
      ['openid', 'profile'],
      ['name', 'given_name', 'updated_at'],
    ],
    [['openid', 'address', 'phone'], ['address']],
    [['openid', 'api', 'offline_access'], []],
  ])('%j releases sub and %j', (scope, names) => {
    expect(Object.keys(userinfoClaims('s', scope, [], ann)).toSorted()).toEqual(['sub', ...names].toSorted());
  });

  test('false and zero are values and are not lost', () => {
    expect(userinfoClaims('s', ['email', 'profile'], [], ann)).toMatchObject({ email_verified: false, updated_at: 0 });
  });

  test('§5.5: what was asked for by name comes without its scope, and alone', () => {
    expect(userinfoClaims('s', ['openid'], ['name'], ann)).toEqual({ sub: 's', name: 'Ann Example' });
  });

  test('property: never a claim that no granted scope and no name asked for, never null, always this sub', () => {
    fc.assert(
      fc.property(fc.subarray([...claimScopes, 'openid', 'api']), fc.subarray([...claimNames]), (scope, asked) => {
        const claims = userinfoClaims('s', scope, asked, ann);
        expect(claims['sub']).toBe('s');
        const released = [...scope.flatMap(claimsOfScope), ...asked];
        for (const [name, value] of Object.entries(claims)) {
          if (name !== 'sub') expect(released).toContain(name);
          expect(value).not.toBeNull();
          expect(value).not.toBeUndefined();
        }
        for (const name of released) expect(name in claims).toBe(name in ann);
      }),
    );
  });
});
