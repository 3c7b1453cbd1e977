import { describe, expect, test } from 'bun:test';
import { Type } from '@sinclair/typebox';
import { validateDefinition } from '../../src/flow/definition.ts';
import { restart, step } from '../../src/flow/engine.ts';
import { maximumHops } from '../../src/flow/follow.ts';
import { nodeTypes } from '../../src/flow/index.ts';
import { type Answer, defineNode } from '../../src/flow/node.ts';
import { allow } from '../../src/flow/nodes/allow.ts';
import type { Demand, FailureReason, Run } from '../../src/flow/run.ts';
import type { Step } from '../../src/flow/step.ts';
import {
  alice,
  bob,
  browser,
  browserFlow,
  consentDemand,
  day,
  minute,
  newRun,
  outside,
  published,
  sessionOf,
  start,
} from './browser.ts';

const keysSorted = (run: Run): Run => {
  const sorted = (_: string, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([left], [right]) => right.length - left.length))
      : value;
  return JSON.parse(JSON.stringify(run, sorted));
};

const context = { now: start, registry: nodeTypes, user: null };

describe('a sign-in by name and password', () => {
  test('identifier, password, done: evidence of the password, auth time when it was verified', () => {
    const world = outside();
    const tab = browser(world);
    expect(tab.visit()).toEqual({
      kind: 'screen',
      screen: { name: 'identifier', username: '', fault: null },
      step: 1,
      stale: false,
    });
    expect(tab.submit({ username: 'alice' })).toMatchObject({
      screen: { name: 'password', username: 'alice' },
      step: 2,
    });
    world.now += 5000;
    expect(tab.submit({ password: 'correct' })).toEqual({
      kind: 'succeeded',
      userId: alice.userId,
      evidence: [{ method: 'pwd', userId: alice.userId, at: start + 5000 }],
    });
    expect(tab.run.status).toBe('completed');
  });

  test('wrong, then right: the same page with a new step, then done', () => {
    const tab = browser(outside());
    tab.signIn('alice', 'wrong');
    expect(tab.view).toMatchObject({ screen: { name: 'password', username: 'alice', fault: 'refused' }, step: 3 });
    tab.submit({ password: 'correct' });
    expect(tab.at).toBe('succeeded');
  });

  test('unknown name and wrong password look the same', () => {
    const [known, unknown] = ['alice', 'nobody'].map((name) => {
      const tab = browser(outside());
      tab.signIn(name, 'wrong');
      return JSON.stringify(tab.view).replace(name, '');
    });
    expect(known).toBe(unknown);
  });

  test('change of account: back to the name, which is filled in, and on with another', () => {
    const tab = browser(outside());
    tab.visit();
    tab.submit({ username: 'alice' });
    expect(tab.submit({ change_account: '1' })).toMatchObject({ screen: { name: 'identifier', username: 'alice' } });
    tab.submit({ username: 'bob' });
    expect(tab.view).toMatchObject({ screen: { name: 'password', username: 'bob' } });
    expect(tab.submit({ password: 'horse' })).toMatchObject({ kind: 'succeeded', userId: bob.userId });
  });

  test('the newest name counts, also after a store that sorts the keys of every object, as jsonb does', () => {
    const world = outside({ session: sessionOf(alice, start - 1) });
    const tab = browser(world, newRun({ fresh: true }));
    tab.visit();
    tab.submit({ username: 'bob' });
    expect(tab.run.state.map(({ node }) => node)).toEqual(['session', 'identifier']);
    const later = browser(world, keysSorted(tab.run));
    expect(later.submit({ password: '' })).toMatchObject({ screen: { name: 'password', username: 'bob' }, step: 3 });
  });

  test('the password is nowhere in the run, the view or the trace', () => {
    const tab = browser(outside());
    tab.signIn('alice', 'hunter2-secret');
    expect(JSON.stringify([tab.run, tab.view, tab.asked])).not.toContain('hunter2');
  });
});

describe('single sign-on', () => {
  test('a good session: done at once, without a page, and the evidence says that it was lent', () => {
    const tab = browser(outside({ session: sessionOf(alice, start - day) }));
    expect(tab.visit()).toEqual({
      kind: 'succeeded',
      userId: alice.userId,
      evidence: [{ method: 'pwd', userId: alice.userId, at: start - day, fromSession: true }],
    });
    expect(tab.run.step).toBe(0);
  });

  test('fresh sign-in asked: name filled in, password asked, the new evidence replaces the old', () => {
    const tab = browser(outside({ session: sessionOf(alice, start - 1) }), newRun({ fresh: true }));
    expect(tab.visit()).toMatchObject({ screen: { name: 'identifier', username: 'alice' } });
    expect(tab.signIn()).toMatchObject({ kind: 'succeeded', evidence: [{ at: start }] });
  });

  test('remembered consent: done at once; else the page, and the answer is remembered', () => {
    const world = outside({ session: sessionOf(alice, start - 1) });
    const demand = { consent: consentDemand };
    const first = browser(world, newRun(demand));
    first.visit();
    expect(first.at).toBe('consent');
    first.submit({ decision: 'allow' });
    expect(first.at).toBe('succeeded');
    expect(first.effects).toEqual([
      { kind: 'remember_consent', userId: alice.userId, audience: 'demo-web', items: ['openid', 'email'] },
    ]);
    const second = browser(world, newRun(demand));
    second.visit();
    expect(second.at).toBe('succeeded');
    expect(second.effects).toEqual([]);
  });
});

