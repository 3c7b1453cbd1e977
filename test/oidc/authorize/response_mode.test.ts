import { describe, expect, test } from 'bun:test';
import { checkResponseMode } from '../../../src/oidc/authorize/response_mode.ts';
import { granted, refused } from '../parties.ts';

describe('OAuth 2.0 Multiple Response Types §2.1', () => {
  test('query by default, form_post on request', () => {
    expect(granted(checkResponseMode(undefined))).toBe('query');
    expect(granted(checkResponseMode('query'))).toBe('query');
    expect(granted(checkResponseMode('form_post'))).toBe('form_post');
  });

  test.each(['fragment', 'web_message', 'jwt', 'Query', '', '__proto__'])('%j is refused', (sent) => {
    expect(refused(checkResponseMode(sent))).toMatchObject({ error: 'invalid_request', parameter: 'response_mode' });
  });
});
