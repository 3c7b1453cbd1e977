import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import {
  alice,
  basic,
  bodyOf,
  type Party,
  post,
  postAs,
  refresh,
  spaOf,
  type Tokens,
  text,
  tokensFor,
  tokensOf,
  userinfo,
  webOf,
} from './relying_party.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const revoke = (party: Party, token: string, more: { readonly [name: string]: string } = {}) =>
  postAs(party, '/revoke', { token, ...more });

async function accepted(response: Response): Promise<void> {
  expect({ status: response.status, body: await response.text() }).toEqual({ status: 200, body: '' });
  expect(response.headers.get('cache-control')).toBe('no-store');
}

const isAlive = async (party: Party, { accessToken }: Pick<Tokens, 'accessToken'>) =>
  (await userinfo(party, accessToken)).status === 200;

async function isDead(party: Party, tokens: Tokens): Promise<void> {
  expect(await isAlive(party, tokens)).toBe(false);
  expect(await bodyOf(await refresh(party, tokens.refreshToken))).toMatchObject({ error: 'invalid_grant' });
}

describe('the whole grant ends (RFC 7009 §2.1)', () => {
  test('by its refresh token', async () => {
    const tokens = await tokensFor(webOf(provider), alice);
    await accepted(await revoke(webOf(provider), tokens.refreshToken));
    await isDead(webOf(provider), tokens);
  });

  test('by its access token', async () => {
    const tokens = await tokensFor(webOf(provider), alice);
    await accepted(await revoke(webOf(provider), tokens.accessToken));
    await isDead(webOf(provider), tokens);
  });

  test('by a refresh token of an old generation', async () => {
    const web = webOf(provider);
    const first = await tokensFor(web, alice);
    const third = await tokensOf(
      await refresh(web, (await tokensOf(await refresh(web, first.refreshToken))).refreshToken),
    );
    await accepted(await revoke(web, first.refreshToken));
    await isDead(web, third);
  });

  test('by a public client that names itself', async () => {
    const tokens = await tokensFor(spaOf(provider), alice);
    await accepted(await revoke(spaOf(provider), tokens.refreshToken));
    await isDead(spaOf(provider), tokens);
  });

  test.each(['access_token', 'refresh_token', 'nonsense'])(
    'with the hint %s, right or wrong',
    async (token_type_hint) => {
      const tokens = await tokensFor(webOf(provider), alice);
      await accepted(await revoke(webOf(provider), tokens.refreshToken, { token_type_hint }));
      await isDead(webOf(provider), tokens);
    },
  );

  test('and no other of the same person and client', async () => {
    const [one, other] = [await tokensFor(webOf(provider), alice), await tokensFor(webOf(provider), alice)];
    await accepted(await revoke(webOf(provider), one.refreshToken));
    expect(await isAlive(webOf(provider), other)).toBe(true);
  });

  test('once: a second time is accepted as well', async () => {
    const tokens = await tokensFor(webOf(provider), alice);
    await accepted(await revoke(webOf(provider), tokens.refreshToken));
    await accepted(await revoke(webOf(provider), tokens.refreshToken));
  });
});

describe('nothing ends, and nobody learns what exists (RFC 7009 §2.2)', () => {
  test('for a token of another client', async () => {
    const tokens = await tokensFor(webOf(provider), alice);
    await accepted(await revoke(spaOf(provider), tokens.refreshToken));
    await accepted(await revoke(spaOf(provider), tokens.accessToken));
    expect(await isAlive(webOf(provider), tokens)).toBe(true);
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(200);
  });

  test('for an ID token and for noise', async () => {
    const tokens = await tokensFor(webOf(provider), alice);
    for (const token of [tokens.idToken, `${tokens.accessToken}x`, 'x', 'A'.repeat(98)]) {
      await accepted(await revoke(webOf(provider), token));
    }
    expect(await isAlive(webOf(provider), tokens)).toBe(true);
  });
});

test('a token of client_credentials: unsupported_token_type, since nothing could end it (RFC 7009 §2.2.1)', async () => {
  const party = { ...webOf(provider), clientId: 'demo-service', secret: provider.secretOf('demo-service') };
  const authorization = basic(party.clientId, party.secret);
  const issued = await post(`${provider.issuer}/token`, { grant_type: 'client_credentials' }, { authorization });
  const response = await revoke(party, text(await bodyOf(issued), 'access_token'));
  expect(response.status).toBe(400);
  expect(await bodyOf(response)).toMatchObject({ error: 'unsupported_token_type' });
});
