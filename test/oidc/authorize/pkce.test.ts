import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { checkCodeChallenge, checkCodeVerifier, pkceRequired } from '../../../src/oidc/authorize/pkce.ts';
import { challenge, granted, refused, spa, verifier, web, withSettings } from '../parties.ts';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~';
const verifiers = fc.string({ unit: fc.constantFrom(...alphabet), minLength: 43, maxLength: 128 });
/** RFC 7636 §4.2, written once more. */
const s256 = (text: string): string => createHash('sha256').update(text, 'ascii').digest('base64url');

describe('RFC 7636 §4.6', () => {
  test('Appendix B: the verifier of the example passes its challenge', () => {
    expect(s256(verifier)).toBe(challenge);
    expect(checkCodeVerifier(challenge, verifier).ok).toBe(true);
  });

  test('property: any verifier of the alphabet passes its own challenge', () => {
    fc.assert(fc.property(verifiers, (text) => expect(checkCodeVerifier(s256(text), text).ok).toBe(true)));
  });

  test('property: no other verifier passes it', () => {
    fc.assert(
      fc.property(verifiers, verifiers, (text, other) => {
        fc.pre(text !== other);
        expect(refused(checkCodeVerifier(s256(text), other))).toMatchObject({
          error: 'invalid_grant',
          parameter: 'code_verifier',
        });
      }),
    );
  });

  test('the challenge itself is no verifier: plain does not exist here', () => {
    expect(checkCodeVerifier(challenge, challenge).ok).toBe(false);
    expect(checkCodeVerifier(verifier, verifier).ok).toBe(false);
  });

  test('missing for a code with a challenge: invalid_grant', () => {
    expect(refused(checkCodeVerifier(challenge, undefined)).error).toBe('invalid_grant');
  });

  test('sent for a code without a challenge: invalid_grant, for the challenge may have been stripped', () => {
    expect(refused(checkCodeVerifier(null, verifier)).error).toBe('invalid_grant');
    expect(checkCodeVerifier(null, undefined).ok).toBe(true);
  });
});

describe('RFC 7636 §4.1', () => {
  test.each([42, 129, 1, 0, 5000])('a verifier of %d characters is refused though its hash is right', (length) => {
    const text = 'a'.repeat(length);
    expect(refused(checkCodeVerifier(s256(text), text)).error).toBe('invalid_grant');
  });

  test.each([43, 128])('a verifier of %d characters passes', (length) => {
    const text = 'a'.repeat(length);
    expect(checkCodeVerifier(s256(text), text).ok).toBe(true);
  });

  test('property: a character out of the alphabet is refused though its hash is right', () => {
    const strangers = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 1 })
      .filter((one) => !alphabet.includes(one));
    fc.assert(
      fc.property(verifiers, strangers, fc.nat(), (text, stranger, at) => {
        const place = at % 43;
        const odd = `${text.slice(0, place)}${stranger}${text.slice(place + 1, 100)}`;
        expect(checkCodeVerifier(createHash('sha256').update(odd).digest('base64url'), odd).ok).toBe(false);
      }),
    );
  });

  test('a line feed at the end is not overlooked', () => {
    expect(checkCodeVerifier(s256(`${verifier}\n`), `${verifier}\n`).ok).toBe(false);
  });
});

describe('RFC 7636 §4.3', () => {
  const s256Request = { code_challenge: challenge, code_challenge_method: 'S256' };

  test('property: every S256 challenge is taken as it is', () => {
    fc.assert(
      fc.property(verifiers, (text) => {
        expect(granted(checkCodeChallenge({ ...s256Request, code_challenge: s256(text) }, spa))).toBe(s256(text));
      }),
    );
  });

  test.each([
    ['without a method, which would mean plain', { code_challenge: challenge }],
    ['with the method plain', { ...s256Request, code_challenge_method: 'plain' }],
    ['with a method spelled s256', { ...s256Request, code_challenge_method: 's256' }],
    ['with a method inherited by every object', { ...s256Request, code_challenge_method: 'constructor' }],
    ['whose method comes alone', { code_challenge_method: 'S256' }],
    ['too short', { ...s256Request, code_challenge: challenge.slice(1) }],
    ['too long', { ...s256Request, code_challenge: `${challenge}A` }],
    ['padded', { ...s256Request, code_challenge: `${challenge}=` }],
    ['in plain base64', { ...s256Request, code_challenge: challenge.replace('-', '+') }],
    [
      'whose last character carries bits that a hash has not',
      { ...s256Request, code_challenge: `${challenge.slice(0, -1)}N` },
    ],
    ['as 64 hexadecimal digits', { ...s256Request, code_challenge: 'ab'.repeat(32) }],
  ])('a challenge %s is refused, of public and confidential clients alike', (_, sent) => {
    for (const client of [spa, web]) {
      expect(refused(checkCodeChallenge(sent, client)).error).toBe('invalid_request');
    }
  });

  test('none sent: refused to a public client whatever the policy says, and to all where the policy says so', () => {
    const forAll = { pkce: 'required for all' } as const;
    expect(checkCodeChallenge({}, spa).ok).toBe(false);
    expect(checkCodeChallenge({}, withSettings(web, forAll)).ok).toBe(false);
    expect(granted(checkCodeChallenge({}, web))).toBeNull();
    expect([spa, withSettings(spa, forAll), withSettings(web, forAll), web].map(pkceRequired)).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