describe('no page may be shown', () => {
  const session = sessionOf(alice, start - 1);
  const cases: readonly [string, boolean, Partial<Demand>, FailureReason | 'succeeded'][] = [
    ['signed in', true, {}, 'succeeded'],
    ['not signed in', false, {}, 'login_required'],
    ['not fresh', true, { fresh: true }, 'login_required'],
    ['another subject', true, { subject: bob.userId }, 'login_required'],
    ['account to be chosen', true, { selectAccount: true }, 'account_selection_required'],
    ['consent missing', true, { consent: consentDemand }, 'consent_required'],
  ];
  test.each(cases)('%s', (_, signedIn, demand, end) => {
    const tab = browser(outside({ session: signedIn ? session : null }), newRun({ ...demand, interactive: false }));
    tab.visit();
    expect(tab.at).toBe(end);
    expect(tab.run.step).toBe(0);
  });
});

describe('submits', () => {
  test('a stale one shows the current screen and changes nothing', () => {
    const tab = browser(outside());
    tab.visit();
    tab.submit({ username: 'alice' });
    const before = tab.run;
    for (const other of [1, 3, -1, 0, Number.NaN]) {
      expect(tab.submit({ password: 'correct' }, other)).toEqual({
        kind: 'screen',
        screen: { name: 'password', username: 'alice', fault: null },
        step: 2,
        stale: true,
      });
      expect(tab.run).toBe(before);
    }
  });

  test('a doubled one does nothing the second time', () => {
    const tab = browser(outside());
    tab.signIn('alice', 'wrong');
    const verified = tab.asked.length;
    tab.submit({ password: 'wrong' }, 2);
    expect(tab.asked.length).toBe(verified);
    expect(tab.view).toMatchObject({ stale: true, step: 3 });
  });

  test('to a run that was never entered: enters it, and nothing is taken from the form', () => {
    const tab = browser(outside());
    expect(tab.submit({ username: 'alice' }, 0)).toMatchObject({
      screen: { name: 'identifier', username: '' },
      stale: true,
    });
  });

  test('a reload shows the same screen, fault included, and changes nothing', () => {
    const tab = browser(outside());
    tab.signIn('alice', 'wrong');
    const { run, view } = tab;
    expect(tab.visit()).toEqual(view ?? expect.unreachable());
    expect(tab.run).toBe(run);
  });
});

describe('the end', () => {
  test('of a completed run stays whatever comes', () => {
    const world = outside();
    const tab = browser(world);
    const done = tab.signIn();
    const { run } = tab;
    world.now += 2 * day;
    world.users.clear();
    expect(tab.visit()).toEqual(done);
    expect(tab.submit({ decision: 'deny' })).toEqual(done);
    expect(tab.run).toBe(run);
  });

  test('of a failed run stays whatever comes', () => {
    const tab = browser(outside(), newRun({ interactive: false }));
    const failed = tab.visit();
    expect(failed).toEqual({ kind: 'failed', reason: 'login_required' });
    expect(tab.submit({ username: 'alice' })).toEqual(failed);
    expect(tab.run).toMatchObject({ status: 'failed', failure: 'login_required' });
  });

  test('at its expiry a run ends as expired; a millisecond before it does not', () => {
    const world = outside();
    const tab = browser(world);
    tab.visit();
    world.now = start + day - 1;
    tab.visit();
    expect(tab.at).toBe('identifier');
    world.now += 1;
    expect(tab.submit({ username: 'alice' })).toEqual({ kind: 'failed', reason: 'expired' });
    expect(tab.run).toMatchObject({ status: 'expired', failure: 'expired' });
    world.now = start;
    tab.visit();
    expect(tab.at).toBe('expired');
  });

  test('a lent session is judged by the name that the audience has for its person, at every visit', () => {
    const world = outside({ session: sessionOf(alice, start - minute) });
    const run = newRun({ subject: 'alice, as they say', consent: consentDemand });
    const visit = (at: Run, names: { readonly [userId: string]: string }) => {
      const context = { now: start, registry: nodeTypes, user: alice, subjectOf: (id: string) => names[id] ?? id };
      let moved = step(at, browserFlow, { kind: 'visit' }, at.userId === null ? { ...context, user: null } : context);
      while (moved.view.kind === 'question') {
        const { question, pending } = moved.view;
        const answer: Answer =
          question.kind === 'session' ? { kind: 'session', session: world.session } : { kind: 'consent', items: [] };
        moved = step(moved.run, browserFlow, { kind: 'answer', pending, answer }, context);
      }
      return moved;
    };
    const shown = visit(run, { [alice.userId]: 'alice, as they say' });
    expect(shown.view).toMatchObject({ screen: { name: 'consent' } });
    expect(visit(shown.run, { [alice.userId]: 'alice, as they say' }).run).toEqual(shown.run);
    expect(visit(shown.run, {}).view).toMatchObject({ screen: { name: 'identifier' } });
    expect(visit(run, {}).view).toMatchObject({ screen: { name: 'identifier' } });
  });

  test('another person than demanded signs in: login_required', () => {
    const tab = browser(outside(), newRun({ subject: bob.userId }));
    tab.signIn();
    expect(tab.at).toBe('login_required');
  });

  test('an essential class that a password does not reach: acr_unmet', () => {
    const tab = browser(outside(), newRun({ acr: { values: ['phr'], essential: true } }));
    tab.signIn();
    expect(tab.at).toBe('acr_unmet');
  });
});

