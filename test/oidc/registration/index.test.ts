import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Settings } from '../../../src/core/settings.ts';
import { servedResponseTypes } from '../../../src/oidc/authorize/response_type.ts';
import { metadata } from '../../../src/oidc/discovery.ts';
import { registrationDocument } from '../../../src/oidc/registration/document.ts';
import { becomesAnother, checkRegistration, type RegistrationFacts } from '../../../src/oidc/registration/index.ts';
import { type MemberName, members } from '../../../src/oidc/registration/members.ts';
import { granted, realmWith, refused, web } from '../parties.ts';

const callback = 'https://rp.example/cb';
const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: '1' };

type Change = { readonly settings?: Partial<Settings>; readonly served?: object } & Partial<RegistrationFacts>;

function factsWith({ settings = {}, served = {}, ...facts }: Change): RegistrationFacts {
  const realm = realmWith({ registration: 'open', ...settings });
  const document = { ...metadata(realm, ['pwd'], ['en']), ...served };
  return { realm, clientId: 'abc', vouched: false, current: null, ...facts, served: document };
}

const check = (sent: object, change: Change = {}) =>
  checkRegistration({ redirect_uris: [callback], ...sent }, factsWith(change));
const accepted = (sent: object, change: Change = {}) => granted(check(sent, change)).registered;
const faultOf = (sent: object, change: Change = {}) => {
  const { error, parameter } = refused(check(sent, change));
  return [error, parameter];
};
const invalid = (member: string) => ['invalid_client_metadata', member];
const badUri = ['invalid_redirect_uri', 'redirect_uris'];

describe('RFC 7591 §2, OIDC Registration §2: what is not said', () => {
  test('a confidential web client of the code flow', () => {
    expect(accepted({})).toEqual({
      class: 'confidential',
      name: 'abc',
      authMethod: 'client_secret_basic',
      jwks: null,
      redirectUris: [callback],
      postLogoutRedirectUris: [],
      grantTypes: ['authorization_code'],
      responseTypes: ['code'],
      scope: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
      idTokenSignedResponseAlg: null,
      defaultMaxAgeSeconds: null,
      requireAuthTime: false,
      metadata: { application_type: 'web' },
    });
  });

  test('null says nothing; an unknown member, also in another language, is ignored', () => {
    const odd = { client_name: null, default_max_age: null, 'client_name#fr': 'Boutique', nonsense: { a: [1] } };
    expect(accepted(odd)).toEqual(accepted({}));
  });

  test('who says one of grants and response types gets what goes with it (RFC 7591 §2.1)', () => {
    const on = { settings: { implicitAndHybrid: true } };
    expect(accepted({ response_types: ['code id_token'] }, on).grantTypes).toEqual(['authorization_code', 'implicit']);
    expect(accepted({ response_types: ['id_token'] }, on).grantTypes).toEqual(['implicit']);
    expect(accepted({ grant_types: ['client_credentials'] }, { vouched: true }).responseTypes).toEqual([]);
  });

  test('a method of none makes it public, any other confidential', () => {
    expect(accepted({ token_endpoint_auth_method: 'none' }).class).toBe('public');
    expect(accepted({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey] } }).class).toBe(
      'confidential',
    );
    const byUri = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://rp.example/jwks' };
    expect(accepted(byUri).metadata.jwks_uri).toBe('https://rp.example/jwks');
  });

  test('without an application type: native where a redirect URI can only be', () => {
    const typeOf = (...redirect_uris: string[]) =>
      accepted({ redirect_uris, token_endpoint_auth_method: 'none' }).metadata.application_type;
    expect(typeOf(callback)).toBe('web');
    expect(typeOf('http://127.0.0.1/cb')).toBe('native');
    expect(typeOf(callback, 'com.example.app:/cb')).toBe('native');
  });
});

