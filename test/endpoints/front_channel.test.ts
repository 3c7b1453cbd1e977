import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { brandId, type ClientId } from '../../src/core/ids.ts';
import {
  isFrontChannel,
  type ResponseType,
  responseTypeNames,
  returns,
} from '../../src/oidc/authorize/response_type.ts';
import { leftHalfHash } from '../../src/oidc/id_token.ts';
import { createClients } from '../../src/store/clients.ts';
import { createRealms } from '../../src/store/realms.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { signIn, UserAgent } from '../user_agent.ts';

const callback = 'https://hybrid.example/callback';
const alice = { username: 'alice', password: 'alice-in-the-demo' };

let provider: Provider;
let secret: string;
let keys: ReturnType<typeof createRemoteJWKSet>;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_SETTING_IMPLICIT_AND_HYBRID: 'true' } });
  const realm = await createRealms(provider.database, ringless).show('main');
  if (realm === null) throw new Error('the demo has a realm');
  const created = await createClients(provider.database, { system: {} }).create(
    {
      realmId: realm.id,
      clientId: brandId<ClientId>('hybrid'),
      class: 'confidential',
      name: 'Hybrid',
      authMethod: 'client_secret_basic',
      jwks: null,
      redirectUris: [callback],
      postLogoutRedirectUris: [],
      grantTypes: ['authorization_code', 'implicit', 'refresh_token'],
      responseTypes: responseTypeNames,
      scope: ['openid', 'profile', 'email'],
      resources: [],
      introspects: [],
      idTokenSignedResponseAlg: null,
      defaultMaxAgeSeconds: null,
      requireAuthTime: false,
      consent: 'never',
      overrides: {},
      metadata: {},
    },
    { withSecret: true },
    Date.now(),
  );
  if (!created.ok || created.value.secret === null) throw new Error('the client is refused');
  secret = created.value.secret.reveal();
  await Bun.sleep(1200);
  keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** Showing a realm opens nothing sealed. */
const ringless = { ring: { find: () => undefined } as never, system: {} };

const authorizeUrl = (parameters: { readonly [name: string]: string }): string =>
  `${provider.issuer}/authorize?${new URLSearchParams({
    client_id: 'hybrid',
    redirect_uri: callback,
    scope: 'openid email',
    state: 's',
    nonce: 'n',
    ...parameters,
  })}`;

const fragmentOf = (url: URL): URLSearchParams => new URLSearchParams(url.hash.slice(1));

const respond = async (type: ResponseType): Promise<URLSearchParams> => {
  const back = await signIn(new UserAgent(), authorizeUrl({ response_type: type }), alice);
  expect(back.search).toBe('');
  return fragmentOf(back);
};

const redeem = (code: string): Promise<Response> =>
  fetch(`${provider.issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`hybrid:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: callback }),
  });

const userinfo = (token: string): Promise<Response> =>
  fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });

describe('OIDC Core §3.2, §3.3', () => {
  test.each(responseTypeNames.filter(isFrontChannel))(
    '%s returns its parts in the fragment, each vouched for',
    async (type) => {
      const sent = await respond(type);
      const code = sent.get('code');
      const accessToken = sent.get('access_token');
      expect(code !== null).toBe(returns(type, 'code'));
      expect(accessToken !== null).toBe(returns(type, 'token'));
      expect(sent.get('id_token') !== null).toBe(returns(type, 'id_token'));
      expect(sent.get('state')).toBe('s');
      expect(sent.get('iss')).toBe(provider.issuer);
      if (returns(type, 'id_token')) {
        const { payload } = await jwtVerify(sent.get('id_token') ?? '', keys, {
          issuer: provider.issuer,
          audience: 'hybrid',
        });
        expect(payload['nonce']).toBe('n');
        expect(payload['c_hash']).toBe(code === null ? undefined : leftHalfHash('RS256', code));
        expect(payload['at_hash']).toBe(accessToken === null ? undefined : leftHalfHash('RS256', accessToken));
        expect(payload['email']).toBe(type === 'id_token' ? 'alice@example.com' : undefined);
      }
      if (accessToken !== null) {
        const answer = await userinfo(accessToken);
        expect(answer.status).toBe(200);
        expect(await answer.json()).toMatchObject({ email: 'alice@example.com' });
        expect(sent.get('token_type')).toBe('Bearer');
        expect(Number(sent.get('expires_in'))).toBeGreaterThan(0);
      }
      if (code !== null) expect((await redeem(code)).status).toBe(200);
    },
  );

  test('a replayed code ends the token that was returned beside it', async () => {
    const sent = await respond('code id_token token');
    const accessToken = sent.get('access_token') ?? '';
    expect((await redeem(sent.get('code') ?? '')).status).toBe(200);
    expect((await userinfo(accessToken)).status).toBe(200);
    expect((await redeem(sent.get('code') ?? '')).status).toBe(400);
    expect((await userinfo(accessToken)).status).toBe(401);
  });

  test('without nonce the refusal is in the fragment', async () => {
    const back = await new UserAgent().open(authorizeUrl({ response_type: 'id_token', nonce: '' }));
    expect(back instanceof URL && fragmentOf(back).get('error')).toBe('invalid_request');
  });

  test('asked into the query, it is refused, and in the fragment', async () => {
    const back = await new UserAgent().open(authorizeUrl({ response_type: 'code token', response_mode: 'query' }));
    expect(back instanceof URL && back.search).toBe('');
    expect(back instanceof URL && fragmentOf(back).get('error')).toBe('invalid_request');
  });

  test('discovery names the types that are served', async () => {
    const metadata: unknown = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
    expect(metadata).toMatchObject({
      response_types_supported: [...responseTypeNames],
      grant_types_supported: expect.arrayContaining(['implicit']),
    });
  });
});
