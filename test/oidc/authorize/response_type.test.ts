import { describe, expect, test } from 'bun:test';
import { checkResponseType } from '../../../src/oidc/authorize/response_type.ts';
import { granted, refused } from '../parties.ts';

const registered = { responseTypes: ['code'] };

describe('RFC 6749 §3.1.1', () => {
  test('code is served', () => {
    expect(granted(checkResponseType('code', registered))).toBe('code');
  });

  test.each([
    'token',
    'id_token',
    'code token',
    'id_token code',
    'none',
    'Code',
    'code code',
    ' code',
    '__proto__',
    'toString',
  ])('%j is unsupported_response_type, even if a client were registered for it', (sent) => {
    expect(refused(checkResponseType(sent, { responseTypes: ['code', sent] })).error).toBe('unsupported_response_type');
  });

  test('missing is invalid_request, not registered is unauthorized_client', () => {
    expect(refused(checkResponseType(undefined, registered)).error).toBe('invalid_request');
    expect(refused(checkResponseType('code', { responseTypes: [] })).error).toBe('unauthorized_client');
  });
});
