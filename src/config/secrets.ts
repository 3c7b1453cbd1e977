import { decodeBase64url } from '../core/base64url.ts';
import { ok } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { listOf, type Read, refuse } from './read.ts';

const secretLength = 32;
const mend = 'make one with `limen secrets generate`';

/** Entries are named by their place, never shown. 64 characters are hex, 43 are base64url (44 with padding). */
export const readSecrets: Read<readonly Secret<Uint8Array>[]> = (typed) => {
  const entries = listOf(typed);
  if (entries.length === 0) return refuse('has no entry', mend);
  const secrets: Secret<Uint8Array>[] = [];
  const seen = new Set<string>();
  for (const [index, entry] of entries.entries()) {
    const where = `entry ${index + 1} of ${entries.length}`;
    const bytes = decodeSecret(entry);
    if (bytes?.byteLength !== secretLength) {
      return refuse(`${where} (${entry.length} characters) is not 256 bits in base64url or hex`, mend);
    }
    // 32 random bytes have about 30 different values; fewer than 16 happens to nobody.
    if (new Set(bytes).size < secretLength / 2) return refuse(`${where} does not look random`, mend);
    const spelling = bytes.toString('hex');
    if (seen.has(spelling)) return refuse(`${where} repeats an earlier one`, 'write each secret once');
    seen.add(spelling);
    secrets.push(new Secret<Uint8Array>(bytes));
  }
  return ok(Object.freeze(secrets));
};

const decodeSecret = (entry: string): Buffer | undefined =>
  /^[0-9a-fA-F]{64}$/.test(entry) ? Buffer.from(entry, 'hex') : decodeBase64url(entry.replace(/=$/, ''));
