import { err, ok, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';

/**
 * Response types by their canonical spelling, with what each returns from the authorization endpoint (OAuth 2.0 Multiple
 * Response Types §3, OIDC Core §3). Whatever returns a token from there is off by default: RFC 9700 §2.1.2.
 */
const responseTypes = {
  code: ['code'],
  id_token: ['id_token'],
  'id_token token': ['id_token', 'token'],
  'code id_token': ['code', 'id_token'],
  'code token': ['code', 'token'],
  'code id_token token': ['code', 'id_token', 'token'],
} as const;

export type ResponseType = keyof typeof responseTypes;
export type ResponsePart = 'code' | 'id_token' | 'token';

export const responseTypeNames = Object.keys(responseTypes) as readonly ResponseType[];

export const isResponseType = (text: string): text is ResponseType => Object.hasOwn(responseTypes, text);

/** The order of the words means nothing (OAuth 2.0 Multiple Response Types §3). */
export const canonicalResponseType = (text: string): string => text.split(' ').sort().join(' ');

export const returns = (type: ResponseType, part: ResponsePart): boolean =>
  responseTypes[type].some((returned) => returned === part);

/** Only the code alone leaves nothing in the browser but what must still be redeemed. */
export const isFrontChannel = (type: ResponseType): boolean => type !== 'code';

/** What a realm or client serves under its settings. */
export const servedResponseTypes = (settings: { readonly implicitAndHybrid: boolean }): readonly ResponseType[] =>
  settings.implicitAndHybrid ? responseTypeNames : ['code'];

type Registered = Pick<Client, 'responseTypes' | 'grantTypes' | 'settings'>;

/** RFC 6749 §3.1.1, and the grants that a response type draws on (RFC 7591 §2.1). */
export function checkResponseType(sent: string | undefined, client: Registered): Result<ResponseType, Refusal> {
  const refuse = (
    error: 'invalid_request' | 'unsupported_response_type' | 'unauthorized_client',
    description: string,
  ) => err(refusal(error, description, 'RFC 6749 §3.1.1', 'response_type'));
  if (sent === undefined) return refuse('invalid_request', 'response_type is missing');
  const canonical = canonicalResponseType(sent);
  if (!isResponseType(canonical) || !servedResponseTypes(client.settings).includes(canonical)) {
    return refuse('unsupported_response_type', 'this response_type is not supported');
  }
  const isRegistered = client.responseTypes.some((registered) => canonicalResponseType(registered) === canonical);
  const hasGrants = grantTypesOf(canonical).every((grant) => client.grantTypes.includes(grant));
  return isRegistered && hasGrants
    ? ok(canonical)
    : refuse('unauthorized_client', 'this client may not use this response_type');
}

/** RFC 7591 §2.1: which grant types a response type needs. */
export const grantTypesOf = (type: ResponseType): readonly string[] => [
  ...(returns(type, 'code') ? ['authorization_code'] : []),
  ...(isFrontChannel(type) ? ['implicit'] : []),
];
