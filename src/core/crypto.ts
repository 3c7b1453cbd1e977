import { createHash, hkdfSync, randomUUID, timingSafeEqual } from 'node:crypto';
import { encodeBase64url } from './base64url.ts';

/** The only randomness, hashing and comparison in `src/`. */

export function randomBytes(length: number): Buffer {
  return crypto.getRandomValues(Buffer.allocUnsafe(length));
}

/** 256 random bits, base64url: cookies, secrets, handles. */
export const randomToken = (): string => encodeBase64url(randomBytes(32));

export const randomId = (): string => randomUUID();

/** Bun's own hashing leaves no hash object behind, which costs more than the hash. */
export function sha256(data: string | Uint8Array): Buffer {
  const hash = Buffer.allocUnsafe(32);
  Bun.SHA256.hash(data, hash);
  return hash;
}

export const hmacSha256 = (key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Buffer => {
  const mac = new Bun.CryptoHasher('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
};

/** A 256-bit key for one purpose out of a master secret (RFC 5869). */
export const deriveKey = (master: Uint8Array, purpose: string, salt: Uint8Array = Buffer.alloc(0)): Buffer =>
  Buffer.from(hkdfSync('sha256', master, salt, purpose, 32));

/** Compares without telling by time where two values differ; lengths are public. */
export const equalConstantTime = (left: Uint8Array, right: Uint8Array): boolean =>
  left.byteLength === right.byteLength && timingSafeEqual(left, right);

/** For the hashes of OIDC Core §3.1.3.6, whose function follows the signature's algorithm. */
export const digest = (name: 'sha256' | 'sha384' | 'sha512', data: string): Buffer =>
  createHash(name).update(data).digest();
