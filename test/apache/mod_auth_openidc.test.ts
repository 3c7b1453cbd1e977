import { afterAll, beforeAll, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { register, until } from '../endpoints/operator.ts';
import { alice } from '../endpoints/relying_party.ts';
import { type Provider, startProvider } from '../provider.ts';
import { signIn, UserAgent } from '../user_agent.ts';
import { describeWithApache, openSite, type ProtectedSite } from './apache.ts';

/** Apache's `mod_auth_openidc` in front of an application: its own discovery, checks, sessions and logout. */
describeWithApache('mod_auth_openidc', (apache) => {
  let site: ProtectedSite;
  let provider: Provider;

  beforeAll(async () => {
    site = openSite(apache());
    provider = await startProvider({ environment: { LIMEN_OUTBOUND_LOOPBACK: 'true' } });
    const { secret } = await register(provider, 'apache', {
      redirectUris: [site.redirectUri],
      postLogoutRedirectUris: [site.signedOutUrl],
      scope: ['openid', 'profile', 'email'],
      metadata: { backchannel_logout_uri: site.backchannelLogoutUri, backchannel_logout_session_required: true },
    });
    await site.start({ issuer: provider.issuer, clientId: 'apache', clientSecret: secret ?? '' });
  }, databaseTimeoutMilliseconds);

  afterAll(async () => {
    await site.stop();
    await provider.stop();
  }, 30_000);

  /** Where a redirect of the site leads. */
  const sentTo = async (agent: UserAgent, url: string): Promise<URL> => {
    const response = await agent.fetch(url);
    const location = response.headers.get('location');
    if (location === null) throw new Error(`${url} is answered by ${response.status}\n${site.errorLog()}`);
    return new URL(location, url);
  };

  type Seen = { readonly path: string; readonly headers: { readonly [name: string]: string } };

  /** The page behind the protection, as the application saw it asked for. */
  const seenBy = async (agent: UserAgent, url = site.protectedUrl): Promise<Seen> => {
    const response = await agent.fetch(url);
    if (response.status !== 200) throw new Error(`${url} is answered by ${response.status}\n${site.errorLog()}`);
    return (await response.json()) as Seen;
  };

  /** A browser that has signed in at the site. */
  const signedIn = async (): Promise<UserAgent> => {
    const agent = new UserAgent();
    const callback = await signIn(agent, (await sentTo(agent, site.protectedUrl)).href, alice);
    expect((await sentTo(agent, callback.href)).href).toBe(site.protectedUrl);
    return agent;
  };

  test('a stranger is sent to the provider with PKCE, state and nonce', async () => {
    const { origin, pathname, searchParams } = await sentTo(new UserAgent(), site.protectedUrl);
    expect(origin + pathname).toBe(`${provider.issuer}/authorize`);
    expect(Object.fromEntries(searchParams)).toEqual({
      response_type: 'code',
      client_id: 'apache',
      redirect_uri: site.redirectUri,
      scope: 'openid profile email',
      state: expect.any(String),
      nonce: expect.any(String),
      code_challenge: expect.any(String),
      code_challenge_method: 'S256',
    });
  });

  test('after the sign-in the application sees the claims, and the session lasts', async () => {
    const agent = await signedIn();
    const { path, headers } = await seenBy(agent);
    expect(path).toBe('/protected/page');
    expect(headers).toMatchObject({
      oidc_claim_iss: provider.issuer,
      oidc_claim_email: 'alice@example.com',
      oidc_claim_name: 'Alice Adler',
    });
    expect(headers['oidc_claim_sub']).toMatch(/^.+$/);
    expect(headers['oidc_access_token']).toMatch(/^[^.]+\.[^.]+\.[^.]+$/);
    expect((await seenBy(agent)).headers['oidc_claim_sub']).toBe(headers['oidc_claim_sub'] ?? '');
    // Whom it knows and does not allow is refused, not sent to sign in again.
    expect((await agent.fetch(`${site.origin}/protected/nobody`)).status).toBe(401);
  });

  test('claims that a stranger brings along as headers reach nobody', async () => {
    const agent = await signedIn();
    const forged = { oidc_claim_email: 'mallory@example.com', 'oidc-claim-email': 'mallory@example.com' };
    const response = await agent.fetch(site.protectedUrl, { headers: forged });
    expect(await response.text()).not.toContain('mallory@example.com');
  });

  test('a callback that the browser did not ask for, or with another code, is refused', async () => {
    const agent = new UserAgent();
    const callback = await signIn(agent, (await sentTo(agent, site.protectedUrl)).href, alice);
    const answerTo = (from: UserAgent, change: { readonly [name: string]: string }): Promise<Response> => {
      const url = new URL(callback);
      for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value);
      return from.fetch(url.href);
    };
    expect((await answerTo(new UserAgent(), {})).status).toBe(400);
    expect((await answerTo(agent, { state: 'another' })).status).toBe(400);
    const refused = await answerTo(agent, { code: 'another' });
    expect(refused.headers.get('location')).toBeNull();
    expect(await refused.text()).toContain('Error in handling response type');
    expect((await sentTo(agent, site.protectedUrl)).origin).toBe(provider.issuer);
  });

  test('it refreshes the tokens of its session', async () => {
    const agent = await signedIn();
    const tokenOf = async (): Promise<string> => (await seenBy(agent)).headers['oidc_access_token'] ?? '';
    const before = await tokenOf();
    const question = new URLSearchParams({ refresh: site.protectedUrl, access_token: before });
    expect((await sentTo(agent, `${site.redirectUri}?${question}`)).href).toBe(site.protectedUrl);
    const after = await tokenOf();
    expect(after).not.toBe(before);
    const userinfo = await fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${after}` } });
    expect(await userinfo.json()).toMatchObject({ email: 'alice@example.com' });
  });

  test('a sign-out there goes by the provider and comes back, and both sessions are over', async () => {
    const agent = await signedIn();
    const atProvider = await sentTo(agent, `${site.redirectUri}?${new URLSearchParams({ logout: site.signedOutUrl })}`);
    expect(atProvider.origin + atProvider.pathname).toBe(`${provider.issuer}/logout`);
    expect(atProvider.searchParams.get('post_logout_redirect_uri')).toBe(site.signedOutUrl);
    const back = await agent.open(atProvider.href, provider.issuer);
    if (!(back instanceof URL)) throw new Error(`the provider shows "${back.title}"`);
    expect(back.origin + back.pathname).toBe(site.signedOutUrl);
    const again = await agent.open((await sentTo(agent, site.protectedUrl)).href, provider.issuer);
    if (again instanceof URL) throw new Error(`nobody is asked: ${again.href}`);
    expect(again.html).toContain('id="username"');
  });

  test('a sign-out at the provider ends the session there by back channel', async () => {
    const agent = await signedIn();
    await seenBy(agent);
    const question = await agent.page(`${provider.issuer}/logout`);
    await agent.answer(question, { decision: 'sign_out' });
    await until(async () => (await agent.fetch(site.protectedUrl)).status === 302);
  });

  test('a logout token that nobody signed ends nothing', async () => {
    const agent = await signedIn();
    const parts = [{ alg: 'none' }, { iss: provider.issuer, aud: 'apache', sub: 'x', events: {} }];
    const token = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const body = new URLSearchParams({ logout_token: `${token}.` });
    expect((await fetch(site.backchannelLogoutUri, { method: 'POST', body })).status).toBe(400);
    await seenBy(agent);
  });
});
