import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { register } from './operator.ts';
import {
  alice,
  authorizeUrl,
  type Body,
  bodyOf,
  claimsOf,
  codeOf,
  type Party,
  post,
  postAs,
  redeem,
  refresh,
  text,
  tokensFor,
  userinfo,
} from './relying_party.ts';
import { finish, isPage, pageOf, redirectOf } from './run_browser.ts';

/** RFC 8707 over HTTP, and the tokens of resources that want none they can read. */

const mail = 'https://mail.example';
const files = 'https://files.example';
const vault = 'https://vault.example';

let provider: Provider;
let app: Party;
let service: Party;
let vaultApi: Party;

beforeAll(async () => {
  provider = await startProvider();
  const opaqueAccessTokensFor = { value: vault };
  const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
  const resources = [mail, files, vault];
  const reason = 'it reads files for people';
  app = await register(provider, 'app', {
    resources,
    scope: ['openid', 'profile', 'read'],
    overrides: { opaqueAccessTokensFor },
  });
  service = await register(provider, 'service', {
    grantTypes: ['client_credentials', tokenExchange],
    responseTypes: [],
    redirectUris: [],
    resources,
    scope: ['read'],
    overrides: {
      opaqueAccessTokensFor,
      tokenExchange: { value: 'impersonation', reason },
      tokenExchangeClients: { value: 'app', reason },
      tokenExchangeAudiences: { value: vault, reason },
    },
  });
  vaultApi = await register(provider, 'vault-api', { introspects: [vault] });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const query = (parameters: { readonly [name: string]: string }, ...resources: readonly string[]): string =>
  `${authorizeUrl(app, parameters)}${resources.map((resource) => `&resource=${encodeURIComponent(resource)}`).join('')}`;

/** Alice in a browser of her own, back with whatever answer there is. */
async function backFrom(url: string): Promise<URL> {
  const agent = new UserAgent();
  const at = await agent.open(url);
  return isPage(at) ? finish(agent, pageOf(at), alice) : redirectOf(at);
}

/** A token request with several resources, which no object can hold. */
const tokenWith = (form: { readonly [name: string]: string }, ...resources: readonly string[]): Promise<Response> => {
  const body = new URLSearchParams(form);
  for (const resource of resources) body.append('resource', resource);
  const authorization = `Basic ${btoa(`${app.clientId}:${app.secret ?? ''}`)}`;
  const headers = { 'content-type': 'application/x-www-form-urlencoded', authorization };
  return fetch(`${app.issuer}/token`, { method: 'POST', headers, body: body.toString() });
};
const audienceIn = (body: Body): unknown => claimsOf(text(body, 'access_token'))['aud'];
const good = async (response: Promise<Response>): Promise<Body> => {
  const answer = await response;
  const body = await bodyOf(answer);
  expect({ status: answer.status, error: body['error'] }).toEqual({ status: 200, error: undefined });
  return body;
};
const errorOf = async (response: Promise<Response>): Promise<unknown> => (await bodyOf(await response))['error'];

describe('RFC 8707 §2.1: the authorization request', () => {
  test('several resources: the audience of the token, in order', async () => {
    const back = await backFrom(query({ scope: 'read' }, files, mail));
    expect(audienceIn(await good(redeem(app, codeOf(back))))).toEqual([files, mail]);
  });

  test('none: the default of the client; with openid userinfo is always among them', async () => {
    expect(audienceIn(await good(redeem(app, codeOf(await backFrom(query({ scope: 'read' }))))))).toBe(mail);
    const both = await good(redeem(app, codeOf(await backFrom(query({ scope: 'openid' }, files)))));
    expect(audienceIn(both)).toEqual([files, provider.issuer]);
  });

  test.each([
    ['one that the client may not ask for', [mail, 'https://stranger.example']],
    ['a relative one', ['mail']],
    ['one with a fragment', [`${mail}#inbox`]],
  ])('%s: invalid_target, by redirect, without a sign-in', async (_, resources) => {
    const back = redirectOf(await new UserAgent().open(query({ scope: 'read', state: 's' }, ...resources)));
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'invalid_target', state: 's' });
  });
});

describe('RFC 8707 §2.2: the token request', () => {
  test('a token for a part of what was granted, and by each refresh for another part', async () => {
    const code = codeOf(await backFrom(query({ scope: 'read' }, files, mail)));
    const form = { grant_type: 'authorization_code', code, redirect_uri: app.redirectUri };
    const first = await good(tokenWith(form, files));
    expect(audienceIn(first)).toBe(files);
    const second = await good(refresh(app, text(first, 'refresh_token'), { resource: mail }));
    expect(audienceIn(second)).toBe(mail);
    const third = await good(refresh(app, text(second, 'refresh_token')));
    expect(audienceIn(third)).toEqual([files, mail]);
    const form4 = { grant_type: 'refresh_token', refresh_token: text(third, 'refresh_token') };
    expect(audienceIn(await good(tokenWith(form4, mail, files)))).toEqual([files, mail]);
  });

  test('what was not granted: invalid_target, and neither code nor refresh token is used up', async () => {
    const code = codeOf(await backFrom(query({ scope: 'read' }, files)));
    for (const resource of [mail, 'https://stranger.example', `${files}#x`]) {
      expect(await errorOf(redeem(app, code, { resource }))).toBe('invalid_target');
    }
    const { refresh_token } = await good(redeem(app, code));
    expect(await errorOf(refresh(app, String(refresh_token), { resource: mail }))).toBe('invalid_target');
    expect(audienceIn(await good(refresh(app, String(refresh_token), { resource: files })))).toBe(files);
  });

  test('for itself: what is asked for and allowed, else the default', async () => {
    const ask = (more: object) => postAs(service, '/token', { grant_type: 'client_credentials', ...more });
    expect(audienceIn(await good(ask({ resource: files })))).toBe(files);
    expect(audienceIn(await good(ask({})))).toBe(mail);
    expect(await errorOf(ask({ resource: 'https://stranger.example' }))).toBe('invalid_target');
  });
});

