/**
 * `bun bench/soak.ts [--seconds 180] [--callers 256]`: far more callers than database connections refresh for minutes; the
 * rate of each ten seconds and the memory must stay flat.
 * `bun bench/soak.ts --refreshes 1000000 [--families 10000]`: until so many refreshes; the table must not grow.
 * Prints a verdict; the exit code is 1 if it is bad.
 */
import { parseArgs } from 'node:util';
import { describeBar, describeValue, type Finding, isReached, median, whole } from './findings.ts';
import { type Callers, keepRefreshing } from './load/callers.ts';
import { loadAverage, residentBytes } from './process_cost.ts';
import { growthFindings, tableState } from './scenarios/growth.ts';
import { type Bench, openBench, type Side } from './sides.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '180' },
    callers: { type: 'string', default: '256' },
    families: { type: 'string', default: '10000' },
    refreshes: { type: 'string' },
  },
});

const windowSeconds = 10;
const megabyte = 1024 * 1024;

type Window = { readonly perSecond: number; readonly residentMegabytes: number };

/** Looks on, a window at a time, until it is enough or a caller failed. */
async function watch(side: Side, callers: Callers, enough: (windows: number) => boolean): Promise<readonly Window[]> {
  const windows: Window[] = [];
  while (!enough(windows.length) && callers.failure() === null) {
    const answered = callers.answered();
    const started = performance.now();
    await Bun.sleep(windowSeconds * 1000);
    const perSecond = ((callers.answered() - answered) * 1000) / (performance.now() - started);
    const window = { perSecond, residentMegabytes: residentBytes(side.server.pid) / megabyte };
    windows.push(window);
    console.log(
      `${String(windows.length * windowSeconds).padStart(5)} s  ${whole(perSecond).padStart(7)}/s  ` +
        `${whole(window.residentMegabytes).padStart(4)} MB  load ${loadAverage().toFixed(2)}`,
    );
  }
  return windows;
}

/** The last third against the first, after the window in which everything warms up. */
function flatFindings(windows: readonly Window[]): readonly Finding[] {
  const settled = windows.slice(1);
  const third = Math.max(1, Math.floor(settled.length / 3));
  const compare = (read: (window: Window) => number) => {
    const first = median(settled.slice(0, third).map(read));
    const last = median(settled.slice(-third).map(read));
    return { first, last, value: last / first };
  };
  const rate = compare((window) => window.perSecond);
  const memory = compare((window) => window.residentMegabytes);
  return [
    {
      what: 'rate, last third of the time',
      against: 'first third',
      measured: `${whole(rate.last)}/s`,
      reference: `${whole(rate.first)}/s`,
      value: rate.value,
      unit: '×',
      bar: { kind: 'at least', value: 0.9 },
    },
    {
      what: 'memory, last third of the time',
      against: 'first third',
      measured: `${whole(memory.last)} MB`,
      reference: `${whole(memory.first)} MB`,
      value: memory.value,
      unit: '×',
      bar: { kind: 'at most', value: 1.1 },
    },
  ];
}

async function soak(bench: Bench): Promise<readonly Finding[]> {
  const refreshes = values.refreshes === undefined ? null : Number(values.refreshes);
  const callersCount = Number(values.callers);
  const familiesCount = refreshes === null ? callersCount : Number(values.families);
  const side = await bench.start('limen');
  console.log(`making ${whole(familiesCount)} families`);
  const tokens = await side.families(familiesCount);
  const before = await tableState(bench);
  console.log(`${callersCount} callers refresh`);
  const callers = keepRefreshing(side.origin, bench.parties.web, tokens, callersCount);
  const windows = await watch(side, callers, (seen) =>
    refreshes === null ? seen * windowSeconds >= Number(values.seconds) : callers.answered() >= refreshes,
  );
  await callers.stop();
  const after = await tableState(bench);
  return [...flatFindings(windows), ...growthFindings(before, after, familiesCount)];
}

const bench = await openBench();
try {
  const findings = await soak(bench);
  for (const finding of findings) {
    const verdict = isReached(finding) === false ? 'BAD ' : 'good';
    const against = finding.reference === '' ? '' : ` against ${finding.reference}`;
    console.log(
      `${verdict}  ${finding.what}: ${finding.measured}${against}, ${describeValue(finding)} (${describeBar(finding)})`,
    );
  }
  process.exitCode = findings.every((finding) => isReached(finding) !== false) ? 0 : 1;
} finally {
  await bench.stop();
}
