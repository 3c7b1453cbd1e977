import { describe, expect, test } from 'bun:test';
import { Value } from '@sinclair/typebox/value';
import fc from 'fast-check';
import { checkOverride, effective, type Layers, type Overrides, resolveSettings } from '../../src/core/overrides.ts';
import { type SettingKey, settingKeys, settings } from '../../src/core/settings.ts';
import { granted, refused } from '../oidc/parties.ts';

const now = 1_800_000_000_000;
const keys = fc.constantFrom(...settingKeys);

/** Good, bad and expired overrides of any setting. */
const values = fc.oneof(
  fc.integer({ min: -5, max: 20_000_000 }),
  fc.boolean(),
  fc.constantFrom('always', 'never', 'required for all', 'family', 'ES256', 'none', null, {}),
);
const override = fc.record({ value: values, expiresAt: fc.constantFrom(undefined, now - 1, now, now + 1) });
const overrides: fc.Arbitrary<Overrides> = fc.dictionary(keys, override, { maxKeys: 8 });
const layers = fc.record({ system: overrides, realm: overrides, client: overrides });

const isGood = (key: SettingKey, value: unknown): boolean => Value.Check(settings[key].schema, value);

describe('the layers', () => {
  test('property: the innermost layer that may set it, validly and still, decides; else the default', () => {
    fc.assert(
      fc.property(keys, layers, (key, all) => {
        const order =
          settings[key].scope === 'client' ? (['client', 'realm', 'system'] as const) : (['realm', 'system'] as const);
        const deciding = order.find((layer) => {
          const set = all[layer][key];
          return set !== undefined && isGood(key, set.value) && (set.expiresAt === undefined || set.expiresAt > now);
        });
        const found = effective(key, all, now);
        expect(found.from).toBe(deciding ?? 'default');
        expect(found.value as unknown).toEqual(
          deciding === undefined ? settings[key].default : all[deciding][key]?.value,
        );
      }),
      { numRuns: 500 },
    );
  });

  test('property: every value in force is within its bounds, whatever was stored', () => {
    fc.assert(
      fc.property(layers, (all) => {
        const resolved = resolveSettings(all, now);
        expect(Object.keys(resolved)).toEqual([...settingKeys]);
        for (const key of settingKeys) expect(isGood(key, resolved[key])).toBe(true);
      }),
    );
  });

  test('every default is within its own bounds and every setting says what it does', () => {
    for (const key of settingKeys) {
      expect([key, isGood(key, settings[key].default)]).toEqual([key, true]);
      expect(settings[key].sentence).toMatch(/^[A-Z].+\.$/);
    }
  });

  test('an override that expires gives way at that very millisecond, and is told until then', () => {
    const realm = { clockSkewSeconds: { value: 60, reason: 'a partner', expiresAt: now } };
    expect(effective('clockSkewSeconds', { realm }, now - 1)).toEqual({
      value: 60,
      from: 'realm',
      reason: 'a partner',
      expiresAt: now,
    });
    expect(effective('clockSkewSeconds', { realm }, now)).toEqual({
      value: 15,
      from: 'default',
      reason: null,
      expiresAt: null,
    });
  });

  test('a client cannot set what is the realm’s, even if it is stored', () => {
    expect(effective('lockout', { client: { lockout: { value: false } } }, now).value).toBe(true);
  });

  test('an expired or broken value of a client falls through to the realm, not to the default', () => {
    const realm = { refreshLeewaySeconds: { value: 60 } };
    for (const client of [
      { refreshLeewaySeconds: { value: 301 } },
      { refreshLeewaySeconds: { value: 5, expiresAt: now } },
    ]) {
      expect(effective('refreshLeewaySeconds', { realm, client }, now)).toMatchObject({ value: 60, from: 'realm' });
    }
  });
});

