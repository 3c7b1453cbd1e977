import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { classOfAuthMethod, clientAuthMethodNames } from '../../src/oidc/client_auth/index.ts';
import { type ClientDraft, checkClient, classifyClient } from '../../src/oidc/client_class.ts';
import { classesOfGrantType, grantTypeNames, signInGrantTypes } from '../../src/oidc/grants/index.ts';
import { granted, refused } from './parties.ts';

const web: ClientDraft = {
  clientId: 'web',
  class: 'confidential',
  authMethod: 'client_secret_basic',
  redirectUris: ['https://rp.example/callback'],
  postLogoutRedirectUris: ['https://rp.example/goodbye'],
  grantTypes: ['authorization_code', 'refresh_token'],
  responseTypes: ['code'],
  scope: ['openid', 'api'],
  idTokenSignedResponseAlg: null,
  jwks: null,
  rotation: 'always',
  implicitAndHybrid: false,
};
const spa: ClientDraft = { ...web, clientId: 'spa', class: 'public', authMethod: 'none' };
const machine: ClientDraft = {
  ...web,
  clientId: 'machine',
  redirectUris: [],
  grantTypes: ['client_credentials'],
  responseTypes: [],
};
const hybrid = (responseType: string): ClientDraft => ({
  ...web,
  grantTypes: ['authorization_code', 'implicit'],
  responseTypes: [responseType],
  implicitAndHybrid: true,
});
const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' };
const membersAtFault = (draft: ClientDraft): readonly string[] =>
  refused(checkClient(draft)).map(({ member }) => member);

describe('RFC 6749 §2.1: a registration without contradiction', () => {
  const good: readonly (readonly [what: string, draft: ClientDraft])[] = [
    ['a confidential web application', web],
    ['a public single-page application', spa],
    ['a machine', machine],
    [
      'one that signs with keys that it publishes',
      { ...web, authMethod: 'private_key_jwt', metadata: { jwks_uri: 'https://rp.example/jwks' } },
    ],
    [
      'one that publishes them on this machine',
      { ...web, authMethod: 'private_key_jwt', metadata: { jwks_uri: 'http://127.0.0.1:4020/jwks' } },
    ],
    ['one that signs', { ...web, authMethod: 'private_key_jwt', jwks: { keys: [publicKey] } }],
    [
      'a native application',
      { ...spa, redirectUris: ['com.example.app:/cb', 'http://127.0.0.1/cb', 'http://[::1]/cb'] },
    ],
    ['a confidential one on this machine, for developing', { ...web, redirectUris: ['http://localhost:3000/cb'] }],
    ['a confidential one that does not rotate', { ...web, rotation: 'never' }],
    ['pairwise at one host', { ...web, metadata: { subject_type: 'pairwise' } }],
    ['of resources by URL and by URN', { ...web, resources: ['https://api.example/v1?x=1', 'urn:example:api'] }],
    ['ES256 for its ID tokens', { ...web, idTokenSignedResponseAlg: 'ES256' }],
    ['one that gets bound tokens only', { ...web, metadata: { dpop_bound_access_tokens: true } }],
    [
      'one that gets bound tokens only, beside an ID token through the browser',
      { ...hybrid('code id_token'), metadata: { dpop_bound_access_tokens: true } },
    ],
  ];
  test.each(good)('%s', (_, draft) => {
    expect(granted(checkClient(draft))).toBeNull();
  });
});

