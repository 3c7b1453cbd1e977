import type { SettingKey } from '../../core/settings.ts';
import type { Client } from '../client.ts';

/** How to mend a refusal, and what of the client's registration and settings the rule looked at. */
export type Remedy = {
  readonly mend: string;
  readonly facts?: readonly FactName[];
  readonly settings?: readonly SettingKey[];
};

type KnownClient = Omit<Client, 'settings'>;

/** Parts of a registration by their wire names, as an operator may read them. */
export const facts = {
  class: (client: KnownClient) => client.class,
  enabled: (client: KnownClient) => String(client.enabled),
  redirect_uris: (client: KnownClient) => client.redirectUris,
  post_logout_redirect_uris: (client: KnownClient) => client.postLogoutRedirectUris,
  grant_types: (client: KnownClient) => client.grantTypes,
  response_types: (client: KnownClient) => client.responseTypes,
  token_endpoint_auth_method: (client: KnownClient) => client.authMethod,
  valid_secrets: (client: KnownClient) => String(client.secrets.length),
  keys: ({ jwks, metadata }: KnownClient) =>
    metadata.jwks_uri ?? (jwks === null ? [] : jwks.keys.map(({ kid, kty }) => kid ?? kty ?? 'a key')),
  scope: (client: KnownClient) => client.scope,
  resources: (client: KnownClient) => client.resources,
  request_uris: ({ metadata }: KnownClient) => metadata.request_uris ?? [],
  request_object_signing_alg: ({ metadata }: KnownClient) => metadata.request_object_signing_alg ?? 'any',
  require_signed_request_object: ({ metadata }: KnownClient) => String(metadata.require_signed_request_object ?? false),
} as const satisfies { readonly [name: string]: (client: KnownClient) => string | readonly string[] };

export type FactName = keyof typeof facts;

