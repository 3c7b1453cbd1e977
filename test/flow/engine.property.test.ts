import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { decodeRun, encodeRun } from '../../src/flow/index.ts';
import type { NodeInput } from '../../src/flow/node.ts';
import type { Demand } from '../../src/flow/run.ts';
import type { Screen } from '../../src/flow/screen.ts';
import {
  alice,
  bob,
  browser,
  consentDemand,
  newRun,
  type Outside,
  outside,
  plainDemand,
  sessionOf,
  start,
} from './browser.ts';

type Move =
  | { readonly do: 'visit' }
  | { readonly do: 'submit'; readonly input: NodeInput; readonly stepOff: number }
  /** What the person in front of the page would send to get on. */
  | { readonly do: 'go on'; readonly name: 'alice' | 'bob' }
  | { readonly do: 'wait'; readonly milliseconds: number }
  | { readonly do: 'change'; readonly change: keyof typeof changes };

/** What may happen outside between two moves. */
const changes = {
  'alice signs in elsewhere': (world: Outside) => {
    const user = world.users.get('alice')?.user;
    if (user?.enabled === true) world.session = sessionOf(user, world.now);
  },
  'bob signs in elsewhere': (world: Outside) => {
    world.session = sessionOf(bob, world.now);
  },
  'signed out': (world: Outside) => {
    world.session = null;
  },
  'alice is disabled': (world: Outside) => {
    world.users.set('alice', { user: { ...alice, enabled: false }, password: 'correct' });
    world.session = null;
  },
  'alice ends everything': (world: Outside) => {
    world.users.set('alice', { user: { ...alice, validFrom: world.now }, password: 'correct' });
  },
  'hashing is busy': (world: Outside) => {
    world.busy = !world.busy;
  },
};

const fitting = (screen: Screen | null, name: 'alice' | 'bob'): NodeInput => {
  if (screen?.name === 'identifier') return { username: name };
  if (screen?.name === 'password') return { password: screen.username === 'alice' ? 'correct' : 'horse' };
  return { decision: name === 'alice' ? 'allow' : 'deny' };
};

const input: fc.Arbitrary<NodeInput> = fc.oneof(
  fc.constantFrom<NodeInput[]>(
    { username: 'alice' },
    { username: 'bob' },
    { username: '' },
    { password: 'correct' },
    { password: 'horse' },
    { password: 'wrong' },
    { decision: 'allow' },
    { decision: 'deny' },
    { change_account: '1' },
    {},
  ),
  fc.dictionary(fc.constantFrom('username', 'password', 'decision', 'user_id'), fc.string()),
);

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Move>({ do: 'visit' }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('go on' as const),
      name: fc.constantFrom<('alice' | 'bob')[]>('alice', 'alice', 'bob'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      input,
      stepOff: fc.oneof(
        { weight: 5, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: -3, max: 3 }) },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('wait' as const),
      milliseconds: fc.oneof(fc.nat(100_000), fc.constantFrom(3_600_000, 90_000_000)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      change: fc.constantFrom<(keyof typeof changes)[]>(
        'alice signs in elsewhere',
        'bob signs in elsewhere',
        'signed out',
        'alice is disabled',
        'alice ends everything',
        'hashing is busy',
      ),
    }),
  },
);

const demand: fc.Arbitrary<Demand> = fc.record({
  ...Object.fromEntries(Object.entries(plainDemand).map(([key, value]) => [key, fc.constant(value)])),
  interactive: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  fresh: fc.boolean(),
  maxAgeSeconds: fc.option(fc.integer({ min: 0, max: 100 })),
  subject: fc.constantFrom(null, null, alice.userId, bob.userId),
  hint: fc.constantFrom(null, 'alice'),
  selectAccount: fc.constantFrom(false, false, true),
  acr: fc.record({
    values: fc.subarray(['urn:limen:acr:password', 'phr']),
    essential: fc.boolean(),
  }),
  consent: fc.option(
    fc.record({ force: fc.boolean(), assured: fc.boolean() }).map((flags) => ({ ...consentDemand, ...flags })),
  ),
});

const scene = {
  demand,
  signedIn: fc.boolean(),
  moves: fc.array(move, { maxLength: 25 }),
};

const ends: { [end: string]: number } = {};

