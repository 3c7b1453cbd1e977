import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { claimFolder, type FolderClaim } from '../../src/demo/folder_lock.ts';
import { startPostgres } from '../../src/demo/postgres/index.ts';
import { ladderOf, type RungName } from '../../src/demo/postgres/ladder.ts';
import type { FixtureReport } from './postgres_fixture.ts';

const timeoutMilliseconds = 60_000;
const isRoot = process.geteuid?.() === 0;
const nobody = 65534;
const fixture = join(import.meta.dir, 'postgres_fixture.ts');

const succeeds = (...command: readonly string[]): boolean => {
  try {
    return Bun.spawnSync([...command], { cwd: '/' }).success;
  } catch {
    return false;
  }
};

const asAccount = (id: number): readonly string[] => ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups'];
const permitsNamespaces = succeeds('unshare', '--user', `--map-user=${nobody}`, `--map-group=${nobody}`, 'true');
const permitsSetpriv =
  isRoot &&
  succeeds(
    ...asAccount(nobody),
    '--ambient-caps=-all,+dac_override',
    '--inh-caps=-all,+dac_override',
    '--securebits=+no_setuid_fixup',
    'true',
  );
const othersCanRead =
  isRoot &&
  succeeds(...asAccount(nobody), 'cat', fixture) &&
  succeeds(...asAccount(nobody), process.execPath, '--version');

test('root never tries as root, others never need root', () => {
  expect(ladderOf(0)).toEqual(['namespace', 'setpriv', 'copy']);
  expect(ladderOf(1000)).toEqual(['plain', 'namespace']);
});

describe.skipIf(!isRoot)('as root, below a folder of mode 0700', () => {
  let base: string;
  let folder: string;
  let claim: FolderClaim;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'limen-test-'));
    folder = join(base, 'data');
    const claimed = claimFolder(folder, 'http://localhost:4000');
    if (!claimed.ok) throw new Error(claimed.error.sentence);
    claim = claimed.value;
  });

  afterEach(() => {
    const pointer = join(folder, 'postgres.elsewhere');
    if (existsSync(pointer)) rmSync(readFileSync(pointer, 'utf8').trim(), { recursive: true });
    rmSync(base, { recursive: true });
  });

  /** Starts on these rungs, adds a row, stops; answers the rows. */
  async function visit(ladder?: readonly RungName[]): Promise<number> {
    const server = await startPostgres({ claim, progress: () => {}, durable: false, ...(ladder ? { ladder } : {}) });
    if (!server.ok) throw new Error(server.error.sentence);
    const sql = postgres(server.value.url, { max: 1, onnotice: () => {} });
    await sql`CREATE TABLE IF NOT EXISTS visits (x int)`;
    await sql`INSERT INTO visits VALUES (1)`;
    const [row] = await sql`SELECT count(*)::int AS rows FROM visits`;
    await sql.end();
    await server.value.stop();
    return Number(row?.['rows']);
  }

  test(
    'one of the rungs bears, and bears again',
    async () => {
      expect(await visit()).toBe(1);
      expect(await visit()).toBe(2);
    },
    timeoutMilliseconds,
  );

  test.skipIf(!permitsNamespaces)(
    'namespace: files stay root’s',
    async () => {
      expect(await visit(['namespace'])).toBe(1);
      expect(statSync(join(folder, 'postgres')).uid).toBe(0);
    },
    timeoutMilliseconds,
  );

  test.skipIf(!permitsSetpriv)(
    'setpriv: files are nobody’s, and a later start stays with it',
    async () => {
      expect(await visit(['setpriv'])).toBe(1);
      expect(await visit()).toBe(2);
      expect(statSync(join(folder, 'postgres')).uid).toBe(nobody);
    },
    timeoutMilliseconds,
  );

  test.skipIf(!permitsSetpriv)(
    'copy: binaries and data lie where nobody can reach them, what was there is taken along, and a later start finds it',
    async () => {
      expect(await visit(['setpriv'])).toBe(1);
      expect(await visit(['copy'])).toBe(2);
      expect(await visit()).toBe(3);
      const home = readFileSync(join(folder, 'postgres.elsewhere'), 'utf8');
      expect(statSync(home).uid).toBe(0);
      expect(statSync(join(home, 'cluster', 'data')).uid).toBe(nobody);
    },
    timeoutMilliseconds,
  );

  test('where no rung bears, the fault says why for each and leaves nothing', async () => {
    const server = await startPostgres({ claim, progress: () => {}, ladder: ['plain'] });
    expect(server).toMatchObject({ ok: false, error: { kind: 'initdb_failed' } });
    expect(!server.ok && server.error.sentence).toMatch(/plain: .*cannot be run as root/);
    expect(!server.ok && server.error.sentence).toContain('DATABASE_URL');
    expect(existsSync(join(folder, 'postgres'))).toBe(false);
  });
});

describe.skipIf(!othersCanRead)('as a normal user', () => {
  async function startAs(account: number, folder: string): Promise<FixtureReport> {
    const child = Bun.spawn([...asAccount(account), process.execPath, fixture, folder], {
      cwd: '/',
      env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent' },
      stdin: 'pipe',
      stdout: 'pipe',
    });
    const { value } = await child.stdout.getReader().read();
    await child.stdin.end();
    await child.exited;
    return JSON.parse(new TextDecoder().decode(value));
  }

  function folderOf(account: number): string {
    const base = mkdtempSync(join(tmpdir(), 'limen-test-'));
    chownSync(base, account, account);
    return base;
  }

  test(
    'starts in a private folder of his own',
    async () => {
      const base = folderOf(nobody);
      expect(await startAs(nobody, join(base, 'data'))).toMatchObject({ url: expect.stringContaining('/limen') });
      expect(await startAs(nobody, join(base, 'data'))).toMatchObject({ url: expect.stringContaining('/limen') });
      rmSync(base, { recursive: true });
    },
    timeoutMilliseconds,
  );

  test.skipIf(!permitsNamespaces)(
    'starts for an account that no passwd entry names, as containers have them',
    async () => {
      const account = 4_321_987;
      const base = folderOf(account);
      expect(await startAs(account, join(base, 'data'))).toMatchObject({ url: expect.stringContaining('/limen') });
      rmSync(base, { recursive: true });
    },
    timeoutMilliseconds,
  );

  test('is told about a folder that he may not use', async () => {
    const base = mkdtempSync(join(tmpdir(), 'limen-test-'));
    mkdirSync(join(base, 'data'), { mode: 0o700 });
    const { fault } = await startAs(nobody, join(base, 'data'));
    expect(fault).toContain(join(base, 'data'));
    expect(fault).toContain('--data-dir');
    rmSync(base, { recursive: true });
  });
});
