import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { systemClock, toNumericDate } from '../../src/core/time.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { type DocumentHost, nativeCallback, startDocumentHost, trustsDocumentHosts } from './document_host.ts';
import { setRealm } from './registrar.ts';
import {
  alice,
  authorizeUrl,
  bodyOf,
  claimsOf,
  codeOf,
  codeVerifier,
  type Parameters,
  type Party,
  post,
  postAs,
  refresh,
  tokensOf,
  userinfo,
} from './relying_party.ts';
import { entryFor, finish, pageOf, reach, redirectOf, screenOf } from './run_browser.ts';

/** draft-ietf-oauth-client-id-metadata-document. The realm main takes such clients, acme does not. */

let provider: Provider;
let host: DocumentHost;

const [files, mail] = ['https://files.example/mcp', 'https://mail.example'];

beforeAll(async () => {
  host = startDocumentHost();
  provider = await startProvider({ environment: { ...trustsDocumentHosts, LIMEN_TRUSTED_PROXIES: '127.0.0.1' } });
  await setRealm(provider, 'main', {
    clientIdMetadataDocuments: { value: true, reason: 'test' },
    registrationResources: { value: `${files} ${mail}`, reason: 'test' },
  });
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await provider.stop();
  await host.stop();
});

const partyOf = (clientId: string, redirectUri = 'http://127.0.0.1:49152/callback'): Party => ({
  issuer: provider.issuer,
  clientId,
  secret: null,
  redirectUri,
});

/** A client whose document is at this path. */
const agentAt = (path: string, members: object = {}, headers: Parameters = {}): Party =>
  partyOf(host.describe(path, members, headers));

/** As MCP clients do: `redirect_uri` not again (OAuth 2.1 §4.1.3). */
const redeem = (party: Party, back: URL, fields: Parameters = {}): Promise<Response> =>
  postAs(party, '/token', {
    grant_type: 'authorization_code',
    code: codeOf(back),
    code_verifier: codeVerifier,
    ...fields,
  });

async function signedIn(party: Party, parameters: Parameters = {}, agent = new UserAgent()) {
  const consent = await reach(agent, authorizeUrl(party, parameters), 'consent');
  return { agent, consent, back: redirectOf(await agent.answer(consent, { decision: 'allow' })) };
}

const tokensFor = async (party: Party, parameters: Parameters = {}) =>
  tokensOf(await redeem(party, (await signedIn(party, parameters)).back));

const outcome = async (answer: Promise<Response>) => {
  const response = await answer;
  return [response.status, (await bodyOf(response))['error']];
};

/** The page that tells the person, and what its error id tells the operator. */
async function pageFor(url: string) {
  const page = pageOf(await new UserAgent().open(url));
  const [, errorId = ''] = /id="error_id">([^<]+)</.exec(page.html) ?? [];
  const line = provider.log.find((one) => one.includes('request.refused') && one.includes(errorId)) ?? '{}';
  const { error, parameter, rule, description } = JSON.parse(line);
  return { page, told: { error, parameter, rule, description } };
}

describe('where the setting is off', () => {
  test('no URL is a client, and nothing is asked for', async () => {
    const acme = { ...agentAt('/off'), issuer: `${provider.issuer}/realms/acme` };
    const { page, told } = await pageFor(authorizeUrl(acme));
    expect([page.status, told.error]).toEqual([400, 'invalid_client']);
    expect(await outcome(refresh(acme, 'x'))).toEqual([401, 'invalid_client']);
    expect(host.askedFor('/off')).toBe(0);
  });

  test.each(['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server'])(
    'it is not announced, and where it is on it is: %s',
    async (path) => {
      const inserted = path.includes('oauth') ? `${path}/realms/acme` : `/realms/acme${path}`;
      const [on, off] = await Promise.all(
        [path, inserted].map(async (at) => bodyOf(await fetch(provider.issuer + at))),
      );
      expect(on?.['client_id_metadata_document_supported']).toBe(true);
      expect(off).not.toHaveProperty('client_id_metadata_document_supported');
      expect(on?.['code_challenge_methods_supported']).toEqual(['S256']);
    },
  );
});

