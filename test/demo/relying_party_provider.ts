import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CustomFetch } from 'openid-client';
import { randomToken, sha256 } from '../../src/core/crypto.ts';

export const issuer = 'http://127.0.0.1:1';
export const secret = 'demo-web-secret-of-the-test';
export const claims = { sub: 'user-1', name: 'Alice <b>&"Adams"', email: 'alice@example.test' };

export type Flaw = 'signature' | 'nonce' | 'audience' | 'issuer' | 'unreachable';

/** A provider in memory, behind the relying party's `fetch`: rotation with one heir per parent, reuse ends the family. */
export type TestProvider = {
  readonly fetch: CustomFetch;
  /** The parameters of the callback after a sign-in that was begun with this authorization URL. */
  authorize(url: URL): URLSearchParams;
  readonly presented: string[];
  flaw: Flaw | null;
  leeway: boolean;
};

export async function createTestProvider(): Promise<TestProvider> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const forger = await generateKeyPair('ES256');
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'key-1', use: 'sig' }] };
  const codes = new Map<string, URLSearchParams>();
  const family: string[] = [];
  let alive = true;

  const idToken = async (clientId: string, nonce: string | null): Promise<string> =>
    new SignJWT({ sub: claims.sub, ...(nonce !== null && { nonce: provider.flaw === 'nonce' ? 'another' : nonce }) })
      .setProtectedHeader({ alg: 'ES256', kid: 'key-1' })
      .setIssuer(issuer)
      .setAudience(provider.flaw === 'audience' ? 'another' : clientId)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(provider.flaw === 'signature' ? forger.privateKey : privateKey);

  const answer = async (clientId: string, nonce: string | null): Promise<Response> =>
    Response.json({
      access_token: await new SignJWT({ sub: claims.sub, scope: 'openid', generation: family.length })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
        .sign(privateKey),
      token_type: 'Bearer',
      expires_in: 300,
      id_token: await idToken(clientId, nonce),
      refresh_token: family.at(-1),
    });

  const refused = (description: string): Response =>
    Response.json({ error: 'invalid_grant', error_description: description }, { status: 400 });

  const redeem = (form: URLSearchParams, clientId: string): Response | Promise<Response> => {
    const code = form.get('code') ?? '';
    const request = codes.get(code);
    codes.delete(code);
    const challenge = sha256(form.get('code_verifier') ?? '').toString('base64url');
    if (request?.get('code_challenge') !== challenge) return refused('wrong code or verifier');
    family.splice(0, family.length, randomToken());
    alive = true;
    return answer(clientId, request.get('nonce'));
  };

  const refresh = (form: URLSearchParams, clientId: string): Response | Promise<Response> => {
    const token = form.get('refresh_token') ?? '';
    provider.presented.push(token);
    const age = family.length - 1 - family.indexOf(token);
    if (age > (provider.leeway ? 1 : 0)) alive = false;
    if (!alive) return refused('the family has ended');
    if (age === 0) family.push(randomToken());
    return answer(clientId, null);
  };

  const endpoints = new Map<string, (request: Request) => Response | Promise<Response>>([
    [
      '/.well-known/openid-configuration',
      () =>
        Response.json({
          issuer: provider.flaw === 'issuer' ? 'http://127.0.0.1:2' : issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          userinfo_endpoint: `${issuer}/userinfo`,
          jwks_uri: `${issuer}/jwks`,
          end_session_endpoint: `${issuer}/logout`,
          id_token_signing_alg_values_supported: ['ES256'],
          authorization_response_iss_parameter_supported: true,
        }),
    ],
    ['/jwks', () => Response.json(jwks)],
    [
      '/token',
      async (request) => {
        const form = new URLSearchParams(await request.text());
        const [id = '', given] = atob((request.headers.get('authorization') ?? '').slice('Basic '.length)).split(':');
        const clientId = form.get('client_id') ?? decodeURIComponent(id);
        if (clientId === 'demo-web' && decodeURIComponent(given ?? '') !== secret) {
          return Response.json({ error: 'invalid_client' }, { status: 401 });
        }
        return form.get('grant_type') === 'refresh_token' ? refresh(form, clientId) : redeem(form, clientId);
      },
    ],
    [
      '/userinfo',
      () =>
        alive
          ? Response.json(claims)
          : new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer error="invalid_token"' } }),
    ],
  ]);

  const provider: TestProvider = {
    fetch: async (url, { method, headers, body }) => {
      if (provider.flaw === 'unreachable') throw Object.assign(new TypeError('refused'), { code: 'ECONNREFUSED' });
      const request = new Request(url, { method, headers, body: body instanceof URLSearchParams ? body : null });
      return (await endpoints.get(new URL(url).pathname)?.(request)) ?? new Response(null, { status: 404 });
    },
    authorize(url) {
      const code = randomToken();
      codes.set(code, url.searchParams);
      return new URLSearchParams({ code, state: url.searchParams.get('state') ?? '', iss: issuer });
    },
    presented: [],
    flaw: null,
    leeway: true,
  };
  return provider;
}
