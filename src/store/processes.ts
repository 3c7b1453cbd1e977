import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { unreachable } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import { instant } from './columns.ts';
import type { Database } from './database.ts';
import { guarded } from './fault.ts';

export const processes = pgTable('processes', {
  id: uuid('id').primaryKey(),
  keyIds: text('key_ids').array().notNull(),
  startedAt: instant('started_at').notNull(),
  seenAt: instant('seen_at').notNull(),
});

/** A process not seen for this long no longer decides which keys are shared. */
export const liveSeconds = 30;
const forgottenSeconds = 24 * 60 * 60;

export type Heartbeat = {
  readonly configVersion: number;
  /** Ring entries that every live process holds: what may seal (design: rolling restart). */
  readonly sharedKeyIds: ReadonlySet<string>;
  /** The database's clock, to be compared with the process's. */
  readonly databaseNow: Instant;
};

export type ProcessIdentity = {
  readonly id: string;
  readonly keyIds: readonly string[];
  readonly startedAt: Instant;
};

export const createProcesses = (database: Database) =>
  guarded({
    /** Says that this process lives and which keys it holds, and reads what it must know each second; one statement. */
    async beat({ id, keyIds, startedAt }: ProcessIdentity): Promise<Heartbeat> {
      const [row] = await database.sql<{ version: number; shared: string[]; database_now: Instant }[]>`
        WITH mine AS (
          INSERT INTO processes AS process (id, key_ids, started_at, seen_at)
          VALUES (${id}, ${[...keyIds]}::text[], ${startedAt}::timestamptz, limen_now())
          ON CONFLICT (id) DO UPDATE SET key_ids = excluded.key_ids, seen_at = excluded.seen_at
          RETURNING process.id, process.key_ids
        ), live AS (
          SELECT id, key_ids FROM mine
          UNION ALL
          SELECT id, key_ids FROM processes
          WHERE id <> ${id} AND seen_at > limen_now() - make_interval(secs => ${liveSeconds})
        )
        SELECT
          (SELECT version FROM config_version) AS version,
          limen_now() AS database_now,
          ARRAY(
            SELECT key_id FROM live, unnest(key_ids) AS key_id
            GROUP BY key_id HAVING count(DISTINCT id) = (SELECT count(*) FROM live)
          ) AS shared`;
      if (row === undefined) unreachable('the heartbeat always selects a row');
      return { configVersion: row.version, sharedKeyIds: new Set(row.shared), databaseNow: row.database_now };
    },

    /** On an orderly stop: the others need not wait `liveSeconds` for this one. */
    async leave(id: string): Promise<void> {
      await database.sql`DELETE FROM processes WHERE id = ${id}`;
    },

    /** Removes rows of processes long gone; gives how many. */
    async forgetDead(): Promise<number> {
      const gone = await database.sql`
        DELETE FROM processes WHERE seen_at < limen_now() - make_interval(secs => ${forgottenSeconds})`;
      return gone.count;
    },
  });