describe('property: random histories of one run', () => {
  test('no success without proof of that user; steps rise; stale submits and ended runs change nothing; JSON keeps all', () => {
    fc.assert(
      fc.property(fc.record(scene), ({ demand, signedIn, moves }) => {
        const world = outside({ session: signedIn ? sessionOf(alice, start - 50_000) : null });
        const tab = browser(world, newRun(demand));
        for (const each of moves) {
          if (each.do === 'wait') world.now += each.milliseconds;
          if (each.do === 'change') changes[each.change](world);
          if (each.do === 'wait' || each.do === 'change') continue;

          const before = tab.run;
          const screenBefore = before.lastScreen;
          const askedBefore = tab.asked.length;
          const stepOff = each.do === 'submit' ? each.stepOff : 0;
          const sent =
            each.do === 'go on' ? fitting(screenBefore, each.name) : each.do === 'submit' ? each.input : null;
          const view = sent === null ? tab.visit() : tab.submit(sent, before.step + stepOff);
          const { run } = tab;

          expect(run.step).toBeGreaterThanOrEqual(before.step);
          expect(run.step - before.step).toBeLessThanOrEqual(1);
          expect(tab.asked.length - askedBefore).toBeLessThanOrEqual(100);
          expect(run.trace.length).toBeLessThanOrEqual(50);
          expect(JSON.parse(JSON.stringify(run))).toEqual(run);
          expect(decodeRun(encodeRun(run))).toEqual({ ok: true, value: run });
          expect(run.evidence.every(({ userId }) => userId === run.userId)).toBe(true);
          expect((run.failure !== null) === (run.status === 'failed' || run.status === 'expired')).toBe(true);

          if (before.status !== 'active') expect(run).toBe(before);
          if (view.kind === 'screen') {
            expect(run.demand.interactive).toBe(true);
            expect(view).toMatchObject({ screen: run.lastScreen ?? expect.unreachable(), step: run.step });
          }
          const wasStale = stepOff !== 0;
          if (wasStale && screenBefore !== null && run.step === before.step && run.status === 'active') {
            expect(run).toBe(before);
          }
          if (wasStale) {
            expect(tab.asked.slice(askedBefore).every(({ kind }) => kind !== 'verify_password')).toBe(true);
            expect(tab.effects).toEqual([]);
          }
          if (run.status === 'completed' && before.status === 'active') checkProof(tab, world, demand);
        }
        const end = tab.at;
        ends[end] = (ends[end] ?? 0) + 1;
      }),
      { numRuns: 1000 },
    );
  });

  test('the histories reached every kind of end', () => {
    for (const end of [
      'succeeded',
      'identifier',
      'password',
      'consent',
      'denied',
      'expired',
      'login_required',
      'acr_unmet',
    ]) {
      expect([end, (ends[end] ?? 0) > 0]).toEqual([end, true]);
    }
  });
});

/** Judges a success by what the world holds, not by the engine's own rules. */
function checkProof(tab: ReturnType<typeof browser>, world: Outside, demand: Demand): void {
  const { userId, evidence } = tab.run;
  const user = [...world.users.values()].find((entry) => entry.user.userId === userId)?.user;
  const proof = evidence.find(({ method }) => method === 'pwd');
  if (user === undefined || proof === undefined) expect.unreachable('succeeded without a user or a proof');
  else {
    expect(user.enabled).toBe(true);
    expect(proof.at).toBeGreaterThanOrEqual(user.validFrom);
    if (proof.fromSession === true) expect(world.session?.user.userId).toBe(user.userId);
    else {
      expect(proof.at).toBeGreaterThanOrEqual(start);
      expect(world.now - proof.at).toBeLessThan(3_600_000);
      expect(tab.asked.some((asked) => asked.kind === 'verify_password' && asked.username === user.username)).toBe(
        true,
      );
    }
    if (demand.subject !== null) expect<string>(user.userId).toBe(demand.subject);
    if (demand.fresh) expect(proof.at).toBeGreaterThanOrEqual(start);
    if (demand.acr.essential && demand.acr.values.length > 0)
      expect(demand.acr.values).toContain('urn:limen:acr:password');
    if (demand.consent !== null) {
      const consents = world.consents.get(`${user.userId} ${demand.consent.audience}`);
      expect(consents).toEqual(demand.consent.items);
    }
  }
}
