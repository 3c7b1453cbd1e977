import { type AuthorizationRequest, authorizationRequest, authorize, type Overrides } from './authorize.ts';
import type { Visit } from './browser.ts';
import { type Answer, answerFrom } from './callback.ts';
import type { Environment, PlanClient } from './environment.ts';
import type { Json } from './json.ts';
import { redeemCode } from './token.ts';
import { claimsOfScopes, userinfo, type Way } from './userinfo.ts';
import { type IdToken, validateIdToken } from './validate_id_token.ts';
import { type Tokens, validateTokenResponse } from './validate_token_response.ts';
import { must } from './verdict.ts';

export type SignedIn = {
  readonly request: AuthorizationRequest;
  readonly visit: Visit;
  /** Empty where the response type has none. */
  readonly code: string;
  /** Of the token endpoint, or where there is no code, of the answer; an empty access token where there is none. */
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
  /** The module asks for userinfo itself. */
  readonly skipUserinfo?: boolean;
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
  { tokenParameters, userinfoWay, skipUserinfo = false, askedFor = [] }: SignInOptions = {},
): Promise<SignedIn> {
  const { client, nonce } = request;
  const answer = answerFrom(environment, request, visit);
  const isAlone = answer.code === null && answer.accessToken === null;
  // OIDC Core §5.4: without an access token the claims have nowhere else to be.
  const scopes = isAlone ? claimsOfScopes((request.parameters['scope'] ?? '').split(' ')) : [];
  const facts = { clientId: client.clientId, nonce, askedFor: [...askedFor, ...scopes] };
  const front =
    answer.idToken && (await validateIdToken(environment, answer.idToken, { ...facts, ...answer, isFront: true }));
  const tokens = await tokensOf(environment, client, answer, tokenParameters);
  const { accessToken } = tokens;
  const isFromToken = answer.code !== null && tokens.idToken !== null;
  must(answer.code === null || isFromToken, 'there is no id_token');
  const back = isFromToken ? await validateIdToken(environment, tokens.idToken ?? '', { ...facts, accessToken }) : null;
  const idToken = back ?? front;
  must(idToken !== null && idToken !== '', 'there is no id_token');
  if (front) must(front.subject === idToken.subject, 'sub of the two ID tokens differs');
  if (answer.accessToken !== null && back !== null) await userinfo(environment, answer.accessToken, idToken.subject);
  const claims =
    isAlone || skipUserinfo ? idToken.claims : await userinfo(environment, accessToken, idToken.subject, userinfoWay);
  return { request, visit, code: answer.code ?? '', tokens, idToken, userinfo: claims };
}

async function tokensOf(
  environment: Environment,
  client: PlanClient,
  { code, accessToken, idToken }: Answer,
  tokenParameters: SignInOptions['tokenParameters'],
): Promise<Tokens> {
  if (code === null) return { accessToken: accessToken ?? '', idToken, refreshToken: null };
  return validateTokenResponse(environment, await redeemCode(environment, client, code, tokenParameters));
}
