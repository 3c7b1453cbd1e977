import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { audienceFor, isResourceIndicator } from '../../../src/oidc/authorize/resource.ts';
import { granted, issuer, refused } from '../parties.ts';

const known = ['https://a.example', 'https://b.example', 'https://c.example'];
const resources = fc.constantFrom(...known, issuer, 'https://stranger.example');
const scopes = fc.constantFrom<readonly string[]>(['openid'], ['api'], ['api', 'openid']);

describe('RFC 8707 §2', () => {
  test('property: never an audience that the client is not registered for, never none, never one twice', () => {
    fc.assert(
      fc.property(fc.array(resources, { maxLength: 4 }), fc.subarray(known), scopes, (asked, registered, scope) => {
        const allowed = [...registered, issuer];
        const result = audienceFor(asked, { resources: registered }, issuer, scope);
        if (!asked.every((resource) => allowed.includes(resource))) {
          expect(refused(result)).toMatchObject({ error: 'invalid_target', parameter: 'resource' });
          return;
        }
        const audience = granted(result);
        expect(audience.length).toBeGreaterThan(0);
        expect(new Set(audience).size).toBe(audience.length);
        expect(audience.every((one) => allowed.includes(one))).toBe(true);
        expect(asked.every((resource) => audience.includes(resource))).toBe(true);
        if (scope.includes('openid')) expect(audience).toContain(issuer);
      }),
    );
  });

  test('nothing asked: the first resource of the client, else the issuer', () => {
    expect(granted(audienceFor(undefined, { resources: known }, issuer, ['api']))).toEqual(['https://a.example']);
    expect(granted(audienceFor([], { resources: known }, issuer, ['api']))).toEqual(['https://a.example']);
    expect(granted(audienceFor(undefined, { resources: [] }, issuer, ['api']))).toEqual([issuer]);
  });

  test('an absolute URI without a fragment, whatever is registered', () => {
    const odd = [
      'api',
      '/v1',
      '//api.example',
      'https://a.example/#x',
      'https://a.example/#',
      'https://a b.example',
      ':x',
    ];
    for (const resource of odd) {
      expect(isResourceIndicator(resource)).toBe(false);
      const refusal = refused(audienceFor([resource], { resources: [resource] }, issuer, ['api']));
      expect(refusal).toMatchObject({ error: 'invalid_target', parameter: 'resource' });
    }
    for (const resource of [
      'https://a.example',
      'https://a.example/v1?x=1',
      'urn:example:api',
      'api+v1.x-y:z',
      issuer,
    ]) {
      expect(granted(audienceFor([resource], { resources: [resource] }, issuer, ['api']))).toEqual([resource]);
    }
  });

  test('asked for one: the default is not added', () => {
    expect(granted(audienceFor(['https://b.example'], { resources: known }, issuer, ['api']))).toEqual([
      'https://b.example',
    ]);
  });
});
