import { describe, expect, test } from 'bun:test';
import { adminPath, authenticate } from '../../src/admin/caller.ts';
import type { AccessTokenClaims } from '../../src/oidc/access_token.ts';
import { issuer, machine, realm, start } from '../oidc/parties.ts';

const claims = {
  iss: issuer,
  sub: machine.clientId,
  aud: `${issuer}${adminPath}`,
  client_id: machine.clientId,
  scope: '',
  jti: 'of-no-family',
  iat: start / 1000,
  exp: start / 1000 + 600,
};

/** Who holds a token with these claims, once signature, issuer and time are right. */
const callerBy = (token: AccessTokenClaims) =>
  authenticate(
    {
      publicUrl: issuer,
      verifyAccessToken: async () => token,
      findClient: async (_, clientId) => (clientId === machine.clientId ? machine : null),
      readLive: async () => null,
    },
    new Request(issuer, { headers: { authorization: 'Bearer token' } }),
    realm,
    start,
  );

describe('an access token for the admin API', () => {
  test('is its client’s', async () => {
    expect(await callerBy(claims)).toEqual({ ok: true, value: { kind: 'client', clientId: machine.clientId } });
  });

  const refusals: readonly (readonly [string, object])[] = [
    ['RFC 9449 §7.1: bound to a key, shown as a bearer token', { cnf: { jkt: 'thumbprint' } }],
    ['RFC 8693 §4.1: by which somebody acts for its subject', { act: { sub: 'gateway' } }],
    ['for the issuer alone', { aud: issuer }],
    ['for another resource beside this one', { aud: [claims.aud, 'https://other.example'] }],
    ['for an address that only begins like this one', { aud: `${claims.aud}/realms` }],
    ['of a client that is not known', { client_id: 'another' }],
    ['of somebody else, without a family', { sub: 'alice' }],
    ['from before everything of the client ended', { iat: -10 }],
    ['of a family that is over', { jti: Buffer.alloc(24).toString('base64url') }],
  ];

  test.each(refusals)('%s: refused', async (_, change) => {
    expect(await callerBy({ ...claims, ...change })).toMatchObject({ ok: false, error: { error: 'invalid_token' } });
  });
});
