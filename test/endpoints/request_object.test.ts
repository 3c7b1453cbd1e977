import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { systemClock, toNumericDate } from '../../src/core/time.ts';
import type { ClientMetadata } from '../../src/oidc/client.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { register } from './operator.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bodyOf,
  codeOf,
  type Parameters,
  type Party,
  post,
  redeem,
} from './relying_party.ts';

type Key = { readonly privateKey: CryptoKey; readonly jwk: object; readonly kid: string };

async function newKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }, kid };
}

let provider: Provider;
let site: ReturnType<typeof Bun.serve>;
let key: Key;
let stranger: Key;
/** What the client's own web server has, by path; and the paths that were asked for. */
const there = new Map<string, string>();
const asked: string[] = [];
let party: Party;
let other: Party;

const siteUrl = (path: string): string => `http://127.0.0.1:${site.port}${path}`;

beforeAll(async () => {
  site = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      if (pathname === '/moved') return Response.redirect(siteUrl('/request'));
      const body = there.get(pathname);
      return new Response(body ?? '', { status: body === undefined ? 404 : 200 });
    },
  });
  provider = await startProvider({ environment: { LIMEN_OUTBOUND_LOOPBACK: 'true' } });
  key = await newKey('its-own');
  stranger = await newKey('its-own');
  const request_uris = ['/request#hash', '/moved', '/missing', '/broken'].map(siteUrl);
  const asSigner = async (clientId: string, { jwk }: Key, metadata: ClientMetadata = {}) =>
    register(provider, clientId, { jwks: readKeys({ keys: [jwk] }), metadata });
  party = await asSigner('requesting', key, { request_uris });
  other = await asSigner('other', stranger);
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await provider.stop();
  await site.stop(true);
});

const readKeys = (document: { readonly keys: readonly object[] }) => ({
  keys: document.keys.map((jwk) => ({ kty: 'EC', ...jwk })),
});

const sign = (payload: JWTPayload, { privateKey, kid }: Key = key): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid }).sign(privateKey);

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Opens the request without signing in, and gives what the client is told. */
async function refusalOf(parameters: Parameters, by: Party = party): Promise<URL> {
  const back = await new UserAgent().open(authorizeUrl(by, parameters));
  if (!(back instanceof URL)) throw new Error(`expected a redirect, got the page ${back.title}`);
  return back;
}

const errorOf = async (parameters: Parameters, by?: Party): Promise<string | null> =>
  (await refusalOf(parameters, by)).searchParams.get('error');

describe('a signed request object', () => {
  test('is honoured by value: what it says wins, and the code can be redeemed', async () => {
    const request = await sign({ iss: 'requesting', aud: provider.issuer, state: 'inner', nonce: 'inner' });
    const back = await authorize(party, alice, { request, state: 'outer' });
    expect(back.searchParams.get('state')).toBe('inner');
    const { id_token: idToken } = await bodyOf(await redeem(party, codeOf(back)));
    const [, payload = ''] = String(idToken).split('.');
    expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({ nonce: 'inner' });
  });

  test('is honoured in a POST', async () => {
    const request = await sign({ state: 'inner', prompt: 'none' });
    const { origin, pathname, searchParams } = new URL(authorizeUrl(party, { request }));
    const agent = new UserAgent();
    const response = await agent.fetch(origin + pathname, { method: 'POST', body: searchParams });
    const back = await agent.open(new URL(response.headers.get('location') ?? '', origin).href, origin);
    if (!(back instanceof URL)) throw new Error(`expected a redirect, got the page ${back.title}`);
    expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'login_required', state: 'inner' });
  });

  test('may be replayed: it only says what a query could say again', async () => {
    const request = await sign({ prompt: 'none', jti: 'one' });
    for (const _ of [1, 2]) expect(await errorOf({ request })).toBe('login_required');
  });

  test('answers at the redirect_uri inside, whatever is outside; and never at one that is not registered', async () => {
    const inside = await sign({ redirect_uri: party.redirectUri, prompt: 'none' });
    const outside = { redirect_uri: 'https://evil.example/callback' };
    expect(await errorOf({ ...outside, request: inside })).toBe('login_required');
    const evil = await sign(outside);
    const page = await new UserAgent().open(authorizeUrl(party, { request: evil }));
    expect(page).not.toBeInstanceOf(URL);
  });

  test('its rules are those of every request', async () => {
    expect(await errorOf({ request: await sign({ scope: 'nothing.of.ours' }) })).toBe('invalid_scope');
    expect(await errorOf({ request: await sign({ id_token_hint: 'x' }) })).toBe('invalid_request');
  });

  test('of another client, of nobody, unsigned or late is refused', async () => {
    const late = { exp: toNumericDate(systemClock()) - 300 };
    const requests = [
      await sign({}, stranger),
      await sign({ client_id: 'other' }),
      await sign({ iss: 'other' }),
      await sign({ aud: `${provider.issuer}/realms/acme` }),
      await sign(late),
      `${encoded({ alg: 'none' })}.${encoded({})}.`,
    ];
    for (const request of requests) expect(await errorOf({ request })).toBe('invalid_request_object');
    expect(await errorOf({ request: await sign({ iss: 'requesting' }) }, other)).toBe('invalid_request_object');
  });

  test('refused, it still says how and with which state to answer', async () => {
    const request = `${encoded({ alg: 'none' })}.${encoded({ response_mode: 'form_post', state: 'inner' })}.`;
    const page = await new UserAgent().page(authorizeUrl(party, { request }));
    expect(page.hidden).toMatchObject({ error: 'invalid_request_object', state: 'inner', iss: provider.issuer });
  });

  test('refused, a state that could not be sent back is left out', async () => {
    const request = `${encoded({ alg: 'none' })}.${encoded({ state: '\ud800' })}.`;
    const back = await refusalOf({ request });
    expect(back.searchParams.get('error')).toBe('invalid_request_object');
    expect(back.searchParams.has('state')).toBe(false);
  });
});

