import type { ResponseType, Variant } from './steps/environment.ts';

/**
 * The certification plans of the official suite for an OpenID Provider, with the variants and in the order in which it
 * runs their modules, as far as they apply to what is served here.
 */
export type Plan = {
  /** As the suite's `run-test-plan.py` takes it. */
  readonly name: string;
  readonly variants: readonly string[];
  readonly title: string;
  readonly entries: readonly Entry[];
};

export type Entry = {
  readonly module: string;
  readonly variant: Variant;
  /**
   * Why the official suite would fail this module today. The table says FAILED, with this reason; a module that has one and
   * does not fail is a failure, so that the line goes when the gap is closed.
   */
  readonly gap?: string;
};

const basic = [
  'server',
  'response-type-missing',
  'userinfo-get',
  'userinfo-post-header',
  'userinfo-post-body',
  'ensure-request-without-nonce-succeeds-for-code-flow',
  'scope-profile',
  'scope-email',
  'scope-address',
  'scope-phone',
  'scope-all',
  'alternate-happy-flow',
  'display-page',
  'display-popup',
  'prompt-login',
  'prompt-none-not-logged-in',
  'prompt-none-logged-in',
  'max-age-1',
  'max-age-10000',
  'ensure-request-with-unknown-parameter-succeeds',
  'id-token-hint',
  'login-hint',
  'ui-locales',
  'claims-locales',
  'ensure-request-with-acr-values-succeeds',
  'codereuse',
  'codereuse-30seconds',
  'ensure-registered-redirect-uri',
  'ensure-post-request-succeeds',
  'server-client-secret-post',
  'unsigned-request-object-supported-correctly-or-rejected-as-unsupported',
  'claims-essential',
  'ensure-request-object-with-redirect-uri',
  'refresh-token',
  'ensure-request-with-valid-pkce-succeeds',
].map((name) => `oidcc-${name}`);

const dynamicBasic = [
  ...basic.slice(0, 2),
  'oidcc-idtoken-signature',
  'oidcc-idtoken-unsigned',
  ...basic.slice(2),
  'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported',
];

const noncelessFails = 'oidcc-ensure-request-without-nonce-fails';

/** What each response type leaves out of the basic list; all but `code token` take `noncelessFails` in. */
const leftOut: { readonly [Type in Exclude<ResponseType, 'code'>]: readonly string[] } = {
  id_token: [
    'response-type-missing',
    'idtoken-unsigned',
    'userinfo-get',
    'userinfo-post-header',
    'userinfo-post-body',
    'ensure-request-without-nonce-succeeds-for-code-flow',
    'codereuse',
    'codereuse-30seconds',
    'ensure-post-request-succeeds',
    'server-client-secret-post',
    'refresh-token',
    'ensure-request-with-valid-pkce-succeeds',
  ],
  'id_token token': [
    'idtoken-unsigned',
    'ensure-request-without-nonce-succeeds-for-code-flow',
    'codereuse',
    'codereuse-30seconds',
    'ensure-post-request-succeeds',
    'server-client-secret-post',
    'refresh-token',
    'ensure-request-with-valid-pkce-succeeds',
  ],
  'code id_token': [
    'idtoken-unsigned',
    'ensure-request-without-nonce-succeeds-for-code-flow',
    'ensure-post-request-succeeds',
  ],
  'code token': [
    'response-type-missing',
    'idtoken-unsigned',
    'alternate-happy-flow',
    'ensure-post-request-succeeds',
    'ensure-request-with-valid-pkce-succeeds',
  ],
  'code id_token token': [
    'response-type-missing',
    'idtoken-unsigned',
    'ensure-request-without-nonce-succeeds-for-code-flow',
    'alternate-happy-flow',
    'ensure-post-request-succeeds',
    'ensure-request-with-valid-pkce-succeeds',
  ],
};

const modulesOf = (type: Exclude<ResponseType, 'code'>): readonly string[] => [
  ...dynamicBasic.filter((module) => !leftOut[type].some((name) => module === `oidcc-${name}`)),
  ...(type === 'code token' ? [] : [noncelessFails]),
];

const dynamic = [
  'idtoken-rs256',
  'idtoken-unsigned',
  'userinfo-rs256',
  'ensure-redirect-uri-in-authorization-request',
  'redirect-uri-query-OK',
  'redirect-uri-query-mismatch',
  'redirect-uri-query-added',
  'redirect-uri-regfrag',
  'discovery-endpoint-verification',
  'server',
  'registration-logo-uri',
  'registration-policy-uri',
  'registration-tos-uri',
  'registration-jwks-uri',
  'registration-sector-uri',
  'registration-sector-bad',
  'server-rotate-keys',
  'refresh-token-rp-key-rotation',
  'request-uri-unsigned',
  'request-uri-signed-rs256',
  'ensure-request-object-with-redirect-uri',
  'refresh-token',
  'ensure-client-assertion-with-iss-aud-succeeds',
].map((name) => `oidcc-${name}`);

