import { authorizationRequest, authorize } from './authorize.ts';
import type { Visit } from './browser.ts';
import { errorFrom } from './callback.ts';
import { endpoint } from './discovery.ts';
import { alphanumeric, randomText } from './entropy.ts';
import type { Environment } from './environment.ts';
import { needsPerson } from './needs_person.ts';
import { fieldsOf, postLogoutPath } from './relying_party.ts';
import { signIn } from './sign_in.ts';
import type { IdToken } from './validate_id_token.ts';
import { must } from './verdict.ts';

export type LogoutRequest = { readonly [name: string]: string };

/** Signs in, and then sends the browser to the end session endpoint with what `change` makes of a whole request. */
export async function signOut(
  environment: Environment,
  change: (whole: LogoutRequest & { readonly id_token_hint: string }) => LogoutRequest | Promise<LogoutRequest>,
): Promise<{ readonly visit: Visit; readonly state: string; readonly idToken: IdToken }> {
  const { idToken } = await signIn(environment, {}, { client: environment.client });
  const state = randomText(128, alphanumeric);
  const parameters = await change({
    id_token_hint: idToken.raw,
    post_logout_redirect_uri: environment.relyingParty.postLogoutRedirectUri,
    state,
  });
  const url = endpoint(environment, 'end_session_endpoint');
  const query = new URLSearchParams(parameters).toString();
  return { visit: await environment.browser.visit({ url: query === '' ? url : `${url}?${query}` }), state, idToken };
}

/** RP-Initiated Logout §3: back at the address, with the state and nothing else; null: without state. */
export function mustReturn(environment: Environment, { end }: Visit, state: string | null): void {
  must(end.kind === 'relying_party', 'the browser did not come back to post_logout_redirect_uri');
  must(end.request.path === postLogoutPath, `the browser came back to ${end.request.path}`);
  const fields = fieldsOf(end.request.query);
  must((fields['state'] ?? null) === state, 'state did not come back as it was sent');
  const unexpected = Object.keys(fields).filter((name) => name !== 'state');
  environment.warnUnless(unexpected.length === 0, `unexpected parameters: ${unexpected.join(', ')}`);
}

/** Nobody is signed in any more. */
export async function mustBeSignedOut(environment: Environment): Promise<void> {
  const request = authorizationRequest(environment, { prompt: 'none' });
  errorFrom(environment, request, await authorize(environment, request), needsPerson);
}

/** Pages on which a sign-out may end, by the id that tells them apart: an error, a question, or the news. */
const pages = ['error', 'stay', 'signed-out'];

export function reviewLogoutPage(environment: Environment, { end }: Visit, what: string): void {
  must(end.kind === 'page', 'the browser was redirected');
  must(
    pages.some((id) => end.html.includes(`id="${id}"`)),
    'the page is neither an error, nor a question, nor says that the person is signed out',
  );
  environment.review(what);
}
