import { systemClock, toNumericDate } from '../../src/core/time.ts';
import { bodyOf, type Parameters, post } from './relying_party.ts';

/** A client assertion (RFC 7521 §4.2) as a test shows it, and what comes of that. */

export const now = (): number => toNumericDate(systemClock());

export const claimsOfClient = (clientId: string, audience: string) => ({
  iss: clientId,
  sub: clientId,
  aud: audience,
  exp: now() + 60,
  iat: now(),
  jti: crypto.randomUUID(),
});

export const present = (issuer: string, assertion: string, path = '/token', fields: Parameters = {}) =>
  post(issuer + path, {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
    ...fields,
  });

export const outcome = async (response: Response) => ({
  status: response.status,
  error: (await bodyOf(response))['error'],
});

export const good = { status: 200, error: undefined };
export const invalidClient = { status: 401, error: 'invalid_client' };
