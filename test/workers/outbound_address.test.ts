import { describe, expect, test } from 'bun:test';
import { BlockList } from 'node:net';
import fc from 'fast-check';
import { addressBehindNat64, addressBytes, addressKind, rangeMatcher } from '../../src/workers/outbound/address.ts';
import { interleave } from '../../src/workers/outbound/connect.ts';

describe('what an address is', () => {
  test.each([
    ['8.8.8.8', 'public'],
    ['1.1.1.1', 'public'],
    ['126.255.255.255', 'public'],
    ['128.0.0.0', 'public'],
    ['172.15.255.255', 'public'],
    ['172.32.0.0', 'public'],
    ['100.63.255.255', 'public'],
    ['100.128.0.0', 'public'],
    ['169.253.255.255', 'public'],
    ['223.255.255.255', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['10.0.0.0', 'private'],
    ['10.255.255.255', 'private'],
    ['172.16.0.0', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.0.1', 'private'],
    ['100.64.0.1', 'shared'],
    ['100.127.255.255', 'shared'],
    ['169.254.0.1', 'link_local'],
    ['169.254.169.254', 'metadata'],
    ['169.254.170.2', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['198.18.0.1', 'benchmark'],
    ['198.19.255.255', 'benchmark'],
    ['192.0.2.1', 'documentation'],
    ['198.51.100.255', 'documentation'],
    ['203.0.113.7', 'documentation'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['0.0.0.0', 'reserved'],
    ['0.1.2.3', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['192.0.0.8', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['2606:4700:4700::1111', 'public'],
    ['2001:4860:4860::8888', 'public'],
    ['3ffe::1', 'public'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::', 'translated'],
    ['::7f00:1', 'translated'],
    ['::ffff:127.0.0.1', 'translated'],
    ['::ffff:7f00:1', 'translated'],
    ['::FFFF:8.8.8.8', 'translated'],
    ['::ffff:0:127.0.0.1', 'translated'],
    ['64:ff9b::7f00:1', 'translated'],
    ['64:ff9b::10.0.0.1', 'translated'],
    ['64:ff9b:1::1', 'translated'],
    ['2002:7f00:1::', 'translated'],
    ['2001:0:4136:e378::1', 'translated'],
    ['fc00::1', 'private'],
    ['fdff:ffff::1', 'private'],
    ['fec0::1', 'private'],
    ['fd00:ec2::254', 'metadata'],
    ['fd20:ce::254', 'metadata'],
    ['fe80::1', 'link_local'],
    ['febf::1', 'link_local'],
    ['ff02::1', 'multicast'],
    ['2001:db8::1', 'documentation'],
    ['3fff::1', 'documentation'],
    ['2001:2::1', 'benchmark'],
    ['2001:20::1', 'reserved'],
    ['100::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['4000::1', 'reserved'],
  ] as const)('%s: %s', (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  });

  test.each([
    '',
    'localhost',
    '127.1',
    '0x7f.0.0.1',
    '0177.0.0.1',
    '2130706433',
    '1.2.3.4.5',
    'fe80::1%eth0',
    '[::1]',
    '::1::',
    '1.2.3.256',
  ])('"%s" is no address', (text) => {
    expect(addressKind(text)).toBeNull();
  });

  test('IPv6: nothing outside 2000::/3 is public', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        if (addressKind(address) === 'public') expect((addressBytes(address)?.[0] ?? 0) >> 5).toBe(1);
      }),
    );
  });

  test('every spelling of an IPv6 address is judged alike', () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    const special = fc.constantFrom('::1', '::', 'fc00::', 'fe80::', '2001:db8::', '64:ff9b::', 'ff02::', '2002::');
    const some = fc.oneof(
      bytes,
      fc.tuple(special, bytes).map(([prefix, rest]) => mix(addressBytes(prefix) ?? rest, rest)),
    );
    fc.assert(
      fc.property(some, (given) => {
        const spellings = [full(given), full(given).toUpperCase(), padded(given), dotted(given), canonical(given)];
        for (const spelling of spellings) expect([...(addressBytes(spelling) ?? [])]).toEqual([...given]);
        expect(new Set(spellings.map(addressKind)).size).toBe(1);
      }),
    );
  });

  test('no IPv4 address within an IPv6 one makes it public', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '::', '64:ff9b::', '::ffff:0:'), (address, prefix) => {
        expect(['translated', 'loopback']).toContain(addressKind(prefix + address) ?? '');
      }),
    );
  });
});

describe('ranges', () => {
  test('agree with those of the runtime', () => {
    const ipv4 = fc.tuple(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 }), fc.constant('ipv4' as const));
    const ipv6 = fc.tuple(pure6, pure6, fc.integer({ min: 1, max: 128 }), fc.constant('ipv6' as const));
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), fc.boolean(), ([network, other, prefixLength, family], near) => {
        const candidate = near ? neighbour(network, prefixLength) : other;
        const list = new BlockList();
        list.addSubnet(network, prefixLength, family);
        const contains = rangeMatcher({ address: network, prefixLength });
        expect(contains(candidate)).toBe(list.check(candidate, family));
        expect(contains(network)).toBe(true);
      }),
    );
  });

  test('an IPv4 range holds no IPv6 address, mapped ones included', () => {
    expect(rangeMatcher({ address: '10.0.0.0', prefixLength: 8 })('::ffff:10.0.0.1')).toBe(false);
    expect(rangeMatcher({ address: '::', prefixLength: 0 })('10.0.0.1')).toBe(false);
  });
});

test('the address behind NAT64 is the last four bytes', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      expect(addressBehindNat64(`64:ff9b::${address}`)).toBe(address);
    }),
  );
  expect(addressBehindNat64('::ffff:10.0.0.1')).toBeNull();
  expect(addressBehindNat64('10.0.0.1')).toBeNull();
});

test('addresses are tried with their families in turn, each once', () => {
  expect(interleave(['2001::1', '2001::2', '1.1.1.1'])).toEqual(['2001::1', '1.1.1.1', '2001::2']);
  expect(interleave([])).toEqual([]);
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.ipV4(), pure6)), (addresses) => {
      expect(interleave(addresses).toSorted()).toEqual(addresses.toSorted());
      expect(interleave(addresses)[0]).toBe(addresses[0] as string);
    }),
  );
});

const hex = (bytes: Uint8Array): string[] =>
  Array.from({ length: 8 }, (_, index) => (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16));
const full = (bytes: Uint8Array): string => hex(bytes).join(':');
const padded = (bytes: Uint8Array): string =>
  hex(bytes)
    .map((group) => group.padStart(4, '0'))
    .join(':');
const dotted = (bytes: Uint8Array): string => `${hex(bytes).slice(0, 6).join(':')}:${bytes.subarray(12).join('.')}`;
const canonical = (bytes: Uint8Array): string => new URL(`http://[${full(bytes)}]/`).hostname.slice(1, -1);
const mix = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  Uint8Array.from(left, (byte, index) => (index < 12 ? byte : (right[index] ?? 0)));
/** Without a mapped one, which the runtime's lists take for IPv4. */
const pure6 = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .filter(([first]) => first !== 0)
  .map(full);
/** The last bit within the range flipped, or the first one beyond it. */
function neighbour(network: string, prefixLength: number): string {
  const bytes = Uint8Array.from(addressBytes(network) ?? []);
  const bit = prefixLength - 1;
  bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
  return bytes.length === 4 ? bytes.join('.') : full(bytes);
}
