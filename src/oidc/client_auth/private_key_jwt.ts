import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { decodeJwt } from 'jose';
import { err, ok, type Result } from '../../core/result.ts';
import { toNumericDate } from '../../core/time.ts';
import type { Client } from '../client.ts';
import { clientSigningAlgorithms, verifySignedByClient } from '../client_keys.ts';
import type { Refusal } from '../errors.ts';
import { type Claim, type ClientAuthMethod, refuseClient, type VerificationFacts, type Verified } from './method.ts';

/** RFC 7523 §2.2 and §3, OIDC Core §9. */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export const clientAssertionAlgorithms = clientSigningAlgorithms;

/** An assertion is for now: `exp` further away than this is refused, which also bounds how long its jti is kept. */
export const longestAssertionSeconds = 3600;

const payloadSchema = TypeCompiler.Compile(
  Type.Object({
    iss: Type.String(),
    sub: Type.String(),
    aud: Type.Union([Type.String(), Type.Array(Type.String())]),
    exp: Type.Number(),
    jti: Type.String({ minLength: 1, maxLength: 512 }),
    iat: Type.Optional(Type.Number()),
    nbf: Type.Optional(Type.Number()),
  }),
);

export const privateKeyJwt: ClientAuthMethod<string> = {
  name: 'private_key_jwt',
  forClass: 'confidential',
  read({ client_id, client_assertion, client_assertion_type }) {
    if (client_assertion === undefined && client_assertion_type === undefined) return 'absent';
    if (client_assertion === undefined || client_assertion_type !== assertionType) {
      return err(refuseClient('RFC 7521 §4.2', 'client_assertion and client_assertion_type must both be sent'));
    }
    return readAssertion(client_assertion, client_id);
  },
  verify: verifyAssertion,
};

/** `client_id` beside the assertion is optional and must then be the same (RFC 7521 §4.2). */
function readAssertion(assertion: string, clientId: string | undefined): Result<Claim<string>, Refusal> {
  const subject = unverifiedSubject(assertion);
  if (subject === null || (clientId !== undefined && clientId !== subject)) {
    return err(refuseClient('RFC 7523 §3'));
  }
  return ok({ clientId: subject, credentials: assertion });
}

function unverifiedSubject(assertion: string): string | null {
  try {
    const { sub }: { readonly sub?: unknown } = decodeJwt(assertion);
    return typeof sub === 'string' ? sub : null;
  } catch {
    return null;
  }
}

async function verifyAssertion(
  client: Client,
  assertion: string,
  { realm, now, audiences, clientKeys }: VerificationFacts,
): Promise<Result<Verified, Refusal>> {
  const refused = err(refuseClient('RFC 7523 §3'));
  const skew = realm.settings.clockSkewSeconds;
  const verified = await verifySignedByClient(assertion, {
    client,
    clientKeys,
    registeredAlgorithm: client.metadata.token_endpoint_auth_signing_alg,
    now,
    clockSkewSeconds: skew,
    requiredClaims: ['exp', 'jti', 'iss', 'sub', 'aud'],
  });
  const payload = verified?.payload;
  if (!payloadSchema.Check(payload)) return refused;
  const named = typeof payload.aud === 'string' ? [payload.aud] : payload.aud;
  const seconds = toNumericDate(now);
  const timely =
    payload.exp <= seconds + longestAssertionSeconds + skew &&
    (payload.iat === undefined || payload.iat <= seconds + skew);
  if (!timely || payload.iss !== client.clientId || payload.sub !== client.clientId) return refused;
  if (!named.some((audience) => audiences.includes(audience))) return refused;
  return ok({
    proof: {
      kind: 'client assertion',
      realmId: realm.id,
      owner: client.clientId,
      jti: payload.jti,
      expiresAt: Math.ceil(payload.exp) * 1000,
    },
  });
}
