import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isDpopNonce, newDpopNonce } from '../../src/oidc/dpop_nonce.ts';
import { otherRealmId, realmId, ring, ringOf, second, start } from './parties.ts';

const minutes = 60 * second;

describe('RFC 9449 §8: nonces that nobody stores', () => {
  test('are 32 characters of the unreserved set, and one for everybody for a while', () => {
    const nonce = newDpopNonce(ring, realmId, start);
    expect(nonce).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(newDpopNonce(ring, realmId, start + 1)).toBe(nonce);
    expect(newDpopNonce(ring, realmId, start + 2 * minutes)).not.toBe(nonce);
  });

  test('property: taken for two minutes at least, and after four no more', () => {
    const instants = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(
        instants,
        fc.integer({ min: -2000, max: 120_000 }),
        fc.integer({ min: 0, max: 1e9 }),
        (now, age, more) => {
          const nonce = newDpopNonce(ring, realmId, now);
          expect(isDpopNonce(ring, realmId, nonce, Math.max(0, now + age))).toBe(true);
          expect(isDpopNonce(ring, realmId, nonce, now + 4 * minutes + more)).toBe(false);
        },
      ),
    );
  });

  test('of another realm, or under a key that is not in the ring: not ours', () => {
    const nonce = newDpopNonce(ring, realmId, start);
    expect(isDpopNonce(ring, otherRealmId, nonce, start)).toBe(false);
    expect(isDpopNonce(ringOf(2), realmId, nonce, start)).toBe(false);
  });

  test('under an older key of the ring: still taken, while new ones are made under the newest', () => {
    const nonce = newDpopNonce(ring, realmId, start);
    expect(isDpopNonce(ringOf(2, 1), realmId, nonce, start)).toBe(true);
    expect(newDpopNonce(ringOf(2, 1), realmId, start)).not.toBe(nonce);
  });

  test('property: with any character changed, or anything else: not ours', () => {
    const nonce = newDpopNonce(ring, realmId, start);
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 31 }),
        fc.stringMatching(/^[A-Za-z0-9_-]$/),
        fc.string(),
        (index, other, text) => {
          fc.pre(nonce[index] !== other);
          expect(isDpopNonce(ring, realmId, nonce.slice(0, index) + other + nonce.slice(index + 1), start)).toBe(false);
          expect(isDpopNonce(ring, realmId, text, start)).toBe(false);
        },
      ),
    );
  });
});
