import type { Visit } from './browser.ts';
import { endpoint } from './discovery.ts';
import { alphanumeric, randomText } from './entropy.ts';
import type { Environment, PlanClient } from './environment.ts';

/** The suite sends states and nonces of up to 128 characters. */
const longest = 128;

export type AuthorizationRequest = {
  readonly client: PlanClient;
  readonly parameters: { readonly [name: string]: string };
  readonly state: string;
  /** null: none was sent. */
  readonly nonce: string | null;
};

/** Parameters beside the usual ones; null leaves one of those out. */
export type Overrides = { readonly [name: string]: string | null };

export function authorizationRequest(
  environment: Environment,
  overrides: Overrides = {},
  client = environment.client,
): AuthorizationRequest {
  const usual = {
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    response_type: environment.variant.responseType,
    scope: 'openid',
    state: randomText(longest),
    nonce: randomText(longest, alphanumeric),
    response_mode: environment.variant.responseMode === 'form_post' ? 'form_post' : null,
  };
  const merged: Overrides = { ...usual, ...overrides };
  const sent = Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== null);
  const parameters = Object.fromEntries(sent);
  return { client, parameters, state: parameters['state'] ?? '', nonce: parameters['nonce'] ?? null };
}

/** Sends a browser with the request to the authorization endpoint. */
export function authorize(
  environment: Environment,
  { parameters }: Pick<AuthorizationRequest, 'parameters'>,
  method: 'GET' | 'POST' = 'GET',
): Promise<Visit> {
  const url = endpoint(environment, 'authorization_endpoint');
  if (method === 'POST') return environment.browser.visit({ url, form: parameters });
  return environment.browser.visit({ url: `${url}?${new URLSearchParams(parameters)}` });
}
