import { describe, expect, test } from 'bun:test';
import { acrOf, acrValuesSupported, satisfiesAcr } from '../../src/flow/acr.ts';
import { alice, sessionOf, start } from './browser.ts';

const password = sessionOf(alice, start).evidence;

describe('acr', () => {
  test('a password reaches the password class', () => {
    expect(acrOf(password)).toBe('urn:limen:acr:password');
    expect(acrValuesSupported).toEqual(['urn:limen:acr:password']);
  });

  test('nothing proved reaches no class, wanted or not', () => {
    expect(acrOf([])).toBeNull();
    expect(acrOf([], acrValuesSupported)).toBeNull();
  });

  test('an unknown wanted class is never claimed', () => {
    expect(satisfiesAcr('phr', password)).toBe(false);
    expect(acrOf(password, ['phr', 'constructor'])).toBe('urn:limen:acr:password');
  });

  test('another method does not reach the password class', () => {
    expect(acrOf([{ method: 'otp', userId: alice.userId, at: start }])).toBeNull();
  });
});
