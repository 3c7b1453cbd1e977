import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import { register } from './operator.ts';
import { alice, authorizeUrl, claimsOf, type Party, tokensFor } from './relying_party.ts';

let provider: Provider;
/** Wants to be told which session; wants nothing but the call; has no page to load. */
let named: Party;
let plain: Party;
let without: Party;

const goodbye = 'https://rp.example/goodbye';

beforeAll(async () => {
  provider = await startProvider();
  const uris = { postLogoutRedirectUris: [goodbye] };
  named = await register(provider, 'named', {
    ...uris,
    metadata: {
      frontchannel_logout_uri: 'https://rp.example/ended?tenant=1',
      frontchannel_logout_session_required: true,
    },
  });
  plain = await register(provider, 'plain', {
    ...uris,
    metadata: { frontchannel_logout_uri: 'https://other.example:8443/ended' },
  });
  without = await register(provider, 'without', uris);
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const logoutUrl = (parameters: { readonly [name: string]: string }): string =>
  `${provider.issuer}/logout?${new URLSearchParams(parameters)}`;

const framesOf = ({ html }: Shown): readonly string[] =>
  [...html.matchAll(/<iframe src="([^"]*)"/g)].map(([, src = '']) => src.replaceAll('&amp;', '&'));

const policyOf = ({ headers }: Shown): string => headers.get('content-security-policy') ?? '';

describe('OIDC Front-Channel Logout §2, §3', () => {
  test('the page loads every client of the sign-in; iss and sid go to the one that asked for them, nothing else', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(named, alice, {}, agent);
    await tokensFor(plain, alice, {}, agent);
    await tokensFor(without, alice, {}, agent);
    const page = await agent.page(
      logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: goodbye, state: 'a&b' }),
    );
    const sid = String(claimsOf(idToken)['sid']);
    expect(framesOf(page)).toEqual([
      `https://rp.example/ended?tenant=1&iss=${encodeURIComponent(provider.issuer)}&sid=${sid}`,
      'https://other.example:8443/ended',
    ]);
    expect(policyOf(page)).toContain('frame-src https://rp.example https://other.example:8443;');
    expect(policyOf(page)).toContain("frame-ancestors 'none'");
  });

  test('it goes on to the registered address with the state: by header, by link, and by a script that is pinned', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(named, alice, {}, agent);
    const page = await agent.page(
      logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: goodbye, state: 'a&b' }),
    );
    expect(page.status).toBe(200);
    expect(page.headers.get('refresh')).toBe(`2; url=${goodbye}?state=a%26b`);
    expect(page.html).toContain(`id="continue" href="${goodbye}?state=a%26b"`);
    expect(policyOf(page)).toMatch(/script-src 'sha256-[A-Za-z0-9+/]{43}=';/);
  });

  test('where there is nowhere to go on to it stays, with the frames', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(named, alice, {}, agent);
    const page = await agent.page(logoutUrl({ id_token_hint: idToken }));
    expect(framesOf(page)).toHaveLength(1);
    expect(page.headers.get('refresh')).toBeNull();
    expect(page.html).not.toContain('id="continue"');
    expect(page.html).toContain('id="signed-out"');
  });

  test('the person is signed out before any frame is loaded', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(named, alice, {}, agent);
    await agent.page(logoutUrl({ id_token_hint: idToken }));
    const back = await agent.open(authorizeUrl(named, { prompt: 'none' }));
    expect(back instanceof URL && back.searchParams.get('error')).toBe('login_required');
  });

  test('a person who is asked and agrees gets the same page', async () => {
    const agent = new UserAgent();
    await tokensFor(named, alice, {}, agent);
    const question = await agent.page(logoutUrl({}));
    expect(framesOf(question)).toEqual([]);
    const page = await agent.answer(question, { decision: 'sign_out' });
    expect(page instanceof URL ? [] : framesOf(page)).toHaveLength(1);
  });

  test('without such clients the browser is sent straight on, and no frame is allowed', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(without, alice, {}, agent);
    const back = await agent.open(logoutUrl({ id_token_hint: idToken, post_logout_redirect_uri: goodbye }));
    expect(back instanceof URL && back.href).toBe(goodbye);
    const page = await agent.page(logoutUrl({}));
    expect(policyOf(page)).not.toContain('frame-src');
  });

  test('a second sign-out loads nothing: there is no session whose clients it could name', async () => {
    const agent = new UserAgent();
    const { idToken } = await tokensFor(named, alice, {}, agent);
    await agent.page(logoutUrl({ id_token_hint: idToken }));
    expect(framesOf(await agent.page(logoutUrl({ id_token_hint: idToken })))).toEqual([]);
  });
});

test('discovery says so (Front-Channel Logout §3, Back-Channel Logout §2.1)', async () => {
  const metadata = await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).json();
  expect(metadata).toMatchObject({
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
  });
});

test('an ID token from the authorization endpoint alone counts as passed on', async () => {
  const direct = await register(provider, 'direct', {
    responseTypes: ['id_token'],
    grantTypes: ['implicit'],
    overrides: { implicitAndHybrid: { value: true, reason: 'an old application' } },
    metadata: { frontchannel_logout_uri: 'https://direct.example/ended' },
  });
  const agent = new UserAgent();
  await tokensFor(without, alice, {}, agent);
  const url = authorizeUrl(direct, { response_type: 'id_token', nonce: 'n', prompt: 'consent' });
  const question = await agent.page(url);
  const back = await agent.answer(question, { decision: 'allow' });
  const idToken = new URLSearchParams(back instanceof URL ? back.hash.slice(1) : '').get('id_token') ?? '';
  expect(framesOf(await agent.page(logoutUrl({ id_token_hint: idToken })))).toEqual(['https://direct.example/ended']);
});
