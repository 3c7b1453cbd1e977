/**
 * How many attempts of one address prefix may wait at the same time, locked or not: so a refusal here says nothing of any
 * account, and the timers that locked answers wait by cannot be piled up.
 */
export class PrefixLimit {
  readonly #perPrefix: number;
  readonly #overall: number;
  readonly #waiting = new Map<string, number>();
  #total = 0;

  constructor(limits: { readonly perPrefix: number; readonly overall: number }) {
    this.#perPrefix = limits.perPrefix;
    this.#overall = limits.overall;
  }

  /** The function to call at the end, or null: too many. `prefix` null: an address that stands for many people. */
  enter(prefix: string | null): (() => void) | null {
    const waiting = prefix === null ? 0 : (this.#waiting.get(prefix) ?? 0);
    if (waiting >= this.#perPrefix || this.#total >= this.#overall) return null;
    this.#add(prefix, 1);
    return () => this.#add(prefix, -1);
  }

  #add(prefix: string | null, change: 1 | -1): void {
    this.#total += change;
    if (prefix === null) return;
    const waiting = (this.#waiting.get(prefix) ?? 0) + change;
    if (waiting === 0) this.#waiting.delete(prefix);
    else this.#waiting.set(prefix, waiting);
  }
}
