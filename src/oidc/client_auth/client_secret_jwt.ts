import { errors, jwtVerify } from 'jose';
import { err, type Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
import type { Client } from '../client.ts';
import type { Refusal } from '../errors.ts';
import { checkAssertion, readAssertion, refuseAssertion, requiredAssertionClaims } from './client_assertion.ts';
import type { ClientAuthMethod, VerificationFacts, Verified } from './method.ts';

/** RFC 7518 §3.2, with the fewest octets that a key must have: those of the hash. */
const leastOctets: ReadonlyMap<string, number> = new Map([
  ['HS256', 32],
  ['HS384', 48],
  ['HS512', 64],
]);
export const clientSecretJwtAlgorithms: readonly string[] = [...leastOctets.keys()];

/**
 * OIDC Core §9: a MAC under the client's secret, which must be kept itself for it (sealed; every other method needs but its
 * hash). `private_key_jwt` needs no secret here at all and is the better choice.
 */
export const clientSecretJwt: ClientAuthMethod<string> = {
  name: 'client_secret_jwt',
  forClass: 'confidential',
  read: (shown) => readAssertion(shown, 'mac'),
  verify: verifyMac,
};

async function verifyMac(
  client: Client,
  assertion: string,
  facts: VerificationFacts,
): Promise<Result<Verified, Refusal>> {
  const faults: unknown[] = [];
  for (const stored of client.secrets) {
    if (stored.expiresAt !== null && stored.expiresAt <= facts.now) continue;
    try {
      const secret = facts.openClientSecret(client, stored);
      const payload = secret === null ? undefined : await verifiedPayload(assertion, secret, client, facts);
      if (payload !== undefined) return checkAssertion(payload, client, facts);
    } catch (thrown) {
      faults.push(thrown);
    }
  }
  // A secret that cannot be opened is an outage, unless another one was right: `wrong credentials` would mislead everyone.
  if (faults.length > 0) throw faults[0];
  return err(refuseAssertion);
}

/** undefined: another key made the MAC, or the claims' times do not hold. */
async function verifiedPayload(
  assertion: string,
  secret: Secret,
  { metadata: { token_endpoint_auth_signing_alg: registered } }: Client,
  { now, realm }: VerificationFacts,
): Promise<object | undefined> {
  // OIDC Core §10.1: the key is the octets of the secret's UTF-8.
  const key = new TextEncoder().encode(secret.reveal());
  const algorithms = [...leastOctets].flatMap(([name, octets]) =>
    (registered ?? name) === name && key.byteLength >= octets ? [name] : [],
  );
  if (algorithms.length === 0) return undefined;
  try {
    const { payload } = await jwtVerify(assertion, key, {
      algorithms,
      currentDate: new Date(now),
      clockTolerance: realm.settings.clockSkewSeconds,
      requiredClaims: [...requiredAssertionClaims],
    });
    return payload;
  } catch (thrown) {
    if (thrown instanceof errors.JOSEError) return undefined;
    throw thrown;
  }
}
