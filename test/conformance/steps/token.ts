import { randomUUID } from 'node:crypto';
import { signWith } from './client_key.ts';
import { endpoint, isJson } from './discovery.ts';
import type { Environment, PlanClient } from './environment.ts';
import { type Json, jsonObject, parseJson } from './json.ts';
import { must } from './verdict.ts';

export type TokenAnswer = { readonly status: number; readonly headers: Headers; readonly body: Json | null };

/** One request to the token endpoint, authenticated as the client is registered. */
export async function requestToken(
  environment: Environment,
  client: PlanClient,
  parameters: { readonly [name: string]: string },
): Promise<TokenAnswer> {
  const { clientId, clientSecret, authMethod } = client;
  const isBasic = authMethod === 'client_secret_basic';
  const secret = clientSecret ?? '';
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`;
  const credentials = {
    client_secret_basic: {},
    client_secret_post: { client_id: clientId, client_secret: secret },
    private_key_jwt: authMethod === 'private_key_jwt' ? await assertionOf(environment, client) : {},
  }[authMethod];
  const response = await fetch(endpoint(environment, 'token_endpoint'), {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...(isBasic ? { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } : {}),
    },
    body: new URLSearchParams({ ...credentials, ...parameters }).toString(),
  });
  const body = jsonObject(parseJson(await response.text()));
  return { status: response.status, headers: response.headers, body };
}

const assertionLifetimeSeconds = 60;

/** RFC 7523 §2.2; the audience is the token endpoint unless the module names another. */
export async function assertionOf(
  environment: Environment,
  { clientId, key }: PlanClient,
  audience = endpoint(environment, 'token_endpoint'),
): Promise<{ readonly [name: string]: string }> {
  const iat = environment.now();
  const exp = iat + assertionLifetimeSeconds;
  const claims = { iss: clientId, sub: clientId, aud: audience, jti: randomUUID(), iat, exp };
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await signWith(key, claims),
  };
}

export const redeemCode = (
  environment: Environment,
  client: PlanClient,
  code: string,
  further: { readonly [name: string]: string } = {},
): Promise<TokenAnswer> =>
  requestToken(environment, client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: client.redirectUri,
    ...further,
  });

/** RFC 6749 §5.2. */
export function mustRefuse({ status, headers, body }: TokenAnswer, error: string, what: string): void {
  must(status === 400, `${what} is answered by ${status}, not 400`);
  must(isJson(headers) && body !== null, `the refusal of ${what} is not JSON`);
  must(body['error'] === error, `the error for ${what} is ${String(body['error'])}, not ${error}`);
  must(body['access_token'] === undefined, `${what} is refused with an access token`);
}
