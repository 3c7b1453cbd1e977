import type { RealmId } from '../core/ids.ts';
import type { Ceiling } from '../core/lockout.ts';
import type { Instant } from '../core/time.ts';

/** The database decides: a ceiling that an operator lifted is lifted everywhere after this. */
const longestSeconds = 10;
const mostCeilings = 10_000;

/**
 * Ceilings that the database called used up a moment ago, in this process: who goes on trying there opens no transaction
 * and waits for no row. Bounded: the one that was found used up longest ago is forgotten first.
 */
export class CrowdedCeilings {
  readonly #until = new Map<string, { readonly open: Instant; readonly ask: Instant }>();

  remember(
    realmId: RealmId,
    { key, waitSeconds }: { readonly key: string; readonly waitSeconds: number },
    now: Instant,
  ) {
    const name = nameOf(realmId, key);
    this.#until.delete(name);
    this.#until.set(name, {
      open: now + waitSeconds * 1000,
      ask: now + Math.min(waitSeconds, longestSeconds) * 1000,
    });
    const [oldest] = this.#until.keys();
    if (this.#until.size > mostCeilings && oldest !== undefined) this.#until.delete(oldest);
  }

  /** 0: none of them, as far as is known; else the seconds until there may be a try again. */
  waitSeconds(realmId: RealmId, ceilings: readonly Ceiling[], now: Instant): number {
    for (const { key } of ceilings) {
      const until = this.#until.get(nameOf(realmId, key));
      if (until !== undefined && now < until.ask) return Math.max(1, Math.ceil((until.open - now) / 1000));
    }
    return 0;
  }
}

const nameOf = (realmId: RealmId, key: string): string => `${realmId} ${key}`;
