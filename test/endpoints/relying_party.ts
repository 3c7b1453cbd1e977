import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomToken, sha256 } from '../../src/core/crypto.ts';
import type { Provider } from '../provider.ts';
import { type SignIn, signIn, UserAgent } from '../user_agent.ts';

/** A registered client as a test uses it. */
export type Party = {
  readonly issuer: string;
  readonly clientId: string;
  /** null: a public client, which uses PKCE. */
  readonly secret: string | null;
  readonly redirectUri: string;
};

export const redirectUri = 'http://127.0.0.1:4020/callback';
export const alice = { username: 'alice', password: 'alice-in-the-demo' };
export const bob = { username: 'bob', password: 'bob-in-the-demo' };
export const carol = { username: 'carol', password: 'carol-in-the-demo' };

export const webOf = (provider: Provider): Party => ({
  issuer: provider.issuer,
  clientId: 'demo-web',
  secret: provider.secretOf('demo-web'),
  redirectUri,
});

export const spaOf = (provider: Provider): Party => ({
  issuer: provider.issuer,
  clientId: 'demo-spa',
  secret: null,
  redirectUri,
});

export const acmeOf = (provider: Provider): Party => ({
  issuer: `${provider.issuer}/realms/acme`,
  clientId: 'acme-web',
  secret: provider.secretOf('acme-web', 'acme'),
  redirectUri,
});

export type Parameters = { readonly [name: string]: string };

export const basic = (clientId: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`;

/** The one verifier of these tests, so that any test can redeem any code. */
export const codeVerifier = randomToken();
export const codeChallenge = encodeBase64url(sha256(codeVerifier));

export function authorizeUrl(party: Party, parameters: Parameters = {}): string {
  const pkce = party.secret === null ? { code_challenge: codeChallenge, code_challenge_method: 'S256' } : {};
  return `${party.issuer}/authorize?${new URLSearchParams({
    client_id: party.clientId,
    redirect_uri: party.redirectUri,
    response_type: 'code',
    scope: 'openid',
    ...pkce,
    ...parameters,
  })}`;
}

/** Signs in and gives the redirect to the client. */
export const authorize = (
  party: Party,
  user: SignIn,
  parameters: Parameters = {},
  agent: UserAgent = new UserAgent(),
): Promise<URL> => signIn(agent, authorizeUrl(party, parameters), user);

export const codeOf = (back: URL): string => back.searchParams.get('code') ?? fail(`no code in ${back.search}`);

export const post = (url: string, fields: Parameters, headers: Parameters = {}): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(fields).toString(),
  });

/** As the party: by Basic, or by its name where it has no secret. */
export const postAs = (party: Party, path: string, fields: Parameters): Promise<Response> =>
  party.secret === null
    ? post(party.issuer + path, { client_id: party.clientId, ...fields })
    : post(party.issuer + path, fields, { authorization: basic(party.clientId, party.secret) });

export const redeem = (party: Party, code: string, fields: Parameters = {}): Promise<Response> =>
  postAs(party, '/token', {
    grant_type: 'authorization_code',
    code,
    redirect_uri: party.redirectUri,
    ...(party.secret === null ? { code_verifier: codeVerifier } : {}),
    ...fields,
  });

export const refresh = (party: Party, refreshToken: string, fields: Parameters = {}): Promise<Response> =>
  postAs(party, '/token', { grant_type: 'refresh_token', refresh_token: refreshToken, ...fields });

export type Tokens = { readonly accessToken: string; readonly refreshToken: string; readonly idToken: string };

export async function tokensOf(response: Response): Promise<Tokens> {
  const body = await bodyOf(response);
  return {
    accessToken: text(body, 'access_token'),
    refreshToken: text(body, 'refresh_token'),
    idToken: text(body, 'id_token'),
  };
}

export const tokensFor = async (
  party: Party,
  user: SignIn,
  parameters: Parameters = {},
  agent: UserAgent = new UserAgent(),
): Promise<Tokens> => tokensOf(await redeem(party, codeOf(await authorize(party, user, parameters, agent))));

export type Body = { readonly [member: string]: unknown };

/** The members of a JSON answer. */
export async function bodyOf(response: Response): Promise<Body> {
  const body: unknown = await response.json();
  return membersOf(body);
}

export const membersOf = (value: unknown): Body =>
  typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : fail('no JSON object');

export function text(body: Body, member: string): string {
  const value = body[member];
  return typeof value === 'string' ? value : fail(`${member} is no text in ${JSON.stringify(body)}`);
}

/** The claims of a JWT, unverified. */
export function claimsOf(token: string): Body {
  const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
  return membersOf(claims);
}

export const userinfo = (party: Party, accessToken: string): Promise<Response> =>
  fetch(`${party.issuer}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });

export function fail(message: string): never {
  throw new Error(message);
}
