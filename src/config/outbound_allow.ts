import { isIP } from 'node:net';
import { ok } from '../core/result.ts';
import { type AddressRange, readAddressRanges } from './address_range.ts';
import { isLoopback, readHost } from './public_url.ts';
import { listOf, quote, type Read, refuse } from './read.ts';

/** Where requests may go although it is not the public internet. */
export type OutboundAllow = {
  /** Lower case; `*.corp.example` stands for all names below `corp.example`. */
  readonly hosts: readonly string[];
  readonly ranges: readonly AddressRange[];
};

export const nothingAllowed: OutboundAllow = Object.freeze({ hosts: Object.freeze([]), ranges: Object.freeze([]) });

export const readOutboundAllow: Read<OutboundAllow> = (typed) => {
  const hosts: string[] = [];
  const ranges: AddressRange[] = [];
  for (const entry of listOf(typed)) {
    const [address = ''] = entry.split('/');
    if (isLoopback(address.toLowerCase()) || address === '::1') {
      return refuse(`${quote(entry)} is this machine itself`, 'set LIMEN_OUTBOUND_LOOPBACK to true instead');
    }
    if (/\/0+$/.test(entry)) return refuse(`${quote(entry)} allows every address`, 'name the ranges that are meant');
    if (entry.includes('/') || isIP(address) !== 0) {
      const read = readAddressRanges(entry);
      if (!read.ok) return read;
      ranges.push(...read.value);
    } else if (isHostEntry(entry)) {
      hosts.push(entry.toLowerCase());
    } else {
      return refuse(
        `${quote(entry)} is no host name, address or CIDR range`,
        'write one such as idp.corp.example, *.corp.example or 10.0.0.0/8, without scheme and port',
      );
    }
  }
  return ok(Object.freeze({ hosts: Object.freeze(hosts), ranges: Object.freeze(ranges) }));
};

/** URL parsers take a name whose last label is a number for an address. */
const isHostEntry = (entry: string): boolean =>
  readHost(entry.replace(/^\*\./, '')).ok && !entry.includes('..') && !/(^|\.)(\d+|0x[\da-f]*)$/i.test(entry);
