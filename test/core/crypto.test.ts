import { describe, expect, test } from 'bun:test';
import { createHash, createHmac, createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { hmacSha256, sha256 } from '../../src/core/crypto.ts';

const bytes = fc.oneof(fc.string(), fc.uint8Array({ maxLength: 200 }));

describe('hashes', () => {
  test('property: SHA-256 of text and bytes is what another implementation says', () => {
    fc.assert(fc.property(bytes, (data) => expect(sha256(data)).toEqual(createHash('sha256').update(data).digest())));
  });

  test('property: HMAC over parts is HMAC over what they make together', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), fc.uint8Array(), fc.uint8Array(), (key, one, two) =>
        expect(hmacSha256(key, one, two)).toEqual(
          createHmac('sha256', key)
            .update(Buffer.concat([one, two]))
            .digest(),
        ),
      ),
    );
  });

  /** A stranger's key, as it comes in a proof or a registration, whose point is not on its curve. */
  test('what an unusable key left behind concerns no hash after it', () => {
    const coordinate = `${'A'.repeat(42)}E`;
    const key = { kty: 'EC', crv: 'P-256', x: coordinate, y: coordinate };
    const uses = [() => sha256('x'), () => hmacSha256(Buffer.alloc(32), 'x')];
    for (const use of uses) {
      expect(() => createPublicKey({ key, format: 'jwk' })).toThrow();
      expect(use()).toHaveLength(32);
    }
  });
});
