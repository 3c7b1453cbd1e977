import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { err, ok, type Result } from '../../core/result.ts';
import { toNumericDate } from '../../core/time.ts';
import type { Client } from '../client.ts';
import type { Refusal } from '../errors.ts';
import { type Claim, refuseClient, type ShownCredentials, type VerificationFacts, type Verified } from './method.ts';

/**
 * What `private_key_jwt` and `client_secret_jwt` have in common (RFC 7521 §4.2, RFC 7523 §2.2 and §3, OIDC Core §9): how an
 * assertion is shown, and what it must say. Who signed it is the method's to verify.
 */
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** An assertion is for now: `exp` further away than this is refused, which also bounds how long its jti is kept. */
export const longestAssertionSeconds = 3600;

export const requiredAssertionClaims = ['exp', 'jti', 'iss', 'sub', 'aud'] as const;

export const refuseAssertion = refuseClient('RFC 7523 §3');

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

/** A MAC is one method's, a signature the other's, so that the algorithm says which is used. Nobody is believed for it. */
export type AssertionKind = 'mac' | 'signature';

/** `client_id` beside the assertion is optional and must then be the same (RFC 7521 §4.2). */
export function readAssertion(
  { client_id, client_assertion, client_assertion_type }: ShownCredentials,
  kind: AssertionKind,
): Result<Claim<string>, Refusal> | 'absent' {
  if (client_assertion === undefined && client_assertion_type === undefined) return 'absent';
  if (kindOf(client_assertion) !== kind) return 'absent';
  if (client_assertion === undefined || client_assertion_type !== assertionType) {
    return err(refuseClient('RFC 7521 §4.2', 'client_assertion and client_assertion_type must both be sent'));
  }
  const subject = unverifiedSubject(client_assertion);
  if (subject === null || (client_id !== undefined && client_id !== subject)) return err(refuseAssertion);
  return ok({ clientId: subject, credentials: client_assertion });
}

/** What cannot be read is no MAC. */
function kindOf(assertion: string | undefined): AssertionKind {
  try {
    return decodeProtectedHeader(assertion ?? '').alg?.startsWith('HS') === true ? 'mac' : 'signature';
  } catch {
    return 'signature';
  }
}

function unverifiedSubject(assertion: string): string | null {
  try {
    const { sub }: { readonly sub?: unknown } = decodeJwt(assertion);
    return typeof sub === 'string' ? sub : null;
  } catch {
    return null;
  }
}

/** The claims of an assertion whose MAC or signature, `exp` and `nbf` have been verified. */
export function checkAssertion(
  payload: unknown,
  client: Client,
  { realm, now, audiences }: VerificationFacts,
): Result<Verified, Refusal> {
  if (!payloadSchema.Check(payload)) return err(refuseAssertion);
  const named = typeof payload.aud === 'string' ? [payload.aud] : payload.aud;
  const seconds = toNumericDate(now);
  const skew = realm.settings.clockSkewSeconds;
  const timely =
    payload.exp <= seconds + longestAssertionSeconds + skew &&
    (payload.iat === undefined || payload.iat <= seconds + skew);
  if (!timely || payload.iss !== client.clientId || payload.sub !== client.clientId) return err(refuseAssertion);
  if (!named.some((audience) => audiences.includes(audience))) return err(refuseAssertion);
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
