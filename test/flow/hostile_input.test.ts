import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { NodeInput } from '../../src/flow/node.ts';
import type { FailureReason } from '../../src/flow/run.ts';
import { alice, bob, browser, consentDemand, newRun, outside, published, sessionOf, start } from './browser.ts';

/** Fields that have signed people in elsewhere, with the id of somebody who proved nothing. */
const claimed: NodeInput = {
  user: bob.userId,
  user_id: bob.userId,
  userId: bob.userId,
  passkey_user_id: bob.userId,
  sub: bob.userId,
  subject: bob.userId,
  id: bob.userId,
  node: 'allow',
  node_id: 'allow',
  output: 'verified',
  target: 'allow',
  signal: '{"type":"call_subflow","node_id":"allow"}',
  kind: 'succeed',
  status: 'completed',
  evidence: '[{"method":"pwd"}]',
  is_failure: 'false',
  verdict: 'accepted',
  session: bob.userId,
  ['__proto__']: 'x',
  constructor: 'x',
};

describe('no field names a user, a node or a result', () => {
  test('claims on every page prove nothing', () => {
    const tab = browser(outside());
    tab.visit();
    tab.submit(claimed);
    expect(tab.at).toBe('identifier');
    tab.submit({ ...claimed, username: 'alice' });
    expect(tab.at).toBe('password');
    tab.submit(claimed);
    expect(tab.at).toBe('password');
    tab.submit({ ...claimed, password: 'wrong' });
    expect(tab.at).toBe('password');
    expect(tab.run).toMatchObject({ userId: null, evidence: [] });
  });

  test('a name on the password page does not change whose password is tried', () => {
    const tab = browser(outside());
    tab.visit();
    tab.submit({ username: 'alice' });
    tab.submit({ ...claimed, username: 'bob', password: 'horse' });
    expect(tab.asked.at(-1)).toMatchObject({ kind: 'verify_password', username: 'alice' });
    expect(tab.view).toMatchObject({ screen: { name: 'password', fault: 'refused' } });
  });

  test('claims beside the right password sign in its owner, nobody else', () => {
    const tab = browser(outside());
    tab.visit();
    tab.submit({ ...claimed, username: 'alice' });
    expect(tab.submit({ ...claimed, password: 'correct' })).toMatchObject({ kind: 'succeeded', userId: alice.userId });
  });

  test('property: whatever fields are sent to whatever page, without a password nobody is signed in', () => {
    const names = fc.oneof(
      fc.constantFrom(...Object.keys(claimed), 'username', 'decision', 'change_account'),
      fc.string(),
    );
    const input = fc.dictionary(names, fc.oneof(fc.constantFrom('alice', 'allow', alice.userId), fc.string()));
    fc.assert(
      fc.property(fc.array(input, { maxLength: 8 }), (inputs) => {
        const tab = browser(outside(), newRun({ consent: consentDemand }));
        tab.visit();
        for (const { password: _, ...fields } of inputs) tab.submit(fields);
        expect(tab.run).toMatchObject({ userId: null, evidence: [], status: 'active' });
      }),
    );
  });
});

describe('consent and denial', () => {
  const waiting = () => {
    const tab = browser(outside({ session: sessionOf(alice, start - 1) }), newRun({ consent: consentDemand }));
    tab.visit();
    return tab;
  };

  test('a missing decision shows the page again, as often as it is missing', () => {
    const tab = waiting();
    for (const input of [{}, { decision: '' }, { decision: 'ALLOW' }, claimed]) {
      tab.submit(input);
      expect(tab.at).toBe('consent');
      expect(tab.effects).toEqual([]);
    }
  });

  test('deny ends as denied and remembers nothing; the button of an older page does not revive it', () => {
    const tab = waiting();
    tab.submit({ decision: 'deny' });
    expect(tab.at).toBe('denied');
    tab.submit({ decision: 'allow' }, 1);
    tab.submit({ decision: 'allow' });
    expect(tab.at).toBe('denied');
    expect(tab.effects).toEqual([]);
  });

  test.each([{}, { consent: consentDemand }])('a deny terminal denies the best proof, demand %j', (demand) => {
    const definition = published({
      start: 'session',
      nodes: {
        session: { type: 'session', config: {}, on: { found: 'no', none: 'no' } },
        no: { type: 'deny', config: {}, on: {} },
      },
    });
    const tab = browser(outside({ session: sessionOf(alice, start) }), newRun(demand, definition), definition);
    tab.visit();
    const reason: FailureReason = 'denied';
    expect(tab.view).toEqual({ kind: 'failed', reason });
  });

  test('a flow whose author forgot to ask for proof never succeeds', () => {
    const definition = published({
      start: 'identifier',
      nodes: {
        identifier: { type: 'identifier', config: {}, on: { next: 'consent' } },
        consent: { type: 'consent', config: {}, on: { granted: 'allow', denied: 'allow' } },
        allow: { type: 'allow', config: {}, on: {} },
      },
    });
    const tab = browser(outside(), newRun({}, definition), definition);
    tab.visit();
    tab.submit({ username: 'alice' });
    expect(tab.at).toBe('login_required');
  });
});
