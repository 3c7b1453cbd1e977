import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { demoRealms } from '../../src/demo/fixtures.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { alice, basic, bob, bodyOf, claimsOf, post, text, tokensFor, userinfo, webOf } from './relying_party.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const seeded = new Map(
  demoRealms.flatMap(({ users }) => users.map((user) => [user.username, { ...user.claims }] as const)),
);
const record = (username: string): { readonly [claim: string]: unknown } => ({ ...seeded.get(username) });

/** OIDC Core §5.4, every claim of each scope. */
const scopes = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
} as const;

const pick = (username: string, names: readonly string[]) =>
  Object.fromEntries(Object.entries(record(username)).filter(([name]) => names.includes(name)));

const claimsFor = async (user: typeof alice, parameters: { readonly [name: string]: string }) => {
  const tokens = await tokensFor(webOf(provider), user, parameters);
  return {
    claims: await bodyOf(await userinfo(webOf(provider), tokens.accessToken)),
    idToken: claimsOf(tokens.idToken),
  };
};

describe('three ways to show the token (RFC 6750 §2)', () => {
  test('in the header by GET and POST, in the body of a POST: one answer', async () => {
    const { accessToken, idToken } = await tokensFor(webOf(provider), alice, { scope: 'openid email' });
    const url = `${provider.issuer}/userinfo`;
    const headers = { authorization: `Bearer ${accessToken}` };
    const answers = [
      await fetch(url, { headers }),
      await fetch(url, { method: 'POST', headers }),
      await post(url, {}, headers),
      await post(url, { access_token: accessToken }),
      await fetch(url, { headers: { authorization: `bearer ${accessToken}` } }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await bodyOf(answer)).toEqual({ sub: claimsOf(idToken)['sub'], ...pick('alice', scopes.email) });
    }
  });
});

describe('scopes', () => {
  test.each(Object.entries(scopes))('%s gives all of its claims and none other', async (scope, names) => {
    const { claims, idToken } = await claimsFor(alice, { scope: `openid ${scope}` });
    expect(Object.keys(pick('alice', names)).toSorted()).toEqual([...names].toSorted());
    expect(claims).toEqual({ sub: idToken['sub'], ...pick('alice', names) });
    for (const name of names) expect(idToken).not.toHaveProperty(name);
  });

  test('all of them give everything, in whatever order they are asked for', async () => {
    const { claims } = await claimsFor(alice, { scope: 'phone address email profile openid' });
    expect(claims).toEqual({ sub: expect.any(String), ...record('alice') });
  });

  test('openid alone gives the subject alone', async () => {
    const { claims, idToken } = await claimsFor(alice, { scope: 'openid' });
    expect(claims).toEqual({ sub: idToken['sub'] });
  });

  test('what is not known of a person is left out, not null', async () => {
    const { claims } = await claimsFor(bob, { scope: 'openid profile email address phone' });
    expect(claims).toEqual({ sub: expect.any(String), ...record('bob') });
    expect(Object.values(claims)).not.toContain(null);
  });

  test('the types are those of OIDC Core §5.1', async () => {
    const { claims } = await claimsFor(alice, { scope: 'openid profile email address phone' });
    const { updated_at, email_verified, phone_number_verified, address, birthdate } = claims;
    expect([typeof updated_at, typeof email_verified, typeof phone_number_verified, typeof address]).toEqual([
      'number',
      'boolean',
      'boolean',
      'object',
    ]);
    expect(birthdate).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });
});

describe('the claims parameter (OIDC Core §5.5)', () => {
  test('an essential name for userinfo is there, and not in the ID token', async () => {
    const { claims, idToken } = await claimsFor(alice, { claims: '{"userinfo":{"name":{"essential":true}}}' });
    expect(claims).toEqual({ sub: idToken['sub'], name: 'Alice Adler' });
    expect(idToken).not.toHaveProperty('name');
  });

  test('a claim for the ID token is there, and not in userinfo', async () => {
    const { claims, idToken } = await claimsFor(alice, { claims: '{"id_token":{"email":null}}' });
    expect(idToken['email']).toBe('alice@example.com');
    expect(claims).toEqual({ sub: idToken['sub'] });
  });

  test('a claim that nobody knows is left out', async () => {
    const { claims } = await claimsFor(alice, {
      claims: '{"userinfo":{"shoe_size":{"essential":true},"__proto__":null}}',
    });
    expect(Object.keys(claims)).toEqual(['sub']);
  });
});

describe('refused', () => {
  const challengeOf = async (token: string) => {
    const answer = await userinfo(webOf(provider), token);
    return { status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '' };
  };

  test('a token without openid: insufficient_scope, with the scope that is needed', async () => {
    const authorization = basic('demo-service', provider.secretOf('demo-service'));
    const body = await bodyOf(
      await post(`${provider.issuer}/token`, { grant_type: 'client_credentials' }, { authorization }),
    );
    const { status, challenge } = await challengeOf(text(body, 'access_token'));
    expect(status).toBe(403);
    expect(challenge).toStartWith(`Bearer realm="${provider.issuer}", error="insufficient_scope"`);
    expect(challenge).toEndWith('scope="openid"');
  });

  test('a token that has expired', async () => {
    const { accessToken } = await tokensFor(webOf(provider), alice);
    await provider.shiftClock(601);
    const { status, challenge } = await challengeOf(accessToken);
    expect(status).toBe(401);
    expect(challenge).toContain('error="invalid_token"');
  });
});
