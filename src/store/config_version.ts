import { sql } from 'drizzle-orm';
import { bigint, boolean, pgTable } from 'drizzle-orm/pg-core';
import { unreachable } from '../core/result.ts';
import type { Database, Executor, Transactional } from './database.ts';
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
  database: Transactional,
  work: (executor: Executor) => Promise<Value>,
): Promise<Value> {
  if (database.isWithinChange === true) return database.transaction(work);
  return database.transaction(async (executor) => {
    await executor.update(configVersion).set({ version: sql`${configVersion.version} + 1` });
    return work(executor);
  });
}

/** Not an error of anybody's: the transaction is undone because `work` said so. */
class Undone extends Error {}

/**
 * Many configuration writes as one: all that stores do with the database that `work` gets is one transaction, which raises
 * the version once. Each of their own transactions is a savepoint, so one that is refused leaves the others as they are.
 * Unless `keep`, all of it is undone: then nobody sees a new version.
 */
export async function changeConfigurationAtOnce<Value>(
  database: Database,
  work: (database: Transactional) => Promise<{ readonly keep: boolean; readonly value: Value }>,
): Promise<Value> {
  const undone: { value?: Value } = {};
  try {
    return await changeConfiguration(database, async (executor) => {
      const done = await work({
        db: executor,
        transaction: (nested) => executor.transaction(nested),
        isWithinChange: true,
      });
      if (done.keep) return done.value;
      undone.value = done.value;
      throw new Undone();
    });
  } catch (thrown) {
    if (thrown instanceof Undone && 'value' in undone) return undone.value;
    throw thrown;
  }
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
