import { type AuthorizationRequest, authorizationRequest, authorize, type Overrides } from './authorize.ts';
import type { Visit } from './browser.ts';
import { codeFrom } from './callback.ts';
import type { Environment, PlanClient } from './environment.ts';
import type { Json } from './json.ts';
import { redeemCode } from './token.ts';
import { userinfo, type Way } from './userinfo.ts';
import { type IdToken, validateIdToken } from './validate_id_token.ts';
import { type Tokens, validateTokenResponse } from './validate_token_response.ts';
import { must } from './verdict.ts';

export type SignedIn = {
  readonly request: AuthorizationRequest;
  readonly visit: Visit;
  readonly code: string;
  readonly tokens: Tokens;
  readonly idToken: IdToken;
  readonly userinfo: Json;
};

export type SignInOptions = {
  readonly client?: PlanClient;
  readonly method?: 'GET' | 'POST';
  /** Further parameters of the token request. */
  readonly tokenParameters?: { readonly [name: string]: string };
  readonly userinfoWay?: Way;
  /** Claims that the request asks to have in the ID token. */
  readonly askedFor?: readonly string[];
};

/** The flow that nearly every module is made of, with every check that all modules share. */
export async function signIn(
  environment: Environment,
  overrides: Overrides = {},
  options: SignInOptions = {},
): Promise<SignedIn> {
  const request = authorizationRequest(environment, overrides, options.client);
  return finishSignIn(environment, request, await authorize(environment, request, options.method), options);
}

/** From the answer to the authorization request on. */
export async function finishSignIn(
  environment: Environment,
  request: AuthorizationRequest,
  visit: Visit,
  { tokenParameters, userinfoWay, askedFor = [] }: SignInOptions = {},
): Promise<SignedIn> {
  const { client, nonce } = request;
  const code = codeFrom(environment, request, visit);
  const answer = await redeemCode(environment, client, code, tokenParameters);
  const tokens = validateTokenResponse(environment, answer);
  const { accessToken } = tokens;
  must(tokens.idToken !== null, 'there is no id_token');
  const facts = { clientId: client.clientId, nonce, accessToken, askedFor };
  const idToken = await validateIdToken(environment, tokens.idToken, facts);
  const claims = await userinfo(environment, accessToken, idToken.subject, userinfoWay);
  return { request, visit, code, tokens, idToken, userinfo: claims };
}
