import { and, eq, sql } from 'drizzle-orm';
import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import type { ClientId, RealmId, UserId } from '../core/ids.ts';
import { clientIsUsed } from './clients.ts';
import { databaseNow, instant } from './columns.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';

export const consents = pgTable(
  'consents',
  {
    realmId: uuid('realm_id').notNull(),
    userId: uuid('user_id').notNull(),
    clientId: text('client_id').notNull(),
    scope: text('scope').array().notNull(),
    grantedAt: instant('granted_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.realmId, table.userId, table.clientId] })],
);

export type ConsentKey = { readonly realmId: RealmId; readonly userId: UserId; readonly clientId: ClientId };

export const createConsents = (database: Database) => {
  const found = database.db
    .select({ scope: consents.scope })
    .from(consents)
    .where(
      and(
        eq(consents.realmId, sql.placeholder('realmId')),
        eq(consents.userId, sql.placeholder('userId')),
        eq(consents.clientId, sql.placeholder('clientId')),
      ),
    )
    .prepare('consent_find');
  return guarded({
    /** Adds to what was allowed before: a client that asks for less today must not ask again tomorrow. */
    async remember(
      executor: Executor,
      { realmId, userId, clientId }: ConsentKey,
      scope: readonly string[],
    ): Promise<void> {
      await executor
        .insert(consents)
        .values({ realmId, userId, clientId, scope: [...new Set(scope)], grantedAt: databaseNow })
        .onConflictDoUpdate({
          target: [consents.realmId, consents.userId, consents.clientId],
          set: {
            scope: sql`ARRAY(SELECT DISTINCT unnest(${consents.scope} || excluded.scope) ORDER BY 1)`,
            grantedAt: sql`excluded.granted_at`,
          },
        })
        .prepare('consent_remember')
        .execute();
      await clientIsUsed(executor, realmId, clientId);
    },

    /** The scopes this user allowed this client; none where nothing was asked yet. */
    async find({ realmId, userId, clientId }: ConsentKey): Promise<readonly string[]> {
      const [row] = await found.execute({ realmId, userId, clientId });
      return row?.scope ?? [];
    },

    /** Forgets it, so that the next request asks again. What was issued lives on. False: there was none. */
    async revoke({ realmId, userId, clientId }: ConsentKey, executor: Executor = database.db): Promise<boolean> {
      const gone = await executor
        .delete(consents)
        .where(and(eq(consents.realmId, realmId), eq(consents.userId, userId), eq(consents.clientId, clientId)))
        .returning({ clientId: consents.clientId });
      return gone.length > 0;
    },
  });
};