describe('a client that a document describes', () => {
  test('signs a person in, gets tokens for the resource, refreshes and revokes', async () => {
    const party = agentAt('/whole');
    const { back } = await signedIn(party, { scope: 'openid profile', resource: files, state: 'a state' });
    expect([back.origin + back.pathname, back.searchParams.get('state')]).toEqual([party.redirectUri, 'a state']);
    expect(back.searchParams.get('iss')).toBe(provider.issuer);
    const tokens = await tokensOf(await redeem(party, back, { resource: files }));
    expect(claimsOf(tokens.accessToken)).toMatchObject({ client_id: party.clientId, aud: [files, provider.issuer] });
    expect(claimsOf(tokens.idToken)).toMatchObject({ aud: party.clientId });
    expect((await userinfo(party, tokens.accessToken)).status).toBe(200);
    const renewed = await tokensOf(await refresh(party, tokens.refreshToken, { resource: files }));
    expect((await postAs(party, '/revoke', { token: renewed.refreshToken })).status).toBe(200);
    expect(await outcome(refresh(party, renewed.refreshToken))).toEqual([400, 'invalid_grant']);
    expect((await userinfo(party, renewed.accessToken)).status).toBe(401);
    const stored = await provider.database.sql`SELECT 1 FROM clients WHERE client_id = ${party.clientId}`;
    expect(stored).toHaveLength(0);
  });

  test('needs PKCE', async () => {
    const party = agentAt('/pkce');
    const back = redirectOf(await new UserAgent().open(authorizeUrl(party, { code_challenge: '' })));
    expect(back.searchParams.get('error')).toBe('invalid_request');
    const { back: good } = await signedIn(party);
    expect(await outcome(redeem(party, good, { code_verifier: 'x'.repeat(43) }))).toEqual([400, 'invalid_grant']);
  });

  test('gets no resource that the realm does not open, and the issuer where it asks for none', async () => {
    const party = agentAt('/resources');
    const back = redirectOf(await new UserAgent().open(authorizeUrl(party, { resource: 'https://other.example' })));
    expect(back.searchParams.get('error')).toBe('invalid_target');
    expect(claimsOf((await tokensFor(party)).accessToken)['aud']).toEqual(provider.issuer);
    const withSlash = await tokensFor(party, { resource: `${mail}/` });
    expect(claimsOf(withSlash.accessToken)['aud']).toEqual([`${mail}/`, provider.issuer]);
  });

  test('sends nobody anywhere that its document does not name', async () => {
    const party = partyOf(host.describe('/elsewhere'), 'https://evil.example/callback');
    const { page, told } = await pageFor(authorizeUrl(party));
    expect([page.status, told.parameter]).toEqual([400, 'redirect_uri']);
  });

  test('http://localhost is compared as it is written, unless the setting lets its port be any', async () => {
    const party = { ...agentAt('/localhost', { redirect_uris: ['http://localhost/callback'] }) };
    const at = { ...party, redirectUri: 'http://localhost:49153/callback' };
    expect((await pageFor(authorizeUrl(at))).told.parameter).toBe('redirect_uri');
    await setRealm(provider, 'main', { localhostAnyPort: { value: true, reason: 'test' } });
    const { back } = await signedIn(at);
    expect(back.origin).toBe('http://localhost:49153');
    await setRealm(provider, 'main', { localhostAnyPort: null });
  });

  test('with keys proves itself with each request', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256');
    const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] };
    const party = agentAt('/keys', { token_endpoint_auth_method: 'private_key_jwt', jwks });
    const { back } = await signedIn(party);
    expect(await outcome(redeem(party, back))).toEqual([401, 'invalid_client']);
    const now = toNumericDate(systemClock());
    const subject = { iss: party.clientId, sub: party.clientId, aud: provider.issuer, jti: crypto.randomUUID() };
    const assertion = await new SignJWT({ ...subject, iat: now, exp: now + 60 })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .sign(privateKey);
    const proof = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    };
    const fields = { grant_type: 'authorization_code', code: codeOf(back), code_verifier: codeVerifier, ...proof };
    expect((await post(`${provider.issuer}/token`, fields)).status).toBe(200);
  });
});

