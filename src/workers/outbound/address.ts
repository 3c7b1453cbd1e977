import { isIP } from 'node:net';

/**
 * What an address is (RFC 6890 and the IANA special-purpose registries). Pure. Judged by bytes, never by spelling: what
 * cannot be read as an address is null, and whoever asks must deny it.
 */
export type AddressKind =
  | 'public'
  | 'loopback'
  | 'private'
  | 'shared'
  | 'benchmark'
  | 'link_local'
  | 'documentation'
  | 'translated'
  | 'metadata'
  | 'multicast'
  | 'reserved';

/** `prefixLength` in bits; an IPv4 range has an IPv4 address. */
export type AddressRange = { readonly address: string; readonly prefixLength: number };

type Row = readonly [address: string, prefixLength: number, kind: AddressKind];

/** The first row that holds an address names it; an address that no row holds is `public` in IPv4, `reserved` in IPv6. */
const rows: readonly Row[] = [
  // What clouds tell their own machines: credentials, for anybody who can ask.
  ['169.254.169.254', 32, 'metadata'],
  ['169.254.170.2', 32, 'metadata'],
  ['169.254.170.23', 32, 'metadata'],
  ['100.100.100.200', 32, 'metadata'],
  ['168.63.129.16', 32, 'metadata'],
  ['192.0.0.192', 32, 'metadata'],
  ['fd00:ec2::', 32, 'metadata'],
  ['fd20:ce::254', 128, 'metadata'],
  ['0.0.0.0', 8, 'reserved'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link_local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'documentation'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'benchmark'],
  ['198.51.100.0', 24, 'documentation'],
  ['203.0.113.0', 24, 'documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
  ['::1', 128, 'loopback'],
  // An IPv4 address within: mapped (RFC 4291 §2.5.5), NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380).
  ['::', 96, 'translated'],
  ['::ffff:0:0', 96, 'translated'],
  ['::ffff:0:0:0', 96, 'translated'],
  ['64:ff9b::', 96, 'translated'],
  ['64:ff9b:1::', 48, 'translated'],
  ['2001::', 32, 'translated'],
  ['2002::', 16, 'translated'],
  ['2001:2::', 48, 'benchmark'],
  ['2001:db8::', 32, 'documentation'],
  ['2001::', 23, 'reserved'],
  ['3fff::', 20, 'documentation'],
  ['2000::', 3, 'public'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link_local'],
  ['fec0::', 10, 'private'],
  ['ff00::', 8, 'multicast'],
];

const ranges = rows.map(([address, prefixLength, kind]) => ({ holds: prefixMatcher({ address, prefixLength }), kind }));

/** null: no address. */
export function addressKind(address: string): AddressKind | null {
  const bytes = addressBytes(address);
  if (bytes === null) return null;
  const range = ranges.find(({ holds }) => holds(bytes));
  return range?.kind ?? (bytes.length === 4 ? 'public' : 'reserved');
}

/** Whether an address is in the range. An IPv4 address is in no IPv6 range, and the other way round. */
export function rangeMatcher(range: AddressRange): (address: string) => boolean {
  const holds = prefixMatcher(range);
  return (address) => {
    const bytes = addressBytes(address);
    return bytes !== null && holds(bytes);
  };
}

function prefixMatcher({ address, prefixLength }: AddressRange): (bytes: Uint8Array) => boolean {
  const network = addressBytes(address);
  if (network === null) throw new Error(`no address: ${address}`);
  const shifts = Array.from(network, (_, index) => 8 - Math.min(8, Math.max(0, prefixLength - index * 8)));
  return (bytes) =>
    bytes.length === network.length &&
    shifts.every((shift, index) => (network[index] ?? 0) >> shift === (bytes[index] ?? 0) >> shift);
}

const nat64 = rangeMatcher({ address: '64:ff9b::', prefixLength: 96 });

/** The IPv4 address that a translator at the well-known prefix connects to (RFC 6052 §2.1); null: not of that prefix. */
export function addressBehindNat64(address: string): string | null {
  const bytes = addressBytes(address);
  return bytes !== null && nat64(address) ? bytes.subarray(12).join('.') : null;
}

/** 4 or 16 bytes; null: no address. A zone (`fe80::1%eth0`) is none: it means something on one machine only. */
export function addressBytes(address: string): Uint8Array | null {
  if (address.includes('%')) return null;
  const version = isIP(address);
  if (version === 0) return null;
  return version === 4 ? Uint8Array.from(address.split('.'), Number) : ipv6Bytes(address);
}

function ipv6Bytes(address: string): Uint8Array {
  const [head = [], tail = []] = address.split('::').map(groupsOf);
  const zeros = Array.from({ length: Math.max(0, 8 - head.length - tail.length) }, () => 0);
  return Uint8Array.from([...head, ...zeros, ...tail].flatMap((group) => [group >> 8, group & 0xff]));
}

/** 16-bit groups; a dotted end is two of them. */
function groupsOf(part: string): number[] {
  return part
    .split(':')
    .filter((group) => group !== '')
    .flatMap((group) => {
      if (!group.includes('.')) return [Number.parseInt(group, 16)];
      const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
      return [(a << 8) | b, (c << 8) | d];
    });
}
