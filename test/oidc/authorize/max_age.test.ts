import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { checkMaxAge } from '../../../src/oidc/authorize/max_age.ts';
import { granted, refused } from '../parties.ts';

const anyAge = { defaultMaxAgeSeconds: null };

describe('OIDC Core §3.1.2.1 max_age', () => {
  test('property: a number of seconds is taken and wins over the default of the client', () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999 }), fc.option(fc.nat()), (seconds, byDefault) => {
        expect(granted(checkMaxAge(String(seconds), { defaultMaxAgeSeconds: byDefault }))).toBe(seconds);
      }),
    );
  });

  test('zero is sent: it is not overlooked', () => {
    expect(granted(checkMaxAge('0', { defaultMaxAgeSeconds: 60 }))).toBe(0);
  });

  test('not sent: the default of the client (OIDC Registration §2), else any age', () => {
    expect(granted(checkMaxAge(undefined, { defaultMaxAgeSeconds: 60 }))).toBe(60);
    expect(granted(checkMaxAge(undefined, { defaultMaxAgeSeconds: 0 }))).toBe(0);
    expect(granted(checkMaxAge(undefined, anyAge))).toBeNull();
  });

  test.each(['-1', '+1', '1.5', '1e3', '0x10', ' 1', '1 ', '١', 'NaN', 'Infinity', '9999999999', ''])(
    '%j is refused, not guessed',
    (sent) => {
      expect(refused(checkMaxAge(sent, anyAge))).toMatchObject({ error: 'invalid_request', parameter: 'max_age' });
    },
  );
});
