import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { accessTokenClaims } from '../../src/oidc/access_token.ts';
import { isOpaque, openAccessToken, sealAccessToken } from '../../src/oidc/opaque_token.ts';
import { familyId, issuer, otherRealmId, realm, ring, ringOf, start, userId, web, withSettings } from './parties.ts';

const api = 'https://api.example';
const grant = { userId, audience: [api], authTime: null, acr: 'pwd' };
const claims = accessTokenClaims({ realm, client: web, grant, scope: ['api'], familyId, now: start });
const sealed = sealAccessToken(ring, realm, claims);

describe('an opaque access token', () => {
  test('says the same as a JWT would, to this server alone', () => {
    expect(openAccessToken(ring, realm, sealed)).toEqual(JSON.parse(JSON.stringify(claims)));
    expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain(userId);
  });

  test('is never the same twice', () => {
    expect(sealAccessToken(ring, realm, claims)).not.toBe(sealed);
  });

  test('of another realm, of another ring, or with any bit changed: nothing', () => {
    expect(openAccessToken(ring, { id: otherRealmId }, sealed)).toBeNull();
    expect(openAccessToken(ringOf(2), realm, sealed)).toBeNull();
    expect(openAccessToken(ringOf(2, 1), realm, sealed)).not.toBeNull();
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.constantFrom('A', 'B', '_'), (at, character) => {
        fc.pre(sealed[at] !== character);
        expect(openAccessToken(ring, realm, sealed.slice(0, at) + character + sealed.slice(at + 1))).toBeNull();
      }),
    );
  });

  test('that says too little is none', () => {
    expect(openAccessToken(ring, realm, sealAccessToken(ring, realm, { ...claims, exp: undefined }))).toBeNull();
  });

  test.each([
    ['', [api], false],
    [api, [api], true],
    [api, [issuer], false],
    [`https://b.example ${api}`, [issuer, api], true],
    [`${api}/v1`, [api], false],
  ])('for %j, audience %j: %p', (opaqueAccessTokensFor, audience, opaque) => {
    expect(isOpaque(withSettings(web, { opaqueAccessTokensFor }), audience)).toBe(opaque);
  });
});
