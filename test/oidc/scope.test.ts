import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { grantableScope, isScopeToken, scopeTokens } from '../../src/oidc/scope.ts';
import { granted, refused } from './parties.ts';

const tokens = fc.stringMatching(/^[!#-[\]-~]{1,8}$/);
const lists = fc.array(tokens, { maxLength: 6 });

describe('RFC 6749 §3.3', () => {
  test('property: granted is what was asked for and is registered, once each, in the order asked', () => {
    fc.assert(
      fc.property(lists, lists, fc.constantFrom(' ', '  '), (asked, extra, gap) => {
        const registered = [...asked.filter((_, index) => index % 2 === 0), ...extra];
        const result = grantableScope(asked.join(gap), { scope: registered });
        const expected = [...new Set(asked)].filter((token) => registered.includes(token));
        if (expected.length === 0)
          expect(refused(result)).toMatchObject({ error: 'invalid_scope', parameter: 'scope' });
        else expect(granted(result)).toEqual(expected);
      }),
    );
  });

  test('a character is allowed in a token exactly if it is NQCHAR', () => {
    for (let code = 0; code < 0x180; code += 1) {
      const nqchar = code === 0x21 || (code >= 0x23 && code <= 0x5b) || (code >= 0x5d && code <= 0x7e);
      expect([code, isScopeToken(`a${String.fromCharCode(code)}`)]).toEqual([code, nqchar]);
    }
  });

  test.each(['open"id', 'open\\id', 'openid\tprofile', 'openid\nprofile', 'öpenid', 'x'.repeat(129)])(
    '%j is invalid_scope even beside a good one, and though the client were registered for it',
    (bad) => {
      expect(refused(grantableScope(`openid ${bad}`, { scope: ['openid', bad] })).error).toBe('invalid_scope');
    },
  );

  test.each([undefined, '', ' '])('%j asks for nothing and is refused', (asked) => {
    expect(refused(grantableScope(asked, { scope: ['openid'] })).error).toBe('invalid_scope');
  });

  test('case matters', () => {
    expect(grantableScope('OpenID', { scope: ['openid'] }).ok).toBe(false);
  });

  test('property: the tokens of a scope joined by single spaces are the same tokens', () => {
    fc.assert(
      fc.property(lists, (list) =>
        expect(scopeTokens(scopeTokens(list.join('  ')).join(' '))).toEqual([...new Set(list)]),
      ),
    );
  });
});
