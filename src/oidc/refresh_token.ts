import { decodeBase64url, encodeBase64url } from '../core/base64url.ts';
import { equalConstantTime, hmacSha256, randomBytes, sha256 } from '../core/crypto.ts';
import { brandId, bytesOfUuid, type FamilyId, type RealmId, uuidFromBytes } from '../core/ids.ts';
import type { KeyRing, RingEntry } from '../core/key_ring.ts';
import { Secret } from '../core/secret.ts';

/**
 * A refresh token: version (1) · key id (4) · family id (16) · generation (4) · secret (32) · tag (16), base64url, 98
 * characters. The tag is verified before the database is asked: what carries one was minted here, so a guess costs no
 * query and can end nobody's family. The row keeps the SHA-256 of the current secret and nothing older.
 */
export type RefreshToken = {
  readonly familyId: FamilyId;
  readonly generation: number;
  readonly secret: Secret<Buffer>;
  readonly secretHash: Buffer;
};

const version = 1;
const tagLength = 16;
const bodyLength = 1 + 4 + 16 + 4 + 32;

export function encodeRefreshToken(
  ring: KeyRing,
  realmId: RealmId,
  token: Pick<RefreshToken, 'familyId' | 'generation' | 'secret'>,
): string {
  const entry = ring.newest();
  const bytes = Buffer.allocUnsafe(bodyLength + tagLength);
  bytes.writeUInt8(version);
  bytes.write(entry.keyId, 1, 'hex');
  bytes.set(bytesOfUuid(token.familyId), 5);
  bytes.writeUInt32BE(token.generation, 21);
  bytes.set(token.secret.reveal(), 25);
  bytes.set(tagOf(entry.derive('refresh tag'), realmId, bytes.subarray(0, bodyLength)), bodyLength);
  return encodeBase64url(bytes);
}

const tagOf = (key: Buffer, realmId: RealmId, body: Buffer): Buffer =>
  hmacSha256(key, realmId, body).subarray(0, tagLength);

/** `unknown_key`: minted under a ring entry that this process does not hold; an outage, never an attack. */
export function decodeRefreshToken(
  ring: KeyRing,
  realmId: RealmId,
  text: string,
): RefreshToken | 'malformed' | 'unknown_key' {
  if (text.length !== 98) return 'malformed';
  const bytes = decodeBase64url(text);
  if (bytes === undefined || bytes.length !== bodyLength + tagLength || bytes[0] !== version) return 'malformed';
  const entry = ring.find(bytes.toString('hex', 1, 5));
  if (entry === undefined) return 'unknown_key';
  const body = bytes.subarray(0, bodyLength);
  if (!equalConstantTime(tagOf(entry.derive('refresh tag'), realmId, body), bytes.subarray(bodyLength)))
    return 'malformed';
  const secret = Buffer.from(bytes.subarray(25, bodyLength));
  return {
    familyId: brandId<FamilyId>(uuidFromBytes(bytes.subarray(5, 21))),
    generation: bytes.readUInt32BE(21),
    secret: new Secret(secret),
    secretHash: sha256(secret),
  };
}

/** The first token of a family. */
export function firstRefreshToken(familyId: FamilyId): RefreshToken {
  const secret = randomBytes(32);
  return { familyId, generation: 0, secret: new Secret(secret), secretHash: sha256(secret) };
}

/**
 * The successor: its secret follows from the predecessor's, so that presenting the parent twice gives the same heir and a
 * row that lost commits can be walked forward.
 */
export function heirOf(
  ring: KeyRing,
  parent: Pick<RefreshToken, 'familyId' | 'generation' | 'secretHash'>,
): RefreshToken {
  return heirWith(ring.newest().derive('refresh heir'), parent);
}

function heirWith(key: Buffer, parent: Pick<RefreshToken, 'familyId' | 'generation' | 'secretHash'>): RefreshToken {
  const generation = parent.generation + 1;
  const secret = hmacSha256(key, parent.secretHash, bytesOfUuid(parent.familyId), String(generation));
  return { familyId: parent.familyId, generation, secret: new Secret(secret), secretHash: sha256(secret) };
}

/** The heir that the row holds, if it is this parent's: under whichever ring entry it was made. */
export function heirHeldBy(ring: KeyRing, parent: RefreshToken, rowHash: Uint8Array): RefreshToken | null {
  for (const entry of ring.entries()) {
    const heir = heirWith(entry.derive('refresh heir'), parent);
    if (equalConstantTime(heir.secretHash, rowHash)) return heir;
  }
  return null;
}

/** How many lost commits are healed. */
export const mostLostGenerations = 8;

/**
 * Whether `token` descends from the row: the database forgot up to eight rotations (failover, restore). Ring entries may
 * have changed in between, so each step may be under any of them.
 */
export function descendsFromRow(
  ring: KeyRing,
  token: RefreshToken,
  row: { readonly generation: number; readonly secretHash: Uint8Array },
): boolean {
  const gap = token.generation - row.generation;
  if (gap < 1 || gap > mostLostGenerations) return false;
  let front: readonly Line[] = [{ secretHash: Buffer.from(row.secretHash), keyId: null, changes: 0 }];
  for (let generation = row.generation; generation < token.generation; generation += 1) {
    front = front
      .flatMap((line) => ring.entries().map((entry) => prolong(line, entry, { familyId: token.familyId, generation })))
      .toSorted((left, right) => left.changes - right.changes)
      .slice(0, widestFront);
  }
  return front.some(({ secretHash }) => equalConstantTime(secretHash, token.secretHash));
}

/** One possible descent: the hash it has come to, the key of its last step and how often the key changed on the way. */
type Line = { readonly secretHash: Buffer; readonly keyId: string | null; readonly changes: number };

function prolong(line: Line, entry: RingEntry, at: Pick<RefreshToken, 'familyId' | 'generation'>): Line {
  const { secretHash } = heirWith(entry.derive('refresh heir'), { ...at, secretHash: line.secretHash });
  const changed = line.keyId !== null && line.keyId !== entry.keyId;
  return { secretHash, keyId: entry.keyId, changes: line.changes + (changed ? 1 : 0) };
}

/** A ring rarely changes: of very many descents those with the fewest changes of key are followed. */
const widestFront = 512;
