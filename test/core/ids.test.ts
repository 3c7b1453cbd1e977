import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { bytesOfUuid, instantOfTimedId, isUuid, newId, newTimedId, uuidFromBytes } from '../../src/core/ids.ts';

const instants = fc.integer({ min: 0, max: 2 ** 48 - 1 });

describe('a timed id (RFC 9562 §5.8)', () => {
  test('property: gives its instant back and is a UUID of version 8', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        const id = newTimedId(instant);
        expect(instantOfTimedId(id)).toBe(instant);
        expect(isUuid(id)).toBe(true);
        expect(id).toMatch(/^.{14}8.{4}[89ab]/);
      }),
    );
  });

  test('property: sorts by its instant, so that partitions by range of the id are partitions by time', () => {
    fc.assert(
      fc.property(instants, instants, (left, right) => {
        fc.pre(left < right);
        expect(newTimedId(left) < newTimedId(right)).toBe(true);
      }),
    );
  });

  test('two of the same instant differ', () => {
    expect(new Set(Array.from({ length: 100 }, () => newTimedId(0))).size).toBe(100);
  });

  test.each([-1, 2 ** 48, Number.NaN, Number.POSITIVE_INFINITY])('%d is no instant: a bug, which throws', (instant) => {
    expect(() => newTimedId(instant)).toThrow();
  });
});

describe('a UUID', () => {
  test('property: comes back from its bytes, also out of the middle of a buffer', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        const bytes = Buffer.concat([Buffer.alloc(3), bytesOfUuid(uuid), Buffer.alloc(3)]);
        expect(uuidFromBytes(bytes.subarray(3, 19))).toBe(uuid);
      }),
    );
  });

  test('a new id is one of version 7', () => {
    expect<string>(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  });

  const good = '01900000-0000-7000-8000-00000000a11c';
  test.each(['', 'x', good.toUpperCase(), `${good}\n`, ` ${good}`, good.replaceAll('-', ''), `{${good}}`, `${good}0`])(
    '%j is none',
    (text) => {
      expect(isUuid(text)).toBe(false);
    },
  );
});
