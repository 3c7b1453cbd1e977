import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { TokenBuckets } from '../../src/core/token_bucket.ts';

const size = { capacity: 3, refillSeconds: 30 };

describe('token buckets', () => {
  test('gives its capacity at once, then says when the next is there', () => {
    const buckets = new TokenBuckets(10);
    expect([1, 2, 3].map(() => buckets.take('a', size, 0))).toEqual([0, 0, 0]);
    expect(buckets.take('a', size, 0)).toBe(10);
    expect(buckets.take('a', size, 4000)).toBe(6);
    expect(buckets.take('a', size, 10_000)).toBe(0);
    expect(buckets.take('a', size, 10_000)).toBe(10);
  });

  test('keys do not share', () => {
    const buckets = new TokenBuckets(10);
    for (let turn = 0; turn < 3; turn += 1) buckets.take('a', size, 0);
    expect(buckets.take('b', size, 0)).toBe(0);
  });

  test('a clock that was set back neither gives nor takes', () => {
    const buckets = new TokenBuckets(10);
    for (let turn = 0; turn < 3; turn += 1) buckets.take('a', size, 60_000);
    expect(buckets.take('a', size, 0)).toBe(10);
  });

  test('the quietest key is forgotten where there are too many', () => {
    const buckets = new TokenBuckets(2);
    const one = { capacity: 1, refillSeconds: 60 };
    for (const key of ['a', 'b', 'c']) expect(buckets.take(key, one, 0)).toBe(0);
    expect(buckets.take('c', one, 0)).toBe(60);
    expect(buckets.take('a', one, 0)).toBe(0);
  });

  test('property: never more than the capacity and what was refilled since', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 60 }), (pauses) => {
        const buckets = new TokenBuckets(4);
        let now = 0;
        let taken = 0;
        for (const pause of pauses) {
          now += pause;
          if (buckets.take('a', size, now) === 0) taken += 1;
          expect(taken).toBeLessThanOrEqual(size.capacity + now / 10_000 + 1e-9);
        }
      }),
    );
  });
});
