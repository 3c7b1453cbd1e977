import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Settings } from '../../../src/core/settings.ts';
import { clientOfDocument } from '../../../src/oidc/client_id_metadata/index.ts';
import { metadata } from '../../../src/oidc/discovery.ts';
import { granted, realmWith, refused } from '../parties.ts';

const clientId = 'https://app.example/oauth/client.json';
const callback = 'http://127.0.0.1/callback';
const described = { client_id: clientId, client_name: 'App', redirect_uris: [callback] };
const publicKey = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', kid: '1' };

const read = (document: unknown, settings: Partial<Settings> = {}) => {
  const realm = realmWith({ clientIdMetadataDocuments: true, ...settings });
  return clientOfDocument(document, { realm, served: metadata(realm, ['pwd'], ['en']), clientId });
};
const clientOf = (members: object, settings: Partial<Settings> = {}) =>
  granted(read({ ...described, ...members }, settings));
const faultOf = (members: object) => refused(read({ ...described, ...members })).parameter;

describe('a document with the members that every client names', () => {
  test('is a public client of the code flow, with the policies of its realm and nothing of its own', () => {
    const realm = realmWith({ clientIdMetadataDocuments: true });
    expect(clientOf({})).toMatchObject({
      clientId,
      realmId: realm.id,
      name: 'App',
      class: 'public',
      authMethod: 'none',
      redirectUris: [callback],
      grantTypes: ['authorization_code'],
      responseTypes: ['code'],
      scope: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
      settings: realm.settings,
      secrets: [],
      resources: [],
      introspects: [],
      consent: 'remembered',
      enabled: true,
      introduced: { host: 'app.example', resources: [] },
    });
  });

  test('without a name it has that of its host', () => {
    expect(granted(read({ client_id: clientId, redirect_uris: [callback] })).name).toBe('app.example');
  });

  test('with keys it is confidential', () => {
    const keys = { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [publicKey] } };
    expect(clientOf(keys)).toMatchObject({ class: 'confidential', jwks: { keys: [publicKey] } });
    const { jwks: _, ...method } = keys;
    expect(clientOf({ ...method, jwks_uri: 'https://app.example/jwks' }).metadata.jwks_uri).toBe(
      'https://app.example/jwks',
    );
    expect(faultOf(method)).toBe('jwks');
  });

  test('the realm says which scopes and resources are open to it', () => {
    const settings = {
      registrationScopes: 'openid files',
      registrationResources: 'https://a.example https://b.example/mcp',
    };
    expect(clientOf({ scope: 'files admin openid' }, settings)).toMatchObject({
      scope: ['files', 'openid'],
      introduced: { resources: ['https://a.example', 'https://b.example/mcp'] },
    });
  });
});

describe('§4: it names itself by the URL that it was fetched from', () => {
  test('property: by no other text', () => {
    const near = fc.constantFrom(
      `${clientId}/`,
      `${clientId}?`,
      clientId.toUpperCase(),
      clientId.replace('https', 'http'),
    );
    fc.assert(
      fc.property(fc.oneof(near, fc.webUrl(), fc.anything()), (named) => {
        fc.pre(named !== clientId);
        expect(faultOf({ client_id: named })).toBe('client_id');
      }),
    );
  });

  test.each([[null], [[]], ['text'], [[described]], [42]])('%p is no document', (document) => {
    expect(refused(read(document))).toMatchObject({ error: 'invalid_client', parameter: 'client_id' });
  });
});

describe('§4.1: nothing in it is secret', () => {
  test.each(['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'tls_client_auth', '', 1])(
    'no token_endpoint_auth_method %p',
    (method) => {
      expect(faultOf({ token_endpoint_auth_method: method })).toBe('token_endpoint_auth_method');
    },
  );

  test.each([
    ['client_secret', 'x'],
    ['client_secret', null],
    ['client_secret_expires_at', 0],
  ])('no %s, not even %p', (member, value) => {
    expect(faultOf({ [member]: value })).toBe(member);
  });

  test.each([{ d: 'x' }, { k: 'x', kty: 'oct' }])('no private or shared key: %p', (part) => {
    const jwks = { keys: [{ ...publicKey, ...part }] };
    expect(faultOf({ token_endpoint_auth_method: 'private_key_jwt', jwks })).toBe('jwks');
  });
});

describe('§4.2: redirect URIs are required', () => {
  test.each([[undefined], [[]], ['https://app.example/cb'], [['https://app.example/cb#x']], [['javascript:alert(1)']]])(
    'and not %p',
    (uris) => {
      expect(faultOf({ redirect_uris: uris })).toBe('redirect_uris');
    },
  );

  test.each(['https://elsewhere.example/cb', 'http://localhost:33418/', 'com.example.app:/callback'])('%s', (uri) => {
    expect(clientOf({ redirect_uris: [uri] }).redirectUris).toEqual([uri]);
  });
});

describe('a document is written for all servers', () => {
  test('so what is not for this one is left out of it', () => {
    const client = clientOf({
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:example:other'],
      response_types: ['code', 'token', 'id_token'],
      logo_uri: 'https://app.example/logo.png',
      request_uris: ['https://app.example/request.jwt'],
      backchannel_logout_uri: 'https://app.example/logout',
      frontchannel_logout_uri: 'https://app.example/logout',
      unknown_member: true,
    });
    expect(client).toMatchObject({ grantTypes: ['authorization_code', 'refresh_token'], responseTypes: ['code'] });
    expect(client.metadata).toEqual({ application_type: 'native' });
  });

  test('also where the realm serves it to others', () => {
    expect(clientOf({ response_types: ['code', 'code id_token'] }, { implicitAndHybrid: true }).responseTypes).toEqual([
      'code',
    ]);
  });

  test.each([
    ['grant_types', ['client_credentials']],
    ['grant_types', 'authorization_code'],
    ['response_types', ['token']],
    ['subject_type', 'pairwise'],
    ['sector_identifier_uri', 'https://app.example/sector'],
    ['software_statement', 'e30.e30.'],
    ['jwks_uri', 'http://app.example/jwks'],
    ['client_name', 'a\u202eb'],
  ])('and without what it needs, or with what this one must refuse, it is refused: %s %p', (member, value) => {
    expect(faultOf({ [member]: value })).toBe(member);
  });
});
