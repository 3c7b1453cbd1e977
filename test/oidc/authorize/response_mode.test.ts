import { describe, expect, test } from 'bun:test';
import { checkResponseMode } from '../../../src/oidc/authorize/response_mode.ts';
import { isFrontChannel, responseTypeNames } from '../../../src/oidc/authorize/response_type.ts';
import { granted, refused } from '../parties.ts';

describe('OAuth 2.0 Multiple Response Types §2.1', () => {
  test('a code goes in the query by default, in the fragment or by form_post on request', () => {
    expect(granted(checkResponseMode(undefined, 'code'))).toBe('query');
    expect(granted(checkResponseMode('query', 'code'))).toBe('query');
    expect(granted(checkResponseMode('fragment', 'code'))).toBe('fragment');
    expect(granted(checkResponseMode('form_post', 'code'))).toBe('form_post');
  });

  test.each(responseTypeNames.filter(isFrontChannel))(
    '%s goes in the fragment or by form_post, never in the query',
    (type) => {
      expect(granted(checkResponseMode(undefined, type))).toBe('fragment');
      expect(granted(checkResponseMode('form_post', type))).toBe('form_post');
      expect(refused(checkResponseMode('query', type))).toMatchObject({
        error: 'invalid_request',
        parameter: 'response_mode',
      });
    },
  );

  test.each(['web_message', 'jwt', 'Query', '', '__proto__'])('%j is refused', (sent) => {
    expect(refused(checkResponseMode(sent, 'code'))).toMatchObject({
      error: 'invalid_request',
      parameter: 'response_mode',
    });
  });
});
