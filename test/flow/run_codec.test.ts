import { describe, expect, test } from 'bun:test';
import { decodeRun, encodeRun } from '../../src/flow/index.ts';
import type { Run } from '../../src/flow/run.ts';
import { alice, bob, browser, consentDemand, newRun, outside, plainDemand, sessionOf, start } from './browser.ts';

const full = {
  ...plainDemand,
  hint: 'alice@example.com',
  maxAgeSeconds: 3600,
  subject: alice.userId,
  acr: { values: ['urn:limen:acr:password'], essential: true },
  consent: { ...consentDemand, logoUri: 'https://rp.example/logo.png', items: ['openid', 'profile', 'email', 'phone'] },
};

const back = (run: Run) => decodeRun(encodeRun(run));

describe('encodeRun and decodeRun', () => {
  test('a run at each of its stations comes back as it was', () => {
    const world = outside();
    const tab = browser(world, newRun({ consent: consentDemand }));
    const stations: Run[] = [tab.run];
    const note = () => stations.push(tab.run);
    tab.visit();
    note();
    tab.submit({ username: 'alice' });
    note();
    world.now += 1234;
    tab.submit({ password: 'wrong' });
    note();
    tab.submit({ password: 'correct' });
    note();
    tab.submit({ decision: 'deny' });
    note();
    expect(stations.map(({ status }) => status).at(-1)).toBe('failed');
    for (const run of stations) expect(back(run)).toEqual({ ok: true, value: run });
  });

  test('a full demand and lent evidence come back as they were', () => {
    const tab = browser(outside({ session: sessionOf(alice, start - 1) }), newRun(full));
    tab.visit();
    expect(tab.at).toBe('consent');
    expect(tab.run.evidence[0]?.fromSession).toBe(true);
    expect(back(tab.run)).toEqual({ ok: true, value: tab.run });
  });

  test('what a device asks for comes back as it was, at its page too', () => {
    const device = { userCode: 'BCDF-GHJK', address: null, agent: 'TV "9"', askedAt: start - 5000 };
    const tab = browser(
      outside({ session: sessionOf(alice, start - 1) }),
      newRun({ ...full, consent: { ...full.consent, device } }),
    );
    expect(back(tab.run)).toEqual({ ok: true, value: tab.run });
    tab.visit();
    expect(tab.at).toBe('device');
    expect(back(tab.run)).toEqual({ ok: true, value: tab.run });
  });

  test('small: at the password page with everything asked under 1 KB, after 60 wrong passwords under 2 KB', () => {
    const tab = browser(outside(), newRun(full));
    tab.visit();
    tab.submit({ username: 'alice@example.com' });
    expect(Buffer.byteLength(encodeRun(tab.run))).toBeLessThan(1024);
    for (let index = 0; index < 60; index += 1) tab.submit({ password: 'wrong' });
    expect(Buffer.byteLength(encodeRun(tab.run))).toBeLessThan(2048);
    expect(back(tab.run)).toEqual({ ok: true, value: tab.run });
  });

  const valid = encodeRun(newRun(full));
  const parts = (): unknown[] => JSON.parse(valid);
  const without = (index: number, value: unknown) => JSON.stringify(parts().with(index, value));
  const broken: readonly [string, string][] = [
    ['nothing', ''],
    ['no JSON', '[1,'],
    ['an object', '{}'],
    ['another version', without(0, 2)],
    ['one part less', JSON.stringify(parts().slice(0, -1))],
    ['an unknown status', without(2, ['session', 0, 'done', null])],
    ['an unknown failure', without(2, ['session', 0, 'failed', 'tired'])],
    ['a negative step', without(2, ['session', -1, 'active', null])],
    ['evidence of nobody', without(3, [null, [['pwd', 0, false]]])],
    ['an unknown screen', without(5, { name: 'totp', username: 'alice' })],
    ['a screen with a field too many', without(5, { name: 'identifier', username: '', fault: null, user: 'x' })],
    [
      'a trace that breaks off',
      without(8, [
        ['session', 'found'],
        [0, 0],
      ]),
    ],
    ['a trace that points nowhere', without(8, [['session'], [0, 0, 7]])],
    ['a trace that points before the list', without(8, [['session'], [0, -1, 0]])],
  ];
  test.each(broken)('%s: malformed', (_, text) => {
    expect(decodeRun(text)).toEqual({ ok: false, error: 'malformed' });
  });

  test("evidence of another than the run's user is a bug", () => {
    const { evidence } = sessionOf(bob, start);
    expect(() => encodeRun({ ...newRun(), userId: alice.userId, evidence })).toThrow('another user');
  });
});