describe('a request_uri', () => {
  test('that is registered is fetched, with whatever fragment, each time', async () => {
    for (const state of ['one', 'two']) {
      there.set('/request', await sign({ state, prompt: 'none' }));
      for (const hash of ['', '#hash', '#other']) {
        const back = await refusalOf({ request_uri: siteUrl(`/request${hash}`) });
        expect(Object.fromEntries(back.searchParams)).toMatchObject({ error: 'login_required', state });
      }
    }
  });

  test('that is not registered, or another client’s, is never asked', async () => {
    there.set('/request', await sign({ prompt: 'none' }));
    const before = asked.length;
    expect(await errorOf({ request_uri: siteUrl('/request?x=1') })).toBe('invalid_request_uri');
    expect(await errorOf({ request_uri: siteUrl('/other') })).toBe('invalid_request_uri');
    expect(await errorOf({ request_uri: siteUrl('/request') }, other)).toBe('invalid_request_uri');
    expect(asked.slice(before)).toEqual([]);
  });

  test('where there is nothing, or a redirect, is refused; where there is no object too', async () => {
    expect(await errorOf({ request_uri: siteUrl('/missing') })).toBe('invalid_request_uri');
    expect(await errorOf({ request_uri: siteUrl('/moved') })).toBe('invalid_request_uri');
    there.set('/broken', '<!doctype html>');
    expect(await errorOf({ request_uri: siteUrl('/broken') })).toBe('invalid_request_object');
  });

  test('the log and the client are told alike, by name', async () => {
    const before = provider.log.length;
    const back = await refusalOf({ request_uri: siteUrl('/elsewhere'), state: 's' });
    expect(back.searchParams.get('state')).toBe('s');
    const lines = provider.log.slice(before).map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([{ rule: 'OIDC Core §6.2', parameter: 'request_uri', clientId: 'requesting' }]);
  });
});

describe('keys behind a jwks_uri', () => {
  const assertion = async (clientId: string, by: Key): Promise<Parameters> => {
    const now = toNumericDate(systemClock());
    const claims = { iss: clientId, sub: clientId, aud: provider.issuer, exp: now + 60, jti: crypto.randomUUID() };
    return {
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await sign(claims, by),
    };
  };
  const authenticate = async (clientId: string, by: Key): Promise<number> =>
    (await post(`${provider.issuer}/token`, await assertion(clientId, by))).status;

  const publishing = (clientId: string, path: string, more: ClientMetadata = {}) =>
    register(provider, clientId, {
      authMethod: 'private_key_jwt',
      grantTypes: ['client_credentials', 'authorization_code'],
      scope: ['openid', 'reports'],
      metadata: { jwks_uri: siteUrl(path), ...more },
    });

  test('authenticate the client; after it rotated them, its new key is found and the old one no longer counts', async () => {
    const first = await newKey('first');
    const second = await newKey('second');
    await publishing('rotating', '/rotating');
    there.set('/rotating', JSON.stringify({ keys: [first.jwk] }));
    expect(await authenticate('rotating', first)).toBe(200);
    expect(await authenticate('rotating', first)).toBe(200);
    expect(asked.filter((path) => path === '/rotating')).toHaveLength(1);
    there.set('/rotating', JSON.stringify({ keys: [second.jwk] }));
    await provider.shiftClock(11);
    expect(await authenticate('rotating', second)).toBe(200);
    expect(await authenticate('rotating', first)).toBe(401);
    expect(asked.filter((path) => path === '/rotating')).toHaveLength(2);
  });

  test('unknown ones do not make the provider ask again and again', async () => {
    const own = await newKey('own');
    const strangers = await Promise.all(['a', 'b', 'c'].map(newKey));
    await publishing('steady', '/steady');
    there.set('/steady', JSON.stringify({ keys: [own.jwk] }));
    expect(await authenticate('steady', own)).toBe(200);
    for (const by of strangers) expect(await authenticate('steady', by)).toBe(401);
    expect(asked.filter((path) => path === '/steady')).toHaveLength(1);
    expect(await authenticate('steady', own)).toBe(200);
  });

  test.each([
    ['nothing', undefined],
    ['no JSON', '<!doctype html>'],
    ['no key set', '{"keys":"none"}'],
  ])('%s there: the client is refused', async (what, body) => {
    const clientId = `publishing-${what.replaceAll(' ', '-')}`;
    await publishing(clientId, `/${clientId}`);
    if (body !== undefined) there.set(`/${clientId}`, body);
    expect(await authenticate(clientId, key)).toBe(401);
  });

  test('verify its request objects too', async () => {
    const own = await newKey('own');
    there.set('/requests', JSON.stringify({ keys: [own.jwk] }));
    const by = await publishing('publishing', '/requests');
    expect(await errorOf({ request: await sign({ prompt: 'none' }, own) }, by)).toBe('login_required');
    expect(await errorOf({ request: await sign({ prompt: 'none' }) }, by)).toBe('invalid_request_object');
  });
});
