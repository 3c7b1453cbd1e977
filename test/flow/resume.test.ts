import { describe, expect, test } from 'bun:test';
import type { Demand } from '../../src/flow/run.ts';
import { proving } from '../../src/flow/transition.ts';
import {
  alice,
  bob,
  browser,
  consentDemand,
  hour,
  minute,
  newRun,
  outside,
  second,
  sessionOf,
  start,
} from './browser.ts';

/** A run that waits at the consent page after a password, or after single sign-on. */
function atConsent(session: ReturnType<typeof sessionOf> | null = null, demand: Partial<Demand> = {}) {
  const world = outside({ session });
  const tab = browser(world, newRun({ consent: consentDemand, ...demand }));
  if (session === null) tab.signIn();
  else tab.visit();
  expect(tab.at).toBe('consent');
  return { world, tab };
}

describe('a run that waited after a password', () => {
  test('for less than an hour: goes on where it was', () => {
    const { world, tab } = atConsent();
    world.now += hour - 1;
    tab.submit({ decision: 'allow' });
    expect(tab.at).toBe('succeeded');
  });

  test('for an hour: starts over with the name filled in; the submitted decision is not looked at', () => {
    const { world, tab } = atConsent();
    world.now += hour;
    expect(tab.submit({ decision: 'allow' })).toMatchObject({
      screen: { name: 'identifier', username: 'alice' },
      stale: true,
    });
    expect(tab.effects).toEqual([]);
    expect(tab.run).toMatchObject({ userId: null, evidence: [] });
    tab.signIn();
    tab.submit({ decision: 'allow' });
    expect(tab.at).toBe('succeeded');
  });

  const lost: readonly [string, Partial<typeof alice> | null][] = [
    ['what was proved is older than valid from', { validFrom: start + 1 }],
    ['the user was disabled', { enabled: false }],
    ['the user was deleted', null],
  ];
  test.each(lost)('%s: starts over', (_, change) => {
    const { world, tab } = atConsent();
    if (change === null) world.users.delete('alice');
    else world.users.set('alice', { user: { ...alice, ...change }, password: 'correct' });
    for (const act of [tab.visit, () => tab.submit({ decision: 'allow' })]) {
      act();
      expect(tab.at).toBe('identifier');
      expect(tab.run.userId).toBeNull();
    }
  });

  test('step numbers go on rising over a start-over: an older form never fits', () => {
    const { world, tab } = atConsent();
    const { step } = tab.run;
    world.now += hour;
    tab.visit();
    expect(tab.run.step).toBe(step + 1);
  });
});

describe('a run that waited after single sign-on', () => {
  test('however long, while the session lives: goes on, though its evidence is hours old', () => {
    const { world, tab } = atConsent(sessionOf(alice, start - 5 * hour));
    world.now += 3 * hour;
    tab.submit({ decision: 'allow' });
    expect(tab.at).toBe('succeeded');
  });

  test('signed out in another tab: starts over, consents to nothing', () => {
    const { world, tab } = atConsent(sessionOf(alice, start - minute));
    world.session = null;
    tab.submit({ decision: 'allow' });
    expect(tab.at).toBe('identifier');
    expect(tab.effects).toEqual([]);
  });

  test('another person signed in meanwhile: the page is theirs, and the decision was not', () => {
    const { world, tab } = atConsent(sessionOf(alice, start - minute));
    world.session = sessionOf(bob, start);
    expect(tab.submit({ decision: 'allow' })).toMatchObject({
      screen: { name: 'consent', username: 'bob' },
      stale: true,
    });
    expect(tab.effects).toEqual([]);
    expect(tab.run.userId).toBe(bob.userId);
  });

  test('the session became too old for max age: a password is asked now, not refused at the end', () => {
    const { world, tab } = atConsent(sessionOf(alice, start - minute), { maxAgeSeconds: 90 });
    world.now += 31 * second;
    tab.submit({ decision: 'allow' });
    expect(tab.view).toMatchObject({ screen: { name: 'identifier', username: 'alice' } });
    tab.signIn();
    tab.submit({ decision: 'allow' });
    expect(tab.at).toBe('succeeded');
  });

  test('a reload asks the session again and shows the same page', () => {
    const { tab } = atConsent(sessionOf(alice, start - minute));
    const { run, view } = tab;
    expect(tab.visit()).toEqual(view ?? expect.unreachable());
    expect(tab.run).toBe(run);
  });
});

describe('evidence of two people never mixes', () => {
  test('of another user than before, nothing is kept; of the same user, the newest of each method', () => {
    const of = (method: string, user: typeof alice, at: number) => ({ method, userId: user.userId, at });
    const before = { ...newRun(), userId: alice.userId, evidence: [of('pwd', alice, 1), of('otp', alice, 2)] };
    expect(proving(before, bob, [of('pwd', bob, 3)]).evidence).toEqual([of('pwd', bob, 3)]);
    expect(proving(before, alice, [of('pwd', alice, 3)]).evidence).toEqual([of('pwd', alice, 3), of('otp', alice, 2)]);
  });

  test('bob proves himself after alice: only his evidence is left', () => {
    const { world, tab } = atConsent(sessionOf(alice, start - minute));
    world.session = null;
    tab.visit();
    tab.signIn('bob', 'horse');
    expect(tab.run.userId).toBe(bob.userId);
    expect(tab.run.evidence).toEqual([{ method: 'pwd', userId: bob.userId, at: start }]);
  });
});
