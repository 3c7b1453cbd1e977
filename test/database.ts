import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { randomBytes, sha256 } from '../src/core/crypto.ts';
import { isRunning } from '../src/demo/process_table.ts';
import { openDatabase } from '../src/store/database.ts';
import { migrate, migrationFiles } from '../src/store/migrations.ts';
import { ensurePartitions } from '../src/store/partitions.ts';
import { recordPath, type ServerRecord, serverFolder, usersLock } from './database_server.ts';

export type TestDatabase = {
  /** Migrated, with partitions around now, otherwise empty, and nobody else's. */
  readonly url: string;
  /** Ends its connections as well. Databases that were not dropped go when the server next starts. */
  drop(): Promise<void>;
};

/**
 * A database of its own for a test file: a copy of a migrated template, in about 40 ms. The first call on a cold machine
 * makes the server as well, which takes seconds: give the hook that calls it `databaseTimeoutMilliseconds`.
 */
export async function testDatabase(): Promise<TestDatabase> {
  const { admin, url, template } = await session();
  return create(admin, url, `TEMPLATE "${template}"`);
}

/** An empty database, for tests of the migrations themselves. */
export async function emptyDatabase(): Promise<TestDatabase> {
  const { admin, url } = await session();
  return create(admin, url, '');
}

export const databaseTimeoutMilliseconds = 60_000;

async function create(admin: postgres.Sql, url: string, from: string): Promise<TestDatabase> {
  const name = `test_${process.pid}_${randomBytes(6).toString('hex')}`;
  await admin.unsafe(`CREATE DATABASE "${name}" ${from}`);
  return {
    url: databaseUrl(url, name),
    drop: async () => {
      await admin.unsafe(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    },
  };
}

type Session = { readonly admin: postgres.Sql; readonly url: string; readonly template: string };

/** One for the process, made when the first test asks. */
const shared: { session?: Promise<Session> } = {};

function session(): Promise<Session> {
  shared.session ??= openSession();
  return shared.session;
}

async function openSession(): Promise<Session> {
  const { admin, url } = await connect();
  return { admin, url, template: await ensureTemplate(admin, url) };
}

const databaseUrl = (url: string, name: string): string => url.replace(/\/limen$/, `/${name}`);

const startPollMilliseconds = 50;
const startPolls = 1_200;

/** Connects to the running server of this checkout, or starts one. The connection holds the server until this process ends. */
async function connect(): Promise<{ admin: postgres.Sql; url: string }> {
  const starter = newStarter();
  for (let poll = 0; poll < startPolls; poll++) {
    const record = readRecord();
    const admin = record === undefined ? undefined : await hold(record.url);
    if (record !== undefined && admin !== undefined) return { admin, url: record.url };
    starter.ensure();
    await Bun.sleep(startPollMilliseconds);
  }
  throw new Error(`the test database did not start, see ${starter.log}`);
}

function readRecord(): ServerRecord | undefined {
  try {
    const record: ServerRecord = JSON.parse(readFileSync(recordPath, 'utf8'));
    return isRunning(record.pid, record.started) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined: the server is closing. */
async function hold(url: string): Promise<postgres.Sql | undefined> {
  const admin = postgres(url, { max: 1, max_lifetime: null, onnotice: () => {} });
  try {
    const [row] = await admin`SELECT pg_try_advisory_lock_shared(${usersLock}) AS held`;
    if (row?.['held'] === true) return admin;
  } catch {
    // It stopped in between.
  }
  await admin.end({ timeout: 1 });
  return undefined;
}

function newStarter() {
  mkdirSync(serverFolder, { recursive: true, mode: 0o700 });
  const log = join(serverFolder, 'server.log');
  let starting = false;
  let failed = false;
  const ensure = (): void => {
    if (failed) throw new Error(`the test database cannot start: ${readFileSync(log, 'utf8').trim()}`);
    if (starting) return;
    starting = true;
    const output = openSync(log, 'w');
    const server = join(import.meta.dir, 'database_server.ts');
    const child = spawn(process.execPath, [server], { detached: true, stdio: ['ignore', output, output] });
    closeSync(output);
    child.on('exit', (code) => {
      starting = false;
      failed = code !== 0;
    });
    child.unref();
  };
  return { log, ensure };
}

const templateLock = 7_002;
const keptTemplates = 4;

/** Named by what went into it, so a changed migration makes a new one; the day, because partitions are made around now. */
async function ensureTemplate(admin: postgres.Sql, url: string): Promise<string> {
  const files = migrationFiles();
  const now = Date.now();
  const sources = ['partitions.ts', 'partition_ranges.ts'].map((name) =>
    readFileSync(join(import.meta.dir, '..', 'src', 'store', name), 'utf8'),
  );
  const contents = [new Date(now).toISOString().slice(0, 10), ...sources, ...files.map(({ sql }) => sql)];
  const template = `template_${sha256(JSON.stringify(contents)).toString('hex').slice(0, 16)}`;
  await admin`SELECT pg_advisory_lock(${templateLock})`;
  try {
    const known = await admin`SELECT datname FROM pg_database WHERE datname LIKE 'template\\_%' ORDER BY oid`;
    const names = known.map((row) => String(row['datname']));
    if (names.includes(template)) return template;
    // Another run may still copy from one that was made before a migration was edited.
    for (const name of ['building', ...names.slice(0, -keptTemplates)]) {
      await admin.unsafe(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`);
    }
    await admin.unsafe('CREATE DATABASE building');
    await buildTemplate(databaseUrl(url, 'building'), now);
    await admin.unsafe(`ALTER DATABASE building RENAME TO "${template}"`);
    return template;
  } finally {
    await admin`SELECT pg_advisory_unlock(${templateLock})`;
  }
}

async function buildTemplate(url: string, now: number): Promise<void> {
  const database = openDatabase({ url, connections: 2, applicationName: 'limen test template' });
  try {
    const migrated = await migrate(database.sql, migrationFiles());
    if (!migrated.ok) throw new Error(migrated.error.sentence);
    await ensurePartitions(database.sql, now);
  } finally {
    await database.close();
  }
}
