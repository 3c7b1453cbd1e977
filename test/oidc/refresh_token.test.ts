import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Secret } from '../../src/core/secret.ts';
import {
  decodeRefreshToken,
  descendsFromRow,
  encodeRefreshToken,
  firstRefreshToken,
  heirHeldBy,
  heirOf,
  mostLostGenerations,
  type RefreshToken,
} from '../../src/oidc/refresh_token.ts';
import { newFamilyId } from './grants/redeem.ts';
import { familyId, otherRealmId, realmId, ring, ringOf } from './parties.ts';

const tokens = fc
  .record({
    generation: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    secret: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  })
  .map(({ generation, secret }) => ({ familyId: newFamilyId(), generation, secret: new Secret(Buffer.from(secret)) }));

function decoded(text: string): RefreshToken {
  const token = decodeRefreshToken(ring, realmId, text);
  if (typeof token === 'string') throw new Error(token);
  return token;
}

/** A line of heirs; each step under the newest entry of its own ring. */
function line(first: RefreshToken, keys: readonly number[]): RefreshToken {
  return keys.reduce((token, key) => heirOf(ringOf(key), token), first);
}

describe('the written token', () => {
  test('property: comes back whole, in 98 characters of base64url', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        const text = encodeRefreshToken(ring, realmId, token);
        expect(text).toMatch(/^[A-Za-z0-9_-]{98}$/);
        const back = decoded(text);
        expect([back.familyId, back.generation]).toEqual([token.familyId, token.generation]);
        expect(back.secret.reveal()).toEqual(token.secret.reveal());
      }),
    );
  });

  test('property: with any one character changed it is malformed, or names a key that nobody holds', () => {
    const text = encodeRefreshToken(ring, realmId, firstRefreshToken(familyId));
    fc.assert(
      fc.property(fc.nat({ max: 97 }), fc.constantFrom(...'ABCDabcd0189-_=+/ é'), (at, put) => {
        fc.pre(text[at] !== put);
        const result = decodeRefreshToken(ring, realmId, text.slice(0, at) + put + text.slice(at + 1));
        expect(result).toBeOneOf(['malformed', 'unknown_key']);
      }),
      { numRuns: 500 },
    );
  });

  test('property: any text is malformed or unknown and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A-Za-z0-9_-]{98}$/)), (text) => {
        expect(decodeRefreshToken(ring, realmId, text)).toBeOneOf(['malformed', 'unknown_key']);
      }),
    );
  });

  test('of another realm: malformed; under a key that is gone: unknown_key', () => {
    const text = encodeRefreshToken(ring, realmId, firstRefreshToken(familyId));
    expect(decodeRefreshToken(ring, otherRealmId, text)).toBe('malformed');
    expect(decodeRefreshToken(ringOf(2), realmId, text)).toBe('unknown_key');
    expect(typeof decodeRefreshToken(ringOf(2, 1), realmId, text)).toBe('object');
  });

  test('two families never begin with the same secret', () => {
    const secrets = Array.from({ length: 50 }, () => firstRefreshToken(familyId).secret.reveal().toString('hex'));
    expect(new Set(secrets).size).toBe(50);
  });
});

describe('the heir', () => {
  test('property: follows from its parent alone: the same again, another for another family, generation or key', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        const parent = decoded(encodeRefreshToken(ring, realmId, token));
        const heir = heirOf(ring, parent);
        expect(heir.generation).toBe(parent.generation + 1);
        expect(heirOf(ring, parent).secret.reveal()).toEqual(heir.secret.reveal());
        const others = [
          heirOf(ring, { ...parent, familyId: newFamilyId() }),
          heirOf(ring, { ...parent, generation: parent.generation + 1 }),
          heirOf(ringOf(2), parent),
          heirOf(ring, { ...parent, secretHash: Buffer.alloc(32) }),
        ];
        for (const other of others) expect(other.secretHash).not.toEqual(heir.secretHash);
      }),
    );
  });

  test('is recognised under any entry of the ring, and by its own parent only', () => {
    const parent = firstRefreshToken(familyId);
    const heir = heirOf(ringOf(2), parent);
    expect(heirHeldBy(ringOf(3, 2, 1), parent, heir.secretHash)?.secret.reveal()).toEqual(heir.secret.reveal());
    expect(heirHeldBy(ringOf(3, 1), parent, heir.secretHash)).toBeNull();
    expect(heirHeldBy(ringOf(2), firstRefreshToken(familyId), heir.secretHash)).toBeNull();
    expect(heirHeldBy(ringOf(2), parent, parent.secretHash)).toBeNull();
  });
});

describe('a row that lost commits', () => {
  const row = firstRefreshToken(familyId);

  test.each([1, 2, mostLostGenerations])('%d generations behind: the token descends from it', (lost) => {
    expect(descendsFromRow(ring, line(row, Array(lost).fill(1)), row)).toBe(true);
  });

  test('not behind, too far behind, or of another line: it does not', () => {
    expect(descendsFromRow(ring, row, row)).toBe(false);
    expect(descendsFromRow(ring, row, line(row, [1]))).toBe(false);
    expect(descendsFromRow(ring, line(row, Array(mostLostGenerations + 1).fill(1)), row)).toBe(false);
    expect(descendsFromRow(ring, line(firstRefreshToken(familyId), [1, 1]), row)).toBe(false);
    expect(descendsFromRow(ring, { ...line(row, [1, 1]), familyId: newFamilyId() }, row)).toBe(false);
  });

  test('property: whenever the ring was rotated in between, up to twice, as long as it still holds the entries', () => {
    const lines = fc.array(fc.constantFrom(1, 2, 3), { minLength: 1, maxLength: mostLostGenerations });
    fc.assert(
      fc.property(lines, (keys) => {
        const inOrder = keys.toSorted();
        expect(descendsFromRow(ringOf(3, 2, 1), line(row, inOrder), row)).toBe(true);
        expect(descendsFromRow(ringOf(3, 2), line(row, inOrder), row)).toBe(!keys.includes(1));
      }),
    );
  });

  test('the oldest entry first is not crowded out by the newer ones', () => {
    expect(descendsFromRow(ringOf(4, 3, 2, 1), line(row, [1, 1, 1, 1, 1, 1, 1, 2]), row)).toBe(true);
  });
});
