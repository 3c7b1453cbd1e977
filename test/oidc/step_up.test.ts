import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { bearerChallenge } from '../../src/oidc/bearer.ts';
import { statusOfError } from '../../src/oidc/errors.ts';
import { type AuthenticationDemand, insufficientAuthentication } from '../../src/oidc/step_up.ts';
import { issuer, start } from './parties.ts';

const seconds = start / 1000;
const none: AuthenticationDemand = { acrValues: [], maxAgeSeconds: null };
const judge = (token: { acr?: string; auth_time?: number }, demand: Partial<AuthenticationDemand>) =>
  insufficientAuthentication(token, { ...none, ...demand }, start);

describe('RFC 9470 §3', () => {
  test.each<[string, { acr?: string; auth_time?: number }, Partial<AuthenticationDemand>, boolean]>([
    ['nothing demanded, nothing known', {}, {}, true],
    ['one of several classes', { acr: 'mfa' }, { acrValues: ['phr', 'mfa'] }, true],
    ['another class', { acr: 'pwd' }, { acrValues: ['phr', 'mfa'] }, false],
    ['no class', {}, { acrValues: ['pwd'] }, false],
    ['exactly as old as allowed', { auth_time: seconds - 60 }, { maxAgeSeconds: 60 }, true],
    ['a second older', { auth_time: seconds - 61 }, { maxAgeSeconds: 60 }, false],
    ['at no known time', { acr: 'pwd' }, { maxAgeSeconds: 60 }, false],
    [
      'recent, but of another class',
      { acr: 'pwd', auth_time: seconds },
      { acrValues: ['mfa'], maxAgeSeconds: 60 },
      false,
    ],
  ])('%s', (_, token, demand, isEnough) => {
    expect(judge(token, demand) === null).toBe(isEnough);
  });

  test('the challenge says what would do', () => {
    const refused = judge({ acr: 'pwd' }, { acrValues: ['urn:x:phr', 'mfa'], maxAgeSeconds: 5 });
    expect(bearerChallenge(issuer, refused)).toBe(
      `Bearer realm="${issuer}", error="insufficient_user_authentication", ` +
        'error_description="a different authentication level is required", acr_values="urn:x:phr mfa", max_age="5"',
    );
    const old = judge({ auth_time: 0 }, { maxAgeSeconds: 0 });
    expect(bearerChallenge(issuer, old)).toEndWith('more recent authentication is required", max_age="0"');
    expect(statusOfError('insufficient_user_authentication')).toBe(401);
  });

  test('property: enough exactly if the class is among those demanded and the sign-in no older', () => {
    const classes = ['pwd', 'mfa', 'phr'];
    fc.assert(
      fc.property(
        fc.option(fc.constantFrom(...classes), { nil: undefined }),
        fc.option(fc.nat(100), { nil: undefined }),
        fc.subarray(classes),
        fc.option(fc.nat(100)),
        (acr, age, acrValues, maxAgeSeconds) => {
          const token = {
            ...(acr === undefined ? {} : { acr }),
            ...(age === undefined ? {} : { auth_time: seconds - age }),
          };
          const isClass = acrValues.length === 0 || (acr !== undefined && acrValues.includes(acr));
          const isRecent = maxAgeSeconds === null || (age !== undefined && age <= maxAgeSeconds);
          expect(judge(token, { acrValues, maxAgeSeconds }) === null).toBe(isClass && isRecent);
        },
      ),
    );
  });
});
