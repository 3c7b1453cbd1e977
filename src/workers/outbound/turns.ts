/**
 * How many requests are under way at once, overall and per host; the rest wait in order. One host that is slow holds its
 * own places only.
 */
export class Turns {
  readonly #bounds: { readonly atOnce: number; readonly atOncePerHost: number; readonly waiting: number };
  readonly #taken = new Map<string, number>();
  #total = 0;
  #queue: { readonly host: string; readonly grant: () => void }[] = [];

  constructor(bounds: { readonly atOnce: number; readonly atOncePerHost: number; readonly waiting: number }) {
    this.#bounds = bounds;
  }

  /** Whoever was granted a turn must give it back. */
  take(host: string, signal: AbortSignal): Promise<'granted' | 'full' | 'late'> {
    if (signal.aborted) return Promise.resolve('late');
    if (this.#isFree(host)) {
      this.#count(host, 1);
      return Promise.resolve('granted');
    }
    if (this.#queue.length >= this.#bounds.waiting) return Promise.resolve('full');
    return new Promise((resolve) => {
      const waiting = {
        host,
        grant: () => {
          signal.removeEventListener('abort', giveUp);
          resolve('granted');
        },
      };
      const giveUp = (): void => {
        this.#queue = this.#queue.filter((other) => other !== waiting);
        resolve('late');
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.#queue.push(waiting);
    });
  }

  giveBack(host: string): void {
    this.#count(host, -1);
    const next = this.#queue.find((waiting) => this.#isFree(waiting.host));
    if (next === undefined) return;
    this.#queue = this.#queue.filter((other) => other !== next);
    this.#count(next.host, 1);
    next.grant();
  }

  #isFree(host: string): boolean {
    return this.#total < this.#bounds.atOnce && (this.#taken.get(host) ?? 0) < this.#bounds.atOncePerHost;
  }

  #count(host: string, change: 1 | -1): void {
    this.#total += change;
    const taken = (this.#taken.get(host) ?? 0) + change;
    if (taken === 0) this.#taken.delete(host);
    else this.#taken.set(host, taken);
  }
}
