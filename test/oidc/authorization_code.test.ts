import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seal } from '../../src/core/seal.ts';
import { openCode, sealCode } from '../../src/oidc/authorization_code.ts';
import { codeOf, newFamilyId, sealed } from './grants/redeem.ts';
import { callback, challenge, otherRealmId, realmId, ring, ringOf, userId } from './parties.ts';

describe('the sealed code', () => {
  test('property: any change of any character opens nothing', () => {
    const code = sealed();
    fc.assert(
      fc.property(fc.nat({ max: code.length - 1 }), fc.constantFrom('A', 'B', '_', '-', '9', '=', ' '), (at, put) => {
        fc.pre(code[at] !== put);
        expect(openCode(ring, realmId, code.slice(0, at) + put + code.slice(at + 1))).toBeOneOf([
          'malformed',
          'unknown_key',
        ]);
      }),
    );
  });

  test('opens to what was sealed, under any entry of the ring', () => {
    const familyId = newFamilyId();
    const code = sealCode(ringOf(3), realmId, { familyId, content: codeOf() });
    expect(openCode(ringOf(1, 2, 3), realmId, code)).toEqual({ familyId, content: codeOf() });
    expect(openCode(ringOf(1, 2), realmId, code)).toBe('unknown_key');
  });

  test('in another realm, or made for another purpose, opens nothing', () => {
    const object = { objectId: newFamilyId(), plaintext: JSON.stringify(codeOf()) };
    expect(openCode(ring, otherRealmId, sealed())).toBe('malformed');
    expect(openCode(ring, realmId, seal(ring, 'run', realmId, object))).toBe('malformed');
  });

  test('of another shape, as an older version may have sealed it, is malformed', () => {
    const { scope: _, ...older } = codeOf();
    const object = { objectId: newFamilyId(), plaintext: JSON.stringify(older) };
    expect(openCode(ring, realmId, seal(ring, 'authorization code', realmId, object))).toBe('malformed');
  });

  test('shows none of its content', () => {
    const text = Buffer.from(sealed(), 'base64url').toString('latin1');
    for (const word of [userId, 'web', callback, 'openid', challenge]) expect(text).not.toContain(word);
  });
});
