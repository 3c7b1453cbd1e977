import { describe, expect, test } from 'bun:test';
import { sealCode } from '../../../src/oidc/authorization_code.ts';
import {
  callback,
  challenge,
  granted,
  issuer,
  otherRealmId,
  realmWith,
  refused,
  ring,
  ringOf,
  second,
  sessionId,
  spa,
  start,
  userId,
  verifier,
  web,
  withSettings,
} from '../parties.ts';
import { ann, type Circumstances, codeOf, database, newFamilyId, sealed, send } from './redeem.ts';

const request = { grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier };
const machineOnly = { ...web, grantTypes: ['authorization_code'] };

describe('RFC 6749 §4.1.3: a good redemption', () => {
  test('gives the grant that was made, a refresh token of generation 0 and the nonce', async () => {
    const families = database();
    const familyId = newFamilyId();
    const issue = granted(await send(families, { ...request, code: sealed({}, familyId) }));
    expect(issue).toMatchObject({
      grant: {
        clientId: 'web',
        userId,
        sessionId,
        scope: ['openid', 'api'],
        audience: [issuer],
        authTime: start / 1000 - 5,
        acr: 'pwd',
        amr: ['pwd'],
        claims: { userinfo: ['email'], idToken: ['name'] },
      },
      scope: ['openid', 'api'],
      familyId,
      nonce: 'n-0S6',
      userClaims: ann,
    });
    expect(issue.refreshToken).toMatchObject({ familyId, generation: 0 });
    expect(families.calls).toEqual(['redeem']);
    expect(families.row(familyId)).toMatchObject({ generation: 0, offline: false, createdAt: start, agent: 'agent' });
    expect(families.row(familyId)?.secretHash).toEqual(issue.refreshToken?.secretHash ?? null);
  });

  test('a client without the refresh_token grant gets no refresh token, and the row has none', async () => {
    const families = database();
    const familyId = newFamilyId();
    const issue = granted(await send(families, { ...request, code: sealed({}, familyId) }, { client: machineOnly }));
    expect(issue.refreshToken).toBeNull();
    expect(families.row(familyId)?.secretHash).toBeNull();
  });

  test('OIDC Core §11: offline_access outlives the session', async () => {
    const families = database();
    const familyId = newFamilyId();
    granted(await send(families, { ...request, code: sealed({ scope: ['openid', 'offline_access'] }, familyId) }));
    expect(families.row(familyId)?.offline).toBe(true);
  });

  test('OAuth 2.1 §4.1.3: redirect_uri may be left out where PKCE was used', async () => {
    expect((await send(database(), { ...request, redirect_uri: undefined, code: sealed() })).ok).toBe(true);
  });

  test('a confidential client without PKCE repeats its redirect_uri', async () => {
    const sent = { ...request, code_verifier: undefined, code: sealed({ code_challenge: null }) };
    expect((await send(database(), sent)).ok).toBe(true);
  });
});

