import { afterAll, beforeAll, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../../database.ts';
import { register } from '../../endpoints/operator.ts';
import { type Provider, startProvider } from '../../provider.ts';
import { signIn, UserAgent } from '../../user_agent.ts';
import { alice } from './registered_client.ts';

/** Auth.js as a web application has it: `@auth/core` behind a real server, with its own state, nonce, PKCE and session. */

type Application = (request: Request, configuration: object) => Promise<Response>;

/** A plain text, because its types would bring those of browsers into every file. */
const packageName: string = '@auth/core';

type SignedInJwt = { readonly token: object; readonly account?: object | null; readonly profile?: object };

let provider: Provider;
let application: Bun.Server<undefined>;
/** What it was given at the latest sign-in. */
let given: { readonly profile: unknown; readonly tokens: unknown } | null = null;

beforeAll(async () => {
  const { Auth }: { readonly Auth: Application } = await import(packageName);
  let config: object = { providers: [] };
  application = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => Auth(request, config) });
  provider = await startProvider();
  const { issuer } = provider;
  const { secret } = await register(provider, 'auth-js', {
    redirectUris: [`${origin()}/auth/callback/limen`],
    scope: ['openid', 'profile', 'email'],
  });
  config = {
    basePath: '/auth',
    trustHost: true,
    secret: crypto.randomUUID(),
    logger: { error: () => {} },
    providers: [
      {
        id: 'limen',
        name: 'Limen',
        type: 'oidc',
        issuer,
        clientId: 'auth-js',
        clientSecret: secret,
        checks: ['pkce', 'state', 'nonce'],
        // OIDC Core §5.4: what scopes release is in userinfo, which Auth.js does not ask by itself.
        idToken: false,
      },
    ],
    callbacks: {
      jwt({ token, account, profile }: SignedInJwt) {
        if (account) given = { profile, tokens: account };
        return token;
      },
    },
  };
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  await application.stop(true);
  await provider.stop();
});

const origin = (): string => application.url.origin;

/** Presses its button; gives where the browser is sent. */
async function press(agent: UserAgent, action: string): Promise<URL> {
  const csrf = (await (await agent.fetch(`${origin()}/auth/csrf`)).json()) as { readonly csrfToken: string };
  const response = await agent.fetch(`${origin()}/auth/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrfToken: csrf.csrfToken, callbackUrl: `${origin()}/page` }).toString(),
  });
  return new URL(response.headers.get('location') ?? '', origin());
}

const sessionOf = async (agent: UserAgent): Promise<unknown> => (await agent.fetch(`${origin()}/auth/session`)).json();

test('it signs in with code, PKCE, state and nonce, and has a session with the claims', async () => {
  const agent = new UserAgent();
  const start = await press(agent, 'signin/limen');
  expect(start.origin + start.pathname).toBe(`${provider.issuer}/authorize`);
  expect([...start.searchParams.keys()].toSorted()).toEqual([
    'client_id',
    'code_challenge',
    'code_challenge_method',
    'nonce',
    'redirect_uri',
    'response_type',
    'scope',
    'state',
  ]);
  const callback = await signIn(agent, start.href, alice);
  const back = await agent.fetch(callback.href);
  expect(back.headers.get('location')).toBe(`${origin()}/page`);
  expect(await sessionOf(agent)).toMatchObject({ user: { name: 'Alice Adler', email: 'alice@example.com' } });
  expect(given?.profile).toMatchObject({ email: 'alice@example.com', email_verified: true });
  expect(given?.tokens).toMatchObject({ type: 'oidc', token_type: 'bearer', expires_in: 600 });
  await press(agent, 'signout');
  expect(await sessionOf(agent)).toBeNull();
});

test.each([
  ['another issuer', 'iss', 'https://evil.example'],
  ['another state', 'state', 'x'],
  ['another code', 'code', 'x'],
])('it takes no answer with %s', async (_, name, value) => {
  const agent = new UserAgent();
  const callback = await signIn(agent, (await press(agent, 'signin/limen')).href, alice);
  callback.searchParams.set(name, value);
  const back = await agent.fetch(callback.href);
  expect(new URL(back.headers.get('location') ?? '', origin()).pathname).toBe('/auth/error');
  expect(await sessionOf(agent)).toBeNull();
});

test('a refusal reaches it as such', async () => {
  const agent = new UserAgent();
  const start = await press(agent, 'signin/limen');
  start.searchParams.set('prompt', 'none');
  const refused = await agent.open(start.href, provider.issuer);
  if (!(refused instanceof URL)) throw new Error(`the provider shows "${refused.title}"`);
  expect(refused.searchParams.get('error')).toBe('login_required');
  const back = await agent.fetch(refused.href);
  expect(new URL(back.headers.get('location') ?? '', origin()).searchParams.get('error')).toBeString();
  expect(await sessionOf(agent)).toBeNull();
});
