import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { encodeBase64url } from '../../../src/core/base64url.ts';
import { refuseChosenSecret } from '../../../src/oidc/client_auth/chosen_secret.ts';

describe('RFC 6749 §10.10: a chosen client secret', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

  test('property: 192 random bits in base64url are accepted', () => {
    fc.assert(
      fc.property(bytes(24), (random) => {
        // One in a million draws has no digit, or few distinct characters, and is refused: those are not of interest.
        fc.pre(new Set(random).size > 20 && /\d/.test(encodeBase64url(random)));
        expect(refuseChosenSecret(encodeBase64url(random))).toBeNull();
      }),
    );
  });

  test('property: 128 random bits in hexadecimal are accepted', () => {
    fc.assert(
      fc.property(bytes(16), (random) => {
        const hex = Buffer.from(random).toString('hex');
        fc.pre(new Set(hex).size >= 10);
        expect(refuseChosenSecret(hex)).toBeNull();
      }),
    );
  });

  test.each([
    ['short', 'aB3$aB3$xY7-kL9q'],
    ['words', 'correct horse battery staple, and some'],
    ['digits', '314159265358979323846264338327950288419'],
    ['one character', 'a'.repeat(200)],
    ['a pattern', 'Abc123'.repeat(20)],
    ['short hexadecimal', '0123456789abcdef0123456789abcde'],
  ])('%s: refused, and not repeated', (_, secret) => {
    const problem = refuseChosenSecret(secret);
    expect(problem).toContain('128 bits');
    expect(problem).not.toContain(secret);
  });
});