describe('RFC 7591 §3.2.2: what is refused', () => {
  const uris: readonly (readonly [string, object])[] = [
    ['a fragment', { redirect_uris: [`${callback}#x`] }],
    ['an empty fragment', { redirect_uris: [`${callback}#`] }],
    ['http elsewhere', { redirect_uris: ['http://rp.example/'] }],
    ['a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['data', { redirect_uris: ['data:text/html,x'] }],
    ['a scheme that anyone might use', { redirect_uris: ['myapp:/cb'], token_endpoint_auth_method: 'none' }],
    ['a bad one beside a good one', { redirect_uris: [callback, 'x'] }],
    ['a user in it', { redirect_uris: ['https://a@rp.example/'] }],
    ['no list', { redirect_uris: callback }],
    ['numbers', { redirect_uris: [1] }],
    ['none, where a code is to be sent', { redirect_uris: [] }],
    [
      'a private-use scheme for a web application',
      { redirect_uris: ['com.example:/cb'], application_type: 'web', token_endpoint_auth_method: 'none' },
    ],
    ['a private-use scheme for a client with a secret', { redirect_uris: ['com.example:/cb'] }],
  ];
  test.each(uris)('redirect_uris with %s', (_, sent) => {
    expect(faultOf(sent)).toEqual(badUri);
  });

  test('tokens through a plain connection, where a web application says it is one', () => {
    const on = { settings: { implicitAndHybrid: true } };
    const local = { redirect_uris: ['http://localhost:3000/cb'], application_type: 'web' };
    expect(faultOf({ ...local, response_types: ['id_token'] }, on)).toEqual(badUri);
    expect(accepted({ ...local, response_types: ['code'] }, on).redirectUris).toEqual(local.redirect_uris);
  });

  const both = { jwks: { keys: [publicKey] }, jwks_uri: 'https://rp.example/jwks' };
  const bad: readonly (readonly [string, object, string])[] = [
    ['two key sets', both, 'jwks'],
    ['a private key', { jwks: { keys: [{ ...publicKey, d: 'x' }] } }, 'jwks'],
    ['a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'x' }] } }, 'jwks'],
    ['a key set without keys', { jwks: { keys: [] } }, 'jwks'],
    ['a method that needs keys, without', { token_endpoint_auth_method: 'private_key_jwt' }, 'jwks'],
    ['a name with a line break', { client_name: 'a\nb' }, 'client_name'],
    ['a name that turns the direction', { client_name: 'Shop \u202e evil' }, 'client_name'],
    ['an empty name', { client_name: '' }, 'client_name'],
    ['contacts that are no list', { contacts: 'dev@rp.example' }, 'contacts'],
    ['a negative age', { default_max_age: -1 }, 'default_max_age'],
    ['an age in words', { default_max_age: '60' }, 'default_max_age'],
    ['require_auth_time in words', { require_auth_time: 'true' }, 'require_auth_time'],
    ['an application type that is none', { application_type: 'browser' }, 'application_type'],
    ['a subject type that is none', { subject_type: 'transient' }, 'subject_type'],
    ['an algorithm that is not served', { id_token_signed_response_alg: 'HS256' }, 'id_token_signed_response_alg'],
    ['no signature', { id_token_signed_response_alg: 'none' }, 'id_token_signed_response_alg'],
    ['implicit where it is off', { response_types: ['token'] }, 'response_types'],
    ['a response type that is none', { response_types: ['code code'] }, 'response_types'],
    [
      'grants that contradict the response types',
      { grant_types: ['refresh_token'], response_types: ['code'] },
      'grant_types',
    ],
    ['no grant', { grant_types: [] }, 'grant_types'],
    ['client_credentials of anyone', { grant_types: ['client_credentials'] }, 'grant_types'],
    ['a start by http, even of this machine', { initiate_login_uri: 'http://localhost/' }, 'initiate_login_uri'],
    ['a sector by http', { sector_identifier_uri: 'http://rp.example/' }, 'sector_identifier_uri'],
    ['a logo that is a script', { logo_uri: 'javascript:alert(1)' }, 'logo_uri'],
    ['a page that is data', { policy_uri: 'data:text/html,x' }, 'policy_uri'],
    ['terms without a host', { tos_uri: 'https:///x' }, 'tos_uri'],
    ['keys by http', { jwks_uri: 'http://rp.example/jwks' }, 'jwks_uri'],
    ['keys with a fragment', { jwks_uri: 'https://rp.example/jwks#x' }, 'jwks_uri'],
    ['a request by http', { request_uris: ['http://rp.example/r'] }, 'request_uris'],
    ['a sign-out elsewhere', { post_logout_redirect_uris: ['http://rp.example/'] }, 'post_logout_redirect_uris'],
    [
      'pairwise on two hosts',
      { subject_type: 'pairwise', redirect_uris: [callback, 'https://b.example/'] },
      'sector_identifier_uri',
    ],
    [
      'pairwise on this machine',
      { subject_type: 'pairwise', redirect_uris: ['http://127.0.0.1/'] },
      'sector_identifier_uri',
    ],
  ];
  test.each(bad)('%s', (_, sent, member) => {
    expect(faultOf(sent)).toEqual(invalid(member));
  });

  test('a software statement, whatever else is right', () => {
    expect(faultOf({ software_statement: 'a.b.c' })).toEqual(['unapproved_software_statement', 'software_statement']);
  });

  test('property: a description is ASCII for the wire and repeats nothing that was sent', () => {
    const names = fc.constantFrom(...(Object.keys(members) as readonly MemberName[]));
    const secret = 'Zq7"\\\n§ä-needle';
    const values = fc.constantFrom<unknown>(
      secret,
      [secret],
      { [secret]: 1 },
      { keys: [{ kty: secret, d: secret }] },
      [1],
    );
    fc.assert(
      fc.property(fc.dictionary(names, values, { minKeys: 1, maxKeys: 4 }), (sent) => {
        const result = check(sent);
        if (result.ok) return;
        expect(result.error.description).toMatch(/^[ !#-[\]-~]+$/);
        expect(result.error.description).not.toContain('needle');
      }),
    );
  });
});

describe('what discovery lists can be registered, and nothing else', () => {
  const jwks = { keys: [publicKey] };
  const lists: readonly (readonly [MemberName, string, string, object?])[] = [
    ['id_token_encrypted_response_alg', 'id_token_encryption_alg_values_supported', 'ECDH-ES+A256KW', { jwks }],
    [
      'id_token_encrypted_response_enc',
      'id_token_encryption_enc_values_supported',
      'A256GCM',
      { jwks, id_token_encrypted_response_alg: 'ECDH-ES' },
    ],
    ['userinfo_signed_response_alg', 'userinfo_signing_alg_values_supported', 'PS256'],
    ['userinfo_encrypted_response_alg', 'userinfo_encryption_alg_values_supported', 'ECDH-ES', { jwks }],
    ['introspection_signed_response_alg', 'introspection_signing_alg_values_supported', 'ES256'],
    ['request_object_signing_alg', 'request_object_signing_alg_values_supported', 'RS256'],
    ['authorization_signed_response_alg', 'authorization_signing_alg_values_supported', 'ES256'],
    ['token_endpoint_auth_signing_alg', 'token_endpoint_auth_signing_alg_values_supported', 'XY1'],
  ];
  test.each(lists)('%s by %s', (member, list, value, beside = {}) => {
    const without = { served: { [list]: undefined } };
    expect(faultOf({ [member]: value }, without)).toEqual(invalid(member));
    expect(faultOf({ [member]: value }, { served: { [list]: ['other'] } })).toEqual(invalid(member));
    expect(accepted({ ...beside, [member]: value }, { served: { [list]: ['other', value] } }).metadata).toMatchObject({
      [member]: value,
    });
  });

  const flags: readonly (readonly [MemberName, string, unknown])[] = [
    ['frontchannel_logout_uri', 'frontchannel_logout_supported', 'https://rp.example/out'],
    ['backchannel_logout_uri', 'backchannel_logout_supported', 'https://logout.rp.example/out'],
    ['frontchannel_logout_session_required', 'frontchannel_logout_session_supported', true],
    ['backchannel_logout_session_required', 'backchannel_logout_session_supported', true],
    ['require_pushed_authorization_requests', 'pushed_authorization_request_endpoint', true],
    ['dpop_bound_access_tokens', 'dpop_signing_alg_values_supported', true],
  ];
  test.each(flags)('%s by %s', (member, feature, value) => {
    const [on, off] = [{ served: { [feature]: true } }, { served: { [feature]: undefined } }];
    expect(faultOf({ [member]: value }, off)).toEqual(invalid(member));
    expect(accepted({ [member]: value }, on).metadata).toMatchObject({ [member]: value });
    if (value === true) expect(accepted({ [member]: false }, off).metadata).toMatchObject({ [member]: false });
  });

  test('OIDC Front-Channel Logout §2: only where a redirect URI is', () => {
    const served = { served: { frontchannel_logout_supported: true } };
    for (const uri of ['https://other.example/out', 'https://rp.example:8443/out']) {
      expect(faultOf({ frontchannel_logout_uri: uri }, served)).toEqual(invalid('frontchannel_logout_uri'));
    }
  });

  test('request_uris are kept where none can be sent: they only narrow', () => {
    const request_uris = ['https://rp.example/request#hash'];
    const off = { served: { request_uri_parameter_supported: false } };
    expect(accepted({ request_uris }, off).metadata).toMatchObject({ request_uris });
  });

  test.each([...servedResponseTypes({ implicitAndHybrid: true })])('response type %s where it is on', (type) => {
    const sent = { response_types: [type.split(' ').toReversed().join(' ')] };
    expect(accepted(sent, { settings: { implicitAndHybrid: true } }).responseTypes).toEqual(sent.response_types);
    if (type !== 'code') expect(faultOf(sent)).toEqual(invalid('response_types'));
  });
});

describe('what an operator decides', () => {
  test('scopes beyond the setting are left out; none is invented', () => {
    const settings = { registrationScopes: 'openid orders' };
    expect(accepted({}, { settings }).scope).toEqual(['openid', 'orders']);
    expect(accepted({ scope: 'admin openid email' }, { settings }).scope).toEqual(['openid']);
    expect(accepted({ scope: '' }, { settings }).scope).toEqual([]);
  });

  test('property: no client gets a scope that neither the setting nor its operator gave', () => {
    const tokens = fc.constantFrom('openid', 'email', 'admin', 'orders', 'openid\u00e4', '"');
    const lists = fc.array(tokens, { maxLength: 5 });
    fc.assert(
      fc.property(lists, fc.option(lists), (asked, had) => {
        const current = had === null ? null : { scope: had.filter((token) => token === 'orders'), grantTypes: [] };
        const { scope } = accepted(
          { scope: asked.join(' ') },
          { settings: { registrationScopes: 'openid email' }, current },
        );
        expect(
          scope.every(
            (token) =>
              asked.some((one) => one === token) && ['openid', 'email', ...(current?.scope ?? [])].includes(token),
          ),
        ).toBe(true);
      }),
    );
  });

  test('a voucher lets it act for itself; what it has it keeps without', () => {
    const machine = { grant_types: ['client_credentials'], redirect_uris: [] };
    expect(accepted(machine, { vouched: true }).grantTypes).toEqual(['client_credentials']);
    expect(accepted(machine, { current: { grantTypes: ['client_credentials'], scope: ['orders'] } })).toMatchObject({
      grantTypes: ['client_credentials'],
      scope: ['orders'],
    });
  });

  test('a realm that does not rotate still takes public clients, which always do', () => {
    expect(accepted({ token_endpoint_auth_method: 'none' }, { settings: { rotation: 'never' } }).class).toBe('public');
  });
});

describe('when people or tokens would be told apart otherwise', () => {
  const base = { class: 'confidential', redirectUris: [callback], metadata: {} } as const;
  const paired = { ...base, metadata: { subject_type: 'pairwise' } } as const;
  const cases: readonly (readonly [string, Parameters<typeof becomesAnother>, boolean])[] = [
    ['nothing changed', [base, base], false],
    ['another place of the same class', [base, { ...base, redirectUris: ['https://b.example/'] }], false],
    ['public now', [base, { ...base, class: 'public' }], true],
    ['pairwise now', [base, paired], true],
    ['public subjects said in words', [base, { ...base, metadata: { subject_type: 'public' } }], false],
    ['pairwise at another host', [paired, { ...paired, redirectUris: ['https://b.example/'] }], true],
    ['pairwise at another path', [paired, { ...paired, redirectUris: ['https://rp.example/2'] }], false],
  ];
  test.each(cases)('%s', (_, [before, after], changes) => {
    expect(becomesAnother(before, after)).toBe(changes);
  });
});

describe('OIDC Registration §2: encryption', () => {
  const jwks = { keys: [publicKey] };
  const alg = 'id_token_encrypted_response_alg';
  const enc = 'id_token_encrypted_response_enc';

  test('with keys, here or published', () => {
    expect(accepted({ [alg]: 'ECDH-ES', jwks }).metadata).toMatchObject({ [alg]: 'ECDH-ES' });
    expect(accepted({ [alg]: 'RSA-OAEP-256', jwks_uri: 'https://rp.example/jwks' }).metadata).toHaveProperty(alg);
  });

  const refusals: readonly (readonly [what: string, sent: object, member: string])[] = [
    ['no keys', { [alg]: 'ECDH-ES' }, alg],
    ['no key that fits', { [alg]: 'RSA-OAEP-256', jwks }, alg],
    ['a shared key', { [alg]: 'dir', jwks }, alg],
    ['RSA1_5', { [alg]: 'RSA1_5', jwks }, alg],
    ['enc without alg', { [enc]: 'A256GCM', jwks }, enc],
    ['an enc that is not served', { [alg]: 'ECDH-ES', [enc]: 'A192GCM', jwks }, enc],
    ['requests encrypted to us', { request_object_encryption_alg: 'ECDH-ES', jwks }, 'request_object_encryption_alg'],
  ];
  test.each(refusals)('%s: refused', (_, sent, member) => {
    expect(faultOf(sent)).toEqual(invalid(member));
  });

  test('the answer says the enc in force', () => {
    const shown = (sent: object) => {
      const client = { ...web, ...accepted(sent), createdAt: 0, registrationTokenHash: new Uint8Array() };
      return registrationDocument(client, { issuer: 'https://id.example', registrationToken: 't', secret: null });
    };
    expect(shown({ [alg]: 'ECDH-ES', jwks })).toMatchObject({ [enc]: 'A128CBC-HS256' });
    expect(shown({ [alg]: 'ECDH-ES', [enc]: 'A256GCM', jwks })).toMatchObject({ [enc]: 'A256GCM' });
    expect(Object.keys(shown({})).filter((name) => name.includes('encrypted'))).toEqual([]);
  });
});
