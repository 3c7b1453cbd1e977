import { describe, expect, test } from 'bun:test';
import type { Outcome } from '../../../src/flow/node.ts';
import { allow } from '../../../src/flow/nodes/allow.ts';
import { deny } from '../../../src/flow/nodes/deny.ts';
import { nodeTypes } from '../../../src/flow/nodes/index.ts';
import type { Demand, FailureReason, UserState } from '../../../src/flow/run.ts';
import type { Screen } from '../../../src/flow/screen.ts';
import {
  alice,
  bob,
  browser,
  browserFlow,
  consentDemand,
  minute,
  newRun,
  outside,
  plainDemand,
  published,
  sessionOf,
  start,
} from '../browser.ts';
import { nodeContext } from './context.ts';

const proven = (demand: Partial<Demand> = {}, user: UserState | null = alice, at = start - minute) =>
  allow.enter(nodeContext({ user, evidence: sessionOf(alice, at).evidence, demand: { ...plainDemand, ...demand } }));

describe('allow', () => {
  test('proof that meets the demand: succeeds', () => {
    expect(proven()).toEqual({ kind: 'succeed' });
    expect(proven({ fresh: true }, alice, start)).toEqual({ kind: 'succeed' });
    expect(proven({ acr: { values: ['urn:limen:acr:password'], essential: true } })).toEqual({ kind: 'succeed' });
  });

  const refusals: readonly [string, Outcome<never>, FailureReason][] = [
    ['no user', proven({}, null), 'login_required'],
    ['no evidence', allow.enter(nodeContext({ user: alice })), 'login_required'],
    ['evidence of another user only', proven({}, bob), 'login_required'],
    ['another person is demanded', proven({ subject: bob.userId }), 'login_required'],
    ['older than the run where a fresh one is asked', proven({ fresh: true }), 'login_required'],
    ['older than max age', proven({ maxAgeSeconds: 59 }), 'login_required'],
    ['before valid from', proven({}, { ...alice, validFrom: start }), 'login_required'],
    ['disabled', proven({}, { ...alice, enabled: false }), 'user_disabled'],
    ['an essential class that is not reached', proven({ acr: { values: ['phr'], essential: true } }), 'acr_unmet'],
  ];
  test.each(refusals)('%s: fails', (_, outcome, reason) => {
    expect(outcome).toEqual({ kind: 'fail', reason });
  });
});

describe('allow, where the success is another device’s (RFC 8628 §3.3, §5.4)', () => {
  const device = { userCode: 'BCDF-GHJK', address: '192.0.2.1', agent: 'TV', askedAt: start };
  const demand = { ...plainDemand, consent: { ...consentDemand, assured: true, force: false, device } };
  const context = nodeContext({ user: alice, evidence: sessionOf(alice, start).evidence, demand });
  const { audienceName, logoUri, policyUri, termsUri, items } = consentDemand;
  const screen: Screen = {
    name: 'device',
    username: 'alice',
    audienceName,
    logoUri,
    policyUri,
    termsUri,
    items,
    device,
  };
  const asked: Outcome<never> = { kind: 'challenge', screen, unattended: 'interaction_required' };

  test('asks, and takes only the two words for an answer', () => {
    expect(allow.enter(context)).toEqual(asked);
    expect(allow.submit?.(context, { decision: 'allow' })).toEqual({ kind: 'succeed' });
    expect(allow.submit?.(context, { decision: 'deny' })).toEqual({ kind: 'fail', reason: 'denied' });
    for (const input of [{}, { decision: '' }, { decision: 'Allow' }, { allow: '1' }]) {
      expect(allow.submit?.(context, input)).toEqual(asked);
    }
  });

  test('the demand is judged before the question and again before the answer counts', () => {
    const unmet = { ...context, demand: { ...demand, subject: bob.userId } };
    const failed: Outcome<never> = { kind: 'fail', reason: 'login_required' };
    expect(allow.enter(unmet)).toEqual(failed);
    expect(allow.submit?.(unmet, { decision: 'allow' })).toEqual(failed);
  });

  test('a flow without a consent page asks as well; with one it asks once, whatever was remembered', () => {
    const straight = published({
      start: 'session',
      nodes: {
        session: { type: 'session', config: {}, on: { found: 'allow', none: 'deny' } },
        allow: { type: 'allow', config: {}, on: {} },
        deny: { type: 'deny', config: {}, on: {} },
      },
    });
    for (const flow of [straight, browserFlow]) {
      const world = outside({ session: sessionOf(alice, start - minute) });
      world.consents.set(`${alice.userId} ${consentDemand.audience}`, consentDemand.items);
      const tab = browser(world, newRun(demand, flow), flow);
      tab.visit();
      expect([tab.at, tab.run.node]).toEqual(['device', 'allow']);
      tab.submit({ decision: 'allow' });
      expect(tab.run.status).toBe('completed');
    }
  });
});

describe('deny', () => {
  test.each([{}, { is_failure: false }, { issue: true }])('config %j: denies, whoever is signed in', (config) => {
    const context = { ...nodeContext({ user: alice, evidence: sessionOf(alice, start).evidence }), config };
    expect(deny.enter(context)).toEqual({ kind: 'fail', reason: 'denied' });
  });
});

describe('the registry', () => {
  const types = Object.entries(nodeTypes);

  test.each(types)('%s: keyed by its type, terminal exactly if it has no outputs', (key, node) => {
    expect(node.type).toBe(key);
    expect(node.terminal).toBe(node.outputs.length === 0);
  });

  test.each(types)('%s: takes a submit exactly if it asks the person, an answer exactly if it has needs', (_, node) => {
    expect(node.submit !== undefined).toBe(node.asks);
    expect(node.answer !== undefined).toBe(node.needs.length > 0);
  });
});
