import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes, randomToken } from '../../src/core/crypto.ts';
import { deviceHash, mostDevicesOfBrowser, readDevices, writeDevices } from '../../src/core/known_device.ts';
import { Secret } from '../../src/core/secret.ts';

const key = new Secret<Uint8Array>(randomBytes(32));
const token = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(encodeBase64url);

/** What a browser carries after these sign-ins, one after the other. */
const after = (tokens: readonly string[]): string =>
  tokens.reduce((cookie, newest) => writeDevices(key, readDevices(key, cookie), newest), '');

describe('the cookie of known devices', () => {
  test('holds the newest sign-ins within its bound, each once, the last one last', () => {
    fc.assert(
      fc.property(
        fc.array(token, { minLength: 1, maxLength: 12 }),
        fc.array(fc.nat(11), { maxLength: 6 }),
        (all, again) => {
          const signIns = [...all, ...again.map((index) => all[index % all.length] ?? '')];
          const newestFirst = [...new Set(signIns.toReversed())].slice(0, mostDevicesOfBrowser);
          expect(readDevices(key, after(signIns))).toEqual(newestFirst.toReversed());
        },
      ),
    );
  });

  test('whatever else is sent gives no token that was not given', () => {
    const given = randomToken();
    const cookie = writeDevices(key, [], given);
    fc.assert(
      fc.property(fc.nat(cookie.length - 1), fc.constantFrom(...'Aa0-_.'), (at, letter) => {
        const changed = cookie.slice(0, at) + letter + cookie.slice(at + 1);
        expect(readDevices(key, changed)).toEqual(changed === cookie ? [given] : []);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => expect(readDevices(key, text)).toEqual([])));
  });

  test('of another realm, whose key is another, is nothing', () => {
    const other = new Secret<Uint8Array>(randomBytes(32));
    expect(readDevices(other, writeDevices(key, [], randomToken()))).toEqual([]);
  });

  test('one that is longer than ours is read no further than ours', () => {
    const entries = Array.from({ length: 8 }, () => writeDevices(key, [], randomToken()));
    expect(readDevices(key, entries.join('.'))).toHaveLength(mostDevicesOfBrowser);
  });

  test('the hash is of the token, not of the entry', () => {
    const given = randomToken();
    expect(deviceHash(given)).toHaveLength(32);
    expect(deviceHash(given).equals(deviceHash(randomToken()))).toBe(false);
  });
});
