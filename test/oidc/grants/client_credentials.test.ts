import { describe, expect, test } from 'bun:test';
import { claimScopes } from '../../../src/oidc/standard_claims.ts';
import { granted, issuer, machine, refused, spa } from '../parties.ts';
import { database, send } from './redeem.ts';

const request = { grant_type: 'client_credentials' };
const ask = (sent: object, client = machine) => {
  const families = database();
  return send(families, { ...request, ...sent }, { client }).then((result) => ({ result, calls: families.calls }));
};

describe('RFC 6749 §4.4', () => {
  test('the client acts for itself: no user, no refresh token, no family, no database', async () => {
    const { result, calls } = await ask({ scope: 'reports' });
    expect(granted(result)).toEqual({
      grant: {
        clientId: machine.clientId,
        userId: null,
        sessionId: null,
        scope: ['reports'],
        audience: [issuer],
        authTime: null,
        acr: null,
        amr: [],
        claims: { userinfo: [], idToken: [] },
      },
      scope: ['reports'],
      familyId: null,
      refreshToken: null,
      nonce: null,
      userClaims: {},
    });
    expect(calls).toEqual([]);
  });

  test('no scope asked for: all that the client is registered for', async () => {
    expect(granted((await ask({})).result).scope).toEqual(['api', 'reports']);
  });

  test('RFC 6749 §4.4.3: also with the refresh_token grant there is no refresh token', async () => {
    const both = { ...machine, grantTypes: ['client_credentials', 'authorization_code', 'refresh_token'] };
    expect(granted((await ask({}, both)).result).refreshToken).toBeNull();
  });

  test('a public client may not, even if registered for it', async () => {
    const client = { ...spa, grantTypes: ['client_credentials'] };
    expect(refused((await ask({}, client)).result).error).toBe('unauthorized_client');
  });

  test.each(['openid', 'offline_access', ...claimScopes])('%s speaks of a user and is never granted', async (scope) => {
    const client = { ...machine, scope: ['api', scope] };
    expect(granted((await ask({}, client)).result).scope).toEqual(['api']);
    expect(granted((await ask({ scope: `${scope} api` }, client)).result).scope).toEqual(['api']);
    expect(refused((await ask({ scope }, client)).result).error).toBe('invalid_scope');
  });

  test.each([
    [{ scope: 'nonsense' }, 'invalid_scope'],
    [{ scope: 'api "' }, 'invalid_scope'],
    [{ scope: ['api', 'reports'] }, 'invalid_request'],
    [{ resource: 'https://other.example' }, 'invalid_target'],
  ])('%j: %s', async (sent, error) => {
    expect<string>(refused((await ask(sent)).result).error).toBe(error);
  });

  test('RFC 8707 §2: the resource asked for is the audience', async () => {
    const client = { ...machine, resources: ['https://a.example', 'https://b.example'] };
    expect(granted((await ask({ resource: 'https://b.example' }, client)).result).grant.audience).toEqual([
      'https://b.example',
    ]);
    expect(granted((await ask({}, client)).result).grant.audience).toEqual(['https://a.example']);
  });
});
