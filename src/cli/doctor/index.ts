import { type Config, type ConfigWith, describeFault, readConfig, variables } from '../../config.ts';
import { defineCommand, jsonOption } from '../command.ts';
import type { CliDeps } from '../deps.ts';
import { answer } from '../output.ts';
import { examineDatabase } from './database.ts';
import { type Finding, fail, fine } from './finding.ts';
import { examineProxies } from './proxies.ts';
import { examinePublicUrl } from './public_url.ts';
import { examineSecrets } from './secrets.ts';
import { examineTls } from './tls.ts';

export const doctor = defineCommand({
  name: 'doctor',
  summary: 'Examine configuration, database, clock, secrets and public URL, and say what to mend.',
  options: { json: jsonOption },
  examples: ['limen doctor'],
  run: async (values, deps) => {
    const findings = await examine(deps);
    const failed = findings.filter((finding) => finding.state === 'fail').length;
    const warned = findings.filter((finding) => finding.state === 'warn').length;
    const text = [...findings.flatMap(lines), '', `${failed} to mend, ${warned} to look at.`].join('\n');
    answer(deps.terminal, values.json, findings, text);
    return failed === 0 ? 0 : 1;
  },
});

const lines = (finding: Finding): readonly string[] => [
  `${finding.state.padEnd(4)}  ${finding.subject.padEnd(13)}  ${finding.finding}`,
  ...(finding.state === 'ok' ? [] : [`${' '.repeat(21)}→ ${finding.mend}`]),
];

/** All that can be said; what a missing or bad variable keeps from being examined is left out. */
async function examine(deps: CliDeps): Promise<readonly Finding[]> {
  const read = readConfig(deps.environment, ['databaseUrl', 'secrets', 'publicUrl']);
  const faults = read.ok ? [] : read.error;
  const settled = read.ok ? fine('configuration', 'every variable is known and accepted') : null;
  const config = configWithout(deps, new Set(faults.map((fault) => fault.variable)));
  const inspection = hasDatabase(config) ? await deps.inspectDatabase(config) : null;
  const schema = inspection?.ok === true ? inspection.value.schema : null;
  return [
    ...faults.map((fault) =>
      fail('configuration', describeFault({ ...fault, mend: '' }).replace(/; $/, ''), fault.mend),
    ),
    ...(settled === null ? [] : [settled]),
    ...(inspection === null ? [] : examineDatabase(inspection, config)),
    ...examineSecrets(config, schema),
    ...(await examinePublicUrl(config, deps.resolveHost)),
    ...(await examineTls(config, deps.readFile)),
    ...examineProxies(config),
  ];
}

/** The configuration as far as it can be read: without the variables at fault. */
function configWithout(deps: CliDeps, faulty: ReadonlySet<string>): Config {
  const pair: readonly string[] = [variables.tlsCertificateFile.name, variables.tlsKeyFile.name];
  const dropped = pair.some((name) => faulty.has(name)) ? new Set([...faulty, ...pair]) : faulty;
  const kept = Object.fromEntries(Object.entries(deps.environment).filter(([name]) => !dropped.has(name)));
  const config = readConfig(kept);
  if (!config.ok) throw new Error('every variable at fault was left out');
  return config.value;
}

const hasDatabase = (config: Config): config is ConfigWith<'databaseUrl'> => config.databaseUrl !== null;