describe('bounds', () => {
  test('round and round without a page: ends after so many nodes, and none of the effects is applied', () => {
    let entered = 0;
    const passing = defineNode({
      type: 'passing',
      summary: 'For this test.',
      config: Type.Object({}),
      outputs: ['on', 'end'],
      terminal: false,
      asks: true,
      needs: [],
      enter: () => {
        entered += 1;
        return { kind: 'advance', output: 'on', effects: [{ kind: 'audit', event: 'passed', detail: {} }] };
      },
    });
    const registry = { ...nodeTypes, passing };
    const nodes = {
      passing: { type: 'passing', config: {}, on: { on: 'passing', end: 'deny' } },
      deny: { type: 'deny', config: {}, on: {} },
    };
    const circle = validateDefinition({ start: 'passing', nodes }, registry);
    if (!circle.ok) throw new Error('invalid');
    const result = step(newRun({}, circle.value), circle.value, { kind: 'visit' }, { ...context, registry });
    expect(result).toMatchObject({ effects: [], view: { kind: 'failed', reason: 'too_many_hops' } });
    expect(entered).toBe(maximumHops + 1);
  });

  test('the default registry, wired in a circle that may ask but does not: too_many_hops', () => {
    const circle = published({
      start: 'consent',
      nodes: {
        consent: { type: 'consent', config: {}, on: { granted: 'consent', denied: 'deny' } },
        deny: { type: 'deny', config: {}, on: {} },
      },
    });
    const tab = browser(outside(), newRun({}, circle), circle);
    tab.visit();
    expect(tab.at).toBe('too_many_hops');
  });

  test('round and round by way of questions is bounded all the same', () => {
    const asking = defineNode({
      type: 'asking',
      summary: 'For this test.',
      config: Type.Object({}),
      outputs: ['on'],
      terminal: false,
      asks: true,
      needs: ['session'],
      enter: () => ({ kind: 'ask', question: { kind: 'session' } }),
      answer: () => ({ kind: 'ask', question: { kind: 'session' } }),
    });
    const registry = { ...nodeTypes, asking };
    const valid = validateDefinition(
      {
        start: 'asking',
        nodes: {
          asking: { type: 'asking', config: {}, on: { on: 'deny' } },
          deny: { type: 'deny', config: {}, on: {} },
        },
      },
      registry,
    );
    if (!valid.ok) throw new Error('invalid');
    let result: Step = step(newRun({}, valid.value), valid.value, { kind: 'visit' }, { ...context, registry });
    let questions = 0;
    while (result.view.kind === 'question' && questions <= 2 * maximumHops) {
      questions += 1;
      const { pending } = result.view;
      const answer = { kind: 'session', session: null } as const;
      result = step(result.run, valid.value, { kind: 'answer', pending, answer }, { ...context, registry });
    }
    expect(result.view).toEqual({ kind: 'failed', reason: 'too_many_hops' });
    expect(questions).toBe(maximumHops);
  });

  test('the trace keeps the 50 newest entries', () => {
    const tab = browser(outside());
    tab.visit();
    for (let index = 0; index < 70; index += 1) tab.submit({ username: '' });
    expect(tab.run.trace.length).toBe(50);
    expect(tab.run.trace.at(-1)?.outcome).toBe('challenge username_missing');
  });
});

