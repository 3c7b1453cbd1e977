import type { Variant } from './steps/environment.ts';

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
  /** Modules that the plan has for dynamic clients and that wait for dynamic registration. */
  readonly notYet: readonly string[];
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

const dynamicOnly = [
  'oidcc-idtoken-signature',
  'oidcc-idtoken-unsigned',
  'oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported',
];

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

const entriesOf = (
  modules: readonly string[],
  responseMode: Variant['responseMode'],
  gaps: { readonly [module: string]: string } = {},
): readonly Entry[] =>
  modules.map((module) => {
    const clientAuth = module === 'oidcc-server-client-secret-post' ? 'client_secret_post' : 'client_secret_basic';
    const gap = gaps[module];
    return { module, variant: { clientAuth, responseMode }, ...(gap === undefined ? {} : { gap }) };
  });

const staticClient = ['server_metadata=discovery', 'client_registration=static_client'];

export const plans: readonly Plan[] = [
  {
    name: 'oidcc-basic-certification-test-plan',
    variants: staticClient,
    title: 'Basic OP',
    entries: entriesOf(basic, 'default'),
    notYet: dynamicOnly,
  },
  {
    name: 'oidcc-config-certification-test-plan',
    variants: [],
    title: 'Config OP',
    entries: entriesOf(['oidcc-discovery-endpoint-verification'], 'default'),
    notYet: [],
  },
  {
    name: 'oidcc-formpost-basic-certification-test-plan',
    variants: staticClient,
    title: 'Form Post OP, basic',
    entries: entriesOf(basic, 'form_post'),
    notYet: dynamicOnly,
  },
  {
    name: 'oidcc-rp-initiated-logout-certification-test-plan',
    variants: ['response_type=code', 'client_registration=static_client'],
    title: 'RP-Initiated Logout OP',
    entries: entriesOf(logout, 'default'),
    notYet: [],
  },
];
