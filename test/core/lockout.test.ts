import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { randomBytes } from '../../src/core/crypto.ts';
import { newId, type UserId } from '../../src/core/ids.ts';
import {
  accountCeiling,
  addressPrefixes,
  contextOf,
  foldIdentifier,
  isPrivateAddress,
  lockoutPolicy,
  normalizeAddress,
  prefixCeilings,
  subjectOfUnknownName,
  subjectOfUser,
} from '../../src/core/lockout.ts';
import { resolveSettings } from '../../src/core/overrides.ts';
import { Secret } from '../../src/core/secret.ts';

const settings = resolveSettings({}, 0);

describe('address prefixes', () => {
  test.each([
    ['192.0.2.7', 'address:192.0.2.7/32', null],
    ['::ffff:192.0.2.7', 'address:192.0.2.7/32', null],
    ['::FFFF:192.0.2.7', 'address:192.0.2.7/32', null],
    ['::ffff:c000:207', 'address:192.0.2.7/32', null],
    ['0:0:0:0:0:ffff:c000:0207', 'address:192.0.2.7/32', null],
    ['2001:db8:1:2:3:4:5:6', 'address:2001:db8:1:2::/64', 'address:2001:db8:1::/48'],
    ['2001:0DB8:0001:0002::6', 'address:2001:db8:1:2::/64', 'address:2001:db8:1::/48'],
    ['[2001:db8::1]', 'address:2001:db8:0:0::/64', 'address:2001:db8:0::/48'],
    ['fe80::1%eth0', 'address:fe80:0:0:0::/64', 'address:fe80:0:0::/48'],
    ['::', 'address:0:0:0:0::/64', 'address:0:0:0::/48'],
    ['64:ff9b::192.0.2.7', 'address:64:ff9b:0:0::/64', 'address:64:ff9b:0::/48'],
    ['', 'address:unknown', null],
    ['localhost', 'address:unknown', null],
    ['192.0.2.7:443', 'address:unknown', null],
    ['1.2.3', 'address:unknown', null],
  ])('%s → %s', (address, narrow, wide) => {
    expect(addressPrefixes(address)).toEqual({ narrow, wide });
  });

  const groups = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 });
  const isMapped = (words: readonly number[]) => words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  const spellings = (words: readonly number[]): readonly string[] => {
    const full = words.map((word) => word.toString(16).padStart(4, '0')).join(':');
    const short = words.map((word) => word.toString(16)).join(':');
    return [full, short, full.toUpperCase(), `[${short}]`, new URL(`http://[${short}]/`).hostname];
  };

  test('every spelling of an IPv6 address has one prefix, made of its first 64 and 48 bits', () => {
    fc.assert(
      fc.property(groups, (words) => {
        fc.pre(!isMapped(words));
        const hex = (count: number) =>
          words
            .slice(0, count)
            .map((word) => word.toString(16))
            .join(':');
        const expected = { narrow: `address:${hex(4)}::/64`, wide: `address:${hex(3)}::/48` };
        for (const spelling of spellings(words)) expect(addressPrefixes(spelling)).toEqual(expected);
      }),
    );
  });

  test('two addresses share a /64 exactly if their first four groups are equal', () => {
    const nearby = fc.tuple(groups, groups, fc.integer({ min: 0, max: 8 }));
    fc.assert(
      fc.property(nearby, ([left, other, shared]) => {
        const right = [...left.slice(0, shared), ...other.slice(shared)];
        fc.pre(!isMapped(left) && !isMapped(right));
        const same = (count: number) => left.slice(0, count).join() === right.slice(0, count).join();
        const [a, b] = [addressPrefixes(left.map(hexOf).join(':')), addressPrefixes(right.map(hexOf).join(':'))];
        expect(a.narrow === b.narrow).toBe(same(4));
        expect(a.wide === b.wide).toBe(same(3));
      }),
    );
  });

  test('an IPv4 address and its IPv6 clothes are one', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
        const mapped = `::ffff:${hexOf(a * 256 + b)}:${hexOf(c * 256 + d)}`;
        expect(normalizeAddress(mapped)).toBe(address);
        expect(addressPrefixes(`::ffff:${address}`)).toEqual(addressPrefixes(address));
      }),
    );
  });

  test('any text has a prefix', () => {
    fc.assert(fc.property(fc.string(), (text) => expect(addressPrefixes(text).narrow).toStartWith('address:')));
  });
});

const hexOf = (word: number): string => word.toString(16);

test.each([
  ['10.1.2.3', true],
  ['127.0.0.1', true],
  ['::ffff:172.31.255.255', true],
  ['172.32.0.0', false],
  ['192.168.0.1', true],
  ['100.64.0.1', true],
  ['100.128.0.1', false],
  ['169.254.1.1', true],
  ['::1', true],
  ['::2', false],
  ['fd12::1', true],
  ['fe80::1%eth0', true],
  ['fec0::1', false],
  ['2001:db8::1', false],
  ['8.8.8.8', false],
  ['nonsense', false],
])('%s is a private address: %p', (address, isPrivate) => {
  expect(isPrivateAddress(address)).toBe(isPrivate);
});

describe('subjects', () => {
  const key = new Secret<Uint8Array>(randomBytes(32));
  const otherKey = new Secret<Uint8Array>(randomBytes(32));

  test('case, compatibility forms and surrounding space make no other name', () => {
    for (const typed of ['ALICE', ' alice ', 'Ａｌｉｃｅ']) {
      expect(foldIdentifier(typed)).toBe('alice');
      expect(subjectOfUnknownName(key, typed)).toBe(subjectOfUnknownName(key, 'alice'));
    }
  });

  test('folding twice is folding once', () => {
    expect(foldIdentifier('J\u030c')).toBe('\u01f0');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (typed) => {
        expect(foldIdentifier(foldIdentifier(typed))).toBe(foldIdentifier(typed));
      }),
    );
  });

  test('an unknown name is a pseudonym of its realm and never a user’s subject', () => {
    fc.assert(
      fc.property(fc.string(), (typed) => {
        const subject = subjectOfUnknownName(key, typed);
        expect(subject).toMatch(/^name:[A-Za-z0-9_-]{43}$/);
        expect(subject).not.toBe(subjectOfUnknownName(otherKey, typed));
      }),
    );
    expect(subjectOfUser(newId<UserId>())).toStartWith('user:');
  });
});

describe('what is counted', () => {
  const prefixes = addressPrefixes('2001:db8:1:2::3');

  test('context by default is the address prefix, and one for all where the account is locked', () => {
    expect(contextOf(settings, prefixes)).toBe('address:2001:db8:1:2::/64');
    expect(contextOf({ ...settings, lockoutScope: 'account' }, prefixes)).toBe('account');
  });

  test('the default policy is five in fifteen minutes for fifteen minutes', () => {
    expect(lockoutPolicy(settings)).toEqual({ threshold: 5, windowSeconds: 900, durationSeconds: 900 });
  });

  test('a /64 is also counted in its /48, and IPv4 alone', () => {
    const shape = (address: string) => prefixCeilings(addressPrefixes(address)).map(({ key, limit }) => [key, limit]);
    expect(shape('2001:db8:1:2::3')).toEqual([
      ['address:2001:db8:1:2::/64', 100],
      ['address:2001:db8:1::/48', 300],
    ]);
    expect(shape('192.0.2.1')).toEqual([['address:192.0.2.1/32', 100]]);
  });

  test('an account has fifty failures a day', () => {
    expect(accountCeiling('user:x')).toEqual({ key: 'user:x', of: 'account', limit: 50, windowSeconds: 86_400 });
  });
});
