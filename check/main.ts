/**
 * `bun run check`: format, lint, types, then every test suite as a child process. Ends with one line alone:
 * `N passed, N failed` (and `, N skipped` where something was). The exit code is 1 if anything failed.
 * With names of suites as arguments, only those run: `bun check/main.ts store browser`.
 */
import { Glob } from 'bun';
import { childEnvironment, runCommand } from './command.ts';
import { findPrograms } from './needs.ts';
import { assign, type Suite, suites } from './suites.ts';
import { add, judge, lastLine, nothing, type Tally } from './verdict.ts';

const root = new URL('..', import.meta.url).pathname;
const environment = childEnvironment(process.env);
const isContinuousIntegration = process.env['CI'] === 'true';

const biome = ['node_modules/.bin/biome', 'ci', ...(process.stdout.isTTY ? [] : ['--colors=off'])];

const tools = [
  {
    name: 'format',
    command: [...biome, '--linter-enabled=false', '--assist-enabled=false', '.'],
  },
  { name: 'lint', command: [...biome, '--formatter-enabled=false', '--error-on-warnings', '.'] },
  { name: 'types', command: ['node_modules/.bin/tsc', '-p', '.'] },
] as const;

const heading = (text: string): void => console.log(`\n── ${text}`);

const passed: Tally = { ...nothing, passed: 1 };
const failed: Tally = { ...nothing, failed: 1 };

async function runTool({ name, command }: (typeof tools)[number]): Promise<Tally> {
  heading(name);
  const ended = await runCommand(command, { folder: root, environment, deadlineSeconds: 120 });
  if (ended.exitCode === 0) return passed;
  console.log(`${name} failed${ended.timedOut ? ': it was stopped at its deadline' : ''}`);
  return failed;
}

async function runSuite(suite: Suite, files: readonly string[]): Promise<Tally> {
  heading(`${suite.name}: ${files.length} ${files.length === 1 ? 'file' : 'files'}`);
  if (files.length === 0) return nothing;
  const { variables, missing } = findPrograms(suite.needs ?? []);
  if (missing.length > 0) {
    for (const sentence of missing) console.log(`!!! ${sentence} !!!`);
    return isContinuousIntegration ? failed : { ...nothing, skipped: 1 };
  }
  const command = [process.execPath, 'test', '--only-failures', ...files.map((file) => `./test/${file}`)];
  const ended = await runCommand(command, {
    folder: root,
    environment: { ...environment, ...variables },
    deadlineSeconds: suite.deadlineSeconds,
  });
  const { tally, faults } = judge({ ...ended, files: files.length });
  for (const fault of faults) console.log(`${suite.name} failed: ${fault}`);
  return tally;
}

async function main(names: readonly string[]): Promise<Tally> {
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0) {
    console.log(`no such suite: ${unknown.join(', ')}; there are: ${suites.map((suite) => suite.name).join(', ')}`);
    return failed;
  }
  const files = [...new Glob('**/*.{test,spec}.{ts,tsx,js,jsx}').scanSync({ cwd: `${root}test` })];
  const { filesOf, faults } = assign(files, suites);
  let tally = nothing;
  if (names.length === 0) {
    for (const tool of tools) tally = add(tally, await runTool(tool));
    heading('suites cover every test file');
    for (const fault of faults) console.log(fault);
    tally = add(tally, faults.length === 0 ? passed : { ...nothing, failed: faults.length });
  }
  for (const [suite, owned] of filesOf) {
    if (names.length === 0 || names.includes(suite.name)) tally = add(tally, await runSuite(suite, owned));
  }
  return tally;
}

const tally = await main(process.argv.slice(2));
console.log(`\n${lastLine(tally)}`);
process.exitCode = tally.failed > 0 || tally.passed === 0 ? 1 : 0;
