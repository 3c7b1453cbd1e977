import { describe, expect, test } from 'bun:test';
import { ReadThrough } from '../../src/store/read_through.ts';

type Word = { readonly word: string };
const lasting = (word: string) => ({ value: { word }, staleAt: null });
const newCache = (found = 10, absent = 10) => new ReadThrough<Word>({ found, absent });

function counted(answers: readonly (string | null)[]) {
  const calls = { count: 0 };
  const load = async () => {
    const answer = answers[Math.min(calls.count++, answers.length - 1)] ?? null;
    return answer === null ? null : lasting(answer);
  };
  return { calls, load };
}

describe('ReadThrough', () => {
  test('asks once, then remembers, also that nothing is there', async () => {
    for (const answer of ['a', null]) {
      const { calls, load } = counted([answer]);
      const cache = newCache();
      const results = [await cache.get('k', 0, load), await cache.get('k', 0, load)];
      expect(results).toEqual(answer === null ? [null, null] : [{ word: answer }, { word: answer }]);
      expect(calls.count).toBe(1);
    }
  });

  test('callers at the same time share one load', async () => {
    const { calls, load } = counted(['a']);
    const cache = newCache();
    const all = await Promise.all(Array.from({ length: 50 }, () => cache.get('k', 0, load)));
    expect(new Set(all).size).toBe(1);
    expect(calls.count).toBe(1);
  });

  test('a load that failed is not remembered, and all who waited are told', async () => {
    const cache = newCache();
    const failing = () => Promise.reject(new RangeError('down'));
    const waits = await Promise.allSettled([cache.get('k', 0, failing), cache.get('k', 0, failing)]);
    expect(waits.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await cache.get('k', 0, async () => lasting('up'))).toEqual({ word: 'up' });
  });

  test('cleared: a load in flight is neither kept nor given to those who waited for it', async () => {
    const cache = newCache();
    const gate = Promise.withResolvers<void>();
    const answers = ['old', 'new'];
    const load = async () => {
      const answer = answers.shift() ?? 'unexpected';
      if (answer === 'old') await gate.promise;
      return lasting(answer);
    };
    const waiting = cache.get('k', 0, load);
    cache.clear();
    gate.resolve();
    expect(await waiting).toEqual({ word: 'new' });
    expect(await cache.get('k', 0, load)).toEqual({ word: 'new' });
  });

  test('cleared while what is absent was being looked up: it is looked up again', async () => {
    const cache = newCache();
    const gate = Promise.withResolvers<void>();
    const waiting = cache.get('k', 0, async () => {
      await gate.promise;
      return null;
    });
    cache.clear();
    gate.resolve();
    await waiting;
    cache.clear();
    expect(await cache.get('k', 0, async () => lasting('made'))).toEqual({ word: 'made' });
  });

  test('cleared without pause: gives what it has after some tries, and keeps none of it', async () => {
    const cache = newCache();
    const { calls, load } = counted(['a', 'b', 'c', 'd']);
    const restless = async () => {
      const loaded = await load();
      cache.clear();
      return loaded;
    };
    expect(await cache.get('k', 0, restless)).toEqual({ word: 'c' });
    expect(calls.count).toBe(3);
    expect(await cache.get('k', 0, load)).toEqual({ word: 'd' });
  });

  test('is loaded again from the instant on which it is stale', async () => {
    const cache = newCache();
    const until = async (word: string) => ({ value: { word }, staleAt: 100 });
    expect(await cache.get('k', 0, () => until('a'))).toEqual({ word: 'a' });
    expect(await cache.get('k', 99, () => until('b'))).toEqual({ word: 'a' });
    expect(await cache.get('k', 100, async () => lasting('c'))).toEqual({ word: 'c' });
    expect(await cache.get('k', 101, () => until('d'))).toEqual({ word: 'c' });
  });

  test('a flood of names that are not there pushes out nothing that is', async () => {
    const cache = newCache(2, 3);
    await cache.get('real', 0, async () => lasting('kept'));
    for (let index = 0; index < 100; index++) await cache.get(`made up ${index}`, 0, async () => null);
    const { calls, load } = counted(['loaded again']);
    expect(await cache.get('real', 0, load)).toEqual({ word: 'kept' });
    expect(await cache.get('made up 0', 0, load)).toEqual({ word: 'loaded again' });
    expect(calls.count).toBe(1);
  });
});
