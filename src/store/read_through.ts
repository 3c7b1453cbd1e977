import { LRUCache } from 'lru-cache';
import type { Instant } from '../core/time.ts';

/** What a load gives. From `staleAt` on it is loaded again even if nothing was written; null: never. */
export type Loaded<Value> = { readonly value: Value; readonly staleAt: Instant | null };

/** More attempts than this in a row only come from configuration that is written without pause. */
const mostAttempts = 3;

/**
 * A bounded cache in front of a loader. One load per key at a time; what is not there is remembered too, apart, so that
 * made-up names cannot push out real ones. `clear` also discards loads in flight: their callers load again.
 */
export class ReadThrough<Value extends object> {
  readonly #found: LRUCache<string, Loaded<Value>>;
  readonly #absent: LRUCache<string, true>;
  #loads = new Map<string, Promise<Loaded<Value> | null>>();

  constructor(sizes: { readonly found: number; readonly absent: number }) {
    this.#found = new LRUCache({ max: sizes.found });
    this.#absent = new LRUCache({ max: sizes.absent });
  }

  async get(key: string, now: Instant, load: () => Promise<Loaded<Value> | null>): Promise<Value | null> {
    const known = this.#found.get(key);
    if (known !== undefined && (known.staleAt === null || now < known.staleAt)) return known.value;
    if (this.#absent.has(key)) return null;
    for (let attempt = 1; ; attempt += 1) {
      const loads = this.#loads;
      const loaded = await this.#loadOnce(key, load);
      if (loads === this.#loads || attempt === mostAttempts) return loaded?.value ?? null;
    }
  }

  clear(): void {
    this.#found.clear();
    this.#absent.clear();
    this.#loads = new Map();
  }

  #loadOnce(key: string, load: () => Promise<Loaded<Value> | null>): Promise<Loaded<Value> | null> {
    const loads = this.#loads;
    const running = loads.get(key);
    if (running !== undefined) return running;
    const started = load()
      .then((loaded) => {
        if (loads === this.#loads) this.#keep(key, loaded);
        return loaded;
      })
      .finally(() => loads.delete(key));
    loads.set(key, started);
    return started;
  }

  #keep(key: string, loaded: Loaded<Value> | null): void {
    this.#found.delete(key);
    if (loaded === null) this.#absent.set(key, true);
    else this.#found.set(key, loaded);
  }
}
