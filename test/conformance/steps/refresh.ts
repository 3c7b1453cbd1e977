import type { Environment, PlanClient } from './environment.ts';
import { textsOf } from './json.ts';
import { type SignedIn, signIn } from './sign_in.ts';
import { requestToken, type TokenAnswer } from './token.ts';
import { userinfo } from './userinfo.ts';
import { type IdToken, validateIdToken } from './validate_id_token.ts';
import { validateTokenResponse } from './validate_token_response.ts';
import { must } from './verdict.ts';

/** OIDC Core §11: offline_access where it is offered, with the consent that it needs. */
export function signInOffline(environment: Environment, client: PlanClient): Promise<SignedIn> {
  const isOffered = textsOf(environment.metadata, 'scopes_supported').includes('offline_access');
  const overrides = isOffered ? { scope: 'openid offline_access', prompt: 'consent' } : {};
  return signIn(environment, overrides, { client });
}

export const refresh = (
  environment: Environment,
  client: PlanClient,
  refreshToken: string,
  further: { readonly [name: string]: string } = {},
): Promise<TokenAnswer> =>
  requestToken(environment, client, { grant_type: 'refresh_token', refresh_token: refreshToken, ...further });

/** RFC 6749 §6, OIDC Core §12.2. Gives the refresh token to use from now on. */
export async function refreshAndCompare(
  environment: Environment,
  { request, tokens, idToken }: SignedIn,
  { repeatScope = false }: { readonly repeatScope?: boolean },
): Promise<string> {
  const { refreshToken } = tokens;
  must(refreshToken !== null, 'no refresh token was issued');
  await environment.wait(1);
  const scope = request.parameters['scope'] ?? '';
  const answer = await refresh(environment, request.client, refreshToken, repeatScope ? { scope } : {});
  const refreshed = validateTokenResponse(environment, answer);
  must(refreshed.accessToken !== tokens.accessToken, 'the access token is the same one');
  if (refreshed.idToken !== null) {
    // OIDC Core §12.2: without the nonce.
    const facts = { clientId: request.client.clientId, nonce: null, accessToken: refreshed.accessToken };
    mustContinue(idToken, await validateIdToken(environment, refreshed.idToken, facts));
  }
  await userinfo(environment, refreshed.accessToken, idToken.subject);
  return refreshed.refreshToken ?? refreshToken;
}

function mustContinue(first: IdToken, second: IdToken): void {
  for (const name of ['iss', 'sub', 'aud', 'azp', 'auth_time']) {
    const same = JSON.stringify(first.claims[name]) === JSON.stringify(second.claims[name]);
    must(same, `${name} of the refreshed ID token differs`);
  }
  must(Number(second.claims['iat']) > Number(first.claims['iat']), 'iat of the refreshed ID token is not newer');
}
