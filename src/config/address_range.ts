import { BlockList, isIP } from 'node:net';
import { ok, type Result } from '../core/result.ts';
import { listOf, quote, type Read, type Refusal, refuse, wholeNumber } from './read.ts';

/** As `net.BlockList.addSubnet(address, prefixLength, family)` takes it. */
export type AddressRange = {
  readonly family: 'ipv4' | 'ipv6';
  readonly address: string;
  readonly prefixLength: number;
};

export const readAddressRanges: Read<readonly AddressRange[]> = (typed) => {
  const ranges: AddressRange[] = [];
  for (const entry of listOf(typed)) {
    const range = readAddressRange(entry);
    if (!range.ok) return range;
    ranges.push(Object.freeze(range.value));
  }
  return ok(Object.freeze(ranges));
};

function readAddressRange(entry: string): Result<AddressRange, Refusal> {
  const [address = '', prefix, ...more] = entry.split('/');
  const version = isIP(address);
  const bits = version === 6 ? 128 : 32;
  const prefixLength = prefix === undefined ? bits : wholeNumber(prefix);
  if (version === 0 || address.includes('%') || more.length > 0 || !(prefixLength >= 0 && prefixLength <= bits)) {
    return refuse(`${quote(entry)} is no address or CIDR range`, 'write one such as 10.0.0.0/8 or fd00::/8');
  }
  if (version === 6 && address.includes('.')) {
    return refuse(`${quote(entry)} is an IPv4 address in IPv6 form`, 'write the IPv4 address');
  }
  if (prefixLength === 0) {
    // Whoever connects could then claim any address, and lockout would count nobody.
    return refuse(`${quote(entry)} trusts everybody’s forwarded headers`, 'name the addresses of your own proxies');
  }
  return ok({ family: version === 6 ? 'ipv6' : 'ipv4', address, prefixLength });
}

/** Whether an address is in one of the ranges. */
export function addressMatcher(ranges: readonly AddressRange[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefixLength, family } of ranges) list.addSubnet(address, prefixLength, family);
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
}
