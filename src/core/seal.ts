import { createCipheriv, createDecipheriv } from 'node:crypto';
import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { deriveKey, hmacSha256 } from './crypto.ts';
import { bytesOfUuid, uuidFromBytes } from './ids.ts';
import type { KeyRing } from './key_ring.ts';

/**
 * Sealing: AES-256-GCM under a key of its own per object, so that no key ever meets two objects.
 * Layout, base64url: version (1) · key id (4) · object id (16) · nonce (12) · ciphertext · tag (16).
 * Additional data: version · purpose · scope. The nonce is derived from the plaintext: sealing the same object again gives
 * the same text, and another text under the same object id never shares a nonce with it.
 */
const version = 1;
const headerLength = 1 + 4 + 16;
const nonceLength = 12;
const tagLength = 16;

export type SealPurpose = 'authorization code' | 'device code' | 'access token' | 'run' | 'column' | 'notice';

export type Sealed = { readonly objectId: string; readonly plaintext: Buffer };

/** `scope` is what the object belongs to (realm; for a column: table, row and column) and must be the same to open. */
export function seal(
  ring: KeyRing,
  purpose: SealPurpose,
  scope: string,
  object: { readonly objectId: string; readonly plaintext: string | Uint8Array },
): string {
  const entry = ring.newest();
  const header = Buffer.concat([Buffer.from([version]), Buffer.from(entry.keyId, 'hex'), bytesOfUuid(object.objectId)]);
  const keys = objectKeys(entry.derive(`seal ${purpose}`), header);
  const nonce = hmacSha256(keys.nonceKey, object.plaintext).subarray(0, nonceLength);
  const cipher = createCipheriv('aes-256-gcm', keys.sealKey, nonce);
  cipher.setAAD(additionalData(purpose, scope));
  const ciphertext = Buffer.concat([cipher.update(object.plaintext), cipher.final()]);
  return encodeBase64url(Buffer.concat([header, nonce, ciphertext, cipher.getAuthTag()]));
}

/** What was sealed, or why it could not be opened. An unknown key is told apart: it is an outage, never an attack. */
export function open(
  ring: KeyRing,
  purpose: SealPurpose,
  scope: string,
  sealed: string,
): Sealed | 'malformed' | 'unknown_key' {
  const bytes = decodeBase64url(sealed);
  if (bytes === undefined || bytes.length < headerLength + nonceLength + tagLength || bytes[0] !== version) {
    return 'malformed';
  }
  const entry = ring.find(bytes.toString('hex', 1, 5));
  if (entry === undefined) return 'unknown_key';
  const header = bytes.subarray(0, headerLength);
  const nonce = bytes.subarray(headerLength, headerLength + nonceLength);
  const decipher = createDecipheriv('aes-256-gcm', objectKeys(entry.derive(`seal ${purpose}`), header).sealKey, nonce);
  decipher.setAAD(additionalData(purpose, scope));
  decipher.setAuthTag(bytes.subarray(-tagLength));
  try {
    const body = bytes.subarray(headerLength + nonceLength, -tagLength);
    const plaintext = Buffer.concat([decipher.update(body), decipher.final()]);
    return { objectId: uuidFromBytes(header.subarray(5)), plaintext };
  } catch {
    return 'malformed';
  }
}

function objectKeys(purposeKey: Buffer, header: Buffer): { sealKey: Buffer; nonceKey: Buffer } {
  return { sealKey: deriveKey(purposeKey, 'seal', header), nonceKey: deriveKey(purposeKey, 'nonce', header) };
}

const additionalData = (purpose: SealPurpose, scope: string): Buffer => Buffer.from(`${version}\n${purpose}\n${scope}`);
