import { sql } from 'drizzle-orm';
import { customType } from 'drizzle-orm/pg-core';
import type { Instant } from '../core/time.ts';

/**
 * Column types whose values are the same in Drizzle and in raw SQL: `database.ts` sets the codecs on the client, so these
 * do nothing but name the type. Use them instead of Drizzle's `timestamp` and `jsonb`.
 */

/** timestamptz ↔ milliseconds since the epoch; the database's microseconds are cut. */
export const instant = customType<{ data: Instant; driverData: Instant }>({ dataType: () => 'timestamptz' });

/** bytea ↔ bytes. */
export const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });

/** jsonb ↔ an object or array that only this store writes, so its type is what the store wrote. */
export const json = <Document extends object>(name: string) =>
  customType<{ data: Document; driverData: Document }>({ dataType: () => 'jsonb' })(name);

/** The database's clock, which judges every window that guards state; tests shift it. */
export const databaseNow = sql<Instant>`limen_now()`;

/** `limen_now()` moved by a number of seconds, which may be a placeholder. */
export const secondsFromNow = (seconds: unknown) => sql<Instant>`limen_now() + make_interval(secs => ${seconds})`;
