import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Override, Overrides } from '../../src/core/overrides.ts';
import { checkOverrides, fromStored, mergeOverrides, nextExpiry, toStored } from '../../src/store/overrides.ts';

const override: fc.Arbitrary<Override> = fc.record(
  { value: fc.jsonValue(), reason: fc.string(), expiresAt: fc.integer({ min: 0 }) },
  { requiredKeys: ['value'] },
);
const key = fc.constantFrom('a', 'b', 'c', 'd');
const overrides: fc.Arbitrary<Overrides> = fc.dictionary(key, override, { noNullPrototype: true });

describe('stored overrides', () => {
  test('come back from a JSON document as they went in', () => {
    fc.assert(
      fc.property(overrides, (given) => {
        const document: unknown = JSON.parse(JSON.stringify(toStored(given)));
        const plain: unknown = JSON.parse(JSON.stringify(given));
        expect<unknown>(fromStored(Object(document))).toEqual(plain);
      }),
    );
  });

  test('have the names of the schema', () => {
    expect(toStored({ a: { value: 1, reason: 'r', expiresAt: 5 } })).toEqual({
      a: { value: 1, reason: 'r', expires_at: 5 },
    });
  });
});

describe('mergeOverrides', () => {
  test('a key of the change has its new value or is gone, every other key is as before; only new ones need a check', () => {
    const change = fc.dictionary(key, fc.option(override), { noNullPrototype: true });
    fc.assert(
      fc.property(overrides, change, (before, changed) => {
        const { merged, added } = mergeOverrides(before, changed);
        for (const name of ['a', 'b', 'c', 'd']) {
          const wanted = Object.hasOwn(changed, name) ? (changed[name] ?? undefined) : before[name];
          expect(merged[name]).toEqual(wanted);
          expect(added[name]).toEqual(changed[name] ?? undefined);
        }
      }),
    );
  });
});

describe('nextExpiry', () => {
  test('is the first end after now of any layer', () => {
    fc.assert(
      fc.property(overrides, overrides, overrides, fc.integer({ min: 0 }), (system, realm, client, now) => {
        const ends = [system, realm, client].flatMap((layer) =>
          Object.values(layer).flatMap(({ expiresAt }) =>
            expiresAt !== undefined && expiresAt > now ? [expiresAt] : [],
          ),
        );
        const first = nextExpiry({ system, realm, client }, now);
        if (first === null) expect(ends).toEqual([]);
        else
          expect({ least: ends.every((end) => first <= end), one: ends.includes(first) }).toEqual({
            least: true,
            one: true,
          });
      }),
    );
  });
});

describe('checkOverrides', () => {
  test('names every fault at once', () => {
    const wrong = { nothing: { value: 1 }, rotation: { value: 'sometimes' }, pkce: { value: 'required for all' } };
    const checked = checkOverrides(wrong, 'realm', {}, 0);
    expect(checked.ok ? [] : checked.error.map((fault) => fault.split(/["\s:]+/).includes('nothing'))).toEqual([
      true,
      false,
    ]);
  });
});
