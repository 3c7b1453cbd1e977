import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { register } from './operator.ts';
import {
  alice,
  basic,
  bodyOf,
  claimsOf,
  type Party,
  post,
  postAs,
  refresh,
  spaOf,
  text,
  tokensFor,
  tokensOf,
  webOf,
} from './relying_party.ts';

let provider: Provider;
let nosy: Party;

beforeAll(async () => {
  provider = await startProvider();
  nosy = await register(provider, 'nosy');
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const introspect = (caller: Party, token: string, more: { readonly [name: string]: string } = {}) =>
  postAs(caller, '/introspect', { token, ...more });
const toldTo = async (caller: Party, token: string, more: { readonly [name: string]: string } = {}) => {
  const response = await introspect(caller, token, more);
  expect(response.status).toBe(200);
  return bodyOf(response);
};
const inactive = { active: false };

describe('an active token (RFC 7662 §2.2)', () => {
  test('an access token: what it says, and whose it is; never kept', async () => {
    const { accessToken } = await tokensFor(webOf(provider), alice, { scope: 'openid email' });
    const response = await introspect(webOf(provider), accessToken);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await bodyOf(response)).toEqual({
      ...claimsOf(accessToken),
      active: true,
      token_type: 'Bearer',
      username: 'alice',
      scope: 'openid email',
      client_id: 'demo-web',
    });
  });

  test('a refresh token: to its own client', async () => {
    const { refreshToken, idToken } = await tokensFor(webOf(provider), alice);
    expect(await toldTo(webOf(provider), refreshToken)).toEqual({
      active: true,
      iss: provider.issuer,
      client_id: 'demo-web',
      scope: 'openid',
      exp: expect.any(Number),
      sub: claimsOf(idToken)['sub'],
      username: 'alice',
    });
  });

  test('whatever the hint says', async () => {
    const { accessToken, refreshToken } = await tokensFor(webOf(provider), alice);
    for (const token_type_hint of ['access_token', 'refresh_token', 'nonsense']) {
      expect(await toldTo(webOf(provider), accessToken, { token_type_hint })).toMatchObject({ active: true });
      expect(await toldTo(webOf(provider), refreshToken, { token_type_hint })).toMatchObject({ active: true });
    }
  });

  test('of a service: no user is named', async () => {
    const authorization = basic('demo-service', provider.secretOf('demo-service'));
    const token = text(
      await bodyOf(await post(`${provider.issuer}/token`, { grant_type: 'client_credentials' }, { authorization })),
      'access_token',
    );
    const told = await toldTo(webOf(provider), token);
    expect(told).toMatchObject({ active: true, sub: 'demo-service', scope: 'orders.read orders.write' });
    expect(told).not.toHaveProperty('username');
  });
});

describe('everything else is inactive, and nothing more is said', () => {
  test('a token whose audience is neither the caller nor permitted to it', async () => {
    const { accessToken } = await tokensFor(webOf(provider), alice);
    expect(await toldTo(nosy, accessToken)).toEqual(inactive);
    const own = await tokensFor(nosy, alice);
    expect(await toldTo(nosy, own.accessToken)).toEqual(inactive);
  });

  test('a refresh token of another client', async () => {
    const { refreshToken } = await tokensFor(spaOf(provider), alice);
    expect(await toldTo(webOf(provider), refreshToken)).toEqual(inactive);
  });

  test('an old refresh token, which is no reuse: its family lives on', async () => {
    const web = webOf(provider);
    const first = await tokensFor(web, alice);
    const second = await tokensOf(await refresh(web, first.refreshToken));
    const third = await tokensOf(await refresh(web, second.refreshToken));
    expect(await toldTo(web, first.refreshToken)).toEqual(inactive);
    expect(await toldTo(web, third.refreshToken)).toMatchObject({ active: true });
    expect((await refresh(web, third.refreshToken)).status).toBe(200);
  });

  test('what was revoked', async () => {
    const web = webOf(provider);
    const { accessToken, refreshToken } = await tokensFor(web, alice);
    await postAs(web, '/revoke', { token: refreshToken });
    expect(await toldTo(web, accessToken)).toEqual(inactive);
    expect(await toldTo(web, refreshToken)).toEqual(inactive);
  });

  test('an ID token, a tampered token, noise', async () => {
    const { accessToken, idToken, refreshToken } = await tokensFor(webOf(provider), alice);
    const noise = [idToken, `${accessToken}x`, `${refreshToken.slice(0, -1)}_`, 'x', '..', 'A'.repeat(98)];
    for (const token of noise) expect(await toldTo(webOf(provider), token)).toEqual(inactive);
  });

  test('what has expired', async () => {
    const { accessToken } = await tokensFor(webOf(provider), alice);
    await provider.shiftClock(601);
    expect(await toldTo(webOf(provider), accessToken)).toEqual(inactive);
  });
});
