import { randomBytes } from './crypto.ts';
import type { Instant } from './time.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type RealmId = Branded<'RealmId'>;
export type ClientId = Branded<'ClientId'>;
export type UserId = Branded<'UserId'>;
export type SessionId = Branded<'SessionId'>;
export type RunId = Branded<'RunId'>;
export type FamilyId = Branded<'FamilyId'>;

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export const isUuid = (text: string): boolean => uuidPattern.test(text);

/** The one place where plain text becomes a branded id: for rows the store read and values a seal or tag vouches for. */
export const brandId = <Id extends string>(text: string): Id => text as Id;

/** A UUIDv7: sorts by its creation time. */
export const newId = <Id extends string>(): Id => brandId<Id>(Bun.randomUUIDv7());

/**
 * A UUIDv8 whose first 48 bits are an instant in milliseconds, so that a table partitioned by range of this key has the
 * key itself unique. The other 74 free bits are random.
 */
export function newTimedId<Id extends string>(instant: Instant): Id {
  // NaN would be written as 1970.
  if (Number.isNaN(instant)) throw new RangeError('an instant must be a number');
  const bytes = randomBytes(16);
  bytes.writeUIntBE(instant, 0, 6);
  bytes[6] = 0x80 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  return brandId<Id>(uuidFromBytes(bytes));
}

/** The instant that `newTimedId` was given. */
export const instantOfTimedId = (id: string): Instant => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

export function uuidFromBytes(bytes: Uint8Array): string {
  const hex = bytes.toHex();
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

export const bytesOfUuid = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex');
