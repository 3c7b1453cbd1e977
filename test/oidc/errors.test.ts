import { describe, expect, test } from 'bun:test';
import { refusal, statusOfError } from '../../src/oidc/errors.ts';

describe('RFC 6749 §5.2, RFC 6750 §3.1, RFC 7009 §2.2.1', () => {
  test.each([
    ['invalid_request', 400],
    ['invalid_client', 401],
    ['invalid_grant', 400],
    ['unauthorized_client', 400],
    ['unsupported_grant_type', 400],
    ['invalid_scope', 400],
    ['invalid_target', 400],
    ['unsupported_token_type', 400],
    ['invalid_token', 401],
    ['insufficient_scope', 403],
    ['server_error', 500],
    ['temporarily_unavailable', 503],
  ] as const)('%s is answered %d', (error, status) => {
    expect(statusOfError(error)).toBe(status);
  });

  test('a refusal without a parameter says null, so that an operator is not misled', () => {
    expect(refusal('invalid_grant', 'no', 'RFC 6749 §5.2')).toEqual({
      error: 'invalid_grant',
      description: 'no',
      rule: 'RFC 6749 §5.2',
      parameter: null,
    });
  });
});
