import { describe, expect, test } from 'bun:test';
import { KeyRing } from '../../src/core/key_ring.ts';
import { Secret } from '../../src/core/secret.ts';

const ringOf = (...fills: readonly number[]): KeyRing =>
  new KeyRing(fills.map((fill) => new Secret(Buffer.alloc(32, fill))));
const idOf = (fill: number): string => ringOf(fill).newest().keyId;

describe('the key ring', () => {
  test('makes with the newest, which is the first, and opens with any', () => {
    const ring = ringOf(3, 2, 1);
    expect(ring.newest().keyId).toBe(idOf(3));
    expect(ring.keyIds()).toEqual([idOf(3), idOf(2), idOf(1)]);
    for (const fill of [1, 2, 3]) expect(ring.find(idOf(fill))?.keyId).toBe(idOf(fill));
    expect(ring.find(idOf(4))).toBeUndefined();
    expect(ring.find('')).toBeUndefined();
  });

  test('the id follows from the secret, is eight hexadecimal digits and differs between secrets', () => {
    expect(idOf(1)).toMatch(/^[0-9a-f]{8}$/);
    expect(new Set(Array.from({ length: 50 }, (_, fill) => idOf(fill))).size).toBe(50);
    expect(idOf(1)).toBe(idOf(1));
  });

  test('a key per purpose, the same every time, of 256 bits, and none is the secret itself', () => {
    const entry = ringOf(1).newest();
    const keys = ['seal run', 'seal column', 'refresh tag'].map((purpose) => entry.derive(purpose).toString('hex'));
    expect(new Set([...keys, Buffer.alloc(32, 1).toString('hex')]).size).toBe(4);
    expect(keys.every((key) => key.length === 64)).toBe(true);
    expect(entry.derive('seal run')).toEqual(ringOf(1).newest().derive('seal run'));
  });

  test('empty: refused, for there is nothing to make anything with', () => {
    expect(() => new KeyRing([])).toThrow();
  });
});

describe('a rolling restart', () => {
  test('makes with the newest entry that every process holds, and goes back to the newest when all do', () => {
    const ring = ringOf(3, 2, 1);
    ring.restrictTo(new Set([idOf(2), idOf(1)]));
    expect(ring.newest().keyId).toBe(idOf(2));
    expect(ring.find(idOf(3))?.keyId).toBe(idOf(3));
    ring.restrictTo(new Set([idOf(3), idOf(2), idOf(1)]));
    expect(ring.newest().keyId).toBe(idOf(3));
  });

  test('no entry in common: what was in force stays, rather than something that others certainly cannot open', () => {
    const ring = ringOf(2, 1);
    ring.restrictTo(new Set([idOf(1)]));
    ring.restrictTo(new Set());
    expect(ring.newest().keyId).toBe(idOf(1));
    ring.restrictTo(new Set(['ffffffff']));
    expect(ring.newest().keyId).toBe(idOf(1));
  });
});
