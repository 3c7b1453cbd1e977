import { endpoint, isJson } from './discovery.ts';
import type { Environment } from './environment.ts';
import type { Json } from './json.ts';
import { postRegistration, usualMembers } from './registration.ts';
import { must } from './verdict.ts';

/** OIDC Registration §3.3: a registration with these members beside the usual ones is refused; gives its error code. */
export async function refusedRegistration(environment: Environment, members: Json): Promise<string> {
  const { relyingParty, variant, client } = environment;
  const document = { ...usualMembers(relyingParty, variant, client.key), ...members };
  const answer = await postRegistration(endpoint(environment, 'registration_endpoint'), document);
  must(answer.status === 400, `the registration is answered by ${answer.status}, not 400`);
  must(isJson(answer.headers) && answer.body !== null, 'the refusal is not JSON');
  return String(answer.body['error']);
}
