import { isJson } from './discovery.ts';
import { mustBeUnguessable } from './entropy.ts';
import type { Environment } from './environment.ts';
import { textOf } from './json.ts';
import type { TokenAnswer } from './token.ts';
import { must } from './verdict.ts';

export type Tokens = {
  readonly accessToken: string;
  readonly idToken: string | null;
  readonly refreshToken: string | null;
};

type Warned = Pick<Environment, 'warnUnless'>;

const expected = ['access_token', 'token_type', 'expires_in', 'refresh_token', 'scope', 'id_token'];
const yearSeconds = 365 * 24 * 60 * 60;

/** RFC 6749 §5.1, OIDC Core §3.1.3.3: every field by its type. */
export function validateTokenResponse(environment: Warned, { status, headers, body }: TokenAnswer): Tokens {
  must(status === 200, `the token endpoint answers ${status}: ${String(body?.['error_description'])}`);
  must(isJson(headers) && body !== null, `the token response comes as ${headers.get('content-type')}`);
  must(directives(headers).includes('no-store'), 'the token response may be stored');
  environment.warnUnless(headers.get('pragma') === 'no-cache', 'the token response has no Pragma: no-cache');
  const accessToken = textOf(body, 'access_token');
  must(accessToken !== null, 'there is no access_token');
  mustBeUnguessable('the access token', accessToken);
  must(textOf(body, 'token_type')?.toLowerCase() === 'bearer', `token_type is ${String(body['token_type'])}`);
  mustExpire(environment, body['expires_in']);
  must(body['scope'] === undefined || textOf(body, 'scope') !== null, 'scope is not a text');
  const refreshToken = textOf(body, 'refresh_token');
  must(body['refresh_token'] === undefined || refreshToken !== null, 'refresh_token is not a text');
  if (refreshToken !== null) {
    mustBeUnguessable('the refresh token', refreshToken);
    must(/^[\x20-\x7e]+$/.test(refreshToken), 'the refresh token has characters that RFC 6749 bars');
  }
  const unexpected = Object.keys(body).filter((name) => !expected.includes(name));
  environment.warnUnless(unexpected.length === 0, `unexpected fields in the token response: ${unexpected.join(', ')}`);
  return { accessToken, idToken: textOf(body, 'id_token'), refreshToken };
}

const directives = (headers: Headers): readonly string[] =>
  (headers.get('cache-control') ?? '').split(',').map((directive) => directive.trim().toLowerCase());

function mustExpire(environment: Warned, expiresIn: unknown): void {
  environment.warnUnless(expiresIn !== undefined, 'there is no expires_in');
  if (expiresIn === undefined) return;
  must(typeof expiresIn === 'number' && expiresIn > 0, `expires_in is ${JSON.stringify(expiresIn)}`);
  must(expiresIn <= yearSeconds, 'the access token is valid for more than a year');
}
