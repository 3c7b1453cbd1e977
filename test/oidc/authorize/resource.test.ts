import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { audienceFor, isOneOf, isResourceIndicator } from '../../../src/oidc/authorize/resource.ts';
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

  test('a client that introduced itself asks for what the realm opens, and gets none of it by default', () => {
    const client = { resources: [], introduced: { resources: known, host: null } };
    expect(granted(audienceFor(['https://b.example'], client, issuer, ['api']))).toEqual(['https://b.example']);
    expect(granted(audienceFor(undefined, client, issuer, ['api']))).toEqual([issuer]);
    expect(refused(audienceFor(['https://b.example/mcp'], client, issuer, ['api'])).error).toBe('invalid_target');
    expect(refused(audienceFor(['https://b.example'], { resources: [] }, issuer, ['api'])).error).toBe(
      'invalid_target',
    );
  });
});

describe('RFC 3986 §6.2.3', () => {
  const origins = fc
    .tuple(fc.constantFrom('http', 'https'), fc.domain())
    .map(([scheme, host]) => `${scheme}://${host}`);
  const rests = fc.constantFrom('', '/', '//', '/mcp', '/mcp/', '?', '/?', '#', '/MCP', ':8443', ':8443/');

  test('property: an empty path and a lone slash are one resource, and nothing else differs unseen', () => {
    fc.assert(
      fc.property(origins, rests, rests, (origin, left, right) => {
        const plain = (rest: string): string => (['/', ':8443/'].includes(rest) ? rest.slice(0, -1) : rest);
        expect(isOneOf(origin + left, [origin + right])).toBe(plain(left) === plain(right));
      }),
    );
  });

  test('the token names the resource as it was asked for', () => {
    const client = { resources: [], introduced: { resources: ['https://mcp.example'], host: null } };
    expect(granted(audienceFor(['https://mcp.example/'], client, issuer, ['api']))).toEqual(['https://mcp.example/']);
  });
});
