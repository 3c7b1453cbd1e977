/** What rotation does to the table: updates in place, and no growth. */
import { type Finding, whole } from '../findings.ts';
import { keepRefreshing } from '../load/callers.ts';
import type { Bench } from '../sides.ts';
import type { Scenario } from './index.ts';

export type TableState = { readonly updates: number; readonly hot: number; readonly bytes: number };

/** The counters of all leaves of `token_families`; indexes count into the size. */
export async function tableState({ database }: Bench): Promise<TableState> {
  // Each server process hands in its counters when it has been idle for a second.
  await Bun.sleep(1500);
  const [row] = await database.database.sql<TableState[]>`
    SELECT coalesce(sum(n_tup_upd), 0)::float8 AS updates, coalesce(sum(n_tup_hot_upd), 0)::float8 AS hot,
           coalesce(sum(pg_total_relation_size(relid)), 0)::float8 AS bytes
    FROM pg_stat_user_tables WHERE relname LIKE 'token\\_families\\_%'`;
  return row ?? { updates: 0, hot: 0, bytes: 0 };
}

export function growthFindings(before: TableState, after: TableState, families: number): readonly Finding[] {
  const updates = after.updates - before.updates;
  const what = `${whole(updates)} refreshes over ${whole(families)} families`;
  return [
    {
      what: `${what}: updates in place (HOT)`,
      against: '',
      measured: `${whole(after.hot - before.hot)} of ${whole(updates)}`,
      reference: '',
      value: ((after.hot - before.hot) / updates) * 100,
      unit: '%',
      bar: { kind: 'at least', value: 95 },
    },
    {
      what: `${what}: size of table and indexes`,
      against: 'before',
      measured: `${whole(after.bytes / 1024)} kB`,
      reference: `${whole(before.bytes / 1024)} kB`,
      value: after.bytes / before.bytes,
      unit: '×',
      bar: { kind: 'at most', value: 1.5 },
    },
  ];
}

const familiesCount = 2_000;

export const growth: Scenario = {
  name: 'growth',
  async run(bench, { seconds, progress }) {
    const side = await bench.start('limen');
    progress(`growth: making ${whole(familiesCount)} families`);
    const tokens = await side.families(familiesCount);
    const before = await tableState(bench);
    progress('growth: refreshing');
    const callers = keepRefreshing(side.origin, bench.parties.web, tokens, 32);
    await Bun.sleep(2 * seconds * 1000);
    await callers.stop();
    const after = await tableState(bench);
    await side.server.stop();
    return { rates: [], findings: growthFindings(before, after, familiesCount) };
  },
};
