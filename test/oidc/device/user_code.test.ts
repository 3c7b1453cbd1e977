import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  formatUserCode,
  newUserCode,
  normalizeUserCode,
  userCodeAlphabet,
  userCodeLength,
} from '../../../src/oidc/device/user_code.ts';

const letters = [...userCodeAlphabet];
const code = fc.string({ unit: fc.constantFrom(...letters), minLength: userCodeLength, maxLength: userCodeLength });
const separator = fc.constantFrom('', ' ', '-', '–', '.', ' \u00a0', '\u200b', '_', '\t', '/', '\u00ad');

describe('RFC 8628 §6.1: user codes', () => {
  test('the alphabet has no vowels, no digits and nothing twice', () => {
    expect(userCodeAlphabet).toMatch(/^[A-Z]{20}$/);
    expect(userCodeAlphabet).not.toMatch(/[AEIOUY]/);
    expect(new Set(letters).size).toBe(letters.length);
  });

  test('new ones are of the alphabet, differ, and use every letter about equally often', () => {
    const counts = new Map(letters.map((letter) => [letter, 0]));
    const codes = Array.from({ length: 5000 }, newUserCode);
    for (const made of codes) {
      expect(normalizeUserCode(made)).toBe(made);
      for (const letter of made) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    }
    expect(new Set(codes).size).toBe(codes.length);
    // 2000 of each are expected, with a standard deviation of 44: seven of them to either side.
    expect([...counts.values()].filter((count) => count < 1690 || count > 2310)).toEqual([]);
  });

  test('property: case and separators mean nothing, wherever they stand', () => {
    const shown = fc.tuple(code, fc.array(separator, { minLength: 9, maxLength: 9 }), fc.array(fc.boolean()));
    fc.assert(
      fc.property(shown, ([meant, between, small]) => {
        const typed = [...meant].map((letter, index) => {
          const written = small[index] === true ? letter.toLowerCase() : letter;
          return `${between[index]}${written}`;
        });
        expect(normalizeUserCode(typed.join('') + between[userCodeLength])).toBe(meant);
        expect(normalizeUserCode(formatUserCode(meant))).toBe(meant);
      }),
    );
  });

  test('wide letters of an East Asian keyboard are letters', () => {
    expect(normalizeUserCode('ｂｃｄｆ－ｇｈｊｋ')).toBe('BCDFGHJK');
  });

  test('property: whatever else is typed is no code, or normalizes to itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          code.map((text) => `${text}B`),
        ),
        (typed) => {
          const found = normalizeUserCode(typed);
          if (found === null) return;
          expect(found).toMatch(new RegExp(`^[${userCodeAlphabet}]{8}$`));
          expect(normalizeUserCode(found)).toBe(found);
        },
      ),
    );
  });

  test.each(['', 'BCDF-GHJ', 'BCDF-GHJKL', 'BCDF-GHJA', 'BCDF-GHJ1', 'ßCDF-GHJK', 'BCDFGHJK'.padEnd(65, '-')])(
    '%j: none of ours',
    (typed) => {
      expect(normalizeUserCode(typed)).toBeNull();
    },
  );
});
