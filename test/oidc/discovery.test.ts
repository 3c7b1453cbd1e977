import { describe, expect, test } from 'bun:test';
import { decideAuthorization } from '../../src/oidc/authorize/index.ts';
import { clientAuthMethodNames } from '../../src/oidc/client_auth/index.ts';
import { endpointPaths, metadata } from '../../src/oidc/discovery.ts';
import { callback, challenge, formOf, granted, issuer, realm, realmWith, spa, start } from './parties.ts';

const document = metadata(realm, ['pwd', 'mfa'], ['en', 'de']);
const decide = (sent: object) => {
  const good = { client_id: 'spa', redirect_uri: callback, response_type: 'code', scope: 'openid' };
  const pkce = { code_challenge: challenge, code_challenge_method: 'S256' };
  return decideAuthorization({
    form: formOf({ ...good, ...pkce, ...sent }),
    client: spa,
    realm,
    hint: null,
    objectRefusal: null,
    acrValues: [],
    now: start,
  });
};

describe('OIDC Discovery §3, RFC 8414 §2', () => {
  test('every endpoint lies below the issuer', () => {
    for (const [name, path] of Object.entries(endpointPaths)) {
      expect(document).toHaveProperty(name, issuer + path);
    }
    expect(metadata({ ...realm, issuer: `${issuer}/realms/second` }, [], [])).toMatchObject({
      issuer: `${issuer}/realms/second`,
      token_endpoint: `${issuer}/realms/second/token`,
    });
  });

  test.each([
    'issuer',
    'authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
    'userinfo_endpoint',
    'response_types_supported',
    'subject_types_supported',
    'id_token_signing_alg_values_supported',
    'scopes_supported',
    'claims_supported',
  ])('%s is there, as the specification wants it', (name) => {
    expect(Object.keys(document)).toContain(name);
  });

  test('what must be in a list is: RS256, openid, code, sub', () => {
    expect(document.id_token_signing_alg_values_supported).toContain('RS256');
    expect(document.scopes_supported).toContain('openid');
    expect(document.response_types_supported).toContain('code');
    expect(document.claims_supported).toContain('sub');
  });

  test('nothing is listed twice and no list is of nothing', () => {
    for (const list of Object.values(document).filter(Array.isArray)) {
      expect(new Set(list).size).toBe(list.length);
      expect(list.length).toBeGreaterThan(0);
    }
  });

  test('it survives JSON, and no member is null', () => {
    expect<unknown>(JSON.parse(JSON.stringify(document))).toEqual(document);
    expect(Object.values(document)).not.toContain(null);
  });
});

describe('what is listed is served', () => {
  test.each([...document.response_types_supported])('response_type %s', (response_type) => {
    expect(decide({ response_type }).ok).toBe(true);
  });

  test.each([...document.response_modes_supported])('response_mode %s', (response_mode) => {
    expect(granted(decide({ response_mode })).target.responseMode).toBe(response_mode);
  });

  test.each([...document.prompt_values_supported])('prompt %s', (prompt) => {
    expect(granted(decide({ prompt })).prompt).toEqual([prompt]);
  });

  test.each([...document.code_challenge_methods_supported])('code_challenge_method %s', (code_challenge_method) => {
    expect(decide({ code_challenge_method }).ok).toBe(true);
  });

  test('the claims parameter and iss in the response', () => {
    expect(document).toMatchObject({
      claims_parameter_supported: true,
      authorization_response_iss_parameter_supported: true,
    });
    expect(decide({ claims: '{"userinfo":{"name":null}}' }).ok).toBe(true);
  });
});

describe('what a realm decides', () => {
  test.each([
    ['off', undefined],
    ['initial access token', `${issuer}/register`],
    ['open', `${issuer}/register`],
  ] as const)('registration %s: the endpoint is %s', (registration, endpoint) => {
    const { registration_endpoint } = Object.fromEntries(
      Object.entries(metadata(realmWith({ registration }), [], [])).filter(
        ([name]) => name === 'registration_endpoint',
      ),
    );
    expect(registration_endpoint).toBe(endpoint);
  });
});

describe('what is not listed is not served', () => {
  test('request objects only signed, and behind registered URLs only', () => {
    expect(document).toMatchObject({
      request_parameter_supported: true,
      request_uri_parameter_supported: true,
      require_request_uri_registration: true,
      request_object_signing_alg_values_supported: ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'],
    });
  });

  test('no endpoint and no algorithm that does not exist here', () => {
    for (const name of ['registration_endpoint', 'pushed_authorization_request_endpoint', 'check_session_iframe']) {
      expect(Object.keys(document)).not.toContain(name);
    }
    const text = JSON.stringify(document);
    for (const word of ['"plain"', '"implicit"', '"password"', '"token"', '"none"]', 'RSA1_5', '"RSA-OAEP"', '"dir"'])
      expect(text).not.toContain(word);
    expect(document.id_token_signing_alg_values_supported).not.toContain('none');
    expect(Object.keys(document).filter((name) => name.startsWith('request_object_encryption'))).toEqual([]);
  });

  test('a MAC authenticates a client, and signs nothing else', () => {
    const listing = Object.entries(document).filter(([, list]) => Array.isArray(list) && list.includes('HS256'));
    expect(listing.map(([name]) => name).toSorted()).toEqual([
      'introspection_endpoint_auth_signing_alg_values_supported',
      'revocation_endpoint_auth_signing_alg_values_supported',
      'token_endpoint_auth_signing_alg_values_supported',
    ]);
  });

  test('RFC 7662 §2.1: introspection is for clients that authenticate; revocation also for public ones', () => {
    expect(document.introspection_endpoint_auth_methods_supported).not.toContain('none');
    expect(document.introspection_endpoint_auth_methods_supported).toHaveLength(clientAuthMethodNames.length - 1);
    expect(document.revocation_endpoint_auth_methods_supported).toContain('none');
  });
});
