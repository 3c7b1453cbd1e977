import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimFolder } from '../../src/demo/folder_lock.ts';
import { ownProcess, readFromPs, readProcess } from '../../src/demo/process_table.ts';

const url = 'http://localhost:4000';

describe('claimFolder', () => {
  let base: string;
  let folder: string;
  let lock: string;

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'limen-test-'));
    folder = join(base, 'a', 'b');
    lock = join(folder, 'lock');
  });
  afterEach(() => rmSync(base, { recursive: true }));

  test('makes the folder private, and the lock as well', () => {
    const claim = claimFolder(folder, url);
    expect(claim).toMatchObject({ ok: true, value: { folder } });
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(statSync(lock).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  test('taken: says by whom and where, also by another way to the same folder', () => {
    claimFolder(folder, url);
    symlinkSync(folder, join(base, 'link'));
    const second = claimFolder(join(base, 'link'), 'http://localhost:5000');
    expect(second).toMatchObject({ ok: false, error: { kind: 'taken', url, pid: process.pid } });
    expect(!second.ok && second.error.sentence).toContain(url);
    expect(readdirSync(folder)).toEqual(['lock']);
  });

  test('released: free again', () => {
    const claim = claimFolder(folder, url);
    if (claim.ok) claim.value.release();
    expect(claimFolder(folder, url).ok).toBe(true);
  });

  test('a release that comes late does not free what another has claimed since', () => {
    const claim = claimFolder(folder, url);
    writeFileSync(lock, JSON.stringify({ ...ownHolder(), url: 'http://localhost:5000' }));
    if (claim.ok) claim.value.release();
    expect(claimFolder(folder, url)).toMatchObject({ ok: false, error: { url: 'http://localhost:5000' } });
  });

  const ownHolder = () => ({ pid: process.pid, started: ownProcess().started });
  test.each<[string, () => string]>([
    ['an ended process', () => JSON.stringify({ pid: endedPid(), started: '1@x', url })],
    ['a pid that is somebody else by now', () => JSON.stringify({ pid: process.pid, started: '1@x', url })],
    ['a torn write', () => '{"pid":'],
    ['nothing', () => ''],
    ['other members', () => '{"pid":"1","started":2}'],
  ])('a lock that holds %s is no obstacle', (_, content) => {
    const first = claimFolder(folder, url);
    if (first.ok) first.value.release();
    writeFileSync(lock, content());
    expect(claimFolder(folder, url).ok).toBe(true);
    expect(JSON.parse(readFileSync(lock, 'utf8'))).toEqual({ ...ownHolder(), url });
  });

  test('many starters after a kill: one gets the folder', async () => {
    claimFolder(folder, url);
    writeFileSync(lock, JSON.stringify({ pid: endedPid(), started: '1@x', url }));
    const module = JSON.stringify(join(import.meta.dir, '../../src/demo/folder_lock.ts'));
    const script = `import { claimFolder } from ${module}; process.stdout.write(String(claimFolder(${JSON.stringify(folder)}, '').ok)); await Bun.stdin.text();`;
    const starters = Array.from({ length: 6 }, () =>
      Bun.spawn([process.execPath, '-e', script], { stdin: 'pipe', stdout: 'pipe' }),
    );
    const answers = await Promise.all(starters.map(({ stdout }) => stdout.getReader().read()));
    const texts = answers.map(({ value }) => new TextDecoder().decode(value));
    await Promise.all(starters.map(({ stdin }) => stdin.end()));
    expect(texts.filter((text) => text === 'true')).toHaveLength(1);
    expect(texts.filter((text) => text === 'false')).toHaveLength(5);
  });

  test('a folder that cannot be made is a fault that names it', () => {
    writeFileSync(join(base, 'file'), '');
    const claim = claimFolder(join(base, 'file', 'x'), url);
    expect(claim).toMatchObject({ ok: false, error: { kind: 'folder_refused' } });
    expect(!claim.ok && claim.error.sentence).toContain(join(base, 'file', 'x'));
  });
});

describe('the process table', () => {
  test.skipIf(Bun.which('ps') === null)('ps and /proc agree on this process', () => {
    const [own, byPs] = [ownProcess(), readFromPs(process.pid)];
    expect(byPs).toMatchObject({ pid: own.pid, parent: own.parent, zombie: false });
    expect(byPs?.command.split(' ')[0]).toBe(own.command.split(' ')[0]);
    expect(readFromPs(process.pid)?.started).toBe(byPs?.started);
    expect(readFromPs(endedPid())).toBeUndefined();
  });

  test('what is no pid is no process', () => {
    expect([Number.NaN, -1, 0, 1.5, endedPid()].map((pid) => readProcess(pid))).toEqual(Array(5).fill(undefined));
  });
});

function endedPid(): number {
  return Bun.spawnSync(['true']).pid;
}
