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
  const isPost = authMethod === 'client_secret_post';
  const credentials = isPost ? { client_id: clientId, client_secret: clientSecret } : {};
  const pair = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
  const response = await fetch(endpoint(environment, 'token_endpoint'), {
    method: 'POST',
    headers: {
      accept: 'application/json',
      'content-type': 'application/x-www-form-urlencoded',
      ...(isPost ? {} : { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }),
    },
    body: new URLSearchParams({ ...parameters, ...credentials }).toString(),
  });
  const body = jsonObject(parseJson(await response.text()));
  return { status: response.status, headers: response.headers, body };
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
    redirect_uri: environment.relyingParty.redirectUri,
    ...further,
  });

/** RFC 6749 §5.2. */
export function mustRefuse({ status, headers, body }: TokenAnswer, error: string, what: string): void {
  must(status === 400, `${what} is answered by ${status}, not 400`);
  must(isJson(headers) && body !== null, `the refusal of ${what} is not JSON`);
  must(body['error'] === error, `the error for ${what} is ${String(body['error'])}, not ${error}`);
  must(body['access_token'] === undefined, `${what} is refused with an access token`);
}
