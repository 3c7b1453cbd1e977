/**
 * Client secrets are not locked by failures, so one that somebody chose must be beyond guessing: 128 bits (RFC 6749 §10.10).
 * How a text came about cannot be seen, so this judges by its form, and against it in doubt.
 */
const leastBits = 128;
const fewestDistinct = 10;

/** Bits that a character of such a text is worth, by the narrowest form that fits; words are worth little. */
const forms: readonly { readonly pattern: RegExp; readonly bitsPerCharacter: number }[] = [
  { pattern: /^\d+$/, bitsPerCharacter: 3 },
  { pattern: /^([0-9a-f]+|[0-9A-F]+)$/, bitsPerCharacter: 4 },
  { pattern: /^(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[!-~]+$/, bitsPerCharacter: 5.9 },
  { pattern: /^(?=.*\d)(?=.*[a-zA-Z])[!-~]+$/, bitsPerCharacter: 4 },
];
const proseBitsPerCharacter = 2;

/** Why a chosen secret is refused, and how to get a better one; null: it is long and mixed enough. Never repeats it. */
export function refuseChosenSecret(secret: string): string | null {
  const form = forms.find(({ pattern }) => pattern.test(secret));
  const bits = secret.length * (form?.bitsPerCharacter ?? proseBitsPerCharacter);
  if (bits >= leastBits && new Set(secret).size >= fewestDistinct) return null;
  return `looks like less than ${leastBits} bits of chance; make one with \`limen secrets generate\``;
}
