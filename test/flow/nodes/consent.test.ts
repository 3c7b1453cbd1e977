import { describe, expect, test } from 'bun:test';
import type { Outcome } from '../../../src/flow/node.ts';
import { consent } from '../../../src/flow/nodes/consent.ts';
import type { ConsentDemand } from '../../../src/flow/run.ts';
import { alice, consentDemand, plainDemand } from '../browser.ts';
import { nodeContext } from './context.ts';

type Granting = Outcome<'granted' | 'denied'>;

const about = (changes: Partial<ConsentDemand> = {}) =>
  nodeContext({ user: alice, demand: { ...plainDemand, consent: { ...consentDemand, ...changes } } });
const remembered = (items: readonly string[], changes: Partial<ConsentDemand> = {}) =>
  consent.answer?.(about(changes), { kind: 'consent', items });
const page: Granting = {
  kind: 'challenge',
  screen: {
    name: 'consent',
    username: 'alice',
    audienceName: 'Demo',
    logoUri: null,
    policyUri: 'https://rp.example/policy',
    termsUri: null,
    items: ['openid', 'email'],
  },
  unattended: 'consent_required',
};
const granted: Granting = { kind: 'advance', output: 'granted' };

describe('consent', () => {
  test('nothing to consent to: granted without a question', () => {
    expect(consent.enter(nodeContext({ user: alice }))).toEqual(granted);
  });

  test('nobody has signed in: fails, whatever is submitted', () => {
    const context = { ...about(), user: null };
    expect(consent.enter(context)).toEqual({ kind: 'fail', reason: 'login_required' });
    expect(consent.submit?.(context, { decision: 'allow' })).toEqual({ kind: 'fail', reason: 'login_required' });
  });

  test('asks what this person gave to this audience before', () => {
    expect(consent.enter(about())).toEqual({
      kind: 'ask',
      question: { kind: 'consent', userId: alice.userId, audience: 'demo-web' },
    });
  });

  test.each([{ force: true }, { assured: false }])('%j: the page is shown in any case', (changes) => {
    expect(consent.enter(about(changes))).toEqual(page);
  });

  test('remembered items cover what is asked: granted', () => {
    expect(remembered(['email', 'openid', 'phone'])).toEqual(granted);
  });

  test.each([[[]], [['openid']], [['email', 'phone']]])('remembered %j do not cover it: the page', (items) => {
    expect(remembered(items)).toEqual(page);
  });

  test('nothing is asked for: the page, because silence was never given', () => {
    expect(remembered([], { items: [] })).toMatchObject({ kind: 'challenge', screen: { items: [] } });
  });

  test('allow: granted, and remembered for what was asked', () => {
    expect(consent.submit?.(about(), { decision: 'allow' })).toEqual({
      kind: 'advance',
      output: 'granted',
      effects: [{ kind: 'remember_consent', userId: alice.userId, audience: 'demo-web', items: ['openid', 'email'] }],
    });
  });

  test('deny: denied, and nothing is remembered', () => {
    expect(consent.submit?.(about(), { decision: 'deny' })).toEqual({ kind: 'advance', output: 'denied' });
  });

  test.each([{}, { decision: '' }, { decision: 'Allow' }, { decision: 'yes' }, { allow: '1' }, { items: 'all' }])(
    '%j decides nothing: the page again',
    (input) => {
      expect(consent.submit?.(about(), input)).toEqual(page);
    },
  );
});
