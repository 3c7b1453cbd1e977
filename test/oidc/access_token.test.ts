import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  accessTokenClaims,
  audienceOf,
  familyOfJti,
  newJti,
  readAccessTokenClaims,
  tokenTypeOf,
} from '../../src/oidc/access_token.ts';
import { newFamilyId } from './grants/redeem.ts';
import { familyId, issuer, machine, realm, start, userId, web, withSettings } from './parties.ts';

const grant = { userId, audience: [issuer], authTime: 1_799_999_000, acr: 'mfa' };
const facts = { realm, client: web, grant, scope: ['openid', 'api'], familyId, senderKey: null, now: start + 999 };

describe('RFC 9068 §2.2', () => {
  test('a token for a user', () => {
    expect(accessTokenClaims(facts)).toEqual({
      iss: issuer,
      sub: userId,
      aud: issuer,
      client_id: web.clientId,
      scope: 'openid api',
      jti: expect.any(String),
      iat: start / 1000,
      exp: start / 1000 + 600,
      auth_time: 1_799_999_000,
      acr: 'mfa',
    });
  });

  test('a token for the client itself: sub is the client_id (§5), nothing is said of an authentication', () => {
    const own = { userId: null, audience: ['https://api.example'], authTime: null, acr: null };
    const claims = accessTokenClaims({ ...facts, client: machine, grant: own, familyId: null });
    expect(claims).toMatchObject({ sub: 'machine', client_id: 'machine', aud: 'https://api.example' });
    expect(Object.keys(claims)).not.toContain('auth_time');
    expect(Object.keys(claims)).not.toContain('acr');
  });

  test('RFC 9449 §6.1: bound to a key it says which, and reads back', () => {
    const claims = accessTokenClaims({ ...facts, senderKey: 'thumbprint' });
    expect(claims).toMatchObject({ cnf: { jkt: 'thumbprint' } });
    expect(readAccessTokenClaims(claims)?.cnf).toEqual({ jkt: 'thumbprint' });
    expect(Object.keys(accessTokenClaims(facts))).not.toContain('cnf');
    expect([tokenTypeOf('thumbprint'), tokenTypeOf(null), tokenTypeOf(undefined)]).toEqual([
      'DPoP',
      'Bearer',
      'Bearer',
    ]);
  });

  test('several resources: a list, in order', () => {
    const audience = ['https://api.example', issuer];
    expect(accessTokenClaims({ ...facts, grant: { ...grant, audience } }).aud).toEqual(audience);
  });

  test('it lives as long as the policy of the client says', () => {
    const client = withSettings(web, { accessTokenLifetimeSeconds: 30 });
    expect(accessTokenClaims({ ...facts, client }).exp).toBe(start / 1000 + 30);
  });

  test('what it says is what reads back; anything that lacks a claim does not', () => {
    const claims = accessTokenClaims(facts);
    expect(readAccessTokenClaims(JSON.parse(JSON.stringify(claims)))).toEqual(JSON.parse(JSON.stringify(claims)));
    for (const name of ['iss', 'sub', 'aud', 'client_id', 'scope', 'jti', 'iat', 'exp']) {
      expect(readAccessTokenClaims({ ...claims, [name]: undefined })).toBeNull();
      expect(readAccessTokenClaims({ ...claims, [name]: {} })).toBeNull();
    }
    for (const nothing of [null, undefined, [], 'x', 5]) expect(readAccessTokenClaims(nothing)).toBeNull();
  });

  test('one audience or several: a list', () => {
    expect(audienceOf({ aud: issuer })).toEqual([issuer]);
    expect(audienceOf({ aud: ['a', 'b'] })).toEqual(['a', 'b']);
  });
});

describe('jti', () => {
  test('property: that of a family names it, and is never the same twice', () => {
    fc.assert(
      fc.property(fc.constant(null).map(newFamilyId), (id) => {
        const [one, two] = [newJti(id), newJti(id)];
        expect(familyOfJti(one)).toBe(id);
        expect(familyOfJti(two)).toBe(id);
        expect(one).not.toBe(two);
      }),
    );
  });

  test('that of a token of its own names none, and neither does anything else', () => {
    expect(familyOfJti(newJti(null))).toBeNull();
    for (const jti of ['', 'x', familyId, `${newJti(familyId)}A`, `${newJti(familyId)}=`])
      expect(familyOfJti(jti)).toBeNull();
  });

  test('holds at least 64 random bits beside the family, 128 without one', () => {
    expect(Buffer.from(newJti(familyId), 'base64url').length).toBe(24);
    expect(Buffer.from(newJti(null), 'base64url').length).toBe(16);
  });
});
