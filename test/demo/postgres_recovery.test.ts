import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';
import { isRunning, readProcess } from '../../src/demo/process_table.ts';
import type { FixtureReport } from './postgres_fixture.ts';

const timeoutMilliseconds = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'limen-test-'));
const data = join(folder, 'postgres');
const pidFile = join(data, 'postmaster.pid');

type Demo = { readonly report: FixtureReport; kill(): Promise<void>; stop(): Promise<void> };

async function startDemo(env: Record<string, string> = {}): Promise<Demo> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'postgres_fixture.ts'), folder], {
    env: { ...process.env, ...env },
    stdin: 'pipe',
    stdout: 'pipe',
  });
  const { value } = await child.stdout.getReader().read();
  const report: FixtureReport = JSON.parse(new TextDecoder().decode(value));
  return {
    report,
    kill: async () => {
      child.kill('SIGKILL');
      await child.exited;
    },
    stop: async () => {
      await child.stdin.end();
      await child.exited;
    },
  };
}

async function rowsAfterInsert(url: string | undefined): Promise<number> {
  const sql = postgres(url ?? '', { max: 1, onnotice: () => {} });
  await sql`CREATE TABLE IF NOT EXISTS visits (x int)`;
  await sql`INSERT INTO visits VALUES (1)`;
  const [row] = await sql`SELECT count(*)::int AS rows FROM visits`;
  await sql.end();
  return Number(row?.['rows']);
}

const ended = (pid: number): boolean => {
  const entry = readProcess(pid);
  return entry === undefined || entry.zombie;
};

describe('after an unclean stop the next start works, with the data', () => {
  let rows = 0;
  const startsAgain = async (): Promise<void> => {
    const demo = await startDemo();
    expect(demo.report.fault).toBeUndefined();
    rows += 1;
    expect(await rowsAfterInsert(demo.report.url)).toBe(rows);
    await demo.stop();
  };

  beforeAll(startsAgain, timeoutMilliseconds);
  afterAll(() => rmSync(folder, { recursive: true }));

  test('a folder in use: the second start says where the first one runs and disturbs nothing', async () => {
    const first = await startDemo();
    const second = await startDemo();
    await second.stop();
    expect(second.report.fault).toContain(folder);
    expect(second.report.fault).toContain('http://localhost:4000');
    rows += 1;
    expect(await rowsAfterInsert(first.report.url)).toBe(rows);
    await first.stop();
  });

  test('the demo was killed: its orphaned server is ended, even with a query at work', async () => {
    const demo = await startDemo();
    const orphan = demo.report.pid ?? 0;
    const sql = postgres(demo.report.url ?? '', { max: 1 });
    const query = sql`SELECT pg_sleep(600)`.execute().catch((error: Error) => error.message);
    await untilSleeping(demo.report.url);
    await demo.kill();
    expect(ended(orphan)).toBe(false);
    await startsAgain();
    expect(ended(orphan)).toBe(true);
    expect(await query).toMatch(/terminating connection|CONNECTION_CLOSED/);
    await sql.end({ timeout: 0 });
  });

  test('demo and server were killed', async () => {
    const demo = await startDemo();
    await demo.kill();
    process.kill(demo.report.pid ?? 0, 'SIGKILL');
    expect(existsSync(pidFile)).toBe(true);
    await startsAgain();
  });

  test('the server was killed', async () => {
    const demo = await startDemo();
    process.kill(demo.report.pid ?? 0, 'SIGKILL');
    await demo.stop();
    expect(existsSync(pidFile)).toBe(true);
    await startsAgain();
  });

  test('the pid in the file is a zombie', async () => {
    const parent = Bun.spawn(['sh', '-c', 'sleep 0 & echo $!; exec sleep 600'], { stdout: 'pipe' });
    const { value } = await parent.stdout.getReader().read();
    const zombie = Number(new TextDecoder().decode(value));
    while (!ended(zombie)) await Bun.sleep(10);
    expect(readProcess(zombie)?.zombie).toBe(true);
    writeFileSync(pidFile, pidFileOf(zombie));
    await startsAgain();
    parent.kill();
  });

  test('the pid in the file is now somebody else, standing in that folder: he lives on', async () => {
    const bystander = Bun.spawn(['sleep', '600'], { cwd: data });
    const entry = readProcess(bystander.pid);
    writeFileSync(pidFile, pidFileOf(bystander.pid));
    await startsAgain();
    expect(isRunning(bystander.pid, entry?.started ?? '')).toBe(true);
    bystander.kill();
  });

  test('the environment of the caller changes nothing', async () => {
    const hostile = { LANG: 'xx_XX', LC_ALL: 'xx_XX', PGDATA: '/nonexistent', PGPORT: '1', PGOPTIONS: '-c fsync=x' };
    const demo = await startDemo(hostile);
    expect(demo.report.fault).toBeUndefined();
    await demo.stop();
  });

  test('a clean stop leaves neither lock nor pid file', async () => {
    await startsAgain();
    expect(existsSync(pidFile)).toBe(false);
    expect(existsSync(join(folder, 'lock'))).toBe(false);
    expect(readFileSync(join(folder, 'postgres.log'), 'utf8')).toContain('database system is shut down');
  });
});

const pidFileOf = (pid: number): string => `${pid}\n${data}\n1\n5432\n/nonexistent/limen-socket-x\n\n0\nready   \n`;

async function untilSleeping(url: string | undefined): Promise<void> {
  const sql = postgres(url ?? '', { max: 1 });
  for (;;) {
    const found = await sql`SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'`;
    if (found.length > 0) break;
    await Bun.sleep(20);
  }
  await sql.end();
}
