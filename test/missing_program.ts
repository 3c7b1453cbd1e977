import { describe, test } from 'bun:test';

/** What a machine's lack of a program means for a suite that needs it. */
export const withoutProgram = (environment: { readonly [name: string]: string | undefined }): 'fail' | 'skip' =>
  environment['CI'] === 'true' ? 'fail' : 'skip';

/** A suite whose program is missing: it fails in CI and is skipped with a loud line elsewhere. */
export function describeWithout(name: string, advice: string, body: (program: () => never) => void): void {
  const absent = (): never => {
    throw new Error(advice);
  };
  if (withoutProgram(process.env) === 'fail') {
    test(name, absent);
    return;
  }
  process.stderr.write(`\n!!! SKIPPED: ${name}: ${advice}\n\n`);
  describe.skip(name, () => body(absent));
}
