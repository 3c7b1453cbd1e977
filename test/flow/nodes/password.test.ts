import { describe, expect, test } from 'bun:test';
import { Secret } from '../../../src/core/secret.ts';
import type { Answer, Outcome } from '../../../src/flow/node.ts';
import { password } from '../../../src/flow/nodes/password.ts';
import type { Screen } from '../../../src/flow/screen.ts';
import { alice, start } from '../browser.ts';
import { nodeContext } from './context.ts';

type Fault = Extract<Screen, { name: 'password' }>['fault'];

const named = nodeContext({ seen: (key) => (key === 'username' ? 'alice' : undefined) });
const screen = (fault: Fault): Outcome<'verified' | 'change_account'> => ({
  kind: 'challenge',
  screen: { name: 'password', username: 'alice', fault },
  unattended: 'login_required',
});
const verdict = (value: Extract<Answer, { kind: 'verify_password' }>['verdict']) =>
  password.answer?.(named, { kind: 'verify_password', verdict: value });

describe('password', () => {
  test('asks for the password of the name given before', () => {
    expect(password.enter(named)).toEqual(screen(null));
  });

  test.each([{}, { password: '' }])('%j: asks again and says that it is missing', (input) => {
    expect(password.submit?.(named, input)).toEqual(screen('password_missing'));
  });

  test('typed: asks the edge to verify it, exactly as typed, in a form that nothing prints', () => {
    const outcome = password.submit?.(named, { password: ' p\u212bss ' });
    expect(outcome).toMatchObject({ kind: 'ask', question: { kind: 'verify_password', username: 'alice' } });
    if (outcome?.kind !== 'ask' || outcome.question.kind !== 'verify_password') throw new Error('no question');
    expect(outcome.question.password).toBeInstanceOf(Secret);
    expect(outcome.question.password.reveal()).toBe(' p\u212bss ');
    expect(JSON.stringify(outcome)).not.toContain('ss ');
  });

  test('the name comes from the run, never from this form', () => {
    expect(password.submit?.(named, { username: 'bob', password: 'x' })).toMatchObject({
      question: { username: 'alice' },
    });
  });

  test('accepted: verified, with pwd evidence from when it was verified', () => {
    expect(verdict({ kind: 'accepted', user: alice, at: start + 5 })).toEqual({
      kind: 'advance',
      output: 'verified',
      user: alice,
      evidence: [{ method: 'pwd', userId: alice.userId, at: start + 5 }],
    });
  });

  test('refused, or accepted for a disabled account: the same page with the same words', () => {
    const refused = verdict({ kind: 'refused' });
    expect(refused).toEqual(screen('refused'));
    expect(verdict({ kind: 'accepted', user: { ...alice, enabled: false }, at: start })).toEqual(screen('refused'));
  });

  test('busy: says so', () => {
    expect(verdict({ kind: 'busy', retryAfterSeconds: 3 })).toEqual(screen('busy'));
  });

  test.each([{ change_account: '' }, { change_account: '1', password: 'correct' }])(
    '%j: back to the account, and no password is tried',
    (input) => {
      expect(password.submit?.(named, input)).toEqual({ kind: 'advance', output: 'change_account' });
    },
  );

  test('no account was named before: back to where one is', () => {
    expect(password.enter(nodeContext())).toEqual({ kind: 'advance', output: 'change_account' });
    expect(password.submit?.(nodeContext(), { password: 'x' })).toEqual({ kind: 'advance', output: 'change_account' });
  });
});
