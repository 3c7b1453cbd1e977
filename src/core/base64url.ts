/** base64url without padding (RFC 7515 §2). */
export const encodeBase64url = (bytes: Uint8Array): string =>
  bytes.toBase64({ alphabet: 'base64url', omitPadding: true });

/** The bytes, or `undefined` for anything but the one canonical spelling of them. */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  // What was skipped, padded or of another alphabet does not come back as it was sent.
  return bytes.toString('base64url') === text ? bytes : undefined;
}
