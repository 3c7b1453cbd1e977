/** The three grants at full speed: every side in turn, several rounds, so that a disturbance meets all of them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeRate, type Finding, type Outcome, perSecond, type Rates } from '../findings.ts';
import { type Load, type Measurement, measure } from '../load/wrk.ts';
import { basic } from '../parties.ts';
import { type Bench, codeSuffix, type Side, type SideName } from '../sides.ts';
import type { Scenario, ScenarioOptions } from './index.ts';

type Against = { readonly side: SideName; readonly atLeast: number | null };

type Grant = {
  readonly script: Load['script'];
  readonly client: 'service' | 'web';
  readonly threads: number;
  readonly against: readonly Against[];
  /** Makes what a run of so many requests uses up; gives the script's arguments. */
  readonly prepare: (bench: Bench, side: Side, requests: number) => Promise<readonly string[]>;
};

export const connections = 64;

const grants: { readonly [Name in Load['script']]: Grant } = {
  client_credentials: {
    script: 'client_credentials',
    client: 'service',
    threads: 2,
    against: [
      { side: 'peer on node', atLeast: 6 },
      { side: 'peer on bun', atLeast: 2 },
      { side: 'bare elysia', atLeast: 0.8 },
    ],
    prepare: async () => [],
  },
  refresh: {
    script: 'refresh',
    client: 'web',
    // load/refresh.lua says why.
    threads: connections,
    against: [
      { side: 'peer on node', atLeast: 6 },
      { side: 'peer on bun', atLeast: 2.5 },
      { side: 'scratch product', atLeast: 0.7 },
      { side: 'scratch plain', atLeast: null },
    ],
    prepare: async (bench, side) => [writeLines(bench, 'tokens', await side.families(connections))],
  },
  authorization_code: {
    script: 'authorization_code',
    client: 'web',
    threads: 2,
    against: [
      { side: 'peer on node', atLeast: 4 },
      { side: 'peer on bun', atLeast: null },
    ],
    prepare: async (bench, side, requests) => [
      writeLines(bench, 'codes', await side.codes(requests)),
      codeSuffix(bench.parties.web.redirectUri),
    ],
  },
};

function writeLines(bench: Bench, name: string, lines: readonly string[]): string {
  const path = join(bench.folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return path;
}

export type RunOptions = {
  readonly seconds: number;
  readonly pauseMilliseconds?: number;
  /** How many requests a second it will be at most, so that codes do not run out. */
  readonly atMostPerSecond?: number;
};

/** One run of a grant against one side. */
export async function runGrant(
  bench: Bench,
  side: Side,
  name: Load['script'],
  { seconds, pauseMilliseconds = 0, atMostPerSecond = 6_000 }: RunOptions,
): Promise<Measurement> {
  const grant = grants[name];
  const scriptArguments = await grant.prepare(bench, side, Math.ceil(atMostPerSecond * (seconds + 1)));
  const load: Load = {
    script: grant.script,
    url: `${side.origin}/token`,
    authorization: basic(bench.parties[grant.client]),
    connections,
    threads: grant.threads,
    seconds,
    pauseMilliseconds,
    scriptArguments,
  };
  return measure(load, side.observed);
}

const warmUpSeconds = 3;

async function compare(
  bench: Bench,
  name: Load['script'],
  { seconds, rounds, progress }: ScenarioOptions,
): Promise<Outcome> {
  const names: readonly SideName[] = ['limen', ...grants[name].against.map(({ side }) => side)];
  const sides: { readonly side: Side; readonly rounds: Measurement[]; atMostPerSecond: number }[] = [];
  for (const sideName of names) {
    const side = await bench.start(sideName);
    const warm = await runGrant(bench, side, name, { seconds: Math.min(warmUpSeconds, seconds) });
    sides.push({ side, rounds: [], atMostPerSecond: 2 * warm.perSecond });
  }
  for (let round = 1; round <= rounds; round += 1) {
    for (const { side, rounds: measured, atMostPerSecond } of sides) {
      progress(`${name}, round ${round} of ${rounds}: ${side.name}`);
      measured.push(await runGrant(bench, side, name, { seconds, atMostPerSecond }));
    }
  }
  for (const { side } of sides) await side.server.stop();
  const rates = sides.map(({ side, rounds: measured }) => ({ scenario: name, side: side.name, rounds: measured }));
  return { rates, findings: findingsOf(name, rates) };
}

function findingsOf(name: Load['script'], [limen, ...others]: readonly Rates[]): readonly Finding[] {
  if (limen === undefined) return [];
  return others.map((other) => {
    const atLeast = grants[name].against.find(({ side }) => side === other.side)?.atLeast ?? null;
    return {
      what: name,
      against: other.side,
      measured: describeRate(limen),
      reference: describeRate(other),
      value: perSecond(limen) / perSecond(other),
      unit: '×',
      bar: atLeast === null ? null : { kind: 'at least', value: atLeast },
    };
  });
}

const comparison = (name: Load['script']): Scenario => ({
  name,
  run: (bench, options) => compare(bench, name, options),
});

export const clientCredentials = comparison('client_credentials');
export const refresh = comparison('refresh');
export const authorizationCode = comparison('authorization_code');
