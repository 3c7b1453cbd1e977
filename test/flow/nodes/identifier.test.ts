import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { cleanUsername, identifier } from '../../../src/flow/nodes/identifier.ts';
import { plainDemand } from '../browser.ts';
import { nodeContext } from './context.ts';

/** Any UTF-16, lone surrogates and control characters included. */
const anyText = fc.array(fc.nat(0xffff), { maxLength: 30 }).map((units) => String.fromCharCode(...units));
const hinted = { ...plainDemand, hint: 'hinted' };

describe('identifier', () => {
  test('suggests what was typed before, else the hint of the request, else the name of the session', () => {
    const username = (context: Parameters<typeof nodeContext>[0]) => {
      const outcome = identifier.enter(nodeContext(context));
      return outcome.kind === 'challenge' && outcome.screen.name === 'identifier' ? outcome.screen.username : outcome;
    };
    const seen = () => 'signed-in';
    expect(username({ kept: { username: 'typed' }, demand: hinted, seen })).toBe('typed');
    expect(username({ demand: hinted, seen })).toBe('hinted');
    expect(username({ seen })).toBe('signed-in');
    expect(username({})).toBe('');
    expect(username({ demand: { ...plainDemand, hint: 'a\u0000b' } })).toBe('');
  });

  test('always asks: a suggestion is no answer', () => {
    expect(identifier.enter(nodeContext({ demand: hinted })).kind).toBe('challenge');
  });

  test('unattended: login_required, or account_selection_required where an account is to be chosen', () => {
    expect(identifier.enter(nodeContext())).toMatchObject({ unattended: 'login_required' });
    expect(identifier.enter(nodeContext({ demand: { ...plainDemand, selectAccount: true } }))).toMatchObject({
      unattended: 'account_selection_required',
    });
  });

  test('a name: goes on, keeping it trimmed and NFKC', () => {
    expect(identifier.submit?.(nodeContext(), { username: '  ａｌｉｃｅ \n' })).toEqual({
      kind: 'advance',
      output: 'next',
      keep: { username: 'alice' },
    });
  });

  test.each(['', '   ', 'a\u0000b', 'a\tb', 'x'.repeat(256)])(
    '%j: asks again and says that the name is missing',
    (username) => {
      expect(identifier.submit?.(nodeContext(), { username })).toMatchObject({
        kind: 'challenge',
        screen: { name: 'identifier', username: '', fault: 'username_missing' },
      });
    },
  );

  test('no field at all: asks again', () => {
    expect(identifier.submit?.(nodeContext(), {}).kind).toBe('challenge');
  });

  test('255 characters are a name', () => {
    expect(identifier.submit?.(nodeContext(), { username: 'x'.repeat(255) }).kind).toBe('advance');
  });

  test('property: a clean name is well formed, bounded, printable, and cleaning it again changes nothing', () => {
    fc.assert(
      fc.property(anyText, (typed) => {
        const clean = cleanUsername(typed);
        if (clean === null) return;
        expect(clean.isWellFormed()).toBe(true);
        expect(clean.length).toBeGreaterThan(0);
        expect(clean.length).toBeLessThanOrEqual(255);
        expect(clean).not.toMatch(/\p{Cc}/u);
        expect(cleanUsername(clean)).toBe(clean);
      }),
    );
  });
});
