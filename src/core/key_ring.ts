import { deriveKey, sha256 } from './crypto.ts';
import type { Secret } from './secret.ts';

/** One master secret of `LIMEN_SECRETS`. Its id is public: the first four bytes of the hash of a value derived from it. */
export type RingEntry = { readonly keyId: string; readonly derive: (purpose: string) => Buffer };

/**
 * The key ring (newest entry first). Everything sealed or tagged names the `keyId` that made it; it opens with any entry
 * and is made with `newest()`, which the heartbeat lowers to the newest entry that every live process holds.
 */
export class KeyRing {
  readonly #entries: readonly RingEntry[];
  #current: RingEntry;

  constructor(masters: readonly Secret<Uint8Array>[]) {
    const entries = masters.map(toEntry);
    const [first] = entries;
    if (first === undefined) throw new Error('a key ring needs at least one secret');
    this.#entries = entries;
    this.#current = first;
  }

  newest(): RingEntry {
    return this.#current;
  }

  find(keyId: string): RingEntry | undefined {
    return this.#entries.find((entry) => entry.keyId === keyId);
  }

  entries(): readonly RingEntry[] {
    return this.#entries;
  }

  keyIds(): readonly string[] {
    return this.#entries.map((entry) => entry.keyId);
  }

  /** Makes new things with the newest entry whose id every live process announced, if there is one. */
  restrictTo(sharedKeyIds: ReadonlySet<string>): void {
    this.#current = this.#entries.find((entry) => sharedKeyIds.has(entry.keyId)) ?? this.#current;
  }
}

function toEntry(master: Secret<Uint8Array>): RingEntry {
  const derived = new Map<string, Buffer>();
  const derive = (purpose: string): Buffer => {
    const known = derived.get(purpose);
    if (known !== undefined) return known;
    const key = deriveKey(master.reveal(), `limen/${purpose}`);
    derived.set(purpose, key);
    return key;
  };
  return { keyId: sha256(derive('key id')).toString('hex', 0, 4), derive };
}
