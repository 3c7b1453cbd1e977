/**
 * `bun bench/main.ts [scenario…] [--seconds N] [--rounds N] [--tokens N] [--json] [--write] [--profile folder]`: Limen
 * beside its peers, in one run, as one table of ratios. `--write` puts what was reached into `docs/benchmarks.md`;
 * `--profile` makes Limen's process leave CPU profiles in a folder. Needs `wrk` and `node`; Linux.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isReached, type Outcome } from './findings.ts';
import { loadAverage } from './process_cost.ts';
import { benchmarksDocument, findingsTable, readFacts } from './report.ts';
import { type Scenario, type ScenarioOptions, scenarios } from './scenarios/index.ts';
import { projectFolder } from './server.ts';
import { openBench } from './sides.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '5' },
    tokens: { type: 'string', default: '200000' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});

type Ran = { readonly outcome: Outcome; readonly postgres: string };

async function run(scenario: Scenario, options: ScenarioOptions): Promise<Ran> {
  const bench = await openBench({ profileFolder: values.profile ?? null });
  try {
    return { outcome: await scenario.run(bench, options), postgres: bench.database.version };
  } finally {
    await bench.stop();
  }
}

async function main(chosen: readonly Scenario[]): Promise<boolean> {
  const options: ScenarioOptions = {
    seconds: Number(values.seconds),
    rounds: Number(values.rounds),
    tokens: Number(values.tokens),
    progress: (sentence) => console.error(sentence),
  };
  const before = loadAverage();
  const ran: Ran[] = [];
  for (const scenario of chosen) ran.push(await run(scenario, options));
  const outcome: Outcome = {
    findings: ran.flatMap((one) => one.outcome.findings),
    rates: ran.flatMap((one) => one.outcome.rates),
  };
  const facts = {
    ...readFacts(ran[0]?.postgres ?? '', `${before.toFixed(2)}, ${loadAverage().toFixed(2)}`),
    'each measurement': `${options.seconds} s, ${options.rounds} rounds`,
  };
  if (values.write) writeFileSync(join(projectFolder, 'docs', 'benchmarks.md'), benchmarksDocument(outcome, facts));
  console.log(values.json ? JSON.stringify({ facts, ...outcome }, null, 2) : `\n${findingsTable(outcome)}\n`);
  if (!values.json) for (const [name, value] of Object.entries(facts)) console.log(`${name}: ${value}`);
  return outcome.findings.every((finding) => isReached(finding) !== false);
}

const unknown = positionals.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) {
  console.error(`no such scenario: ${unknown.join(', ')}; there are: ${scenarios.map(({ name }) => name).join(', ')}`);
  process.exitCode = 2;
} else {
  const chosen = scenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  process.exitCode = (await main(chosen)) ? 0 : 1;
}
