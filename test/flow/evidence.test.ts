import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { amrOf, authTimeOf, isHeld, merge, standing, unmetDemand } from '../../src/flow/evidence.ts';
import type { Evidence } from '../../src/flow/run.ts';
import { alice, bob, hour, plainDemand, second, start } from './browser.ts';

const piece = (method: string, at: number, user = alice): Evidence => ({ method, userId: user.userId, at });
const pieces: fc.Arbitrary<Evidence[]> = fc.array(
  fc.record({
    method: fc.constantFrom('pwd', 'otp', 'hwk'),
    at: fc.integer({ min: 0, max: 100 }),
    userId: fc.constantFrom(alice.userId, bob.userId),
  }),
);

describe('evidence', () => {
  test('auth_time is the newest primary authentication; a later second factor does not move it', () => {
    expect(authTimeOf([piece('pwd', 10), piece('pwd', 30), piece('otp', 90)])).toBe(30);
    expect(authTimeOf([piece('otp', 90)])).toBeNull();
  });

  test('amr names each method once, sorted', () => {
    expect(amrOf([piece('pwd', 1), piece('otp', 2), piece('pwd', 3)])).toEqual(['otp', 'pwd']);
  });

  test('in the same millisecond as valid from counts, before it does not', () => {
    const user = { ...alice, validFrom: 50 };
    expect(standing([piece('pwd', 49), piece('otp', 50), piece('hwk', 60, bob)], user)).toEqual([piece('otp', 50)]);
  });

  test('a password waits in a run for less than an hour; a session lends for as long as it lives', () => {
    expect(isHeld(piece('pwd', start), start + hour - 1)).toBe(true);
    expect(isHeld(piece('pwd', start), start + hour)).toBe(false);
    expect(isHeld({ ...piece('pwd', start), fromSession: true }, start + 100 * hour)).toBe(true);
  });

  test('authenticated within the run: meets max_age 0 and a fresh sign-in however long the person then reads', () => {
    const proof = {
      user: alice,
      subject: 'alice',
      evidence: [piece('pwd', start)],
      startedAt: start,
      now: start + 500 * second,
    };
    expect(unmetDemand({ ...plainDemand, maxAgeSeconds: 0, fresh: true }, proof)).toBeNull();
  });

  test('property: merging keeps exactly one piece per method, the newest', () => {
    fc.assert(
      fc.property(pieces, pieces, (older, newer) => {
        const merged = merge(older, newer);
        const all = [...older, ...newer];
        expect(new Set(merged.map(({ method }) => method)).size).toBe(merged.length);
        for (const { method, at } of all) {
          expect(merged.find((kept) => kept.method === method)?.at).toBeGreaterThanOrEqual(at);
        }
        expect(merged.every((kept) => all.includes(kept))).toBe(true);
      }),
    );
  });

  test('property: what meets a demand is of the demanded user, standing, and as young as asked', () => {
    const demands = fc.record({
      fresh: fc.boolean(),
      maxAgeSeconds: fc.option(fc.integer({ min: 0, max: 1 })),
      subject: fc.constantFrom(null, 'alice here', 'bob here'),
    });
    fc.assert(
      fc.property(
        pieces,
        demands,
        fc.nat(100),
        fc.nat(2000),
        fc.nat(100),
        (evidence, wanted, startedAt, later, from) => {
          const user = { ...alice, validFrom: from };
          const now = startedAt + later;
          const proof = { user, subject: 'alice here', evidence, startedAt, now };
          if (unmetDemand({ ...plainDemand, ...wanted }, proof) !== null) return;
          const age = (at: number) => (at >= startedAt ? 0 : now - at);
          const good = evidence.some(
            ({ method, userId, at }) =>
              method === 'pwd' &&
              userId === alice.userId &&
              at >= from &&
              (!wanted.fresh || at >= startedAt) &&
              (wanted.maxAgeSeconds === null || age(at) <= wanted.maxAgeSeconds * second),
          );
          expect(good).toBe(true);
          expect(wanted.subject).not.toBe('bob here');
        },
      ),
    );
  });
});
