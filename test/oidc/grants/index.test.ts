import { describe, expect, test } from 'bun:test';
import { classesOfGrantType, grantTypeNames } from '../../../src/oidc/grants/index.ts';
import { machine, refused, spa, web } from '../parties.ts';
import { database, send } from './redeem.ts';

describe('RFC 6749 §5.2: the order of refusals', () => {
  test.each([
    ['grant_type missing', {}, web, 'invalid_request'],
    ['grant_type empty', { grant_type: '' }, web, 'invalid_request'],
    ['grant_type unknown', { grant_type: 'password' }, web, 'unsupported_grant_type'],
    ['grant_type of another case', { grant_type: 'Authorization_Code' }, web, 'unsupported_grant_type'],
    ['grant_type inherited by every object', { grant_type: 'constructor' }, web, 'unsupported_grant_type'],
    ['grant_type implicit', { grant_type: 'implicit' }, { ...web, grantTypes: ['implicit'] }, 'unsupported_grant_type'],
    ['not registered for it', { grant_type: 'client_credentials' }, web, 'unauthorized_client'],
    ['not registered for it and the rest wrong too', { grant_type: 'refresh_token' }, machine, 'unauthorized_client'],
    [
      'not for its class',
      { grant_type: 'client_credentials' },
      { ...spa, grantTypes: ['client_credentials'] },
      'unauthorized_client',
    ],
    ['registered, then the grant itself decides', { grant_type: 'refresh_token' }, web, 'invalid_request'],
  ])('%s', async (_, sent, client, error) => {
    const families = database();
    expect<string>(refused(await send(families, sent, { client })).error).toBe(error);
    expect(families.calls).toEqual([]);
  });
});

describe('the registry', () => {
  test('lists what is served, and a public client never acts for itself', () => {
    expect(grantTypeNames).toEqual([
      'authorization_code',
      'refresh_token',
      'client_credentials',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:device_code',
    ]);
    expect(classesOfGrantType('client_credentials')).toEqual(['confidential']);
    expect(classesOfGrantType('password')).toEqual([]);
  });
});
