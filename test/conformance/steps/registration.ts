import type { ClientKey } from './client_key.ts';
import { isJson, mustBeSecure } from './discovery.ts';
import type { AuthMethod, Environment, PlanClient, Variant } from './environment.ts';
import { type Json, jsonObject, parseJson, textOf } from './json.ts';
import type { RelyingParty } from './relying_party.ts';
import { must } from './verdict.ts';

export type RegistrationAnswer = { readonly status: number; readonly headers: Headers; readonly body: Json | null };

/** OIDC Registration §3.1. */
export async function postRegistration(url: string, document: Json): Promise<RegistrationAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(document),
  });
  return { status: response.status, headers: response.headers, body: jsonObject(parseJson(await response.text())) };
}

/** What the suite sends with every registration. `native`: its addresses are https, those of the harness are http. */
export function usualMembers(
  { redirectUri, postLogoutRedirectUri }: Pick<RelyingParty, 'redirectUri' | 'postLogoutRedirectUri'>,
  { clientAuth, responseType }: Variant,
  key: ClientKey,
): Json {
  const words = responseType.split(' ');
  const code = words.includes('code') ? ['authorization_code', 'refresh_token'] : [];
  return {
    client_name: 'Conformance',
    application_type: 'native',
    contacts: ['certification@oidf.org'],
    redirect_uris: [redirectUri],
    post_logout_redirect_uris: [postLogoutRedirectUri],
    response_types: [responseType],
    grant_types: [...code, ...(responseType === 'code' ? [] : ['implicit'])],
    token_endpoint_auth_method: clientAuth,
    jwks: { keys: [key.jwk] },
  };
}

/** OIDC Registration §3.2, RFC 7591 §3.2.1: what every successful registration answers. */
export function registeredClient(answer: RegistrationAnswer, key: ClientKey, authMethod: AuthMethod): PlanClient {
  const { status, headers, body } = answer;
  must(status === 201, `registration answers ${status}: ${JSON.stringify(body)}`);
  must(isJson(headers) && body !== null, 'the registration is not answered with JSON');
  const clientId = textOf(body, 'client_id');
  must(clientId !== null, 'the registration has no client_id');
  const clientSecret = textOf(body, 'client_secret');
  must(clientSecret === null || typeof body['client_secret_expires_at'] === 'number', 'no client_secret_expires_at');
  const uri = textOf(body, 'registration_client_uri');
  must((uri === null) === (textOf(body, 'registration_access_token') === null), 'only half of the access to it');
  if (uri !== null) mustBeSecure('registration_client_uri', uri);
  const uris = body['redirect_uris'];
  const redirectUri: unknown = Array.isArray(uris) ? uris[0] : undefined;
  must(typeof redirectUri === 'string', 'the registration has no redirect_uris');
  return { clientId, clientSecret, authMethod, redirectUri, key, registered: body };
}

/** RFC 7592 §2.3. */
export async function removeClient({ registered }: PlanClient, warnUnless: Environment['warnUnless']): Promise<void> {
  const uri = registered && textOf(registered, 'registration_client_uri');
  if (uri === null) return;
  const authorization = `Bearer ${textOf(registered ?? {}, 'registration_access_token')}`;
  const { status } = await fetch(uri, { method: 'DELETE', headers: { authorization } });
  warnUnless(status === 204, `the registration is removed with ${status}, not 204`);
}