describe('setting an override', () => {
  test('property: is accepted exactly where it would be in force', () => {
    fc.assert(
      fc.property(keys, values, fc.constantFrom('realm', 'client'), (key, value, layer) => {
        const result = checkOverride(key, { value, reason: 'because' }, layer, {}, now);
        const inForce: Layers = { [layer]: { [key]: { value } } };
        expect(result.ok).toBe(effective(key, inForce, now).from === layer);
      }),
      { numRuns: 500 },
    );
  });

  test.each(['', 'nonsense', 'constructor', '__proto__', 'toString', 'Lockout'])('%j is no setting', (key) => {
    expect(refused(checkOverride(key, { value: 1 }, 'realm', {}, now))).toStartWith('there is no setting');
  });

  test.each([
    ['clockSkewSeconds', 120, true],
    ['clockSkewSeconds', 121, false],
    ['clockSkewSeconds', -1, false],
    ['clockSkewSeconds', 1.5, false],
    ['clockSkewSeconds', '15', false],
    ['refreshLeewaySeconds', 300, true],
    ['refreshLeewaySeconds', 301, false],
    ['codeLifetimeSeconds', 60, true],
    ['codeLifetimeSeconds', 61, false],
    ['accessTokenLifetimeSeconds', 29, false],
    ['lockout', 'false', false],
    ['lockoutThreshold', 0, false],
    ['accessTokenSigningAlgorithm', 'none', false],
    ['accessTokenSigningAlgorithm', 'HS256', false],
    ['refreshAbsoluteLifetimeSeconds', Number.NaN, false],
    ['refreshAbsoluteLifetimeSeconds', Number.POSITIVE_INFINITY, false],
  ])('%s = %p: %p', (key, value, good) => {
    expect(checkOverride(key, { value, reason: 'because' }, 'realm', {}, now).ok).toBe(good);
  });
});

