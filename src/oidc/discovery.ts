import { codeChallengeMethods } from './authorize/pkce.ts';
import { promptValuesSupported } from './authorize/prompt.ts';
import { requestObjectAlgorithms } from './authorize/request_object.ts';
import { responseModesSupported } from './authorize/response_mode.ts';
import { isFrontChannel, servedResponseTypes } from './authorize/response_type.ts';
import { clientAssertionAlgorithms, clientAuthMethodNames } from './client_auth/index.ts';
import { dpopAlgorithms } from './dpop.ts';
import { grantTypeNames } from './grants/index.ts';
import { idTokenAlgorithms } from './id_token.ts';
import type { Realm } from './realm.ts';
import { contentEncryptions, encryptedResponses, encryptionAlgorithms } from './response_encryption.ts';
import { protocolScopes } from './scope.ts';
import { claimNames } from './standard_claims.ts';
import { subjectTypes } from './subject.ts';

/** Paths of the endpoints below an issuer, by the name that metadata gives them. */
export const endpointPaths = {
  authorization_endpoint: '/authorize',
  token_endpoint: '/token',
  userinfo_endpoint: '/userinfo',
  jwks_uri: '/jwks',
  introspection_endpoint: '/introspect',
  revocation_endpoint: '/revoke',
  end_session_endpoint: '/logout',
  device_authorization_endpoint: '/device_authorization',
} as const;

/** OIDC Session Management §3.3: served only where the realm's `sessionManagement` is on. */
export const checkSessionPath = '/check_session';

/** RFC 8628 §3.3: the page that a device sends people to. */
export const devicePath = '/device';

/** Served, and listed, where the realm lets clients register. */
export const registrationPath = '/register';

/** Claims that ID tokens carry beside what scopes and the claims parameter release. */
const protocolClaims = ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'sid'];

/** OIDC Discovery §3, RFC 9701 §7. Requests encrypted to us are not served, so nothing of theirs is listed. */
const encryptionMetadata = Object.fromEntries(
  encryptedResponses.flatMap((response) => [
    [`${response}_encryption_alg_values_supported`, encryptionAlgorithms],
    [`${response}_encryption_enc_values_supported`, contentEncryptions],
  ]),
);

/**
 * OIDC Discovery §3 and RFC 8414 §2 in one document, derived from the registries that do the work: what is listed is what
 * is served, nothing else.
 */
export function metadata(
  { issuer, settings }: Pick<Realm, 'issuer' | 'settings'>,
  acrValues: readonly string[],
  uiLocales: readonly string[],
) {
  const responseTypes = servedResponseTypes(settings);
  const endpoints = Object.fromEntries(Object.entries(endpointPaths).map(([name, path]) => [name, issuer + path]));
  const authenticated = clientAuthMethodNames.filter((name) => name !== 'none');
  return {
    issuer,
    ...endpoints,
    ...(settings.registration === 'off' ? {} : { registration_endpoint: issuer + registrationPath }),
    ...(settings.clientIdMetadataDocuments ? { client_id_metadata_document_supported: true } : {}),
    scopes_supported: protocolScopes,
    response_types_supported: responseTypes,
    response_modes_supported: responseModesSupported,
    grant_types_supported: responseTypes.some(isFrontChannel) ? [...grantTypeNames, 'implicit'] : grantTypeNames,
    acr_values_supported: acrValues,
    subject_types_supported: subjectTypes,
    id_token_signing_alg_values_supported: idTokenAlgorithms,
    userinfo_signing_alg_values_supported: idTokenAlgorithms,
    introspection_signing_alg_values_supported: idTokenAlgorithms,
    ...encryptionMetadata,
    token_endpoint_auth_methods_supported: clientAuthMethodNames,
    token_endpoint_auth_signing_alg_values_supported: clientAssertionAlgorithms,
    introspection_endpoint_auth_methods_supported: authenticated,
    introspection_endpoint_auth_signing_alg_values_supported: clientAssertionAlgorithms,
    revocation_endpoint_auth_methods_supported: clientAuthMethodNames,
    revocation_endpoint_auth_signing_alg_values_supported: clientAssertionAlgorithms,
    claim_types_supported: ['normal'],
    claims_supported: [...protocolClaims, ...claimNames],
    ui_locales_supported: uiLocales,
    code_challenge_methods_supported: codeChallengeMethods,
    prompt_values_supported: promptValuesSupported,
    claims_parameter_supported: true,
    request_parameter_supported: true,
    request_uri_parameter_supported: true,
    require_request_uri_registration: true,
    request_object_signing_alg_values_supported: requestObjectAlgorithms,
    authorization_response_iss_parameter_supported: true,
    ...(settings.dpop === 'off' ? {} : { dpop_signing_alg_values_supported: dpopAlgorithms }),
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    ...(settings.sessionManagement ? { check_session_iframe: issuer + checkSessionPath } : {}),
  };
}
