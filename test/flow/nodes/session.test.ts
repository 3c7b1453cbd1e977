import { describe, expect, test } from 'bun:test';
import type { SessionAnswer } from '../../../src/flow/node.ts';
import { session } from '../../../src/flow/nodes/session.ts';
import type { Demand, UserState } from '../../../src/flow/run.ts';
import { alice, bob, minute, plainDemand, second, sessionOf, start } from '../browser.ts';
import { nodeContext } from './context.ts';

const judge = (answer: SessionAnswer | null, demand: Partial<Demand> = {}) =>
  session.answer?.(nodeContext({ demand: { ...plainDemand, ...demand } }), { kind: 'session', session: answer });

const tenMinutesOld = sessionOf(alice, start - 10 * minute);
const changed = (changes: Partial<UserState>) => ({ ...tenMinutesOld, user: { ...alice, ...changes } });
const password = { values: ['urn:limen:acr:password'], essential: true };

describe('session', () => {
  test('asks for the browser session', () => {
    expect(session.enter(nodeContext())).toEqual({ kind: 'ask', question: { kind: 'session' } });
  });

  test('another account may be chosen: neither asks nor suggests the signed-in name', () => {
    const context = nodeContext({ demand: { ...plainDemand, selectAccount: true } });
    expect(session.enter(context)).toEqual({ kind: 'advance', output: 'none' });
  });

  test('good session: found, its evidence marked as lent', () => {
    expect(judge(tenMinutesOld)).toEqual({
      kind: 'advance',
      output: 'found',
      user: alice,
      evidence: [{ method: 'pwd', userId: alice.userId, at: start - 10 * minute, fromSession: true }],
    });
  });

  test('what does not count is not passed on beside what does', () => {
    const good = { method: 'pwd', userId: alice.userId, at: start - second };
    const foreign = { method: 'otp', userId: bob.userId, at: start - second };
    const old = { method: 'hwk', userId: alice.userId, at: start - 2 * minute };
    expect(judge({ user: { ...alice, validFrom: start - minute }, evidence: [old, foreign, good] })).toMatchObject({
      output: 'found',
      evidence: [{ ...good, fromSession: true }],
    });
  });

  test('no session: none, without a name', () => {
    expect(judge(null)).toEqual({ kind: 'advance', output: 'none' });
  });

  const insufficient: readonly [string, SessionAnswer, Partial<Demand>][] = [
    ['a fresh sign-in is asked', tenMinutesOld, { fresh: true }],
    ['older than max age', tenMinutesOld, { maxAgeSeconds: 599 }],
    ['max age 0', sessionOf(alice, start - 1), { maxAgeSeconds: 0 }],
    ['an essential class it does not reach', tenMinutesOld, { acr: { values: ['phr'], essential: true } }],
    ['the user is disabled', changed({ enabled: false }), {}],
    ['made before valid from', changed({ validFrom: start - minute }), {}],
    ['no evidence in it', { user: alice, evidence: [] }, {}],
    ['evidence of another user in it', { user: alice, evidence: sessionOf(bob, start - second).evidence }, {}],
  ];
  test.each(insufficient)('%s: none, and the name is kept for the next sign-in', (_, answer, demand) => {
    expect(judge(answer, demand)).toEqual({ kind: 'advance', output: 'none', keep: { username: 'alice' } });
  });

  test('another person is demanded: none, and the wrong name is not suggested', () => {
    expect(judge(tenMinutesOld, { subject: bob.userId })).toEqual({ kind: 'advance', output: 'none', keep: {} });
  });

  test('the person is demanded by the name that the audience has for them, not by their id', () => {
    const judgeAs = (subject: string) =>
      session.answer?.(nodeContext({ demand: { ...plainDemand, subject }, subjectOf: (userId) => `x-${userId}` }), {
        kind: 'session',
        session: tenMinutesOld,
      });
    expect(judgeAs(`x-${alice.userId}`)).toMatchObject({ output: 'found' });
    expect(judgeAs(alice.userId)).toEqual({ kind: 'advance', output: 'none', keep: {} });
  });

  const sufficient: readonly [string, Partial<Demand>][] = [
    ['exactly max age', { maxAgeSeconds: 600 }],
    ['the demanded person', { subject: alice.userId }],
    ['an essential class it reaches', { acr: password }],
    ['a wished class it does not reach', { acr: { values: ['phr'], essential: false } }],
  ];
  test.each(sufficient)('%s: found', (_, demand) => {
    expect(judge(tenMinutesOld, demand)).toMatchObject({ kind: 'advance', output: 'found' });
  });
});
