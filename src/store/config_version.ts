import { sql } from 'drizzle-orm';
import { bigint, boolean, pgTable } from 'drizzle-orm/pg-core';
import { unreachable } from '../core/result.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';

export const configVersion = pgTable('config_version', {
  onlyRow: boolean('only_row').primaryKey().default(true),
  version: bigint('version', { mode: 'number' }).notNull(),
});

/**
 * A configuration write: raises the version, then works, in one transaction. The version's row is locked first, so
 * configuration writes happen one after another and a process that reads version N has everything up to N; and no two of
 * them can wait for each other. Keep slow work (key generation) outside.
 */
export function changeConfiguration<Value>(
  database: Database,
  work: (executor: Executor) => Promise<Value>,
): Promise<Value> {
  return database.transaction(async (executor) => {
    await executor.update(configVersion).set({ version: sql`${configVersion.version} + 1` });
    return work(executor);
  });
}

export const createConfigVersion = (database: Database) => {
  const read = database.db.select({ version: configVersion.version }).from(configVersion).prepare('config_version');
  return guarded({
    /** The version in force. Processes read it each second together with their heartbeat (`processes.ts`). */
    async current(): Promise<number> {
      const [row] = await read.execute();
      return row?.version ?? unreachable('config_version has no row');
    },
  });
};
