import { describe, expect, test } from 'bun:test';
import { createLog } from '../../src/core/log.ts';
import type { NewRefusal, RefusalRecord } from '../../src/oidc/explanation/index.ts';
import { createRefusalKeeper, mostPerFlush, mostPerSender } from '../../src/workers/refusals.ts';

function keeper({ failing = false } = {}) {
  const batches: (readonly RefusalRecord[])[] = [];
  const lines: { event: string; count?: number }[] = [];
  let now = 1_800_000_000_000;
  const job = createRefusalKeeper({
    write: async (records) => {
      if (failing) throw new Error('the database is away');
      batches.push(records);
    },
    clock: () => now,
    log: createLog(
      'debug',
      (line) => lines.push(JSON.parse(line)),
      () => now,
    ),
  });
  return {
    ...job,
    batches,
    lines,
    pass: (milliseconds: number) => {
      now += milliseconds;
    },
  };
}

const refusal = (errorId: string): NewRefusal => ({
  kind: 'refusal',
  errorId,
  realmId: null,
  endpoint: '/token',
  clientId: null,
  error: 'invalid_request',
  rule: 'RFC 6749 §3.1',
  parameter: 'scope',
  description: 'scope is malformed',
});

/** As many refusals, each of a sender of its own. */
const flood = ({ keep }: Pick<ReturnType<typeof keeper>, 'keep'>, count: number): void => {
  for (let at = 0; at < count; at += 1) keep(refusal(`id${at}`), `192.0.${at >> 8}.${at & 255}`);
};

describe('what error ids stand for is written behind the requests', () => {
  test('nothing is written while a request is served, and all of it in one write', async () => {
    const { keep, run, batches } = keeper();
    keep(refusal('a'), '192.0.2.1');
    keep(refusal('b'), 'unknown');
    expect(batches).toEqual([]);
    await run();
    expect(batches.map((batch) => batch.map(({ errorId }) => errorId))).toEqual([['a', 'b']]);
    expect(batches[0]?.[0]?.at).toBe(1_800_000_000_000);
  });

  test('ten minutes of a flood from one network leave the others their ids', async () => {
    const { keep, run, batches, pass } = keeper();
    for (let second = 0; second < 600; second += 1) {
      for (let at = 0; at < 10; at += 1) keep(refusal('flood'), `2001:db8:0:${at}::1`);
      keep(refusal('honest'), `192.0.2.${second % 256}`);
      await run();
      pass(1000);
    }
    const kept = batches.flat().filter(({ errorId }) => errorId === 'honest');
    expect(kept).toHaveLength(600);
  });

  test('where nothing was refused, nothing is asked of the database', async () => {
    const { run, batches } = keeper();
    await run();
    expect(batches).toEqual([]);
  });

  test('a flood is cut to a bounded write, and what was dropped is counted', async () => {
    const kept = keeper();
    flood(kept, 5000);
    await kept.run();
    expect(kept.batches[0]).toHaveLength(mostPerFlush);
    expect(kept.lines).toContainEqual(
      expect.objectContaining({ event: 'refusals.dropped', count: 5000 - mostPerFlush }),
    );
  });

  test('one sender does not push out the others', async () => {
    const { keep, run, batches } = keeper();
    for (let at = 0; at < 1000; at += 1) keep(refusal('flood'), `2001:db8::${at.toString(16)}`);
    keep(refusal('other'), '192.0.2.1');
    await run();
    const ids = batches[0]?.map(({ errorId }) => errorId) ?? [];
    expect(ids.filter((id) => id === 'flood')).toHaveLength(mostPerSender);
    expect(ids).toContain('other');
  });

  test('however long it lasts, a process writes five rows a second', async () => {
    const kept = keeper();
    for (let second = 0; second < 400; second += 1) {
      flood(kept, 500);
      await kept.run();
      kept.pass(1000);
    }
    const rows = kept.batches.reduce((sum, batch) => sum + batch.length, 0);
    expect(rows).toBeLessThanOrEqual(1000 + 400 * 5 + 1);
    expect(rows).toBeGreaterThan(2500);
  });

  test('a write that fails loses its rows, not the next ones, and grows nothing', async () => {
    const kept = keeper({ failing: true });
    kept.keep(refusal('lost'), '192.0.2.1');
    await expect(kept.run()).rejects.toThrow('away');
    await kept.run();
  });
});
