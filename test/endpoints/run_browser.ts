import { expect } from 'bun:test';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { sha256 } from '../../src/core/crypto.ts';
import type { Provider } from '../provider.ts';
import { type Shown, type SignIn, UserAgent } from '../user_agent.ts';

/** What the tests of runs share: a request, the way to a screen, and what is left of a run behind the scenes. */

export const alice: SignIn = { username: 'alice', password: 'alice-in-the-demo' };
export const bob: SignIn = { username: 'bob', password: 'bob-in-the-demo' };
export const callback = 'http://127.0.0.1:4020/callback';

export const codeVerifier = 'a-verifier-of-at-least-forty-three-characters-0123';
export const challenge = {
  code_challenge: encodeBase64url(sha256(codeVerifier)),
  code_challenge_method: 'S256',
};

export type Parameters = { readonly [name: string]: string };

/** demo-web's request: consent is remembered, and the next one silent. */
export const requestOf = (parameters: Parameters = {}): Parameters => ({
  client_id: 'demo-web',
  redirect_uri: callback,
  response_type: 'code',
  scope: 'openid profile',
  state: 'a state',
  nonce: 'a nonce',
  ...parameters,
});

export const authorizeUrl = (issuer: string, parameters: Parameters = {}): string =>
  `${issuer}/authorize?${new URLSearchParams(requestOf(parameters))}`;

export type ScreenName = 'identifier' | 'password' | 'consent';

const marks = [
  ['identifier', 'id="username"'],
  ['password', 'id="password"'],
  ['consent', 'id="allow"'],
  ['completed', 'id="completed"'],
  ['expired', 'id="expired"'],
  ['elsewhere', 'id="elsewhere"'],
  ['form_post', 'id="form_post"'],
] as const;

/** Which page this is; an error page gives its title. */
export const screenOf = ({ html, title }: Shown): string =>
  marks.find(([, mark]) => html.includes(mark))?.[0] ?? `"${title}"`;

export const isPage = (at: Shown | URL): at is Shown => !(at instanceof URL);

/** The page, where a redirect to the client would be a surprise. */
export function pageOf(at: Shown | URL): Shown {
  if (!isPage(at)) throw new Error(`expected a page, was sent to ${at.href}`);
  return at;
}

/** The redirect to the client, where a page would be a surprise. */
export function redirectOf(at: Shown | URL): URL {
  if (isPage(at)) throw new Error(`expected a redirect to the client, got ${screenOf(at)} (${at.status})`);
  return at;
}

/** What the person enters at a screen to go on. */
export const entryFor = (screen: string, { username, password }: SignIn): Parameters => {
  const entries: { readonly [screen: string]: Parameters } = {
    identifier: { username },
    password: { password },
    consent: { decision: 'allow' },
  };
  const entry = entries[screen];
  if (entry === undefined) throw new Error(`nothing to enter at ${screen}`);
  return entry;
};

/** Opens the request and goes on until this screen. */
export async function reach(agent: UserAgent, url: string, screen: ScreenName, who: SignIn = alice): Promise<Shown> {
  let at = pageOf(await agent.open(url));
  for (let hop = 0; hop < 4 && screenOf(at) !== screen; hop += 1) {
    at = pageOf(await agent.answer(at, entryFor(screenOf(at), who)));
  }
  expect(screenOf(at)).toBe(screen);
  return at;
}

/** From this page to the redirect that leaves the provider. */
export async function finish(agent: UserAgent, page: Shown, who: SignIn = alice): Promise<URL> {
  let at: Shown | URL = page;
  for (let hop = 0; hop < 6 && isPage(at); hop += 1) at = await agent.answer(at, entryFor(screenOf(at), who));
  return redirectOf(at);
}

/** A browser that has signed in once and consented to demo-web. */
export async function signedInAgent(provider: Provider, who: SignIn = alice, parameters: Parameters = {}) {
  const agent = new UserAgent();
  const page = pageOf(await agent.open(authorizeUrl(provider.issuer, parameters)));
  return { agent, back: await finish(agent, page, who) };
}

export const sessionCookieOf = (agent: UserAgent): string | undefined => agent.cookies.get('limen.main.session');

/** Another browser with the same cookies. */
export function copyOf(agent: UserAgent): UserAgent {
  const copy = new UserAgent();
  for (const [name, value] of agent.cookies) copy.cookies.set(name, value);
  return copy;
}

export type TokenAnswer = { readonly status: number; readonly body: { readonly [member: string]: unknown } };

/** A token request of a confidential client by Basic, or of demo-spa without a secret. */
export async function tokenRequest(
  { issuer, secretOf }: Pick<Provider, 'issuer' | 'secretOf'>,
  form: Parameters,
  clientId = 'demo-web',
): Promise<TokenAnswer> {
  const isPublic = clientId === 'demo-spa';
  const basic = isPublic ? null : btoa(`${clientId}:${secretOf(clientId)}`);
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(basic === null ? {} : { authorization: `Basic ${basic}` }),
    },
    body: new URLSearchParams({ ...form, ...(isPublic ? { client_id: clientId } : {}) }).toString(),
  });
  return { status: response.status, body: objectOf(await response.json()) };
}

export const redeemCode = (provider: Pick<Provider, 'issuer' | 'secretOf'>, back: URL, clientId = 'demo-web') =>
  tokenRequest(
    provider,
    {
      grant_type: 'authorization_code',
      code: back.searchParams.get('code') ?? '',
      redirect_uri: callback,
      ...(clientId === 'demo-spa' ? { code_verifier: codeVerifier } : {}),
    },
    clientId,
  );

export const refresh = (provider: Pick<Provider, 'issuer' | 'secretOf'>, token: string, clientId = 'demo-web') =>
  tokenRequest(provider, { grant_type: 'refresh_token', refresh_token: token }, clientId);

export function objectOf(value: unknown): { readonly [member: string]: unknown } {
  if (typeof value !== 'object' || value === null) throw new Error('expected a JSON object');
  return { ...value };
}

export const textOf = (body: { readonly [member: string]: unknown }, member: string): string => {
  const value = body[member];
  if (typeof value !== 'string') throw new Error(`no ${member} in ${JSON.stringify(body)}`);
  return value;
};

/** How many rows these tables have, by name. */
export async function rowCounts({ database }: Pick<Provider, 'database'>, tables: readonly string[]) {
  const counts = await Promise.all(
    tables.map(async (table) => {
      const [row] = await database.sql.unsafe<{ rows: number }[]>(`SELECT count(*)::int AS rows FROM ${table}`);
      return [table, row?.rows ?? 0] as const;
    }),
  );
  return Object.fromEntries(counts);
}
