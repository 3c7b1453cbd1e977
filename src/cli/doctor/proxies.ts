import type { Config } from '../../config.ts';
import { type Finding, fine, warn } from './finding.ts';

/** Wider than any proxy's own network; within it, whoever connects is believed about where it comes from. */
const widest = { ipv4: 8, ipv6: 16 } as const;

export function examineProxies({ trustedProxies }: Pick<Config, 'trustedProxies'>): readonly Finding[] {
  if (trustedProxies.length === 0) return [];
  const wide = trustedProxies.filter((range) => range.prefixLength < widest[range.family]);
  const shown = (ranges: Config['trustedProxies']): string =>
    ranges.map(({ address, prefixLength }) => `${address}/${prefixLength}`).join(', ');
  return wide.length === 0
    ? [fine('proxies', `forwarded headers are believed from ${shown(trustedProxies)}`)]
    : [
        warn(
          'proxies',
          `${shown(wide)} is very wide`,
          'name only your own proxies: who is in it can pose as anyone’s address',
        ),
      ];
}
