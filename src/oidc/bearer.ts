import { err, ok, type Result } from '../core/result.ts';
import { type Refusal, refusal } from './errors.ts';
import type { Form } from './parameters.ts';
import { challengeMembers, type InsufficientAuthentication } from './step_up.ts';

/**
 * RFC 6750 §2: the token in the Authorization header or in a form body, in exactly one of them, never in the query.
 * null: none was sent, which is answered without an error code (§3.1).
 */
export function readBearerToken(authorization: string | null, form: Form | null): Result<string | null, Refusal> {
  const inBody = form?.values['access_token'];
  const repeated = form?.faults.find(({ parameter }) => parameter === 'access_token');
  if (repeated !== undefined) return err(refuse('access_token is sent more than once or malformed'));
  if (authorization === null) return ok(typeof inBody === 'string' ? inBody : null);
  if (inBody !== undefined) return err(refuse('the access token is sent in two ways'));
  const [scheme = '', token, ...rest] = authorization.split(/ +/);
  if (scheme.toLowerCase() !== 'bearer') return ok(null);
  if (token === undefined || rest.length > 0 || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    return err(refuse('the Authorization header is not one Bearer token'));
  }
  return ok(token);
}

const refuse = (description: string): Refusal => refusal('invalid_request', description, 'RFC 6750 §2');

/** RFC 6750 §3: the challenge; without a token no error is told. */
export function bearerChallenge(issuer: string, refused: Refusal | InsufficientAuthentication | null): string {
  const parts = [`realm="${issuer}"`];
  if (refused !== null) parts.push(`error="${refused.error}"`, `error_description="${refused.description}"`);
  if (refused?.error === 'insufficient_scope') parts.push('scope="openid"');
  if (refused !== null && 'demand' in refused) parts.push(...challengeMembers(refused.demand));
  return `Bearer ${parts.join(', ')}`;
}