/** For every error code: what holds whichever rule gave it. A test finds a code without a row. */
export const byError: { readonly [error: string]: Remedy } = {
  insufficient_user_authentication: {
    mend: 'Have the client send the user to sign in again with the acr_values and max_age of the challenge, or ask less of the sign-in.',
    settings: ['userinfoAcrValues', 'userinfoMaxAgeSeconds'],
  },
  invalid_dpop_proof: {
    mend: 'Have the client make a new proof for every request, for exactly this method and URL, with a clock that is right; behind a proxy the URL is the one in LIMEN_PUBLIC_URL.',
    settings: ['dpop', 'clockSkewSeconds'],
  },
  use_dpop_nonce: {
    mend: 'Have the client send the request again with the nonce of the DPoP-Nonce header in its proof.',
    settings: ['dpopNonce'],
  },
  invalid_request: { mend: 'Have the client send what the rule asks for; the parameter is named above.' },
  invalid_client: {
    mend: 'Compare how the client authenticates with its registration: `limen client show`; a lost secret is replaced by `limen client update --new-secret`.',
    facts: ['enabled', 'token_endpoint_auth_method', 'valid_secrets', 'keys'],
  },
  invalid_grant: {
    mend: 'Start a new sign-in: a code is redeemed once, within its lifetime, by the client, the redirect_uri and the code_verifier it was issued for; a refresh token ends with its session, its lifetime, a revocation or a reuse (`audit_events` says which).',
    settings: [
      'codeLifetimeSeconds',
      'rotation',
      'refreshIdleLifetimeSeconds',
      'refreshAbsoluteLifetimeSeconds',
      'refreshLeewaySeconds',
    ],
  },
  unauthorized_client: {
    mend: 'Give the client the grant or response type it asks for: `limen client update --grant`; or have it ask for what it has.',
    facts: ['class', 'grant_types', 'response_types'],
    settings: ['implicitAndHybrid'],
  },
  unsupported_grant_type: { mend: 'Use a grant type that discovery lists under grant_types_supported.' },
  unsupported_response_type: {
    mend: 'Use a response type that discovery lists; those that return tokens through the browser need the setting.',
    settings: ['implicitAndHybrid'],
  },
  invalid_scope: {
    mend: 'Allow the scope with `limen client update --scope` (the whole list), or have the client ask for less.',
    facts: ['scope'],
  },
  authorization_pending: {
    mend: 'Nothing needs mending: the device goes on polling until a person has decided.',
    settings: ['deviceCodeLifetimeSeconds'],
  },
  slow_down: {
    mend: 'Have the device wait for the interval that it was told, and 5 seconds more after each answer of this kind.',
    settings: ['devicePollingIntervalSeconds'],
  },
  expired_token: {
    mend: 'Have the device ask for new codes, and the person enter theirs before it expires.',
    settings: ['deviceCodeLifetimeSeconds'],
  },
  access_denied: { mend: 'The person or a policy said no. Nothing needs mending unless that was a mistake.' },
  server_error: {
    mend: 'A bug of this server: the log line `request.failed` with this id has the stack. Please report it.',
  },
  temporarily_unavailable: {
    mend: 'It passes by itself; where it stays, `/readyz` and `limen doctor` say what this process waits for.',
  },
  invalid_token: {
    mend: 'Get a new access token: this one is expired, revoked, or from another issuer.',
    settings: ['accessTokenLifetimeSeconds'],
  },
  insufficient_scope: { mend: 'Have the client ask for the scope that the endpoint needs.', facts: ['scope'] },
  login_required: { mend: 'Send the person to sign in: without prompt=none a page is shown.' },
  consent_required: { mend: 'Ask without prompt=none once, so that the person can consent.' },
  account_selection_required: { mend: 'Ask without prompt=none, so that the person can choose.' },
  interaction_required: { mend: 'Ask without prompt=none: a page must be shown.' },
  request_not_supported: { mend: 'Send the parameters themselves, not in a request object.' },
  request_uri_not_supported: { mend: 'Send the parameters themselves, or by what discovery lists.' },
  invalid_request_uri: {
    mend: 'Register the exact URI under request_uris, and serve the request object there over https.',
    facts: ['request_uris'],
  },
  invalid_request_object: {
    mend: 'Sign with a key that is registered, by an algorithm that is registered, with iss and aud as the rule says.',
    facts: ['keys', 'request_object_signing_alg', 'require_signed_request_object'],
    settings: ['clockSkewSeconds'],
  },
  registration_not_supported: { mend: 'Register the client first, or use what discovery lists.' },
  unmet_authentication_requirements: { mend: 'Ask for an acr that discovery lists and this realm’s flow can reach.' },
  unsupported_token_type: { mend: 'Nothing to do: such a token ends by itself within minutes.' },
  invalid_redirect_uri: { mend: 'Register a redirect URI of the kind that the description names.' },
  invalid_client_metadata: { mend: 'Register the member with a value that this realm’s discovery lists.' },
  unapproved_software_statement: { mend: 'Register without software_statement.' },
  invalid_target: {
    mend: 'Allow the resource with `limen client update --resource` (the whole list), or have the client ask for one it has.',
    facts: ['resources'],
  },
};

const credentials: Remedy = {
  mend: 'Have the client authenticate in the one way it is registered for, with a valid credential; a lost secret is replaced by `limen client update --new-secret`.',
  facts: ['enabled', 'class', 'token_endpoint_auth_method', 'valid_secrets'],
};

const pkce: Remedy = {
  mend: 'Have the client send code_challenge with S256 and the code_verifier that belongs to it; `limen client show` says whether and why it is required.',
  facts: ['class'],
  settings: ['pkce'],
};