describe('a resource that wants opaque tokens', () => {
  const inactive = { active: false };
  const introspect = async (token: string) => bodyOf(await postAs(vaultApi, '/introspect', { token }));
  const isJwt = (token: string): boolean => token.split('.').length === 3;

  test('gets none that can be read; introspection and userinfo know it, and revocation ends it', async () => {
    const { accessToken, refreshToken } = await tokensFor(app, alice, { scope: 'openid read', resource: vault });
    expect(isJwt(accessToken)).toBe(false);
    expect(await introspect(accessToken)).toMatchObject({
      active: true,
      iss: provider.issuer,
      aud: [vault, provider.issuer],
      client_id: 'app',
      scope: 'openid read',
      username: 'alice',
      acr: expect.any(String),
    });
    expect((await userinfo(app, accessToken)).status).toBe(200);
    const inBody = await post(`${provider.issuer}/userinfo`, { access_token: accessToken });
    expect(inBody.status).toBe(200);
    expect((await postAs(app, '/revoke', { token: accessToken })).status).toBe(200);
    expect(await introspect(accessToken)).toEqual(inactive);
    expect((await userinfo(app, accessToken)).status).toBe(401);
    expect(await errorOf(refresh(app, refreshToken))).toBe('invalid_grant');
  });

  test('others of the same client are JWTs; a refresh decides anew', async () => {
    const { accessToken, refreshToken } = await tokensFor(app, alice, { scope: 'openid read', resource: files });
    expect(isJwt(accessToken)).toBe(true);
    const back = await backFrom(query({ scope: 'openid read' }, files, vault));
    const both = await good(redeem(app, codeOf(back)));
    expect(isJwt(text(both, 'access_token'))).toBe(false);
    const narrowed = await good(refresh(app, text(both, 'refresh_token'), { resource: files }));
    expect(isJwt(text(narrowed, 'access_token'))).toBe(true);
    expect(isJwt(text(await good(refresh(app, refreshToken)), 'access_token'))).toBe(true);
  });

  test('also where the token comes from the authorization endpoint (implicit)', async () => {
    const front = await register(provider, 'front', {
      responseTypes: ['id_token token'],
      grantTypes: ['implicit'],
      resources: [vault],
      overrides: { implicitAndHybrid: { value: true, reason: 'old' }, opaqueAccessTokensFor: { value: vault } },
    });
    const agent = new UserAgent();
    const url = authorizeUrl(front, { response_type: 'id_token token', nonce: 'n', scope: 'openid profile' });
    const back = await finish(agent, pageOf(await agent.open(url)));
    const returned = new URLSearchParams(back.hash.slice(1));
    const token = returned.get('access_token') ?? '';
    expect(isJwt(token)).toBe(false);
    expect(claimsOf(returned.get('id_token') ?? '')['at_hash']).toBe(
      createHash('sha256').update(token).digest().subarray(0, 16).toString('base64url'),
    );
    expect(await introspect(token)).toMatchObject({ active: true, client_id: 'front' });
  });

  test('of a client that acts for itself, it still touches no database', async () => {
    const form = { grant_type: 'client_credentials', resource: vault };
    await good(postAs(service, '/token', form));
    provider.resetStatements();
    const token = text(await good(postAs(service, '/token', form)), 'access_token');
    expect(provider.statements()).toEqual([]);
    expect(isJwt(token)).toBe(false);
    expect(await introspect(token)).toMatchObject({ active: true, sub: 'service', scope: 'read' });
  });

  test('it can be exchanged, ends by time, and a changed one is nothing', async () => {
    const { accessToken } = await tokensFor(app, alice, { scope: 'openid read', resource: vault });
    const exchange = (subject_token: string) =>
      postAs(service, '/token', {
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        resource: files,
      });
    expect(audienceIn(await good(exchange(accessToken)))).toBe(files);
    const changed = `${accessToken.slice(0, -1)}${accessToken.endsWith('A') ? 'B' : 'A'}`;
    expect(await errorOf(exchange(changed))).toBe('invalid_request');
    expect(await introspect(changed)).toEqual(inactive);
    await provider.shiftClock(601);
    expect(await introspect(accessToken)).toEqual(inactive);
    expect((await userinfo(app, accessToken)).status).toBe(401);
    expect(await errorOf(exchange(accessToken))).toBe('invalid_request');
  });
});