const logout = [
  '-discovery-endpoint-verification',
  '',
  '-bad-post-logout-redirect-uri',
  '-modified-id-token-hint',
  '-no-id-token-hint',
  '-no-params',
  '-no-post-logout-redirect-uri',
  '-no-state',
  '-only-state',
  '-query-added-to-post-logout-redirect-uri',
  '-bad-id-token-hint',
].map((name) => `oidcc-rp-initiated-logout${name}`);

const usual: Variant = {
  clientAuth: 'client_secret_basic',
  responseMode: 'default',
  responseType: 'code',
  registration: 'dynamic_client',
};

const entriesOf = (modules: readonly string[], differs: Partial<Variant> = {}): readonly Entry[] =>
  modules.map((module) => {
    const isPost = module === 'oidcc-server-client-secret-post';
    const variant = { ...usual, ...differs, ...(isPost ? { clientAuth: 'client_secret_post' as const } : {}) };
    return { module, variant };
  });

const dynamicClient = ['server_metadata=discovery', 'client_registration=dynamic_client'];

const implicitTypes = ['id_token', 'id_token token'] as const;
const hybridTypes = ['code id_token', 'code token', 'code id_token token'] as const;

/** A plan whose modules run once for each response type. */
const front = (
  name: string,
  title: string,
  types: readonly Exclude<ResponseType, 'code'>[],
  responseMode: Variant['responseMode'] = 'default',
): readonly Plan[] =>
  types.map((responseType) => ({
    name,
    variants: dynamicClient,
    title: `${title}, ${responseType}`,
    entries: entriesOf(modulesOf(responseType), { responseType, responseMode }),
  }));

const code = ['response_type=code', 'client_registration=dynamic_client'];

export const plans: readonly Plan[] = [
  {
    name: 'oidcc-basic-certification-test-plan',
    variants: dynamicClient,
    title: 'Basic OP',
    entries: entriesOf(dynamicBasic),
  },
  {
    name: 'oidcc-config-certification-test-plan',
    variants: [],
    title: 'Config OP',
    entries: entriesOf(['oidcc-discovery-endpoint-verification'], { registration: 'static_client' }),
  },
  {
    name: 'oidcc-dynamic-certification-test-plan',
    variants: ['response_type=code'],
    title: 'Dynamic OP',
    entries: entriesOf(dynamic, { clientAuth: 'private_key_jwt' }),
  },
  {
    name: 'oidcc-formpost-basic-certification-test-plan',
    variants: dynamicClient,
    title: 'Form Post OP, basic',
    entries: entriesOf(dynamicBasic, { responseMode: 'form_post' }),
  },
  {
    name: 'oidcc-3rdparty-init-login-certification-test-plan',
    variants: ['response_type=code'],
    title: '3rd Party-Init OP',
    entries: entriesOf(['oidcc-3rd_party-init-login', 'oidcc-3rd_party-init-login-nohttps']),
  },
  {
    name: 'oidcc-rp-initiated-logout-certification-test-plan',
    variants: ['response_type=code', 'client_registration=static_client'],
    title: 'RP-Initiated Logout OP',
    entries: entriesOf(logout, { registration: 'static_client' }),
  },
  {
    name: 'oidcc-session-management-certification-test-plan',
    variants: code,
    title: 'Session OP',
    entries: entriesOf([
      'oidcc-session-management-discovery-endpoint-verification',
      'oidcc-session-management-rp-initiated-logout',
    ]),
  },
  {
    name: 'oidcc-frontchannel-rp-initiated-logout-certification-test-plan',
    variants: code,
    title: 'Front-Channel OP',
    entries: entriesOf([
      'oidcc-frontchannel-logout-discovery-endpoint-verification',
      'oidcc-frontchannel-rp-initiated-logout',
    ]),
  },
  {
    name: 'oidcc-backchannel-rp-initiated-logout-certification-test-plan',
    variants: code,
    title: 'Back-Channel OP',
    entries: entriesOf([
      'oidcc-backchannel-logout-discovery-endpoint-verification',
      'oidcc-backchannel-rp-initiated-logout',
    ]),
  },
  ...front('oidcc-implicit-certification-test-plan', 'Implicit OP', implicitTypes),
  ...front('oidcc-hybrid-certification-test-plan', 'Hybrid OP', hybridTypes),
  ...front('oidcc-formpost-implicit-certification-test-plan', 'Form Post OP, implicit', implicitTypes, 'form_post'),
  ...front('oidcc-formpost-hybrid-certification-test-plan', 'Form Post OP, hybrid', hybridTypes, 'form_post'),
];
