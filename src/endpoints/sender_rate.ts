import { addressPrefixes, isPrivateAddress } from '../core/lockout.ts';
import { type BucketSize, TokenBuckets } from '../core/token_bucket.ts';
import type { Realm } from '../oidc/realm.ts';
import type { Exchange } from './exchange.ts';

/** Takes one of what this sender may do; 0: taken, else the seconds until it may again. */
export type SenderRate = (exchange: Pick<Exchange, 'realm' | 'address' | 'forwarded' | 'now'>) => number;

const mostPrefixes = 10_000;

/**
 * A rate by address prefix, in each process for itself: it keeps one sender from using up what all share. A private peer is
 * a proxy that nobody declared, which stands for everyone behind it.
 */
export function createSenderRate(sizeOf: (realm: Realm) => BucketSize): SenderRate {
  const buckets = new TokenBuckets(mostPrefixes);
  return ({ realm, address, forwarded, now }) => {
    if (!forwarded && isPrivateAddress(address)) return 0;
    return buckets.take(`${realm.id} ${addressPrefixes(address).narrow}`, sizeOf(realm), now);
  };
}
