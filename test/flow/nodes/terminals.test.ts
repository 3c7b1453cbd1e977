import { describe, expect, test } from 'bun:test';
import type { Outcome } from '../../../src/flow/node.ts';
import { allow } from '../../../src/flow/nodes/allow.ts';
import { deny } from '../../../src/flow/nodes/deny.ts';
import { nodeTypes } from '../../../src/flow/nodes/index.ts';
import type { Demand, FailureReason, UserState } from '../../../src/flow/run.ts';
import { alice, bob, minute, plainDemand, sessionOf, start } from '../browser.ts';
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
