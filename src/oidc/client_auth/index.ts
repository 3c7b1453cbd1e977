/**
 * Client authentication (RFC 6749 §2.3): exactly one method per request, and the one the client is registered with. A
 * method is one file and one line of this list; discovery and registration follow from it.
 */
import { err, ok, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';
import type { ProofToSpend } from '../ports.ts';
import { clientSecretBasic, clientSecretPost } from './client_secret.ts';
import { clientSecretJwt, clientSecretJwtAlgorithms } from './client_secret_jwt.ts';
import { type ClientAuthMethod, refuseClient, type ShownCredentials, type VerificationFacts } from './method.ts';
import { none } from './none.ts';
import { privateKeyJwt, privateKeyJwtAlgorithms } from './private_key_jwt.ts';

type Facts = VerificationFacts & { readonly findClient: (clientId: string) => Promise<Client | null> };
export type AuthenticatedClient = { readonly client: Client; readonly proof: ProofToSpend | null };
type Attempt = (facts: Facts) => Promise<Result<AuthenticatedClient, Refusal>>;

type Registered = {
  readonly name: string;
  readonly forClass: 'public' | 'confidential';
  readonly attempt: (shown: ShownCredentials) => Attempt | 'absent';
};

/** Ties a method's reading to its verifying, so that the list below holds methods of different credentials. */
function register<Credentials>(method: ClientAuthMethod<Credentials>): Registered {
  return {
    name: method.name,
    forClass: method.forClass,
    attempt(shown) {
      const claim = method.read(shown);
      if (claim === 'absent') return 'absent';
      return async (facts) => {
        if (!claim.ok) return claim;
        const client = isClientId(claim.value.clientId) ? await facts.findClient(claim.value.clientId) : null;
        if (client === null || !client.enabled || !uses(client, method)) return err(refuseClient('RFC 6749 §2.3'));
        const verified = await method.verify(client, claim.value.credentials, facts);
        return verified.ok ? ok({ client, proof: verified.value.proof }) : verified;
      };
    },
  };
}

/** RFC 6749 Appendix A.1. An id may come out of an assertion's JSON, where it can be anything. */
const isClientId = (text: string): boolean => /^[ -~]{1,255}$/.test(text);

/** A registration whose class and method contradict each other must not make a client that proved nothing confidential. */
const uses = (client: Client, method: Pick<Registered, 'name' | 'forClass'>): boolean =>
  client.authMethod === method.name && client.class === method.forClass;

const methods: readonly Registered[] = [
  register(none),
  register(clientSecretBasic),
  register(clientSecretPost),
  register(clientSecretJwt),
  register(privateKeyJwt),
];

export const clientAuthMethodNames: readonly string[] = methods.map(({ name }) => name);

/** What an assertion may be made with, by method (RFC 8414 §2 `token_endpoint_auth_signing_alg_values_supported`). */
const assertionAlgorithms: ReadonlyMap<string, readonly string[]> = new Map([
  [privateKeyJwt.name, privateKeyJwtAlgorithms],
  [clientSecretJwt.name, clientSecretJwtAlgorithms],
]);
export const clientAssertionAlgorithms: readonly string[] = [...assertionAlgorithms.values()].flat();

/** undefined: the method uses no assertion. */
export const assertionAlgorithmsOf = (method: string): readonly string[] | undefined => assertionAlgorithms.get(method);

export const classOfAuthMethod = (name: string): 'public' | 'confidential' | undefined =>
  methods.find((method) => method.name === name)?.forClass;

export async function authenticateClient(
  shown: ShownCredentials,
  facts: Facts,
): Promise<Result<AuthenticatedClient, Refusal>> {
  const attempts = methods.flatMap((method) => {
    const attempt = method.attempt(shown);
    return attempt === 'absent' ? [] : [attempt];
  });
  const [only, second] = attempts;
  if (only === undefined) return err(refuseClient('RFC 6749 §3.2.1', 'no client authentication and no client_id'));
  if (second !== undefined) {
    return err(refusal('invalid_request', 'more than one client authentication method is used', 'RFC 6749 §2.3'));
  }
  if (namesTwoClients(shown))
    return err(refuseClient('RFC 6749 §2.3', 'client_id is not the client that authenticates'));
  return only(facts);
}

/** Basic beside a `client_id` in the body: allowed only if both name the same client. */
function namesTwoClients(shown: ShownCredentials): boolean {
  if (shown.authorization === null || shown.client_id === undefined) return false;
  const basic = clientSecretBasic.read(shown);
  return basic !== 'absent' && basic.ok && basic.value.clientId !== shown.client_id;
}
