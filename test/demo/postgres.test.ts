import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { claimFolder, type FolderClaim } from '../../src/demo/folder_lock.ts';
import { findBinaries, linkLibraries } from '../../src/demo/postgres/binaries.ts';
import { type RunningPostgres, type StartOptions, startPostgres } from '../../src/demo/postgres/index.ts';
import { openDatabase } from '../../src/store/database.ts';

const timeoutMilliseconds = 60_000;

function claim(folder: string): FolderClaim {
  const claimed = claimFolder(folder, 'http://localhost:4000');
  if (!claimed.ok) throw new Error(claimed.error.sentence);
  return claimed.value;
}

const start = (claim: FolderClaim, options: Partial<StartOptions> = {}) =>
  startPostgres({ claim, progress: () => {}, durable: false, ...options });

async function started(claim: FolderClaim, options: Partial<StartOptions> = {}): Promise<RunningPostgres> {
  const server = await start(claim, options);
  if (!server.ok) throw new Error(server.error.sentence);
  return server.value;
}

async function query(url: string, statement: string): Promise<readonly unknown[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  const rows = await sql.unsafe(statement).values();
  await sql.end();
  return rows.map((row) => (row.length === 1 ? row[0] : [...row]));
}

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'limen-test-'));

describe('the embedded Postgres', () => {
  // Everything that is hard on a path: longer than a socket may be, blanks, a comma, quotes; private.
  const base = newFolder();
  const folder = join(base, `a folder's "name", ${'long'.repeat(25)}`);
  let held: FolderClaim;

  beforeAll(async () => {
    held = claim(folder);
    const server = await started(held);
    await server.stop();
  }, timeoutMilliseconds);

  afterAll(() => {
    held.release();
    rmSync(base, { recursive: true });
  });

  test('works in a folder of mode 0700 and finds its data again', async () => {
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    const first = await started(held);
    await query(first.url, 'CREATE TABLE IF NOT EXISTS kept (x int); INSERT INTO kept VALUES (1)');
    await first.stop();
    const second = await started(held);
    expect(await query(second.url, 'SELECT x FROM kept')).toEqual([1]);
    await second.stop();
  });

  test('is UTF8, by code point, in UTC, on a socket only, with generic plans', async () => {
    const server = await started(held);
    const settings = ['server_encoding', 'TimeZone', 'listen_addresses', 'plan_cache_mode', 'fsync'];
    const shown = await query(server.url, `SELECT ${settings.map((name) => `current_setting('${name}')`).join(', ')}`);
    expect(shown).toEqual([['UTF8', 'UTC', '', 'force_generic_plan', 'off']]);
    const provider = 'SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()';
    expect(await query(server.url, provider)).toEqual([['b', 'C.UTF-8']]);
    await server.stop();
  });

  test('is durable unless told otherwise', async () => {
    const server = await started(held, { durable: true });
    const shown = "SELECT current_setting('fsync'), current_setting('synchronous_commit')";
    expect(await query(server.url, shown)).toEqual([['on', 'on']]);
    await server.stop();
  });

  test('its url opens a database by the store as well', async () => {
    const server = await started(held);
    const database = openDatabase({ url: server.url, connections: 1, applicationName: 'limen test' });
    const [row] = await database.sql`SELECT current_database() AS name`;
    expect(row?.['name']).toBe('limen');
    await database.close();
    await server.stop();
  });

  test('a stop is announced, may be repeated, and takes the private socket folder away', async () => {
    const server = await started(held);
    const socketFolder = socketFolderOf(server.url);
    expect(statSync(socketFolder).mode & 0o777).toBe(0o700);
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(await server.exited).toEqual({ asked: true, sentence: 'Postgres stopped.' });
    expect(existsSync(socketFolder)).toBe(false);
  });

  test('a server that dies by itself is told apart, and stopping it afterwards does not wait', async () => {
    const server = await started(held);
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toMatchObject({ asked: false, sentence: expect.stringContaining('SIGKILL') });
    await server.stop();
  });

  test('a setting that Postgres refuses is a fault with its own words and the log', async () => {
    const server = await start(held, { settings: { no_such_setting: '1' } });
    expect(server).toMatchObject({ ok: false, error: { kind: 'server_failed' } });
    expect(!server.ok && server.error.sentence).toContain('no_such_setting');
    expect(!server.ok && server.error.sentence).toContain(join(folder, 'postgres.log'));
  });

  test('an interrupted start leaves no server', async () => {
    const signal = AbortSignal.abort();
    expect(await start(held, { signal })).toMatchObject({ ok: false, error: { kind: 'interrupted' } });
    expect(existsSync(join(folder, 'postgres', 'postmaster.pid'))).toBe(false);
  });

  test('data of another major version is refused and kept', async () => {
    const version = join(folder, 'postgres', 'PG_VERSION');
    writeFileSync(version, '16\n');
    expect(await start(held)).toMatchObject({ ok: false, error: { kind: 'other_version' } });
    writeFileSync(version, '18\n');
    await (await started(held)).stop();
  });
});

test('what an interrupted first start left is no database', async () => {
  const folder = newFolder();
  const held = claim(folder);
  mkdirSync(join(folder, 'postgres.new'));
  writeFileSync(join(folder, 'postgres.new', 'PG_VERSION'), '18\n');
  const server = await started(held);
  expect(await query(server.url, 'SELECT 1')).toEqual([1]);
  await server.stop();
  expect(existsSync(join(folder, 'postgres.new'))).toBe(false);
  rmSync(folder, { recursive: true });
}, 60_000);

describe('the binaries', () => {
  test('where the platform package is missing, the fault names DATABASE_URL', () => {
    const found = findBinaries('/');
    expect(found).toMatchObject({ ok: false, error: { kind: 'no_binaries' } });
    expect(!found.ok && found.error.sentence).toContain('DATABASE_URL');
  });

  test('lacking links are set, those that are there stay', () => {
    const native = join(newFolder(), 'native');
    const links = ['libx.so', 'libx.so.1'].map((name) => ({
      source: 'native/lib/libx.so.1.2',
      target: `native/lib/${name}`,
    }));
    mkdirSync(join(native, 'lib'), { recursive: true });
    writeFileSync(join(native, 'lib', 'libx.so.1.2'), 'library');
    writeFileSync(join(native, 'lib', 'libx.so'), 'present');
    writeFileSync(join(native, 'pg-symlinks.json'), JSON.stringify(links));
    expect(linkLibraries(native)).toEqual({ ok: true, value: native });
    expect(linkLibraries(native)).toEqual({ ok: true, value: native });
    expect(statSync(join(native, 'lib', 'libx.so.1')).size).toBe('library'.length);
    expect(statSync(join(native, 'lib', 'libx.so')).size).toBe('present'.length);
    rmSync(dirname(native), { recursive: true });
  });
});

const socketFolderOf = (url: string): string => dirname(decodeURIComponent(new URL(url).hostname));
