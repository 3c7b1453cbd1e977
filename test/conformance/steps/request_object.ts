import type { AuthorizationRequest } from './authorize.ts';
import type { Environment } from './environment.ts';
import { textsOf } from './json.ts';
import { skipIf } from './verdict.ts';

/** The suite skips only where the list is there and lacks it. */
export function skipUnlessUnsignedAllowed({ metadata }: Environment): void {
  const listed = metadata['request_object_signing_alg_values_supported'];
  skipIf(
    listed !== undefined && !textsOf(metadata, 'request_object_signing_alg_values_supported').includes('none'),
    "'none' is not listed in request_object_signing_alg_values_supported",
  );
}

/** OIDC Core §6.1: the request as an unsigned object, and outside of it only what OAuth itself requires. */
export function byRequestObject({ issuer }: Environment, { parameters, client }: AuthorizationRequest) {
  const claims = { ...parameters, iss: client.clientId, aud: issuer };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const { client_id = '', response_type = '', scope = '', redirect_uri = '' } = parameters;
  const request = `${encode({ alg: 'none' })}.${encode(claims)}.`;
  return { client_id, response_type, scope, redirect_uri, request };
}
