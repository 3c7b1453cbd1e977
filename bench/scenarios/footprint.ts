/** What the process takes: memory after many tokens, and time to its first answer. */
import { type Finding, median, whole } from '../findings.ts';
import { residentBytes } from '../process_cost.ts';
import type { Scenario } from './index.ts';
import { runGrant } from './rates.ts';

const megabyte = 1024 * 1024;
const starts = 5;

export const start: Scenario = {
  name: 'start',
  async run(bench, { progress }) {
    const findings: Finding[] = [];
    for (const [side, how] of [
      ['limen executable', 'the executable'],
      ['limen', 'from source'],
    ] as const) {
      const milliseconds: number[] = [];
      for (let time = 1; time <= starts; time += 1) {
        progress(`start ${time} of ${starts}, ${how}`);
        const { server } = await bench.start(side);
        milliseconds.push(server.startMilliseconds);
        await server.stop();
      }
      findings.push({
        what: `start, ${how}: against a migrated database, to the first answer (median of ${starts})`,
        against: '',
        measured: milliseconds.map((value) => `${whole(value)} ms`).join(', '),
        reference: '',
        value: median(milliseconds),
        unit: 'ms',
        bar: { kind: 'at most', value: 300 },
      });
    }
    return { rates: [], findings };
  },
};

export const memory: Scenario = {
  name: 'memory',
  async run(bench, { tokens, progress }) {
    const side = await bench.start('limen');
    const resident: number[] = [residentBytes(side.server.pid) / megabyte];
    let issued = 0;
    // Both grants: the one that allocates most per second and the one that goes through the database.
    for (const grant of ['client_credentials', 'refresh', 'client_credentials', 'refresh'] as const) {
      const goal = issued + tokens / 4;
      while (issued < goal) {
        progress(`memory: ${whole(issued)} of ${whole(tokens)} tokens`);
        issued += (await runGrant(bench, side, grant, { seconds: 5 })).requests;
      }
      resident.push(residentBytes(side.server.pid) / megabyte);
    }
    await side.server.stop();
    return {
      rates: [],
      findings: [
        {
          what: `resident memory after ${whole(issued)} token responses`,
          against: '',
          measured: `at the start and after each quarter: ${resident.map((value) => `${whole(value)} MB`).join(', ')}`,
          reference: '',
          value: Math.max(...resident),
          unit: 'MB',
          bar: { kind: 'at most', value: 150 },
        },
      ],
    };
  },
};
