import { randomInt } from 'node:crypto';
import { must } from './verdict.ts';

/** RFC 6749 Appendix A.5: every character that `state` may have, so that no encoding on the way goes unnoticed. */
const visible = Array.from({ length: 0x7e - 0x20 + 1 }, (_, index) => String.fromCharCode(0x20 + index)).join('');

export const randomText = (length: number, alphabet = visible): string =>
  Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join('');

export const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** Shannon's entropy of the text's own characters, in bits: what can be said of one sample. */
export function shannonEntropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  const shares = [...counts.values()].map((count) => count / text.length);
  return -text.length * shares.reduce((sum, share) => sum + share * Math.log2(share), 0);
}

/** RFC 6749 §10.10. The suite asks for 128 bits of length and leaves a margin in the entropy that it estimates. */
export function mustBeUnguessable(what: string, text: string): void {
  must(text.length * 8 >= 128, `${what} is shorter than 128 bits`);
  must(shannonEntropy(text) > 96, `${what} has ${shannonEntropy(text).toFixed(1)} bits of entropy, not above 96`);
}
