import { err, ok, type Result } from '../core/result.ts';
import { type Refusal, refusal } from './errors.ts';
import type { Form } from './parameters.ts';
import { challengeMembers, type InsufficientAuthentication } from './step_up.ts';

/** An access token as it was shown. In a form body it is a bearer token (RFC 9449 §7.1). */
export type PresentedToken = { readonly scheme: 'Bearer' | 'DPoP'; readonly token: string };

const schemes = ['Bearer', 'DPoP'] as const;

/** RFC 6750 §2 alone: a token of another scheme is none. */
export function readBearerToken(authorization: string | null, form: Form | null): Result<string | null, Refusal> {
  const read = readPresentedToken(authorization, form);
  if (!read.ok) return read;
  return ok(read.value?.scheme === 'Bearer' ? read.value.token : null);
}

/** RFC 9110 §11.1: the case of a scheme means nothing. */
const schemeOf = (authorization: string): PresentedToken['scheme'] | undefined =>
  schemes.find((scheme) => scheme.toLowerCase() === authorization.split(' ', 1)[0]?.toLowerCase());

/**
 * RFC 6750 §2, RFC 9449 §7.1: the token in the Authorization header or in a form body, in exactly one of them, never in the
 * query. null: none was sent, which is answered without an error code (RFC 6750 §3.1).
 */
export function readPresentedToken(
  authorization: string | null,
  form: Form | null,
): Result<PresentedToken | null, Refusal> {
  const inBody = form?.values['access_token'];
  const repeated = form?.faults.find(({ parameter }) => parameter === 'access_token');
  if (repeated !== undefined) return err(refuse('access_token is sent more than once or malformed'));
  if (authorization === null) return ok(typeof inBody === 'string' ? { scheme: 'Bearer', token: inBody } : null);
  if (inBody !== undefined) return err(refuse('the access token is sent in two ways'));
  const scheme = schemeOf(authorization);
  if (scheme === undefined) return ok(null);
  const [, token, ...rest] = authorization.split(/ +/);
  if (token === undefined || rest.length > 0 || !/^[A-Za-z0-9._~+/-]+=*$/.test(token)) {
    return err(refuse('the Authorization header is not one token'));
  }
  return ok({ scheme, token });
}

const refuse = (description: string): Refusal => refusal('invalid_request', description, 'RFC 6750 §2');

/** RFC 6750 §3: the challenge; without a token no error is told. */
export function bearerChallenge(issuer: string, refused: Refusal | InsufficientAuthentication | null): string {
  return `Bearer ${[`realm="${issuer}"`, ...errorParameters(refused)].join(', ')}`;
}

export function errorParameters(refused: Refusal | InsufficientAuthentication | null): readonly string[] {
  if (refused === null) return [];
  const told = [`error="${refused.error}"`, `error_description="${refused.description}"`];
  if (refused.error === 'insufficient_scope') told.push('scope="openid"');
  return 'demand' in refused ? [...told, ...challengeMembers(refused.demand)] : told;
}
