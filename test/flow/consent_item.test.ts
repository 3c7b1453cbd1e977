import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { resourceItem, resourceOfItem } from '../../src/flow/consent_item.ts';

test('property: a resource comes back as it was, and no scope is one (RFC 6749 §3.3)', () => {
  fc.assert(fc.property(fc.string(), (uri) => expect(resourceOfItem(resourceItem(uri))).toBe(uri)));
  const scopes = fc.oneof(fc.stringMatching(/^[!#-[\]-~]{1,20}$/), fc.constantFrom('resource', 'https://a.example'));
  fc.assert(fc.property(scopes, (scope) => expect(resourceOfItem(scope)).toBeNull()));
});
