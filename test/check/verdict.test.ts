import { describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findApache } from '../../check/apache.ts';
import { findPrograms } from '../../check/needs.ts';
import { assign, suites } from '../../check/suites.ts';
import { add, judge, lastLine, nothing } from '../../check/verdict.ts';

const summary = (counts: string, tests: number, files = 1): string =>
  `bun test v1.4.5\n${counts}\n 3 expect() calls\nRan ${tests} tests across ${files} file${files === 1 ? '' : 's'}. [5.00ms]\n`;

describe('the last line', () => {
  test('names passed and failed, and skipped only where there are any', () => {
    expect(lastLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
    expect(lastLine({ passed: 12, failed: 3, skipped: 1 })).toBe('12 passed, 3 failed, 1 skipped');
  });

  test('tallies add up', () => {
    expect(add({ passed: 1, failed: 2, skipped: 3 }, add(nothing, { passed: 10, failed: 20, skipped: 30 }))).toEqual({
      passed: 11,
      failed: 22,
      skipped: 33,
    });
  });
});

describe('a test run is believed as far as its own words go', () => {
  const green = { stderr: summary(' 2 pass\n 0 fail', 2), exitCode: 0, timedOut: false, files: 1 };

  test('passes are passes', () => {
    expect(judge(green)).toEqual({ tally: { passed: 2, failed: 0, skipped: 0 }, faults: [] });
  });

  test('colours do not hide the counts', () => {
    const stderr = summary('\u001b[32m 2 pass\u001b[0m\n\u001b[31m 1 fail\u001b[0m', 3);
    expect(judge({ ...green, stderr, exitCode: 1 }).tally).toEqual({ passed: 2, failed: 1, skipped: 0 });
  });

  test('skipped and unwritten tests are counted as skipped', () => {
    const stderr = summary(' 2 pass\n 1 skip\n 2 todo\n 0 fail', 5);
    expect(judge({ ...green, stderr }).tally).toEqual({ passed: 2, failed: 0, skipped: 3 });
  });

  test.each([
    ['no summary and exit code 0', { stderr: 'bun test v1.4.5\n' }, 'it ended without saying how many tests it ran'],
    ['no test', { stderr: summary(' 0 pass\n 0 fail', 0) }, 'it ran no test'],
    ['a file left out', { files: 2 }, 'it ran 1 of 2 files'],
    ['an exit code without a failed test', { exitCode: 3 }, 'it ended with exit code 3'],
    ['the end by a signal', { exitCode: null }, 'it was ended by a signal'],
    ['the deadline', { timedOut: true, exitCode: null }, 'it was stopped at its deadline'],
  ])('%s is a failure', (_, change, fault) => {
    const verdict = judge({ ...green, ...change });
    expect(verdict.faults).toEqual([fault]);
    expect(verdict.tally.failed).toBe(1);
  });

  test('words of a test that look like counts in the middle of a line are not counts', () => {
    expect(judge({ ...green, stderr: `said: 7 fail\n7 fails\n${green.stderr}` }).tally.failed).toBe(0);
  });
});

describe('what `bun test` really writes', () => {
  const run = (source: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'limen-check-'));
    try {
      writeFileSync(join(folder, 'planted.test.ts'), `import { expect, test } from 'bun:test';\n${source}`);
      const env = { PATH: process.env['PATH'] ?? '', FORCE_COLOR: '1' };
      const child = Bun.spawnSync([process.execPath, 'test', './planted.test.ts'], { cwd: folder, env });
      return judge({ stderr: child.stderr.toString(), exitCode: child.exitCode, timedOut: false, files: 1 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  };

  test.each([
    [
      'one pass, one failure',
      "test('a', () => {}); test('b', () => expect(1).toBe(2));",
      { passed: 1, failed: 1, skipped: 0 },
    ],
    ['one skipped', "test('a', () => {}); test.skip('b', () => {});", { passed: 1, failed: 0, skipped: 1 }],
    [
      'a test that ends the process with code 0',
      "test('a', () => process.exit(0));",
      { passed: 0, failed: 1, skipped: 0 },
    ],
    ['a file that does not load', "import './missing.ts'; test('a', () => {});", { passed: 0, failed: 2, skipped: 0 }],
    ['a file without a test', 'expect(1).toBe(1);', { passed: 0, failed: 1, skipped: 0 }],
  ])('%s', (_, source, tally) => {
    expect(run(source).tally).toEqual(tally);
  });
});

describe('suites', () => {
  const suite = (name: string, ...paths: string[]) => ({ name, paths, deadlineSeconds: 1 });

  test('a test file in a folder of no suite is a fault', () => {
    expect(assign(['a/x.test.ts', 'ab/y.test.ts'], [suite('one', 'a')]).faults).toEqual([
      'test/ab/y.test.ts is in no suite; add its folder to check/suites.ts',
    ]);
  });

  test('a test file in two suites is a fault', () => {
    expect(assign(['a/b/x.test.ts'], [suite('one', 'a'), suite('two', 'a/b')]).faults).toEqual([
      'test/a/b/x.test.ts is in more than one suite: one, two',
    ]);
  });

  test('a suite that has lost its files is a fault', () => {
    expect(assign(['a/x.test.ts'], [suite('one', 'a'), suite('two', 'b')]).faults).toEqual([
      'the suite two has no test file',
    ]);
  });

  test('the real table has no name twice', () => {
    const names = suites.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('programs that a suite needs', () => {
  test('one that is there is named to the suite, one that is not is named to whoever runs it', () => {
    const here = { PATH: '', CHROMIUM_PATH: process.execPath };
    expect(findPrograms(['chromium'], here)).toEqual({ variables: { CHROMIUM_PATH: process.execPath }, missing: [] });
    const { missing } = findPrograms(['chromium'], { PATH: '', CHROMIUM_PATH: '/no/such/browser' });
    expect(missing).toEqual([expect.stringContaining('CHROMIUM_PATH')]);
    expect(findPrograms([])).toEqual({ variables: {}, missing: [] });
  });

  test('an Apache without mod_auth_openidc is none', () => {
    expect(findApache(process.env, [import.meta.dir])).toBeNull();
  });
});
