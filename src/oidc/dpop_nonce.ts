import { decodeBase64url, encodeBase64url } from '../core/base64url.ts';
import { equalConstantTime, hmacSha256 } from '../core/crypto.ts';
import type { RealmId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import type { Instant } from '../core/time.ts';

/**
 * RFC 9449 §8: nonces that nobody stores. key id (4) · window (4) · tag (16), base64url, 32 characters: the number of the
 * span of time in which it was given out, under a key of the ring. One is given to everybody for the whole span; that a
 * proof counts once is the `jti`'s part.
 */
const windowSeconds = 120;
const headerLength = 4 + 4;
const tagLength = 16;

export function newDpopNonce(ring: KeyRing, realmId: RealmId, now: Instant): string {
  const entry = ring.newest();
  const bytes = Buffer.allocUnsafe(headerLength + tagLength);
  bytes.write(entry.keyId, 0, 'hex');
  bytes.writeUInt32BE(windowOf(now), 4);
  bytes.set(tagOf(entry.derive('dpop nonce'), realmId, bytes.subarray(0, headerLength)), headerLength);
  return encodeBase64url(bytes);
}

/** Taken through the span after its own; and one span early, from a process whose clock is ahead of ours. */
export function isDpopNonce(ring: KeyRing, realmId: RealmId, nonce: string, now: Instant): boolean {
  const bytes = decodeBase64url(nonce);
  if (bytes === undefined || bytes.length !== headerLength + tagLength) return false;
  const entry = ring.find(bytes.toString('hex', 0, 4));
  if (entry === undefined || Math.abs(windowOf(now) - bytes.readUInt32BE(4)) > 1) return false;
  const tag = tagOf(entry.derive('dpop nonce'), realmId, bytes.subarray(0, headerLength));
  return equalConstantTime(tag, bytes.subarray(headerLength));
}

const windowOf = (now: Instant): number => Math.floor(now / 1000 / windowSeconds);

const tagOf = (key: Buffer, realmId: RealmId, header: Buffer): Buffer =>
  hmacSha256(key, realmId, header).subarray(0, tagLength);
