import { and, asc, eq } from 'drizzle-orm';
import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { randomToken, sha256 } from '../core/crypto.ts';
import { isUuid, newId, type RealmId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import { bytea, databaseNow, instant, secondsFromNow } from './columns.ts';
import type { Database } from './database.ts';
import { guarded } from './fault.ts';

/** Initial access tokens (RFC 7591 §1.2): who holds one may register as many clients as it is good for. */
export const registrationTokens = pgTable('registration_tokens', {
  id: uuid('id').primaryKey(),
  realmId: uuid('realm_id').notNull(),
  tokenHash: bytea('token_hash').notNull(),
  note: text('note').notNull().default(''),
  usesLeft: integer('uses_left'),
  expiresAt: instant('expires_at'),
  createdAt: instant('created_at').notNull().default(databaseNow),
});

export type RegistrationTokenRecord = Omit<typeof registrationTokens.$inferSelect, 'tokenHash' | 'realmId'>;

export type NewRegistrationToken = {
  readonly realmId: RealmId;
  readonly note: string;
  /** null: any number. */
  readonly uses: number | null;
  /** null: it does not expire. */
  readonly lifetimeSeconds: number | null;
};

const shown = {
  id: registrationTokens.id,
  note: registrationTokens.note,
  usesLeft: registrationTokens.usesLeft,
  expiresAt: registrationTokens.expiresAt,
  createdAt: registrationTokens.createdAt,
};

export const createRegistrationTokens = (database: Database) => {
  const { db } = database;
  return guarded({
    /** The token is shown this once. */
    async create({ realmId, note, uses, lifetimeSeconds }: NewRegistrationToken): Promise<{
      readonly record: RegistrationTokenRecord;
      readonly token: Secret;
    }> {
      const token = new Secret(randomToken());
      const [record] = await db
        .insert(registrationTokens)
        .values({
          id: newId(),
          realmId,
          tokenHash: sha256(token.reveal()),
          note,
          usesLeft: uses,
          expiresAt: lifetimeSeconds === null ? null : secondsFromNow(lifetimeSeconds),
        })
        .returning(shown);
      return { record: record ?? unreachable('an insert without ON CONFLICT returns its row'), token };
    },

    /** Oldest first; those that are used up or expired go with the next cleanup. */
    list(realmId: RealmId): Promise<readonly RegistrationTokenRecord[]> {
      return db
        .select(shown)
        .from(registrationTokens)
        .where(eq(registrationTokens.realmId, realmId))
        .orderBy(asc(registrationTokens.createdAt));
    },

    /** Clients that were registered with it stay. False: no such token. */
    async revoke(realmId: RealmId, id: string): Promise<boolean> {
      if (!isUuid(id)) return false;
      const gone = await db
        .delete(registrationTokens)
        .where(and(eq(registrationTokens.realmId, realmId), eq(registrationTokens.id, id)))
        .returning({ id: registrationTokens.id });
      return gone.length > 0;
    },
  });
};
