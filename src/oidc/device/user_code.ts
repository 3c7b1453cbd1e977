import { randomBytes } from '../../core/crypto.ts';

/** RFC 8628 §6.1: letters that spell no word, look like no digit and are on every keyboard: 34.5 bits in eight of them. */
export const userCodeAlphabet = 'BCDFGHJKLMNPQRSTVWXZ';
export const userCodeLength = 8;

const written = new RegExp(`^[${userCodeAlphabet}]{${userCodeLength}}$`, 'i');
/** Whatever people put between letters, and what no eye sees. */
const separators = /[\s\p{P}\p{S}\p{Cf}]/gu;
const longestTyped = 64;

/** Bytes above the largest multiple of the alphabet's length are thrown away: every letter is as likely as any other. */
const fairBytes = 256 - (256 % userCodeAlphabet.length);

export function newUserCode(): string {
  let code = '';
  while (code.length < userCodeLength) {
    for (const byte of randomBytes(userCodeLength)) {
      if (byte < fairBytes) code += userCodeAlphabet.charAt(byte % userCodeAlphabet.length);
    }
  }
  return code.slice(0, userCodeLength);
}

/** As it is kept, whatever the case and the separators; null: it can be none of ours. */
export function normalizeUserCode(typed: string): string | null {
  if (typed.length > longestTyped) return null;
  const letters = typed.normalize('NFKC').replaceAll(separators, '');
  return written.test(letters) ? letters.toUpperCase() : null;
}

/** As it is shown, in two halves that can be read out. */
export const formatUserCode = (code: string): string =>
  `${code.slice(0, userCodeLength / 2)}-${code.slice(userCodeLength / 2)}`;
