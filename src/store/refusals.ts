import { desc, eq } from 'drizzle-orm';
import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { brandId, instantOfTimedId, newTimedId, type RealmId } from '../core/ids.ts';
import type { RefusalRecord } from '../oidc/explanation/index.ts';
import type { Database } from './database.ts';
import { guarded } from './fault.ts';

/** What error ids stand for, partitioned by the instant in the id. Never a value that was sent. */
export const refusalsTable = pgTable('refusals', {
  id: uuid('id').primaryKey(),
  errorId: text('error_id').notNull(),
  kind: text('kind').$type<RefusalRecord['kind']>().notNull(),
  realmId: uuid('realm_id'),
  endpoint: text('endpoint').notNull(),
  clientId: text('client_id'),
  error: text('error').notNull(),
  rule: text('rule'),
  parameter: text('parameter'),
  description: text('description'),
});

/** An error id is 48 random bits: two refusals may share one, ever so rarely. */
const mostOfOneId = 5;
const longestText = 500;

export const createRefusals = (database: Database) =>
  guarded({
    async write(records: readonly RefusalRecord[]): Promise<void> {
      const rows = records.map(({ at, description, ...record }) => ({
        ...record,
        description: description?.slice(0, longestText) ?? null,
        id: newTimedId(at),
      }));
      await database.db.insert(refusalsTable).values(rows);
    },

    /** Newest first. */
    async find(errorId: string): Promise<readonly RefusalRecord[]> {
      const rows = await database.db
        .select()
        .from(refusalsTable)
        .where(eq(refusalsTable.errorId, errorId))
        .orderBy(desc(refusalsTable.id))
        .limit(mostOfOneId);
      return rows.map(({ id, realmId, ...row }) => ({
        ...row,
        realmId: realmId === null ? null : brandId<RealmId>(realmId),
        at: instantOfTimedId(id),
      }));
    },
  });
