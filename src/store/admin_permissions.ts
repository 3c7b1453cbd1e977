import { and, asc, eq, isNull } from 'drizzle-orm';
import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { brandId, newId, type RealmId, type UserId } from '../core/ids.ts';
import type { Instant } from '../core/time.ts';
import { databaseNow, instant } from './columns.ts';
import type { Database } from './database.ts';
import { guarded } from './fault.ts';

/** Who may do what by the admin API. `realmId` null: in every realm. */
export const adminPermissions = pgTable('admin_permissions', {
  id: uuid('id').primaryKey(),
  userId: uuid('user_id'),
  clientId: text('client_id'),
  realmId: uuid('realm_id'),
  action: text('action').notNull(),
  grantedAt: instant('granted_at').notNull().default(databaseNow),
});

/** A user of the default realm, or one of its clients by its own token. */
export type PermissionHolder = { readonly userId: UserId } | { readonly clientId: string };

export type AdminPermission = {
  readonly holder: PermissionHolder;
  readonly realmId: RealmId | null;
  readonly action: string;
  readonly grantedAt: Instant;
};

export const createAdminPermissions = ({ db }: Database) =>
  guarded({
    /** False: it was granted before. */
    async grant(holder: PermissionHolder, realmId: RealmId | null, action: string): Promise<boolean> {
      const granted = await db
        .insert(adminPermissions)
        .values({ id: newId(), ...columnsOf(holder), realmId, action })
        .onConflictDoNothing()
        .returning({ id: adminPermissions.id });
      return granted.length > 0;
    },

    /** False: there was no such permission. */
    async revoke(holder: PermissionHolder, realmId: RealmId | null, action: string): Promise<boolean> {
      const realm = realmId === null ? isNull(adminPermissions.realmId) : eq(adminPermissions.realmId, realmId);
      const gone = await db
        .delete(adminPermissions)
        .where(and(isOf(holder), realm, eq(adminPermissions.action, action)))
        .returning({ id: adminPermissions.id });
      return gone.length > 0;
    },

    async list(): Promise<readonly AdminPermission[]> {
      const rows = await db.select().from(adminPermissions).orderBy(asc(adminPermissions.id));
      return rows.map(({ userId, clientId, realmId, action, grantedAt }) => ({
        holder: userId === null ? { clientId: clientId ?? '' } : { userId: brandId<UserId>(userId) },
        realmId: realmId === null ? null : brandId<RealmId>(realmId),
        action,
        grantedAt,
      }));
    },

    /** Where the holder may do it, as the database has it now. */
    async reachOf(
      holder: PermissionHolder,
      action: string,
    ): Promise<{ readonly everywhere: boolean; readonly realmIds: readonly RealmId[] }> {
      const rows = await db
        .select({ realmId: adminPermissions.realmId })
        .from(adminPermissions)
        .where(and(isOf(holder), eq(adminPermissions.action, action)));
      return {
        everywhere: rows.some(({ realmId }) => realmId === null),
        realmIds: rows.flatMap(({ realmId }) => (realmId === null ? [] : [brandId<RealmId>(realmId)])),
      };
    },
  });

const columnsOf = (holder: PermissionHolder): { readonly userId: UserId } | { readonly clientId: string } =>
  'userId' in holder ? { userId: holder.userId } : { clientId: holder.clientId };

const isOf = (holder: PermissionHolder) =>
  'userId' in holder ? eq(adminPermissions.userId, holder.userId) : eq(adminPermissions.clientId, holder.clientId);
