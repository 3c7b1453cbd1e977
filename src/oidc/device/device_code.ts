import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { randomToken, sha256 } from '../../core/crypto.ts';
import { brandId, type FamilyId, type RealmId } from '../../core/ids.ts';
import type { KeyRing } from '../../core/key_ring.ts';
import { open, seal } from '../../core/seal.ts';

/**
 * A device code is a sealed value that names its row by the id of the family that redeeming creates. The seal refuses
 * noise, another client's and one that is long over without asking the database; the row keeps the code's SHA-256.
 */
const schema = Type.Object({
  client_id: Type.String(),
  /** Milliseconds. */
  expires_at: Type.Integer(),
  /** 256 random bits (RFC 8628 §5.2). */
  secret: Type.String(),
});
const compiled = TypeCompiler.Compile(schema);

export type DeviceCode = {
  readonly familyId: FamilyId;
  readonly content: Static<typeof schema>;
  readonly hash: Uint8Array;
};

export function sealDeviceCode(
  ring: KeyRing,
  realmId: RealmId,
  {
    familyId,
    clientId,
    expiresAt,
  }: { readonly familyId: FamilyId; readonly clientId: string; readonly expiresAt: number },
): string {
  const content = { client_id: clientId, expires_at: expiresAt, secret: randomToken() };
  return seal(ring, 'device code', realmId, { objectId: familyId, plaintext: JSON.stringify(content) });
}

export const hashOfDeviceCode = (code: string): Uint8Array => sha256(code);

export function openDeviceCode(
  ring: KeyRing,
  realmId: RealmId,
  sealed: string,
): DeviceCode | 'malformed' | 'unknown_key' {
  const opened = open(ring, 'device code', realmId, sealed);
  if (typeof opened === 'string') return opened;
  const content: unknown = JSON.parse(opened.plaintext.toString('utf8'));
  if (!compiled.Check(content)) return 'malformed';
  return { familyId: brandId<FamilyId>(opened.objectId), content, hash: hashOfDeviceCode(sealed) };
}