describe('§8.5: the person is asked', () => {
  test('and sees the host that the client comes from, and where the answer goes', async () => {
    const { consent } = await signedIn(agentAt('/shown'), { resource: files });
    expect(consent.html).toContain(`<p class="lead" id="host">This application comes from <bdi>${host.host}</bdi>.`);
    expect(consent.html).toMatch(/id="returns">.*a program on this device.*<bdi>127\.0\.0\.1:49152<\/bdi>/);
    expect(consent.html).toContain(`<bdi>${files}</bdi>`);
  });

  test('each time where the answer goes to a device; a request that may show nothing fails', async () => {
    const party = agentAt('/device');
    const { agent } = await signedIn(party);
    expect(screenOf(pageOf(await agent.open(authorizeUrl(party))))).toBe('consent');
    const silent = redirectOf(await agent.open(authorizeUrl(party, { prompt: 'none' })));
    expect(silent.searchParams.get('error')).toBe('consent_required');
  });

  test('once where it goes to an https URL, and again for each resource and each client', async () => {
    const callback = 'https://agent.example/callback';
    const web = (path: string) => partyOf(host.describe(path, { redirect_uris: [callback] }), callback);
    const party = web('/web');
    const { agent, consent } = await signedIn(party, { resource: files });
    expect(consent.html).toContain('<bdi>agent.example</bdi> gets this access');
    const silent = { prompt: 'none', resource: files };
    expect(redirectOf(await agent.open(authorizeUrl(party, silent))).searchParams.has('code')).toBe(true);
    const other = redirectOf(await agent.open(authorizeUrl(party, { ...silent, resource: mail })));
    expect(other.searchParams.get('error')).toBe('consent_required');
    const twin = redirectOf(await agent.open(authorizeUrl(web('/web-twin'), silent)));
    expect(twin.searchParams.get('error')).toBe('consent_required');
  });

  test('and what somebody who refuses says is told to the client', async () => {
    const party = agentAt('/denied');
    const agent = new UserAgent();
    const consent = await reach(agent, authorizeUrl(party), 'consent');
    expect(redirectOf(await agent.answer(consent, { decision: 'deny' })).searchParams.get('error')).toBe(
      'access_denied',
    );
  });
});

describe('§5.1: a document that cannot be used ends at a page, and nothing is redirected', () => {
  const sent =
    (
      body: string | Uint8Array<ArrayBuffer>,
      headers: Parameters = { 'content-type': 'application/json' },
      status = 200,
    ) =>
    () =>
      new Response(body, { status, headers });
  const document = (path: string, members: object = {}): string =>
    JSON.stringify({ client_id: host.url(path), redirect_uris: [nativeCallback], ...members });

  test.each<[string, (path: string) => () => Response, object]>([
    [
      'another client_id',
      () => sent(document('/another')),
      { error: 'invalid_client_metadata', parameter: 'client_id' },
    ],
    ['a secret', (path) => sent(document(path, { client_secret: 'x' })), { parameter: 'client_secret' }],
    [
      'a method with a shared secret',
      (path) => sent(document(path, { token_endpoint_auth_method: 'client_secret_basic' })),
      { parameter: 'token_endpoint_auth_method' },
    ],
    ['no redirect URI', (path) => sent(document(path, { redirect_uris: [] })), { parameter: 'redirect_uris' }],
    ['too much', (path) => sent(document(path, { padding: 'x'.repeat(5 * 1024) })), { error: 'invalid_client' }],
    ['another type', (path) => sent(document(path), { 'content-type': 'text/html' }), { error: 'invalid_client' }],
    ['no type', (path) => sent(Buffer.from(document(path)), {}), { error: 'invalid_client' }],
    ['no JSON', () => sent('{'), { error: 'invalid_client' }],
    ['404', (path) => sent(document(path), {}, 404), { error: 'invalid_client' }],
    ['a redirect', () => () => Response.redirect(host.url('/whole'), 302), { error: 'invalid_client' }],
  ])('%s', async (name, answer, expected) => {
    const path = `/bad-${name.replaceAll(' ', '-')}`;
    host.serve(path, answer(path));
    const party = partyOf(host.url(path));
    const { page, told } = await pageFor(authorizeUrl(party));
    expect(page.status).toBe(400);
    expect(page.html).toContain('describes itself at an address of its own');
    expect(told).toMatchObject(expected);
    expect(await outcome(refresh(party, 'x'))).toEqual([401, 'invalid_client']);
  });

  test.each([
    ['an address that is not public', 'https://10.0.0.1/client.json'],
    ['metadata of a cloud', 'https://169.254.169.254/client.json'],
    ['a dot segment', 'https://agent.example/a/../client.json'],
    ['no path', 'https://agent.example'],
    ['a fragment', 'https://agent.example/client.json#x'],
    ['a user', 'https://user@agent.example/client.json'],
  ])('a client_id with %s', async (_, clientId) => {
    const { page, told } = await pageFor(authorizeUrl(partyOf(clientId)));
    expect([page.status, told.error]).toEqual([400, 'invalid_client']);
  });

  test('a more specific JSON type will do', async () => {
    const path = '/specific';
    host.serve(path, sent(document(path), { 'content-type': 'application/oauth-client+json; charset=utf-8' }));
    expect((await signedIn(partyOf(host.url(path)))).back.searchParams.has('code')).toBe(true);
  });

  test('one that describes no client is not kept: mended, it works ten seconds later', async () => {
    const party = agentAt('/mended', { redirect_uris: [] }, { 'cache-control': 'max-age=3600' });
    expect((await pageFor(authorizeUrl(party))).page.status).toBe(400);
    host.describe('/mended');
    await provider.shiftClock(10);
    expect((await signedIn(party)).back.searchParams.has('code')).toBe(true);
  });
});

