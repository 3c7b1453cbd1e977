/** How outcomes are shown: one table of what was reached, and `docs/benchmarks.md`. */
import { cpus } from 'node:os';
import { markdownTable } from '../check/markdown.ts';
import {
  describeBar,
  describeRate,
  describeValue,
  type Finding,
  isReached,
  medianOf,
  type Outcome,
  type Rates,
} from './findings.ts';

export type Facts = { readonly [name: string]: string };

export function readFacts(postgres: string, load: string): Facts {
  const processors = cpus();
  const version = (...command: string[]): string =>
    Bun.spawnSync(command).stdout.toString().trim().split('\n')[0] ?? '';
  return {
    processors: `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown'}`,
    bun: Bun.version,
    node: version('node', '--version'),
    postgres: `${postgres}, fsync and synchronous_commit on, default settings`,
    wrk: version('wrk', '-v').replace(/ Copyright.*/, ''),
    'load average before and after': load,
  };
}

const heading = ['what', 'against', 'Limen', 'the other', 'value', 'bar', 'reached'];
const verdicts = new Map<boolean | null, string>([
  [true, 'yes'],
  [false, 'NO'],
  [null, ''],
]);

const row = (finding: Finding): readonly string[] => [
  finding.what,
  finding.against,
  finding.measured,
  finding.reference,
  describeValue(finding),
  describeBar(finding),
  verdicts.get(isReached(finding)) ?? '',
];

export const findingsTable = ({ findings }: Outcome): string => markdownTable(heading, findings.map(row));

const ratesTable = (rates: readonly Rates[]): string =>
  markdownTable(
    ['grant', 'side', 'rate', 'p50', 'p99', 'CPU of the server', 'CPU of Postgres', 'wrk'],
    rates.map((side) => {
      const of = (read: (round: Rates['rounds'][number]) => number): number => medianOf(side.rounds, read);
      const hasDatabase = side.rounds.some(({ databaseMicroseconds }) => databaseMicroseconds !== null);
      return [
        side.scenario,
        side.side,
        describeRate(side),
        `${of((round) => round.p50Milliseconds).toFixed(1)} ms`,
        `${of((round) => round.p99Milliseconds).toFixed(1)} ms`,
        `${of((round) => round.serverMicroseconds).toFixed(0)} µs`,
        hasDatabase ? `${of((round) => round.databaseMicroseconds ?? 0).toFixed(0)} µs` : '',
        `${(of((round) => round.generatorCores) * 100).toFixed(0)} % of a core`,
      ];
    }),
  );

const introduction = `# Benchmarks

Written by \`bun bench/main.ts --write\`. What counts are the ratios: all sides of a grant run in one go on the same
processors, in turns, and the medians of their rounds are compared. Absolute numbers belong to the machine of the day.`;

const method = `## How it is measured

- One server process per side, 64 keep-alive connections, load from \`wrk\`. A refused request or a broken connection fails
  the run.
- The peer is node-oidc-provider 9 with its own in-memory store, given room for all entries; nothing of it is durable. Limen
  runs with its defaults against a Postgres that syncs every commit to disk.
- Every side signs access and ID tokens with ES256 and gives the same claims; Limen's carry \`auth_time\`, \`acr\`, \`amr\` and
  \`sid\` besides.
- _client_credentials_: client secret in the Authorization header, an RFC 9068 access token. _bare elysia_ parses the form
  and signs, and checks nothing: the ceiling of the framework.
- _refresh_: confidential client, rotation at each request, access and ID token. Each of the 64 connections keeps one
  family in rotation, by one wrk thread per connection, which takes the next token out of each answer. _scratch plain_ is
  one UPDATE by primary key on a table without anything else, _scratch product_ the same on the product's partitioned table
  with user and session looked at; both sign the same tokens and check little else.
- _authorization_code_: codes are made beforehand, by Limen's own sealing and by the peer's own models; PKCE; access, ID and
  refresh token.
- CPU is per answered request. wrk, server and Postgres share the processors, so what wrk takes is shown as well. Where the
  load average tells that the machine had other work, the rates favour sides without a database, which need fewer
  processors; CPU per request is then the fairer comparison.
- Half the peak rate: connections pause between answer and next request so that together they send half of the peak.`;

export function benchmarksDocument(outcome: Outcome, facts: Facts): string {
  const factsTable = markdownTable(['', ''], Object.entries(facts));
  const parts = [introduction, '## What was reached', findingsTable(outcome), '## The grants at full speed'];
  return `${[...parts, ratesTable(outcome.rates), method, '## Where', factsTable].join('\n\n')}\n`;
}
