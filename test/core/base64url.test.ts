import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decodeBase64url, encodeBase64url } from '../../src/core/base64url.ts';

describe('RFC 7515 §2 base64url', () => {
  test('property: any bytes come back, in the alphabet and without padding', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const text = encodeBase64url(bytes);
        expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
        expect(decodeBase64url(text)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  test('a view into a larger buffer is encoded by itself', () => {
    expect(encodeBase64url(Buffer.from('xxabcxx').subarray(2, 5))).toBe('YWJj');
  });

  test('property: any text decodes to bytes of which it is the one spelling, or not at all', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{0,12}$/));
    fc.assert(
      fc.property(texts, (text) => {
        const bytes = decodeBase64url(text);
        if (bytes !== undefined) expect(encodeBase64url(bytes)).toBe(text);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['YQ==', 'YR', 'YWI=', 'YWJ', 'Y', 'YQ\n', ' YQ', 'Y+', 'Y/', 'YÀ', 'YWJjY'])(
    '%j is not decoded',
    (text) => {
      expect(decodeBase64url(text)).toBeUndefined();
    },
  );

  test('the empty text is no bytes', () => {
    expect(decodeBase64url('')).toEqual(Buffer.alloc(0));
  });
});