describe('RFC 7591 §2: a contradiction is refused and named', () => {
  const bad: readonly (readonly [what: string, draft: ClientDraft, member: string])[] = [
    ['public with a secret', { ...spa, authMethod: 'client_secret_basic' }, 'token_endpoint_auth_method'],
    [
      'public with keys',
      { ...spa, authMethod: 'private_key_jwt', jwks: { keys: [publicKey] } },
      'token_endpoint_auth_method',
    ],
    [
      'pairwise at two hosts',
      { ...web, redirectUris: ['https://a.example/', 'https://b.example/'], metadata: { subject_type: 'pairwise' } },
      'sector_identifier_uri',
    ],
    ['confidential without authentication', { ...web, authMethod: 'none' }, 'token_endpoint_auth_method'],
    ['a method that does not exist', { ...web, authMethod: 'tls_client_auth' }, 'token_endpoint_auth_method'],
    ['a method that every object inherits', { ...web, authMethod: 'constructor' }, 'token_endpoint_auth_method'],
    [
      'a public client that acts for itself',
      { ...spa, grantTypes: ['authorization_code', 'client_credentials'] },
      'grant_types',
    ],
    ['a grant that does not exist', { ...web, grantTypes: ['authorization_code', 'password'] }, 'grant_types'],
    ['no grant', { ...web, grantTypes: [], responseTypes: [] }, 'grant_types'],
    [
      'refresh tokens that come from nowhere',
      { ...machine, grantTypes: ['client_credentials', 'refresh_token'] },
      'grant_types',
    ],
    ['a response type that does not exist', { ...web, responseTypes: ['code', 'token'] }, 'response_types'],
    ['the code grant without response type code', { ...web, responseTypes: [] }, 'response_types'],
    ['response type code without its grant', { ...machine, responseTypes: ['code'] }, 'response_types'],
    ['the code grant without a redirect URI', { ...web, redirectUris: [] }, 'redirect_uris'],
    ['a redirect URI with a fragment', { ...web, redirectUris: ['https://rp.example/cb#x'] }, 'redirect_uris'],
    ['a redirect URI without TLS', { ...web, redirectUris: ['http://rp.example/cb'] }, 'redirect_uris'],
    [
      'a second redirect URI that is wrong',
      { ...web, redirectUris: ['https://rp.example/cb', 'javascript:x'] },
      'redirect_uris',
    ],
    [
      'a private-use scheme of a confidential client',
      { ...web, redirectUris: ['com.example.app:/cb'] },
      'redirect_uris',
    ],
    [
      'a sign-out URI that is wrong',
      { ...web, postLogoutRedirectUris: ['data:text/html,x'] },
      'post_logout_redirect_uris',
    ],
    ['a resource with a fragment', { ...web, resources: ['https://api.example/#x'] }, 'resources'],
    ['a resource that is no absolute URI', { ...web, resources: ['https://api.example', 'api'] }, 'resources'],
    [
      'bound tokens only, and one through the browser',
      { ...hybrid('code token'), metadata: { dpop_bound_access_tokens: true } },
      'response_types',
    ],
    ['a scope with a quote', { ...web, scope: ['open"id'] }, 'scope'],
    ['a scope with a space', { ...web, scope: ['openid api'] }, 'scope'],
    ['an empty scope', { ...web, scope: [''] }, 'scope'],
    ['private_key_jwt without keys', { ...web, authMethod: 'private_key_jwt' }, 'jwks'],
    ['private_key_jwt with no key in the set', { ...web, authMethod: 'private_key_jwt', jwks: { keys: [] } }, 'jwks'],
    ['keys published without TLS', { ...web, metadata: { jwks_uri: 'http://rp.example/jwks' } }, 'jwks_uri'],
    ['keys published at no URL', { ...web, metadata: { jwks_uri: 'rp.example/jwks' } }, 'jwks_uri'],
    [
      'keys both here and published',
      { ...web, jwks: { keys: [publicKey] }, metadata: { jwks_uri: 'https://rp.example/jwks' } },
      'jwks_uri',
    ],
    ['a private key', { ...web, jwks: { keys: [{ ...publicKey, d: 'd' }] } }, 'jwks'],
    ['a symmetric key', { ...web, jwks: { keys: [{ kty: 'oct', k: 'k' }] } }, 'jwks'],
    ['unsigned ID tokens', { ...web, idTokenSignedResponseAlg: 'none' }, 'id_token_signed_response_alg'],
    ['ID tokens by HMAC', { ...web, idTokenSignedResponseAlg: 'HS256' }, 'id_token_signed_response_alg'],
    ['a public client that does not rotate', { ...spa, rotation: 'never' }, 'settings.rotation'],
    [
      'a client id with the shape of a user id',
      { ...web, clientId: '01900000-0000-7000-8000-00000000A11C' },
      'client_id',
    ],
    ['a client id with a colon, which Basic cannot carry plainly', { ...web, clientId: 'a:b' }, 'client_id'],
    ['no client id', { ...web, clientId: '' }, 'client_id'],
    ['a client id of 129 characters', { ...web, clientId: 'x'.repeat(129) }, 'client_id'],
  ];
  test.each(bad)('%s', (_, draft, member) => {
    expect(new Set(membersAtFault(draft))).toEqual(new Set([member]));
  });

  test('all faults are told at once, a sentence each', () => {
    const faults = refused(checkClient({ ...spa, rotation: 'never', redirectUris: ['x'], scope: ['"'] }));
    expect(faults.map(({ member }) => member).toSorted()).toEqual(['redirect_uris', 'scope', 'settings.rotation']);
    for (const { sentence } of faults) expect(sentence.length).toBeGreaterThan(20);
  });

  test('property: whatever is registered, a method or grant of the other class never passes', () => {
    const drafts = fc.record({
      class: fc.constantFrom('public', 'confidential'),
      authMethod: fc.constantFrom(...clientAuthMethodNames),
      grantTypes: fc.subarray([...grantTypeNames], { minLength: 1 }),
    });
    fc.assert(
      fc.property(drafts, (changes) => {
        const responseTypes = changes.grantTypes.includes('authorization_code') ? ['code'] : [];
        const result = checkClient({ ...web, ...changes, responseTypes, jwks: { keys: [publicKey] } });
        const fits =
          classOfAuthMethod(changes.authMethod) === changes.class &&
          changes.grantTypes.every((type) => classesOfGrantType(type).includes(changes.class)) &&
          (!changes.grantTypes.includes('refresh_token') ||
            changes.grantTypes.some((type) => signInGrantTypes.includes(type)));
        expect(result.ok).toBe(fits);
      }),
    );
  });
});

describe('a class that was not stated', () => {
  test.each([
    [null, 'none', 'public'],
    [null, 'client_secret_basic', 'confidential'],
    [null, 'client_secret_post', 'confidential'],
    [null, 'private_key_jwt', 'confidential'],
    ['public', 'client_secret_basic', 'public'],
    ['confidential', 'none', 'confidential'],
  ] as const)('%p with %s: %s, and the rule is told', (stated, authMethod, expected) => {
    const { class: found, rule } = classifyClient(stated, authMethod);
    expect(found).toBe(expected);
    expect(rule).toMatch(stated === null ? new RegExp(`\\b${authMethod}\\b`) : /^stated$/);
  });

  test('every method of the registry is classified as the registry says', () => {
    for (const name of clientAuthMethodNames)
      expect(classifyClient(null, name).class).toBe(classOfAuthMethod(name) ?? 'public');
  });
});
