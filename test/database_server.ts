/**
 * The Postgres that all test processes of this checkout share, as a process of its own: a killed test run cannot leave it
 * behind, and the next run finds a migrated template. Each user holds a shared advisory lock; once nobody has for a while,
 * this process takes the lock for itself, which tells latecomers that it is closing, and stops.
 */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { claimFolder, type FolderClaim } from '../src/demo/folder_lock.ts';
import { startPostgres } from '../src/demo/postgres/index.ts';
import { ownProcess } from '../src/demo/process_table.ts';

export type ServerRecord = { readonly pid: number; readonly started: string; readonly url: string };

export const serverFolder = join(import.meta.dir, '..', 'node_modules', '.cache', 'test-database');
export const recordPath = join(serverFolder, 'server.json');
export const usersLock = 7_001;

const idlePollMilliseconds = 250;
const idlePolls = 8;
/** Room for tests that let a hundred clients race. */
const settings = { max_connections: '400', autovacuum_naptime: '10min', checkpoint_timeout: '30min' };

if (import.meta.main) await serve();

async function serve(): Promise<void> {
  const claim = claimFolder(serverFolder, 'a test run');
  if (!claim.ok) {
    // The other one is starting or stopping: whoever needs a server asks again.
    if (claim.error.kind === 'taken') return;
    return fail(claim.error.sentence);
  }
  const server = await startFresh(claim.value);
  if (!server.ok) return fail(server.error.sentence);
  const sql = postgres(server.value.url, { max: 1, onnotice: () => {} });
  // Databases of killed runs.
  for (const { datname } of await sql`SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'`) {
    await sql.unsafe(`DROP DATABASE "${datname}" WITH (FORCE)`);
  }
  const { pid, started } = ownProcess();
  const record: ServerRecord = { pid, started, url: server.value.url };
  writeFileSync(recordPath, JSON.stringify(record), { mode: 0o600 });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void server.value.stop());
  await Promise.race([server.value.exited, untilUnused(sql)]);
  rmSync(recordPath, { force: true });
  await server.value.stop();
  claim.value.release();
  process.exit(0);
}

/** Nothing is synced, so what a power cut left may not start; tests lose nothing by another. */
async function startFresh(claim: FolderClaim) {
  const options = { claim, durable: false, settings, progress: () => {} };
  const first = await startPostgres(options);
  if (first.ok || (first.error.kind !== 'server_failed' && first.error.kind !== 'other_version')) return first;
  rmSync(join(claim.folder, 'postgres'), { recursive: true, force: true });
  return startPostgres(options);
}

/** Returns with the lock in hand. */
async function untilUnused(sql: postgres.Sql): Promise<void> {
  for (let idle = 0; ; ) {
    await Bun.sleep(idlePollMilliseconds);
    const [row] = await sql`SELECT pg_try_advisory_lock(${usersLock}) AS unused`;
    idle = row?.['unused'] === true ? idle + 1 : 0;
    if (idle >= idlePolls) return;
    if (idle > 0) await sql`SELECT pg_advisory_unlock(${usersLock})`;
  }
}

function fail(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