describe('a bug is loud', () => {
  const asked = step(newRun(), browserFlow, { kind: 'visit' }, context);
  const pending = asked.view.kind === 'question' ? asked.view.pending : expect.unreachable();

  test('an answer to another question throws', () => {
    const answer = { kind: 'consent', items: [] } as const;
    expect(() => step(asked.run, browserFlow, { kind: 'answer', pending, answer }, context)).toThrow(
      'asked was "session"',
    );
  });

  test('an answer for another node, or for an ended run, throws', () => {
    const event = { kind: 'answer', pending, answer: { kind: 'session', session: null } } as const;
    expect(() => step({ ...asked.run, node: 'password' }, browserFlow, event, context)).toThrow('unreachable');
    const ended = { ...asked.run, status: 'failed' as const, failure: 'denied' as const };
    expect(() => step(ended, browserFlow, event, context)).toThrow('unreachable');
  });

  test("another user's state throws", () => {
    const tab = browser(outside(), newRun({ consent: consentDemand }));
    tab.signIn();
    expect(() => step(tab.run, browserFlow, { kind: 'visit' }, { ...context, user: bob })).toThrow("another user's");
  });

  test('a run of another definition throws', () => {
    expect(() => step({ ...newRun(), node: 'totp' }, browserFlow, { kind: 'visit' }, context)).toThrow(
      'no node "totp"',
    );
  });

  test('a stored run that names a user without evidence cannot succeed', () => {
    const careless = defineNode({ ...allow, type: 'careless', enter: () => ({ kind: 'succeed' }) });
    const registry = { ...nodeTypes, careless };
    const only = { start: 'end', nodes: { end: { type: 'careless', config: {}, on: {} } } };
    const valid = validateDefinition(only, registry);
    if (!valid.ok) throw new Error('invalid');
    const forged = { ...newRun({}, valid.value), userId: alice.userId };
    const asAlice = { ...context, registry, user: alice };
    expect(() => step(forged, valid.value, { kind: 'visit' }, asAlice)).toThrow('without evidence');
  });

  const rogues = {
    'succeeds without evidence': () => ({ kind: 'succeed' }) as const,
    'names a user without evidence': () => ({ kind: 'advance', output: 'on', user: alice }) as const,
    "gives another user's evidence": () =>
      ({ kind: 'advance', output: 'on', user: alice, evidence: sessionOf(bob, start).evidence }) as const,
    'gives evidence without a user': () =>
      ({ kind: 'advance', output: 'on', evidence: sessionOf(bob, start).evidence }) as const,
    'leaves by an output that it does not have': () => ({ kind: 'advance', output: 'off' }) as const,
    'asks what it does not declare': () => ({ kind: 'ask', question: { kind: 'session' } }) as const,
  };
  test.each(Object.entries(rogues))('a node that %s throws', (_, enter) => {
    const rogue = defineNode({
      type: 'rogue',
      summary: 'For this test.',
      config: Type.Object({}),
      outputs: ['on', 'off'],
      terminal: false,
      asks: true,
      needs: [],
      enter,
    });
    const registry = { ...nodeTypes, rogue };
    const valid = validateDefinition(
      {
        start: 'rogue',
        nodes: {
          rogue: { type: 'rogue', config: {}, on: { on: 'deny', off: 'deny' } },
          deny: { type: 'deny', config: {}, on: {} },
        },
      },
      registry,
    );
    if (!valid.ok) throw new Error('invalid');
    // What no published definition has: an output that leads nowhere.
    const unwired = { type: 'rogue', config: {}, on: { on: 'deny' } };
    const definition = { ...valid.value, nodes: { ...valid.value.nodes, rogue: unwired } };
    expect(() => step(newRun({}, definition), definition, { kind: 'visit' }, { ...context, registry })).toThrow(
      'unreachable',
    );
  });
});

describe('restart', () => {
  test('on a newer version: at its start, nothing proved, what was typed kept, the step not lower', () => {
    const tab = browser(outside(), newRun({ consent: consentDemand }));
    tab.signIn();
    const again = restart(tab.run, browserFlow, 'newer', start + 1);
    expect(again).toMatchObject({
      node: 'session',
      flowVersionId: 'newer',
      userId: null,
      evidence: [],
      step: tab.run.step,
    });
    expect(again.lastScreen).toBeNull();
    expect(again.state).toEqual([{ node: 'identifier', kept: { username: 'alice' } }]);
  });

  test('an ended run does not begin again', () => {
    const tab = browser(outside());
    tab.signIn();
    expect(() => restart(tab.run, browserFlow, 'newer', start)).toThrow('cannot start over');
  });
});
