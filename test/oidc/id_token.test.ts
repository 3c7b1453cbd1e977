import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { idTokenAlgorithmOf, idTokenClaims, leftHalfHash } from '../../src/oidc/id_token.ts';
import { sidOf } from '../../src/oidc/subject.ts';
import { ann } from './grants/redeem.ts';
import { issuer, realm, sessionId, start, userId, web, withSettings } from './parties.ts';

const grant = {
  clientId: web.clientId,
  userId,
  sessionId,
  scope: ['openid', 'profile', 'email'],
  audience: [issuer],
  authTime: 1_799_999_000,
  acr: 'mfa',
  amr: ['otp', 'pwd'],
  claims: { userinfo: [], idToken: [] },
};
/** OIDC Core Appendix A.3 and A.4. */
const accessToken = 'jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y';
const facts = { realm, client: web, grant, userClaims: ann, nonce: 'n-0S6', accessToken, code: null, now: start };

describe('OIDC Core §2', () => {
  test('who, for whom, when and how; the claims of scopes go to userinfo, since there is an access token', () => {
    expect(idTokenClaims(facts)).toEqual({
      iss: issuer,
      sub: userId,
      aud: 'web',
      iat: start / 1000,
      exp: start / 1000 + 600,
      auth_time: 1_799_999_000,
      nonce: 'n-0S6',
      acr: 'mfa',
      amr: ['otp', 'pwd'],
      sid: sidOf(realm, web.clientId, sessionId),
      at_hash: '77QmUPtjPfzWtF2AnpK9RQ',
    });
  });

  test('what is not known is left out: nonce, auth_time, acr, amr, sid', () => {
    const bare = { ...grant, sessionId: null, authTime: null, acr: null, amr: [] };
    expect(Object.keys(idTokenClaims({ ...facts, grant: bare, nonce: null }) ?? {}).toSorted()).toEqual([
      'at_hash',
      'aud',
      'exp',
      'iat',
      'iss',
      'sub',
    ]);
  });

  test('without openid, or without a user, there is none', () => {
    expect(idTokenClaims({ ...facts, grant: { ...grant, scope: ['profile'] } })).toBeNull();
    expect(idTokenClaims({ ...facts, grant: { ...grant, userId: null } })).toBeNull();
  });

  test('it lives as long as the policy of the client says', () => {
    const client = withSettings(web, { idTokenLifetimeSeconds: 30 });
    expect(idTokenClaims({ ...facts, client })).toMatchObject({ exp: start / 1000 + 30 });
  });
});

describe('OIDC Core §5.5 claims.id_token', () => {
  const asking = (...idToken: string[]) => ({
    ...facts,
    grant: { ...grant, claims: { userinfo: ['email'], idToken } },
  });

  test('what was asked for by name and is known, and not what was asked of userinfo', () => {
    const claims = idTokenClaims(asking('name', 'email_verified', 'birthdate')) ?? {};
    expect(claims).toMatchObject({ name: 'Ann Example', email_verified: true });
    expect(Object.keys(claims)).not.toContain('email');
    expect(Object.keys(claims)).not.toContain('birthdate');
  });

  test('none of the protocol’s own claims can be replaced, and inherited names are nothing', () => {
    expect(idTokenClaims(asking('sub', 'iss', 'toString', '__proto__'))).toEqual(idTokenClaims(facts));
  });
});

describe('OIDC Core §3.1.3.6 at_hash', () => {
  test('the vector of Appendix A.3: RS256', () => {
    expect(leftHalfHash('RS256', accessToken)).toBe('77QmUPtjPfzWtF2AnpK9RQ');
  });

  test('the vector of Appendix A.4 for c_hash', () => {
    expect(leftHalfHash('RS256', 'Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk')).toBe(
      'LDktKdoQak3Pk0cnXxCltA',
    );
  });

  test.each([
    ['RS256', 'sha256'],
    ['PS256', 'sha256'],
    ['ES256', 'sha256'],
    ['RS384', 'sha384'],
    ['ES384', 'sha384'],
    ['ES512', 'sha512'],
    ['PS512', 'sha512'],
    ['EdDSA', 'sha512'],
    ['Ed25519', 'sha512'],
  ])('%s hashes by %s and keeps the left half', (algorithm, hash) => {
    const whole = createHash(hash).update(accessToken).digest();
    expect(leftHalfHash(algorithm, accessToken)).toBe(whole.subarray(0, whole.length / 2).toString('base64url'));
  });

  test('the algorithm is the one the client is registered with, RS256 by default', () => {
    expect(idTokenAlgorithmOf(web)).toBe('RS256');
    expect(idTokenAlgorithmOf({ idTokenSignedResponseAlg: 'ES256' })).toBe('ES256');
  });
});
