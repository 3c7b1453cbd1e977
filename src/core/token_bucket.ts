import type { Instant } from './time.ts';

export type BucketSize = {
  readonly capacity: number;
  /** An empty bucket is full again after this. */
  readonly refillSeconds: number;
};

/** Rates by key, in this process only. Bounded: the key that was quiet for longest is forgotten first. */
export class TokenBuckets {
  readonly #most: number;
  readonly #buckets = new Map<string, { readonly level: number; readonly at: Instant }>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes one; gives the seconds until there is one again, 0 where it was taken. */
  take(key: string, { capacity, refillSeconds }: BucketSize, now: Instant): number {
    const known = this.#buckets.get(key);
    const perMillisecond = capacity / (refillSeconds * 1000);
    // A clock that was set back refills nothing.
    const gained = known === undefined ? capacity : Math.max(0, now - known.at) * perMillisecond;
    const level = Math.min(capacity, (known?.level ?? 0) + gained);
    if (level < 1) return Math.ceil((1 - level) / perMillisecond / 1000);
    this.#buckets.delete(key);
    this.#buckets.set(key, { level: level - 1, at: now });
    const [quietest] = this.#buckets.keys();
    if (this.#buckets.size > this.#most && quietest !== undefined) this.#buckets.delete(quietest);
    return 0;
  }
}
