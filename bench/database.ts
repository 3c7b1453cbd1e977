import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimFolder } from '../src/demo/folder_lock.ts';
import { startPostgres } from '../src/demo/postgres/index.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { migrate, migrationFiles } from '../src/store/migrations.ts';
import { ensurePartitions } from '../src/store/partitions.ts';

export type BenchDatabase = {
  readonly url: string;
  readonly pid: number;
  /** A pool of the bench's own, apart from those of the servers. */
  readonly database: Database;
  readonly version: string;
  readonly stop: () => Promise<void>;
};

/** A new, migrated Postgres of its own that syncs to disk, with its default settings. */
export async function startDatabase(now: number): Promise<BenchDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'limen-bench-'));
  const claim = claimFolder(folder, 'a benchmark');
  if (!claim.ok) throw new Error(claim.error.sentence);
  const server = await startPostgres({ claim: claim.value, progress: () => {} });
  if (!server.ok) throw new Error(server.error.sentence);
  const database = openDatabase({ url: server.value.url, connections: 4, applicationName: 'bench' });
  const migrated = await migrate(database.sql, migrationFiles());
  if (!migrated.ok) throw new Error(migrated.error.sentence);
  await ensurePartitions(database.sql, now);
  return {
    url: server.value.url,
    pid: server.value.pid,
    database,
    version: await checkedVersion(database),
    async stop() {
      await database.close();
      await server.value.stop();
      claim.value.release();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Numbers of a database that may lose commits would be worth nothing. */
async function checkedVersion({ sql }: Database): Promise<string> {
  const [row] = await sql<{ fsync: string; commit: string; version: string }[]>`
    SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
           current_setting('server_version') AS version`;
  if (row?.fsync !== 'on' || row.commit !== 'on') throw new Error('fsync and synchronous_commit must be on');
  return row.version;
}
