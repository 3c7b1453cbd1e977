import { describe, expect, test } from 'bun:test';
import { accessTokenClaims } from '../../src/oidc/access_token.ts';
import {
  inactive,
  introspectAccessToken,
  introspectRefreshToken,
  mayIntrospect,
} from '../../src/oidc/introspection.ts';
import { familyId, issuer, realm, sessionId, start, userId, web } from './parties.ts';

const api = 'https://api.example';

describe('RFC 7662 §2.1: who may ask', () => {
  test.each([
    ['its own client_id is the audience', [], ['web'], true],
    ['an audience that it is registered for', [api], ['https://other.example', api], true],
    ['its own client_id is not the audience', [], [issuer], false],
    ['an audience that begins alike', [api], [`${api}/`], false],
    ['no audience', [api], [], false],
    ['registered for nothing', [], [api], false],
  ])('%s: %p', (_, introspects, audience, may) => {
    expect(mayIntrospect({ clientId: web.clientId, introspects }, audience)).toBe(may);
  });
});

describe('RFC 7662 §2.2', () => {
  const grant = { userId, audience: [api], authTime: null, acr: null };
  const claims = JSON.parse(
    JSON.stringify(
      accessTokenClaims({ realm, client: web, grant, scope: ['api'], familyId, senderKey: null, now: start }),
    ),
  );

  test('an access token: what it says, its type and the username', () => {
    expect(introspectAccessToken(claims, 'ann')).toEqual({
      ...claims,
      active: true,
      token_type: 'Bearer',
      username: 'ann',
      aud: api,
    });
  });

  test('RFC 9449 §6.2: bound to a key it is of the type DPoP, and the key is told', () => {
    const bound = { ...claims, cnf: { jkt: 'thumbprint' } };
    expect(introspectAccessToken(bound, null)).toMatchObject({ token_type: 'DPoP', cnf: { jkt: 'thumbprint' } });
  });

  test('no user: no username; two audiences: both', () => {
    expect(Object.keys(introspectAccessToken(claims, null))).not.toContain('username');
    expect(introspectAccessToken({ ...claims, aud: [api, issuer] }, null)).toMatchObject({ aud: [api, issuer] });
    expect(introspectAccessToken({ ...claims, aud: [api] }, null)).toMatchObject({ aud: api });
  });

  test('a refresh token: whose, for what and until when; no secret, no generation, no claims of the user', () => {
    const family = {
      createdAt: start,
      clientId: web.clientId,
      userId,
      sessionId,
      generation: 3,
      hasRefreshToken: true,
      scope: ['openid', 'api'],
      claims: { userinfo: ['email'], idToken: [] },
      userClaims: { email: 'ann@example.org' },
      username: 'ann',
    };
    expect(introspectRefreshToken(family, { issuer, subject: userId, expiresAt: 5 })).toEqual({
      active: true,
      iss: issuer,
      client_id: 'web',
      scope: 'openid api',
      exp: 5,
      sub: userId,
      username: 'ann',
    });
    const own = introspectRefreshToken({ ...family, username: null }, { issuer, subject: null, expiresAt: 5 });
    expect(Object.keys(own).toSorted()).toEqual(['active', 'client_id', 'exp', 'iss', 'scope']);
  });

  test('inactive says nothing else', () => {
    expect(inactive).toEqual({ active: false });
  });
});
