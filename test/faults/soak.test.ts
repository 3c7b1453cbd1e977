import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';

/**
 * More callers than connections, as it shows in the driver's queues, which `patches/` mends: unpatched they keep every entry
 * that ever went through while somebody waits, and walk over all of them at each removal. `bench/soak.ts` is the long one.
 */

type DriverQueue = {
  readonly length: number;
  readonly push: (item: object) => object;
  readonly shift: () => object | undefined;
  readonly remove: (item: object) => object | null;
};
// No part of what the driver says it offers, so it has no types.
const inside = '../../node_modules/postgres/src/queue.js';
const { default: newQueue }: { readonly default: (initial: readonly object[]) => DriverQueue } = await import(inside);

/** What a removal looks through, and what the queue keeps, as the one array method that a removal uses sees it. */
function watchSearches<Value>(work: () => Value): {
  readonly value: Value;
  readonly kept: number[];
  readonly walked: number[];
} {
  const kept: number[] = [];
  const walked: number[] = [];
  const original = Array.prototype.indexOf;
  const spy = spyOn(Array.prototype, 'indexOf').mockImplementation(function (this: unknown[], item, from = 0) {
    kept.push(this.length);
    walked.push(this.length - from);
    return original.call(this, item, from);
  });
  try {
    return { value: work(), kept, walked };
  } finally {
    spy.mockRestore();
  }
}

describe('a queue of the driver', () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('push' as const) }),
    fc.record({ kind: fc.constant('shift' as const) }),
    fc.record({ kind: fc.constant('remove' as const), place: fc.nat() }),
  );

  test('does what a plain array does, whatever happens to it', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 400 }), fc.nat({ max: 3000 }), (operations, initial) => {
        const model: object[] = Array.from({ length: initial }, (_, name) => ({ name }));
        const queue = newQueue(model);
        const gone: object[] = [{}];
        for (const operation of operations) {
          if (operation.kind === 'push') {
            const item = {};
            model.push(item);
            queue.push(item);
          } else if (operation.kind === 'shift') {
            const expected = model.shift();
            expect(queue.shift()).toBe(expected);
            if (expected !== undefined) gone.push(expected);
          } else {
            // Now and then one that is no longer there.
            const places = [...model, ...gone.slice(-1)];
            const item = places[operation.place % places.length] ?? {};
            const at = model.indexOf(item);
            if (at !== -1) model.splice(at, 1);
            expect(queue.remove(item)).toBe(at === -1 ? null : item);
          }
          expect(queue.length).toBe(model.length);
        }
      }),
    );
  });

  test('that never drains keeps no more than twice what waits, and walks over that alone', () => {
    const waiting = 56;
    const queue = newQueue(Array.from({ length: waiting }, (_, name) => ({ name })));
    const { kept, walked } = watchSearches(() => {
      for (let turn = 0; turn < 50_000; turn += 1) {
        queue.push({ turn });
        queue.shift();
        if (turn % 100 === 0) queue.remove({});
      }
    });
    expect(kept).toHaveLength(500);
    // Up to 1,024 consumed entries are not worth moving the rest for.
    expect(Math.max(...kept)).toBeLessThanOrEqual(2 * waiting + 1026);
    expect(Math.max(...walked)).toBe(waiting);
  });
});

describe('64 callers over 8 connections', () => {
  const callers = 64;
  const turns = 150;
  let temporary: TestDatabase;
  let database: Database;

  beforeAll(async () => {
    temporary = await testDatabase();
    database = openDatabase({ url: temporary.url, connections: 8, applicationName: 'soak' });
    await database.sql`CREATE TABLE counters (caller integer PRIMARY KEY, turn integer NOT NULL)`;
    await database.sql`INSERT INTO counters SELECT n, 0 FROM generate_series(0, ${callers - 1}::int) AS n`;
  }, databaseTimeoutMilliseconds);

  afterAll(async () => {
    await database.close();
    await temporary.drop();
  });

  test('are all answered, each with its own row, in its own order', async () => {
    const caller = async (name: number): Promise<readonly unknown[]> => {
      const answers: unknown[] = [];
      for (let turn = 0; turn < turns; turn += 1) {
        const [row] = await database.sql`
          UPDATE counters SET turn = turn + 1 WHERE caller = ${name} RETURNING caller, turn`;
        answers.push(row && [row['caller'], row['turn']]);
      }
      return answers;
    };
    const answers = await Promise.all(Array.from({ length: callers }, (_, name) => caller(name)));
    for (const [name, own] of answers.entries()) {
      expect(own).toEqual(Array.from({ length: turns }, (_, turn) => [name, turn + 1]));
    }
    const [row] = await database.sql<{ connections: number }[]>`
      SELECT count(*)::int AS connections FROM pg_stat_activity WHERE application_name = 'soak'`;
    expect(row?.connections).toBe(8);
  }, 60_000);
});