describe('what loosens a policy', () => {
  const forAll = { realm: { pkce: { value: 'required for all' } } };

  test('needs a reason: PKCE no longer required of all, refresh tokens no longer rotated', () => {
    expect(refused(checkOverride('pkce', { value: 'required for public' }, 'client', forAll, now))).toContain('reason');
    expect(refused(checkOverride('rotation', { value: 'never' }, 'client', {}, now))).toContain('reason');
    expect(refused(checkOverride('rotation', { value: 'never' }, 'realm', {}, now))).toContain('reason');
    expect(
      granted(checkOverride('pkce', { value: 'required for public', reason: 'legacy' }, 'client', forAll, now)),
    ).toBe('pkce');
    expect(granted(checkOverride('rotation', { value: 'never', reason: 'FAPI 2.0' }, 'client', {}, now))).toBe(
      'rotation',
    );
  });

  test('needs a reason: more exchanges, or those of a client or an audience more; fewer need none', () => {
    const some = {
      realm: { tokenExchange: { value: 'delegation' }, tokenExchangeClients: { value: 'shop desk' } },
    };
    const silently = (key: string, value: string) => checkOverride(key, { value }, 'client', some, now).ok;
    expect(silently('tokenExchange', 'off')).toBe(true);
    expect(silently('tokenExchange', 'delegation')).toBe(true);
    expect(silently('tokenExchange', 'impersonation')).toBe(false);
    expect(silently('tokenExchange', 'impersonation and delegation')).toBe(false);
    expect(silently('tokenExchangeClients', 'desk')).toBe(true);
    expect(silently('tokenExchangeClients', '')).toBe(true);
    expect(silently('tokenExchangeClients', 'desk stock')).toBe(false);
    expect(silently('tokenExchangeAudiences', 'https://a.example')).toBe(false);
  });

  test('needs a reason: userinfo that demands less of a sign-in, and acr_values that are only a wish', () => {
    const demanding = {
      realm: {
        userinfoAcrValues: { value: 'pwd mfa' },
        userinfoMaxAgeSeconds: { value: 60 },
        acrValues: { value: 'required' },
      },
    };
    const silently = (key: string, value: unknown, inherited: Layers) =>
      checkOverride(key, { value }, 'client', inherited, now).ok;
    expect(silently('userinfoAcrValues', 'mfa', demanding)).toBe(true);
    expect(silently('userinfoAcrValues', 'mfa other', demanding)).toBe(false);
    expect(silently('userinfoAcrValues', '', demanding)).toBe(false);
    expect(silently('userinfoAcrValues', 'mfa', {})).toBe(true);
    expect(silently('userinfoMaxAgeSeconds', 30, demanding)).toBe(true);
    expect(silently('userinfoMaxAgeSeconds', 61, demanding)).toBe(false);
    expect(silently('userinfoMaxAgeSeconds', 0, demanding)).toBe(false);
    expect(silently('userinfoMaxAgeSeconds', 61, {})).toBe(true);
    expect(silently('acrValues', 'voluntary', demanding)).toBe(false);
    expect(silently('acrValues', 'required', {})).toBe(true);
  });

  test('an empty or blank reason is none', () => {
    for (const reason of ['', ' ', '\t\n', undefined]) {
      expect(checkOverride('rotation', { value: 'never', reason }, 'client', {}, now).ok).toBe(false);
    }
  });

  test('the same value again, or a stricter one, needs none', () => {
    expect(checkOverride('pkce', { value: 'required for all' }, 'client', {}, now).ok).toBe(true);
    expect(checkOverride('pkce', { value: 'required for public' }, 'client', {}, now).ok).toBe(true);
    expect(
      checkOverride('rotation', { value: 'never' }, 'client', { realm: { rotation: { value: 'never' } } }, now).ok,
    ).toBe(true);
  });

  test.each([
    ['registrationResources', '', 'https://a.example', true],
    ['registrationResources', 'https://a.example https://b.example', 'https://b.example', false],
    ['clientIdMetadataDocuments', false, true, true],
    ['clientIdMetadataDocuments', true, false, false],
    ['clientIdMetadataHosts', '', 'app.example', false],
    ['clientIdMetadataHosts', 'app.example other.example', 'app.example', false],
    ['clientIdMetadataHosts', 'app.example', 'app.example other.example', true],
    ['clientIdMetadataHosts', 'app.example', '', true],
    ['localhostAnyPort', false, true, true],
  ] as const)('%s from %p to %p needs one: %p', (key, before, after, needs) => {
    const realm = { [key]: { value: before } };
    expect(checkOverride(key, { value: after }, 'realm', { realm }, now).ok).toBe(!needs);
    expect(checkOverride(key, { value: after, reason: 'agents' }, 'realm', { realm }, now).ok).toBe(true);
  });

  test('is judged by what is in force, not by what has expired', () => {
    const expired = { realm: { pkce: { value: 'required for all', expiresAt: now } } };
    expect(checkOverride('pkce', { value: 'required for public' }, 'client', expired, now).ok).toBe(true);
  });
});

describe('lists of words', () => {
  test.each([
    ['registrationResources', ['', 'https://mcp.example/mcp', 'urn:example:api https://b.example:8443/']],
    ['clientIdMetadataHosts', ['', 'app.example', '*.app.example !evil.app.example', '127.0.0.1', '[::1]']],
  ] as const)('%s takes %p', (key, good) => {
    for (const value of good) expect([value, isGood(key, value)]).toEqual([value, true]);
  });

  test.each([
    [
      'registrationResources',
      ['mcp.example', 'https://a.example  https://b.example', 'https://a.example#x', ' ', 'a:"'],
    ],
    [
      'clientIdMetadataHosts',
      ['App.example', 'https://app.example', 'app.example,b.example', 'a.*.example', '!', ' a'],
    ],
  ] as const)('%s refuses %p', (key, bad) => {
    for (const value of bad) expect([value, isGood(key, value)]).toEqual([value, false]);
  });
});
