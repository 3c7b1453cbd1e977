import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { adopt, bornFamily, currentOf, replayable } from '../../src/demo/relying_party/family.ts';
import { claimsTable } from '../../src/demo/relying_party/pages/claims_table.ts';
import { decodeToken } from '../../src/demo/relying_party/token_view.ts';

describe('a family', () => {
  const tokens = fc.array(fc.string({ minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 60 });

  test('the last token given is current, generation 1 is never forgotten, and what is kept is bounded', () => {
    fc.assert(
      fc.property(tokens, (given) => {
        let family = bornFamily(given[0] ?? null);
        for (const token of given.slice(1)) {
          const before = currentOf(family)?.number ?? 0;
          const adopted = adopt(family, token);
          const rotated = currentOf(family)?.refreshToken.reveal() !== token;
          expect(adopted.outcome).toBe(rotated ? 'rotated' : 'same');
          expect(currentOf(adopted.family)?.number).toBe(rotated ? before + 1 : before);
          family = adopted.family;
        }
        expect(currentOf(family)?.refreshToken.reveal()).toBe(given.at(-1));
        expect(family.generations[0]?.number).toBe(1);
        expect(family.generations.length).toBeLessThanOrEqual(24);
      }),
    );
  });

  test('what may be replayed is exactly the parent, or at least two generations old, after as many refreshes as said', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom('parent' as const, 'oldest' as const),
        (count, which) => {
          let family = bornFamily('token 1');
          for (let number = 2; number <= count; number += 1) family = adopt(family, `token ${number}`).family;
          const found = replayable(family, which);
          if (found.ok) {
            expect(found.value.number).toBe(which === 'parent' ? count - 1 : 1);
            expect(found.value.number).toBeLessThanOrEqual(count - (which === 'parent' ? 1 : 2));
            return;
          }
          for (let refreshes = 1; refreshes <= found.error; refreshes += 1) {
            family = adopt(family, `later ${refreshes}`).family;
            expect(replayable(family, which).ok).toBe(refreshes === found.error);
          }
        },
      ),
    );
  });

  test('an answer without a refresh token keeps the presented one (RFC 6749 §6)', () => {
    const family = bornFamily('token');
    expect(adopt(family, null)).toEqual({ family, outcome: 'same' });
    expect(bornFamily(null).generations).toEqual([]);
  });
});

test('whatever a claim holds, no markup of it reaches the page', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.jsonValue()), { maxKeys: 5 }), (given) => {
      const hostile = { ...given, '"><script>': '</code><script>alert(1)</script>' };
      const tags =
        claimsTable('Claims', hostile)
          .toString()
          .match(/<[^>]*>/g) ?? [];
      const known = /^<\/?(table|caption|tbody|tr|th|td|code|small)( (class|scope|data-claim)="[^"<]*")*>$/;
      expect(tags.filter((tag) => !known.test(tag))).toEqual([]);
    }),
  );
});

test('an opaque access token is not taken for a JWT', () => {
  for (const opaque of ['', 'opaque', 'a.b.c', 'e30.e30', '.e30.']) expect(decodeToken(opaque)).toBeNull();
});