/** Where a rule says more than its error code does: by the rule, or by the rule and the parameter. */
export const byRule: { readonly [rule: string]: Remedy } = {
  'RFC 7636 §4.4.1': pkce,
  'RFC 7636 §4.6': pkce,
  'RFC 6749 §3.1.2.3': {
    mend: 'Register the redirect_uri exactly as the client sends it (`limen client update --redirect-uri`, the whole list): scheme, host, port, path and query count. Only the port of http://127.0.0.1 and http://[::1] is free.',
    facts: ['redirect_uris'],
  },
  'RFC 6749 §3.1.1': {
    mend: 'Have the client ask for a response type it is registered for; those that return tokens through the browser also need the setting.',
    facts: ['response_types', 'grant_types'],
    settings: ['implicitAndHybrid'],
  },
  'RFC 6749 §4.1.2.1 client_id': {
    mend: 'Make the client in this realm, or enable it: `limen client list`. An id of another realm is unknown here.',
    facts: ['enabled'],
  },
  'RFC 6749 §4.1.3 redirect_uri': {
    mend: 'Send the redirect_uri of the authorization request with the code, or use PKCE.',
    facts: ['redirect_uris'],
  },
  'RFC 6749 §2.3': {
    mend: 'The client is unknown here, disabled, or used another method than it is registered with: have it use that one, or change it (`limen client update --auth-method`).',
    facts: ['enabled', 'class', 'token_endpoint_auth_method'],
  },
  'RFC 6749 §2.3.1': credentials,
  'RFC 6749 §3.2.1': credentials,
  'RFC 7523 §3': {
    mend: 'Check the assertion: signed by a registered key, iss and sub are the client_id, aud is the issuer or the endpoint, exp is near, and its jti was not used before. Clocks may differ by the setting.',
    facts: ['enabled', 'token_endpoint_auth_method', 'keys'],
    settings: ['clockSkewSeconds'],
  },
  'RFC 9101 §10.5': {
    mend: 'Have the client send its request signed, or take require_signed_request_object out of its registration.',
    facts: ['require_signed_request_object', 'request_object_signing_alg'],
  },
  'OIDC RP-Initiated Logout §3': {
    mend: 'Register the URI exactly as it is sent: `limen client update --post-logout-redirect-uri` (the whole list).',
    facts: ['post_logout_redirect_uris'],
  },
  'OIDC Session Management §3.3': {
    mend: 'Switch the setting on for the realm, if applications are to watch the sign-in by a frame.',
    settings: ['sessionManagement'],
  },
  'setting registration': {
    mend: 'Switch registration on for the realm (docs/guides/registration.md), or make the client with `limen client create`.',
    settings: ['registration'],
  },
  'RFC 7591 §3': {
    mend: 'Send an initial access token (`limen registration-token create`) as Bearer, or open registration.',
    settings: ['registration'],
  },
  'RFC 7591 §5': {
    mend: 'Wait, send an initial access token, which lifts the bound, or raise the setting.',
    settings: ['registrationsPerHour', 'registration'],
  },
  'RFC 7592 §2': { mend: 'Use the registration_access_token of this very client; a lost one cannot be shown again.' },
  'RFC 9110 §15.5.20': {
    mend: 'Reach the server by the host of LIMEN_PUBLIC_URL. Behind a proxy: pass Host on, or name the proxy in LIMEN_TRUSTED_PROXIES and send X-Forwarded-Host.',
  },
  'RFC 9110 §15.5.5': {
    mend: 'Compare the address with the endpoints in discovery; a realm other than the default is under /realms/<slug>.',
  },
  'RFC 9110 §15.5.6': { mend: 'Use a method of the Allow header.' },
  'RFC 6265 §5.4': {
    mend: 'Have the person allow cookies for this site and begin again; a sign-in page in a foreign frame cannot have any.',
  },
  'admin permission': {
    mend: 'Grant what is missing, for this realm or for all: `limen admin grant`; `limen admin list` shows what there is.',
  },
  'setting rules': {
    mend: 'The answer lists every fault; the bounds are in docs/operations.md, and what is weaker needs a reason.',
  },
  'configuration staleness': {
    mend: 'This process could not read the configuration’s version for ten seconds: see to its way to the database (`limen doctor`).',
  },
  'OIDC Core §6.2': {
    mend: 'Register the exact request_uri (request_uris), and serve a signed request object there over https.',
    facts: ['request_uris', 'keys'],
  },
};

export const remedyOf = ({
  error,
  rule,
  parameter,
}: {
  readonly error: string;
  readonly rule: string | null;
  readonly parameter: string | null;
}): Remedy =>
  byRule[`${rule} ${parameter}`] ??
  byRule[rule ?? ''] ??
  byError[error] ?? { mend: 'Read the rule, and compare the request with it.' };
