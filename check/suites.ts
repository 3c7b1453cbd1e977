import type { Need } from './needs.ts';

/**
 * Which test files run together, in which order. A suite is one child process. A path is a folder under `test/` or a file;
 * a test file that no suite covers, or that two cover, is a failure of the check.
 */
export type Suite = {
  readonly name: string;
  readonly paths: readonly string[];
  /** Programs that the suite cannot run without. */
  readonly needs?: readonly Need[];
  /** After this it is stopped and counts as failed. */
  readonly deadlineSeconds: number;
};

export const suites: readonly Suite[] = [
  {
    name: 'unit',
    paths: [
      'architecture.test.ts',
      'config.test.ts',
      'server.test.ts',
      'check',
      'core',
      'docs',
      'flow',
      'login',
      'oidc',
      'types',
    ],
    deadlineSeconds: 300,
  },
  { name: 'store', paths: ['app_outbound.test.ts', 'database.test.ts', 'store', 'workers'], deadlineSeconds: 600 },
  { name: 'cli', paths: ['cli'], deadlineSeconds: 600 },
  { name: 'demo', paths: ['demo'], deadlineSeconds: 600 },
  { name: 'endpoints', paths: ['endpoints', 'admin'], deadlineSeconds: 900 },
  { name: 'faults', paths: ['faults'], deadlineSeconds: 600 },
  { name: 'conformance', paths: ['conformance'], deadlineSeconds: 600 },
  { name: 'apache', paths: ['apache'], needs: ['apache'], deadlineSeconds: 300 },
  { name: 'browser', paths: ['e2e'], needs: ['chromium'], deadlineSeconds: 600 },
];

export type Assignment = {
  readonly filesOf: ReadonlyMap<Suite, readonly string[]>;
  /** One line for each file that is in no suite or in several, and for each suite without a file. */
  readonly faults: readonly string[];
};

/** `files` are relative to `test/`, with forward slashes. */
export function assign(files: readonly string[], table: readonly Suite[]): Assignment {
  const covers = (suite: Suite, file: string): boolean =>
    suite.paths.some((path) => file === path || file.startsWith(`${path}/`));
  const faults = files.flatMap((file) => {
    const owners = table.filter((suite) => covers(suite, file)).map((suite) => suite.name);
    if (owners.length === 1) return [];
    return [
      owners.length === 0
        ? `test/${file} is in no suite; add its folder to check/suites.ts`
        : `test/${file} is in more than one suite: ${owners.join(', ')}`,
    ];
  });
  const filesOf = new Map(table.map((suite) => [suite, files.filter((file) => covers(suite, file)).toSorted()]));
  for (const [suite, owned] of filesOf) if (owned.length === 0) faults.push(`the suite ${suite.name} has no test file`);
  return { filesOf, faults };
}
