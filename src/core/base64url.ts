/** base64url without padding (RFC 7515 §2). */
export const encodeBase64url = (bytes: Uint8Array): string =>
  bytes.toBase64({ alphabet: 'base64url', omitPadding: true });

const alphabet = /^[A-Za-z0-9_-]*$/;

/** The bytes, or `undefined` for anything but the one canonical spelling of them. */
export function decodeBase64url(text: string): Buffer | undefined {
  if (!alphabet.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