/** Refused by what the code and the request say: the database is not asked, so that nothing is consumed. */
type Case = readonly [what: string, sent: object, error: string, circumstances?: Circumstances];
const unconsumed: readonly Case[] = [
  ['no code', { code: undefined }, 'invalid_request'],
  ['the code twice', { code: ['a', 'b'] }, 'invalid_request'],
  ['a code of 4097 characters', { code: 'A'.repeat(4097) }, 'invalid_request'],
  ['noise for a code', { code: 'abc' }, 'invalid_grant'],
  ['a code with a character changed', { code: changed(sealed()) }, 'invalid_grant'],
  [
    'a code of another realm',
    { code: sealCode(ring, otherRealmId, { familyId: newFamilyId(), content: codeOf() }) },
    'invalid_grant',
  ],
  ['a code under a key that is gone', { code: sealed({}, newFamilyId(), ringOf(7)) }, 'invalid_grant'],
  ['a code of another client', { code: sealed({ client_id: 'other' }) }, 'invalid_grant'],
  ['a code of another client whose id only begins alike', { code: sealed({ client_id: 'web2' }) }, 'invalid_grant'],
  ['another redirect_uri', { redirect_uri: 'https://rp.example/other' }, 'invalid_grant'],
  ['a redirect_uri of other case', { redirect_uri: callback.toUpperCase() }, 'invalid_grant'],
  ['redirect_uri twice', { redirect_uri: [callback, callback] }, 'invalid_request'],
  [
    'no redirect_uri and no PKCE',
    { redirect_uri: undefined, code_verifier: undefined, code: sealed({ code_challenge: null }) },
    'invalid_request',
  ],
  ['no code_verifier', { code_verifier: undefined }, 'invalid_grant'],
  ['a wrong code_verifier', { code_verifier: `${verifier.slice(0, -1)}A` }, 'invalid_grant'],
  ['the challenge for a verifier', { code_verifier: challenge }, 'invalid_grant'],
  ['a short code_verifier', { code_verifier: 'short' }, 'invalid_grant'],
  ['a verifier for a code without challenge', { code: sealed({ code_challenge: null }) }, 'invalid_grant'],
  [
    'no PKCE by a client of whom the policy has come to demand it',
    { code_verifier: undefined, code: sealed({ code_challenge: null }) },
    'invalid_grant',
    { client: withSettings(web, { pkce: 'required for all' }) },
  ],
  [
    'no PKCE by a public client',
    { code_verifier: undefined, code: sealed({ client_id: 'spa', code_challenge: null }) },
    'invalid_grant',
    { client: spa },
  ],
  ['a code long expired', { code: sealed({ expires_at: start - 10 * second }) }, 'invalid_grant'],
  ['a code older than the client counts', {}, 'invalid_grant', { client: { ...web, validFrom: start + 1 } }],
  ['a code older than the realm counts', {}, 'invalid_grant', { realm: realmWith({}, { validFrom: start + 1 }) }],
  ['a resource that was not granted', { resource: 'https://other.example' }, 'invalid_target'],
];

function changed(code: string): string {
  return `${code.slice(0, 60)}${code[60] === 'A' ? 'B' : 'A'}${code.slice(61)}`;
}

describe('RFC 6749 §4.1.3, §5.2: refused before anything is consumed', () => {
  test.each(unconsumed)('%s', async (_, sent, error, circumstances = {}) => {
    const families = database();
    const good = { ...request, code: sealed() };
    expect<string>(refused(await send(families, { ...good, ...sent }, circumstances)).error).toBe(error);
    expect(families.calls).toEqual([]);
  });

  test('after any of them the same code still redeems', async () => {
    const families = database();
    const code = sealed();
    refused(await send(families, { ...request, code, code_verifier: challenge }));
    refused(
      await send(families, { ...request, code }, { client: { ...spa, clientId: web.clientId, validFrom: start + 1 } }),
    );
    expect((await send(families, { ...request, code })).ok).toBe(true);
  });

  test('in the very millisecond from which client and realm count it is not too old', async () => {
    const circumstances = { client: { ...web, validFrom: start }, realm: realmWith({}, { validFrom: start }) };
    expect((await send(database(), { ...request, code: sealed() }, circumstances)).ok).toBe(true);
  });

  test('unknown, expired, of another client and used say the same, so that a probe learns nothing', async () => {
    const families = database();
    const code = sealed();
    granted(await send(families, { ...request, code }));
    const refusals = [
      await send(families, { ...request, code }),
      await send(families, { ...request, code: 'abc' }),
      await send(families, { ...request, code: sealed({ client_id: 'other' }) }),
      await send(families, { ...request, code: sealed({ expires_at: start - 10 * second }) }),
    ].map((result) => refused(result).description);
    expect(new Set(refusals).size).toBe(1);
  });
});