describe('§5.2: a document is kept as its server says, within bounds', () => {
  test('asked for once, by however many at once, until its time is over', async () => {
    const party = agentAt('/kept', {}, { 'cache-control': 'max-age=600' });
    const pages = Array.from({ length: 8 }, () => new UserAgent().open(authorizeUrl(party)));
    expect((await Promise.all(pages)).map((page) => screenOf(pageOf(page)))).toEqual(Array(8).fill('identifier'));
    expect(host.askedFor('/kept')).toBe(1);
    await provider.shiftClock(590);
    await new UserAgent().open(authorizeUrl(party));
    expect(host.askedFor('/kept')).toBe(1);
    await provider.shiftClock(20);
    await new UserAgent().open(authorizeUrl(party));
    expect(host.askedFor('/kept')).toBe(2);
  });

  test('after a restart the grant goes on: the document is asked for again', async () => {
    const party = agentAt('/restarted');
    const { refreshToken } = await tokensFor(party);
    await provider.restart();
    expect((await refresh(party, refreshToken)).status).toBe(200);
    expect(host.askedFor('/restarted')).toBe(2);
  });

  test('what it takes from the client is taken when it is asked for again', async () => {
    const party = agentAt('/narrowed', { redirect_uris: [nativeCallback, 'http://127.0.0.1/other'] });
    const other = { ...party, redirectUri: 'http://127.0.0.1:49152/other' };
    await signedIn(other);
    host.describe('/narrowed');
    await provider.shiftClock(300);
    expect((await pageFor(authorizeUrl(other))).told.parameter).toBe('redirect_uri');
  });
});

