import { canonicalResponseType } from '../authorize/response_type.ts';
import type { Refusal } from '../errors.ts';
import type { MemberName, Members } from './members.ts';
import { refuseMember } from './refusal.ts';

/** The realm's discovery document: what is registered must be served, and what is served is listed there. */
export type Served = { readonly [member: string]: unknown };

/** The list of discovery that a member's value, or each of its values, must be in. */
const listedIn: { readonly [Name in MemberName]?: string } = {
  response_types: 'response_types_supported',
  grant_types: 'grant_types_supported',
  subject_type: 'subject_types_supported',
  token_endpoint_auth_method: 'token_endpoint_auth_methods_supported',
  token_endpoint_auth_signing_alg: 'token_endpoint_auth_signing_alg_values_supported',
  id_token_signed_response_alg: 'id_token_signing_alg_values_supported',
  id_token_encrypted_response_alg: 'id_token_encryption_alg_values_supported',
  id_token_encrypted_response_enc: 'id_token_encryption_enc_values_supported',
  userinfo_signed_response_alg: 'userinfo_signing_alg_values_supported',
  userinfo_encrypted_response_alg: 'userinfo_encryption_alg_values_supported',
  userinfo_encrypted_response_enc: 'userinfo_encryption_enc_values_supported',
  introspection_signed_response_alg: 'introspection_signing_alg_values_supported',
  introspection_encrypted_response_alg: 'introspection_encryption_alg_values_supported',
  introspection_encrypted_response_enc: 'introspection_encryption_enc_values_supported',
  authorization_signed_response_alg: 'authorization_signing_alg_values_supported',
  authorization_encrypted_response_alg: 'authorization_encryption_alg_values_supported',
  authorization_encrypted_response_enc: 'authorization_encryption_enc_values_supported',
  request_object_signing_alg: 'request_object_signing_alg_values_supported',
  request_object_encryption_alg: 'request_object_encryption_alg_values_supported',
  request_object_encryption_enc: 'request_object_encryption_enc_values_supported',
  backchannel_token_delivery_mode: 'backchannel_token_delivery_modes_supported',
};

/** The member of discovery that says whether the feature is there at all; `false` asks for nothing. */
const needs: { readonly [Name in MemberName]?: string } = {
  require_signed_request_object: 'request_parameter_supported',
  require_pushed_authorization_requests: 'pushed_authorization_request_endpoint',
  dpop_bound_access_tokens: 'dpop_signing_alg_values_supported',
  tls_client_certificate_bound_access_tokens: 'tls_client_certificate_bound_access_tokens',
  frontchannel_logout_uri: 'frontchannel_logout_supported',
  frontchannel_logout_session_required: 'frontchannel_logout_session_supported',
  backchannel_logout_uri: 'backchannel_logout_supported',
  backchannel_logout_session_required: 'backchannel_logout_session_supported',
};

/**
 * The first member that asks for what this realm does not serve; null: there is none. `request_uris` only ever narrow what
 * a client may send, so they are kept even where none can be sent.
 */
export function refuseUnserved(registered: Members, served: Served): Refusal | null {
  for (const [member, list] of Object.entries(listedIn)) {
    const values = textsOf(registered, member);
    const listed = textsIn(served[list]);
    if (values.every((value) => listed.includes(member === 'response_types' ? canonicalResponseType(value) : value)))
      continue;
    return refuseMember(
      member,
      listed.length === 0 ? 'asks for what is not supported here' : `must be one of ${listed.join(', ')}`,
    );
  }
  const missing = Object.entries(needs).find(([member, feature]) => asks(registered, member) && !isOn(served[feature]));
  return missing === undefined ? null : refuseMember(missing[0], 'asks for what is not supported here');
}

const memberOf = (registered: Members, member: string): unknown =>
  Object.entries(registered).find(([name]) => name === member)?.[1];

const textsIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
};

const textsOf = (registered: Members, member: string): readonly string[] => textsIn(memberOf(registered, member));

const asks = (registered: Members, member: string): boolean => isOn(memberOf(registered, member));

const isOn = (feature: unknown): boolean => feature !== undefined && feature !== false;