describe('RFC 6749 §4.1.2: used twice', () => {
  test('refuses and revokes the family, for good', async () => {
    const families = database();
    const familyId = newFamilyId();
    const code = sealed({}, familyId);
    granted(await send(families, { ...request, code }));
    expect(refused(await send(families, { ...request, code })).error).toBe('invalid_grant');
    expect(families.row(familyId)?.revokedAt).toBe(start);
    expect(refused(await send(families, { ...request, code })).error).toBe('invalid_grant');
    expect(families.audited).toEqual([{ event: 'code.replayed', familyId }]);
    expect(families.count()).toBe(1);
  });

  test('a replay after the code has expired by the database’s clock still revokes', async () => {
    const families = database();
    const familyId = newFamilyId();
    const code = sealed({}, familyId);
    granted(await send(families, { ...request, code }));
    families.now = start + 60 * second + 1;
    expect((await send(families, { ...request, code })).ok).toBe(false);
    expect(families.row(familyId)?.revokedAt).toBe(families.now);
  });

  test('a replay by someone without the verifier does not: the code alone ends nobody’s family', async () => {
    const families = database();
    const familyId = newFamilyId();
    const code = sealed({}, familyId);
    granted(await send(families, { ...request, code }));
    refused(await send(families, { ...request, code, code_verifier: undefined }));
    refused(await send(families, { ...request, code }, { client: { ...web, ...{ clientId: spa.clientId } } }));
    expect(families.row(familyId)?.revokedAt).toBeNull();
  });
});

describe('the database’s clock, user and session decide', () => {
  test.each([
    [start + 60 * second - 1, true],
    [start + 60 * second, false],
  ])('at %d: %p', async (now, passes) => {
    const families = database();
    families.now = now;
    expect((await send(families, { ...request, code: sealed() }, { now: start })).ok).toBe(passes);
    expect(families.count()).toBe(passes ? 1 : 0);
  });

  test('a process clock two seconds ahead does not refuse what the database still honours', async () => {
    const now = start + 60 * second + 1999;
    expect((await send(database(), { ...request, code: sealed() }, { now })).ok).toBe(true);
    expect((await send(database(), { ...request, code: sealed() }, { now: now + 1 })).ok).toBe(false);
  });

  test.each(['disabled', 'signed out everywhere', 'session ended'])(
    '%s between code and redemption: nothing is made',
    async (what) => {
      const families = database();
      const user = families.users.get(userId);
      const session = families.sessions.get(sessionId);
      if (user === undefined || session === undefined) throw new Error('Ann is not there');
      if (what === 'disabled') user.enabled = false;
      else if (what === 'signed out everywhere') user.validFrom = start + 1;
      else session.endedAt = start;
      expect(refused(await send(families, { ...request, code: sealed() })).error).toBe('invalid_grant');
      expect(families.count()).toBe(0);
    },
  );
});

describe('RFC 8707 §2.2', () => {
  const api = 'https://api.example';
  const mail = 'https://mail.example';
  const code = (scope: string[]) => ({ scope, audience: [api, mail, issuer] });

  test('some of the granted resources: for this access token, the family keeps them all', async () => {
    const families = database();
    const familyId = newFamilyId();
    const issue = granted(await send(families, { ...request, code: sealed(code(['api']), familyId), resource: mail }));
    expect(issue.grant.audience).toEqual([mail]);
    expect(families.row(familyId)?.grant.audience).toEqual([api, mail, issuer]);
  });

  test('with openid the issuer stays, since userinfo is its own', async () => {
    const issue = granted(
      await send(database(), { ...request, code: sealed(code(['openid', 'api'])), resource: [mail, mail] }),
    );
    expect(issue.grant.audience).toEqual([mail, issuer]);
  });

  test('none named: all', async () => {
    const issue = granted(await send(database(), { ...request, code: sealed(code(['api'])), resource: '' }));
    expect(issue.grant.audience).toEqual([api, mail, issuer]);
  });
});
