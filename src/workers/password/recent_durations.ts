import { randomBytes } from '../../core/crypto.ts';

const kept = 128;

/** How long this process's latest real verifications took, from request to verdict, in milliseconds. */
export class RecentDurations {
  #samples: number[] = [];

  record(milliseconds: number): void {
    this.#samples = [...this.#samples.slice(1 - kept), milliseconds];
  }

  /** One of them at random; null while there is none. */
  draw(): number | null {
    if (this.#samples.length === 0) return null;
    return this.#samples[randomBytes(4).readUInt32BE() % this.#samples.length] ?? null;
  }
}
