import { LRUCache } from 'lru-cache';
import type { Instant } from '../../core/time.ts';

export type LockedKey = { readonly realmId: string; readonly name: string; readonly context: string };

const rememberedKeys = 20_000;

/**
 * Keys that the database called locked a moment ago: an attack on one reaches neither a hash nor the database. It is
 * remembered for a few seconds at most, because the database decides: an unlocking is in force everywhere after them.
 */
export class LockedCache {
  readonly #until = new LRUCache<string, Instant>({ max: rememberedKeys });
  readonly #longestMilliseconds: number;

  constructor(longestMilliseconds: number) {
    this.#longestMilliseconds = longestMilliseconds;
  }

  remember(key: LockedKey, remainingMilliseconds: number, now: Instant): void {
    this.#until.set(textOf(key), now + Math.min(remainingMilliseconds, this.#longestMilliseconds));
  }

  remainingMilliseconds(key: LockedKey, now: Instant): number {
    return Math.max(0, (this.#until.get(textOf(key)) ?? now) - now);
  }
}

const textOf = ({ realmId, name, context }: LockedKey): string => `${realmId}\n${name}\n${context}`;