describe('an outage of the document’s server', () => {
  const outage = () => new Response(null, { status: 503 });

  test('ends nothing for six hours; then it is 503 and no word about the client, until the server is back', async () => {
    const party = agentAt('/outage', {}, { 'cache-control': 'max-age=60' });
    const { refreshToken } = await tokensFor(party);
    host.serve('/outage', outage);
    await provider.shiftClock(5 * 60 * 60);
    const renewed = await tokensOf(await refresh(party, refreshToken));
    await provider.shiftClock(2 * 60 * 60);
    const refused = await refresh(party, renewed.refreshToken);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await bodyOf(refused))['error']).toBe('temporarily_unavailable');
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    const { page, told } = await pageFor(authorizeUrl(party));
    expect([page.status, told.error]).toEqual([503, 'temporarily_unavailable']);
    expect(page.html).toContain('does not answer right now');
    host.describe('/outage');
    await provider.shiftClock(10);
    expect((await refresh(party, renewed.refreshToken)).status).toBe(200);
  });

  test('a document that was taken away ends the client, though not for good', async () => {
    const party = agentAt('/withdrawn', {}, { 'cache-control': 'max-age=60' });
    const { refreshToken } = await tokensFor(party);
    host.serve('/withdrawn', () => new Response(null, { status: 410 }));
    await provider.shiftClock(60);
    expect(await outcome(refresh(party, refreshToken))).toEqual([401, 'invalid_client']);
    host.describe('/withdrawn');
    await provider.shiftClock(10);
    expect((await refresh(party, refreshToken)).status).toBe(200);
  });

  test('holds up nobody’s sign-out, not the one that the client itself asks for either', async () => {
    const goodbye = 'https://agent.example/goodbye';
    const party = agentAt('/signed-out', { post_logout_redirect_uris: [goodbye] }, { 'cache-control': 'max-age=60' });
    const { agent, back } = await signedIn(party, { scope: 'openid offline_access' });
    const { idToken } = await tokensOf(await redeem(party, back));
    const request = new URLSearchParams({ id_token_hint: idToken, post_logout_redirect_uri: goodbye });
    const other = await signedIn(party);
    const ownToken = await tokensOf(await redeem(party, other.back));
    request.set('id_token_hint', ownToken.idToken);
    expect(redirectOf(await other.agent.open(`${provider.issuer}/logout?${request}`)).href).toBe(goodbye);
    host.serve('/signed-out', outage);
    await provider.shiftClock(8 * 60 * 60);
    request.set('id_token_hint', idToken);
    const question = pageOf(await agent.open(`${provider.issuer}/logout?${request}`));
    const done = pageOf(await agent.answer(question, { decision: 'sign_out' }));
    expect([done.status, done.title]).toEqual([200, 'You are signed out']);
  });

  test('and no sign-out asks for the document of a client that was signed in to', async () => {
    const party = agentAt('/not-asked', {}, { 'cache-control': 'max-age=60' });
    const { agent, back } = await signedIn(party);
    await redeem(party, back);
    await provider.shiftClock(60);
    const question = pageOf(await agent.open(`${provider.issuer}/logout`));
    expect(pageOf(await agent.answer(question, { decision: 'sign_out' })).title).toBe('You are signed out');
    expect(host.askedFor('/not-asked')).toBe(1);
  });
});

describe('who may have a document fetched', () => {
  test('an address sixty times in ten minutes; what is known already costs nothing', async () => {
    const known = agentAt('/known').clientId;
    const from = { 'x-forwarded-for': '203.0.113.9' };
    const ask = (clientId: string) => new UserAgent(from).fetch(authorizeUrl(partyOf(clientId)));
    await ask(known);
    const urls = Array.from({ length: 70 }, (_, index) => host.url(`/made-up-${index}`));
    const statuses: number[] = [];
    for (const url of urls) statuses.push((await ask(url)).status);
    expect(statuses.filter((status) => status === 400)).toHaveLength(59);
    expect(statuses.filter((status) => status === 503)).toHaveLength(11);
    expect(urls.filter((url) => host.askedFor(new URL(url).pathname) > 0)).toHaveLength(59);
    expect((await ask(known)).status).toBe(303);
    const atToken = await post(`${provider.issuer}/token`, { client_id: host.url('/made-up-x') }, from);
    expect(atToken.status).toBe(503);
  });
});

describe('the setting clientIdMetadataHosts', () => {
  test('a host that is refused is so at once, for what it has got too', async () => {
    const party = agentAt('/refused-host');
    const { refreshToken, accessToken } = await tokensFor(party);
    const agent = new UserAgent();
    const waiting = await reach(agent, authorizeUrl(party), 'password');
    await setRealm(provider, 'main', { clientIdMetadataHosts: { value: '!127.0.0.1', reason: 'test' } });
    expect((await pageFor(authorizeUrl(party))).told).toMatchObject({ rule: 'setting clientIdMetadataHosts' });
    expect(await outcome(refresh(party, refreshToken))).toEqual([401, 'invalid_client']);
    expect((await userinfo(party, accessToken)).status).toBe(401);
    expect(pageOf(await agent.answer(waiting, entryFor('password', alice))).status).toBe(400);
    await setRealm(provider, 'main', { clientIdMetadataHosts: { value: '127.0.0.1', reason: 'test' } });
    expect((await refresh(party, refreshToken)).status).toBe(200);
    expect((await finish(agent, pageOf(await agent.open(authorizeUrl(party))))).searchParams.has('code')).toBe(true);
  });
});
