import { type Json, textsOf } from './json.ts';

type Kind = 'uri' | 'text' | 'texts' | 'boolean' | 'object';

/**
 * The metadata names that the suite's JSON schema knows, by type: OIDC Discovery, RFC 8414 and what is registered with
 * IANA. Any other is a WARNING there unless the configuration allows it.
 */
const kinds: { readonly [Name in Kind]: readonly string[] } = {
  uri: [
    ...['issuer', 'authorization_endpoint', 'token_endpoint', 'userinfo_endpoint', 'jwks_uri', 'registration_endpoint'],
    ...['end_session_endpoint', 'check_session_iframe', 'introspection_endpoint', 'revocation_endpoint'],
    ...[
      'pushed_authorization_request_endpoint',
      'device_authorization_endpoint',
      'backchannel_authentication_endpoint',
    ],
    ...['service_documentation', 'op_policy_uri', 'op_tos_uri'],
  ],
  text: ['signed_metadata'],
  texts: [
    ...['scopes_supported', 'response_types_supported', 'response_modes_supported', 'grant_types_supported'],
    ...['acr_values_supported', 'subject_types_supported', 'display_values_supported', 'claim_types_supported'],
    ...['claims_supported', 'claims_locales_supported', 'ui_locales_supported', 'prompt_values_supported'],
    ...['code_challenge_methods_supported', 'dpop_signing_alg_values_supported'],
    'authorization_signing_alg_values_supported',
    ...['authorization_details_types_supported', 'backchannel_token_delivery_modes_supported'],
    ...['id_token', 'userinfo', 'request_object', 'introspection'].flatMap((name) => [
      `${name}_signing_alg_values_supported`,
      `${name}_encryption_alg_values_supported`,
      `${name}_encryption_enc_values_supported`,
    ]),
    ...['token', 'introspection', 'revocation'].flatMap((name) => [
      `${name}_endpoint_auth_methods_supported`,
      `${name}_endpoint_auth_signing_alg_values_supported`,
    ]),
  ],
  boolean: [
    ...['claims_parameter_supported', 'request_parameter_supported', 'request_uri_parameter_supported'],
    ...['require_request_uri_registration', 'require_signed_request_object', 'require_pushed_authorization_requests'],
    ...['authorization_response_iss_parameter_supported', 'tls_client_certificate_bound_access_tokens'],
    ...['frontchannel_logout_supported', 'frontchannel_logout_session_supported'],
    ...['backchannel_logout_supported', 'backchannel_logout_session_supported'],
    'client_id_metadata_document_supported',
  ],
  object: ['mtls_endpoint_aliases'],
};

const isKind: { readonly [Name in Kind]: (value: unknown) => boolean } = {
  uri: (value) => typeof value === 'string' && URL.canParse(value),
  text: (value) => typeof value === 'string',
  texts: (value) => Array.isArray(value) && value.every((item) => typeof item === 'string'),
  boolean: (value) => typeof value === 'boolean',
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
};

const entries: readonly (readonly [Kind, readonly string[]])[] = [
  ['uri', kinds.uri],
  ['text', kinds.text],
  ['texts', kinds.texts],
  ['boolean', kinds.boolean],
  ['object', kinds.object],
];

/** Names whose value is of the wrong type. */
export const mistyped = (metadata: Json): readonly string[] =>
  entries.flatMap(([kind, names]) =>
    names.filter((name) => metadata[name] !== undefined && !isKind[kind](metadata[name])),
  );

export function unknownNames(metadata: Json): readonly string[] {
  const known = new Set(entries.flatMap(([, names]) => names));
  return Object.keys(metadata).filter((name) => !known.has(name));
}

/** BCP 47, as far as a syntax goes: language, then script, region, variants and extensions. */
export const badLocales = (metadata: Json): readonly string[] =>
  ['ui_locales_supported', 'claims_locales_supported'].flatMap((name) =>
    textsOf(metadata, name).filter(
      (tag) => !/^[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2}|-\d{3})?(-[a-z0-9]{2,8})*$/.test(tag),
    ),
  );
