import type { LockoutKey } from '../../core/lockout.ts';

/** Lets attempts that must wait for a verdict on their key hear of it; verdicts of other processes are found by asking again. */
export class Verdicts {
  readonly #listeners = new Map<string, Set<() => void>>();

  announce(key: LockoutKey): void {
    for (const wake of this.#listeners.get(textOf(key)) ?? []) wake();
  }

  /** Resolves at the next verdict on the key in this process, after the time, or at the signal. */
  next(key: LockoutKey, milliseconds: number, signal: AbortSignal): Promise<void> {
    const text = textOf(key);
    return new Promise((resolve) => {
      const listeners = this.#listeners.get(text) ?? new Set();
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        listeners.delete(wake);
        if (listeners.size === 0) this.#listeners.delete(text);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      signal.addEventListener('abort', wake, { once: true });
      this.#listeners.set(text, listeners.add(wake));
      if (signal.aborted) wake();
    });
  }
}

const textOf = ({ realmId, subject, context }: LockoutKey): string => `${realmId}\n${subject}\n${context}`;
