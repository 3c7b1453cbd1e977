import { stripVTControlCharacters } from 'node:util';

export type Tally = { readonly passed: number; readonly failed: number; readonly skipped: number };

export const nothing: Tally = { passed: 0, failed: 0, skipped: 0 };

export const add = (left: Tally, right: Tally): Tally => ({
  passed: left.passed + right.passed,
  failed: left.failed + right.failed,
  skipped: left.skipped + right.skipped,
});

/** The check's last line, alone on it. */
export const lastLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;

export type Verdict = { readonly tally: Tally; readonly faults: readonly string[] };

/** What is known of a finished `bun test`: everything it wrote to stderr, how it ended, and how many files it was given. */
export type TestRun = {
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly timedOut: boolean;
  readonly files: number;
};

/**
 * Believes a test run only as far as its own words go. `process.exit(0)` in a test ends `bun test` with code 0 and without a
 * summary, and a file that fails to load is in no report: both must count as failures, or a broken suite is green.
 */
export function judge(run: TestRun): Verdict {
  const lines = stripVTControlCharacters(run.stderr).split(/\r?\n/);
  const count = (word: string): number =>
    lines.reduce((found, line) => Number(new RegExp(`^\\s*(\\d+) ${word}$`).exec(line)?.[1] ?? found), 0);
  const [, tests, files] =
    lines.map((line) => /^Ran (\d+) tests? across (\d+) files?\./.exec(line)).findLast(Boolean) ?? [];
  const failed = count('fail') + count('errors?');
  const faults: string[] = [];
  if (run.timedOut) faults.push('it was stopped at its deadline');
  if (tests === undefined) faults.push('it ended without saying how many tests it ran');
  else if (Number(tests) === 0) faults.push('it ran no test');
  if (files !== undefined && Number(files) !== run.files) faults.push(`it ran ${files} of ${run.files} files`);
  if (run.exitCode !== 0 && failed === 0 && faults.length === 0) {
    faults.push(run.exitCode === null ? 'it was ended by a signal' : `it ended with exit code ${run.exitCode}`);
  }
  const tally = { passed: count('pass'), failed: failed + faults.length, skipped: count('skip') + count('todo') };
  return { tally, faults };
}
