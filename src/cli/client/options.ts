import { clientAuthMethodNames } from '../../oidc/client_auth/index.ts';
import { grantTypeNames } from '../../oidc/grants/index.ts';
import type { Option } from '../command.ts';
import { reasonOption, settingOption } from '../overrides.ts';
import { responseOptions } from './response_options.ts';

/** What a registration says of a client, as `client create` and `client update` take it; lists are replaced as a whole. */
export const registrationOptions = {
  name: { type: 'text', value: '<text>', sentence: 'What people see on the consent page.' },
  'auth-method': {
    type: 'text',
    value: '<method>',
    sentence: `token_endpoint_auth_method: ${clientAuthMethodNames.join(', ')}.`,
  },
  'redirect-uri': { type: 'list', value: '<uri>', sentence: 'Where the browser is sent back to.' },
  'post-logout-redirect-uri': { type: 'list', value: '<uri>', sentence: 'Where the browser is sent after sign-out.' },
  grant: {
    type: 'list',
    value: '<type>',
    sentence: `Grant type: ${grantTypeNames.join(', ')}.`,
  },
  scope: { type: 'text', value: '<scopes>', sentence: 'Scopes it may ask for, separated by spaces.' },
  resource: {
    type: 'list',
    value: '<uri>',
    sentence: 'Resource whose tokens it may ask for; the first is the default.',
  },
  introspects: {
    type: 'list',
    value: '<audience>',
    sentence: 'Audience, beside itself, whose tokens it may introspect.',
  },
  'jwks-file': {
    type: 'text',
    value: '<file>',
    sentence: 'JSON Web Key Set with its public keys, for private_key_jwt and to encrypt to.',
  },
  'jwks-uri': { type: 'text', value: '<uri>', sentence: 'Where it publishes them instead.' },
  'id-token-alg': { type: 'text', value: '<alg>', sentence: 'id_token_signed_response_alg.' },
  ...responseOptions,
  'subject-type': {
    type: 'text',
    choices: ['public', 'pairwise'],
    sentence: 'pairwise: people have another sub here than at applications of other hosts.',
  },
  'sector-identifier-uri': {
    type: 'text',
    value: '<uri>',
    sentence: 'Its host is the sector of pairwise subjects, where the redirect URIs have several hosts.',
  },
  'default-max-age': {
    type: 'text',
    value: '<seconds>',
    sentence: 'default_max_age: how old a sign-in may be for it.',
  },
  consent: {
    type: 'text',
    choices: ['remembered', 'always', 'never'],
    sentence: 'When people are asked to allow it; never only for applications of your own.',
  },
  'client-uri': { type: 'text', value: '<uri>', sentence: 'Its home page.' },
  'logo-uri': { type: 'text', value: '<uri>', sentence: 'Its logo.' },
  'policy-uri': { type: 'text', value: '<uri>', sentence: 'Its privacy policy.' },
  'tos-uri': { type: 'text', value: '<uri>', sentence: 'Its terms of service.' },
  setting: settingOption,
  reason: reasonOption,
} as const satisfies { readonly [name: string]: Option };
