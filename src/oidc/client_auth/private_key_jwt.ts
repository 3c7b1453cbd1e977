import { err, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { clientSigningAlgorithms, verifySignedByClient } from '../client_keys.ts';
import type { Refusal } from '../errors.ts';
import { checkAssertion, readAssertion, refuseAssertion, requiredAssertionClaims } from './client_assertion.ts';
import type { ClientAuthMethod, VerificationFacts, Verified } from './method.ts';

export const privateKeyJwtAlgorithms = clientSigningAlgorithms;

/** OIDC Core §9, RFC 7523 §2.2: signed with one of the client's own keys. */
export const privateKeyJwt: ClientAuthMethod<string> = {
  name: 'private_key_jwt',
  forClass: 'confidential',
  read: (shown) => readAssertion(shown, 'signature'),
  verify: verifySignature,
};

async function verifySignature(
  client: Client,
  assertion: string,
  facts: VerificationFacts,
): Promise<Result<Verified, Refusal>> {
  const verified = await verifySignedByClient(assertion, {
    client,
    clientKeys: facts.clientKeys,
    registeredAlgorithm: client.metadata.token_endpoint_auth_signing_alg,
    now: facts.now,
    clockSkewSeconds: facts.realm.settings.clockSkewSeconds,
    requiredClaims: requiredAssertionClaims,
  });
  return verified === null ? err(refuseAssertion) : checkAssertion(verified.payload, client, facts);
}
