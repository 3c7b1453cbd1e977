import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { err, ok } from '../../src/core/result.ts';
import { freshSeconds, longestFreshSeconds, shortestFreshSeconds } from '../../src/workers/outbound/freshness.ts';
import { createDocumentCache, readJson } from '../../src/workers/outbound/index.ts';
import type { OutboundResult } from '../../src/workers/outbound/result.ts';

const url = 'https://client.example/jwks';
const document = (text: string, headers: Record<string, string> = {}, status = 200): OutboundResult => ({
  kind: 'answered',
  status,
  headers: new Map(Object.entries(headers)),
  body: Buffer.from(text),
  url,
});
const gone: OutboundResult = { kind: 'failed', reason: 'connection', detail: 'ECONNREFUSED' };
const tooLarge: OutboundResult = { kind: 'failed', reason: 'too_large', detail: 'the body' };

/** A cache whose clock and server are the test's. `answers` are given in order, the last one for ever. */
const start = (...answers: readonly OutboundResult[]) => startWith({}, ...answers);

function startWith(more: { readonly staleIfErrorSeconds?: number }, ...answers: readonly OutboundResult[]) {
  const state = { now: 1_000_000, asked: [] as string[] };
  const cache = createDocumentCache({
    outbound: {
      get: async (asked) => {
        state.asked.push(asked);
        await new Promise<void>((resolve) => setImmediate(resolve));
        return answers[Math.min(state.asked.length, answers.length) - 1] ?? gone;
      },
    },
    clock: () => state.now,
    options: { accept: 'application/json' },
    read: readJson,
    largestBytes: 1000,
    ...more,
  });
  const after = (seconds: number): void => {
    state.now += seconds * 1000;
  };
  return { ...cache, state, after };
}

describe('a document', () => {
  test('is fetched once while it is fresh', async () => {
    const cache = start(document('1', { 'cache-control': 'max-age=100' }), document('2'));
    expect(await cache.get(url)).toEqual({ kind: 'found', value: 1, fetchedAt: 1_000_000 });
    cache.after(99);
    expect(await cache.get(url)).toMatchObject({ value: 1 });
    cache.after(1);
    expect(await cache.get(url)).toMatchObject({ value: 2 });
    expect(cache.state.asked).toEqual([url, url]);
  });

  test('is fetched once for all who ask at the same time', async () => {
    const cache = start(document('1'), document('2'));
    const all = await Promise.all([cache.get(url), cache.get(url), cache.refetch(url), cache.get(url)]);
    expect(all.map((result) => result.kind === 'found' && result.value)).toEqual([1, 1, 1, 1]);
    expect(cache.state.asked).toHaveLength(1);
  });

  test.each([
    [
      'another status',
      document('1', {}, 404),
      { kind: 'failed', reason: 'status', detail: 'status 404', isOutage: false },
    ],
    [
      'a fault of its server',
      document('1', {}, 503),
      { kind: 'failed', reason: 'status', detail: 'status 503', isOutage: true },
    ],
    [
      'no JSON',
      document('{'),
      { kind: 'failed', reason: 'unreadable', detail: 'The document is not JSON.', isOutage: false },
    ],
    ['nobody there', gone, { ...gone, isOutage: true }],
    ['too much of it', tooLarge, { ...tooLarge, isOutage: false }],
    [
      'a refusal',
      { kind: 'refused', rule: 'address', reason: 'No.' } as const,
      { kind: 'refused', reason: 'No.' } as const,
    ],
  ])('that cannot be had (%s) is asked for again after ten seconds', async (_, answer, expected) => {
    const cache = start(answer, document('2'));
    expect(await cache.get(url)).toEqual(expected as never);
    cache.after(9);
    expect(await cache.get(url)).toEqual(expected as never);
    expect(await cache.refetch(url)).toEqual(expected as never);
    expect(cache.state.asked).toHaveLength(1);
    cache.after(1);
    expect(await cache.get(url)).toMatchObject({ value: 2 });
  });

  test('whose request was never sent is asked for at once', async () => {
    const cache = start({ kind: 'failed', reason: 'busy', detail: '' }, document('2'));
    expect(await cache.get(url)).toMatchObject({ reason: 'busy' });
    expect(await cache.get(url)).toMatchObject({ value: 2 });
  });

  test('that a bug kept from being read is asked for again', async () => {
    let calls = 0;
    const cache = createDocumentCache({
      outbound: { get: async () => document('1') },
      clock: () => 0,
      options: { accept: '*/*' },
      read: () => {
        calls += 1;
        if (calls === 1) throw new Error('bug');
        return ok(calls);
      },
    });
    expect(cache.get(url)).rejects.toThrow('bug');
    await Bun.sleep(0);
    expect(await cache.get(url)).toMatchObject({ value: 2 });
  });
});

describe('RFC 5861 §4, where a cache has stale-if-error', () => {
  const first = document('1', { 'cache-control': 'max-age=60' });
  const begin = async (...then: readonly OutboundResult[]) => {
    const cache = startWith({ staleIfErrorSeconds: 600 }, first, ...then);
    await cache.get(url);
    cache.after(60);
    return cache;
  };

  test.each([
    ['nobody is there', gone],
    ['its server has a fault', document('', {}, 503)],
    ['its server has too much to do', document('', {}, 429)],
  ])('an old document is used while %s, until the bound, and it is asked for all the time', async (_, outage) => {
    const cache = await begin(outage);
    expect(await cache.get(url)).toMatchObject({ kind: 'found', value: 1 });
    cache.after(599);
    expect(await cache.get(url)).toMatchObject({ kind: 'found', value: 1 });
    expect(cache.state.asked).toHaveLength(3);
    cache.after(1);
    expect(await cache.get(url)).toMatchObject({ kind: 'failed', isOutage: true });
  });

  test('and is used within the pause between two questions', async () => {
    const cache = await begin(gone);
    await cache.get(url);
    cache.after(5);
    expect(await cache.get(url)).toMatchObject({ kind: 'found', value: 1 });
    expect(cache.state.asked).toHaveLength(2);
  });

  test.each([
    ['404', document('', {}, 404)],
    ['410', document('', {}, 410)],
    ['what is no document', document('{')],
    ['too much', tooLarge],
    ['a redirect', { kind: 'failed', reason: 'redirect', detail: 'status 302' } as const],
    ['an address that may not be asked', { kind: 'refused', rule: 'address', reason: 'No.' } as const],
  ])('an answer ends the old document: %s', async (_, answer) => {
    const cache = await begin(answer, gone);
    expect((await cache.get(url)).kind).not.toBe('found');
    cache.after(10);
    expect(await cache.get(url)).toMatchObject({ kind: 'failed', isOutage: true });
  });

  test('without it an outage is told at once', async () => {
    const cache = start(first, gone);
    await cache.get(url);
    cache.after(60);
    expect(await cache.get(url)).toMatchObject({ kind: 'failed', isOutage: true });
  });
});

describe('who may not ask', () => {
  const no = () => false;

  test('gets what is there, and no request is sent for them', async () => {
    const cache = start(document('1', { 'cache-control': 'max-age=60' }));
    expect(await cache.get(url, no)).toMatchObject({ kind: 'failed', reason: 'busy', isOutage: true });
    expect(cache.state.asked).toHaveLength(0);
    await cache.get(url);
    expect(await cache.get(url, no)).toMatchObject({ kind: 'found', value: 1 });
  });

  test('keeps what is there when it should be asked for anew', async () => {
    const cache = start(document('1'), document('2'));
    await cache.get(url);
    cache.after(10);
    expect(await cache.refetch(url, no)).toMatchObject({ kind: 'found', value: 1 });
    expect(cache.state.asked).toHaveLength(1);
  });

  test.each([
    ['another document', document('2'), { kind: 'found', value: 2 }],
    ['none any more', document('', {}, 404), { kind: 'failed', detail: 'status 404', isOutage: false }],
    ['an outage', gone, { kind: 'found', value: 1 }],
  ])('cannot make an old document last: it is asked for all the same, and there is %s', async (_, answer, expected) => {
    const cache = startWith({ staleIfErrorSeconds: 600 }, document('1', { 'cache-control': 'max-age=60' }), answer);
    await cache.get(url);
    cache.after(60);
    const all = await Promise.all([cache.get(url, no), cache.get(url, no)]);
    expect(all).toMatchObject([expected, expected]);
    expect(cache.state.asked).toHaveLength(2);
  });

  test('has no request sent for them once the old document is too old to stand in', async () => {
    const cache = startWith({ staleIfErrorSeconds: 600 }, document('1', { 'cache-control': 'max-age=60' }), gone);
    await cache.get(url);
    cache.after(660);
    expect(await cache.get(url, no)).toMatchObject({ kind: 'failed', detail: 'not asked' });
    expect(cache.state.asked).toHaveLength(1);
  });

  test('shares what others have asked for already', async () => {
    const cache = start(document('1'));
    const [, second] = await Promise.all([cache.get(url), cache.get(url, no)]);
    expect(second).toMatchObject({ kind: 'found', value: 1 });
  });
});

describe('refetch', () => {
  test('asks anew, though no more often than every ten seconds', async () => {
    const cache = start(document('1'), document('2'), document('3'));
    await cache.get(url);
    cache.after(9);
    expect(await cache.refetch(url)).toMatchObject({ value: 1 });
    cache.after(1);
    expect(await cache.refetch(url)).toMatchObject({ value: 2 });
    expect(await cache.refetch(url)).toMatchObject({ value: 2 });
    expect(await cache.get(url)).toMatchObject({ value: 2 });
    expect(cache.state.asked).toHaveLength(2);
  });

  test('that fails leaves a fresh document in place and pauses too', async () => {
    const cache = start(document('1', { 'cache-control': 'max-age=60' }), gone, document('3'));
    await cache.get(url);
    cache.after(20);
    expect(await cache.refetch(url)).toMatchObject({ value: 1 });
    cache.after(9);
    expect(await cache.refetch(url)).toMatchObject({ value: 1 });
    expect(await cache.get(url)).toMatchObject({ value: 1 });
    expect(cache.state.asked).toHaveLength(2);
    cache.after(1);
    expect(await cache.refetch(url)).toMatchObject({ value: 3 });
  });

  test('of what was never fetched fetches it', async () => {
    expect(await start(document('1')).refetch(url)).toMatchObject({ value: 1 });
  });

  test('however often it is called, ten seconds lie between two questions', async () => {
    const steps = fc.array(
      fc.record({ wait: fc.integer({ min: 0, max: 15 }), does: fc.constantFrom('get' as const, 'refetch' as const) }),
      { maxLength: 30 },
    );
    const answers = fc.array(fc.constantFrom(gone, document('1'), document('{'), document('2', { age: '5000' })), {
      minLength: 1,
    });
    await fc.assert(
      fc.asyncProperty(steps, answers, async (taken, given) => {
        const cache = start(...given);
        let before = 0;
        let last = Number.NEGATIVE_INFINITY;
        for (const { wait, does } of taken) {
          cache.after(wait);
          await cache[does](url);
          if (cache.state.asked.length === before) continue;
          expect(cache.state.asked.length).toBe(before + 1);
          expect(cache.state.now - last).toBeGreaterThanOrEqual(10_000);
          before = cache.state.asked.length;
          last = cache.state.now;
        }
      }),
    );
  });
});

describe('room', () => {
  test('documents share a number of bytes; the one used longest ago goes first', async () => {
    const cache = start(document(JSON.stringify('x'.repeat(400))));
    for (const name of ['a', 'b', 'a', 'c', 'a', 'b']) await cache.get(`https://${name}.example/`);
    expect(cache.state.asked.map((asked) => asked.slice(8, 9))).toEqual(['a', 'b', 'c', 'b']);
  });

  test('what could not be had pushes out no document', async () => {
    const cache = start(document('1'), gone);
    await cache.get(url);
    for (let index = 0; index < 2500; index += 1) await cache.get(`https://made-up-${index}.example/`);
    const asked = cache.state.asked.length;
    expect(await cache.get(url)).toMatchObject({ value: 1 });
    expect(cache.state.asked.length).toBe(asked);
  });
});

describe('how long a document is fresh', () => {
  test.each([
    [undefined, undefined, 300],
    ['', undefined, 300],
    ['max-age=600', undefined, 600],
    ['public, Max-Age="600", immutable', undefined, 600],
    ['max-age=600', '100', 500],
    ['max-age=600', '5000', 60],
    ['max-age=0', undefined, 60],
    ['max-age=99999999', undefined, 3600],
    ['no-store', undefined, 60],
    ['max-age=600, no-cache', undefined, 60],
    ['no-cache="set-cookie", max-age=600', undefined, 60],
    ['s-maxage=900', undefined, 300],
    ['max-age=-5', undefined, 300],
    ['max-age=1e9', undefined, 300],
  ])('Cache-Control: %s, Age: %s: %i s', (cacheControl, age, seconds) => {
    expect(freshSeconds(cacheControl, age)).toBe(seconds);
  });

  test('is a whole number within its bounds, whatever is sent', () => {
    const directive = fc.oneof(
      fc.string(),
      fc.constantFrom('no-store', 'no-cache', 'private'),
      fc.integer().map((seconds) => `max-age=${seconds}`),
    );
    const header = fc.array(directive, { maxLength: 4 }).map((directives) => directives.join(', '));
    fc.assert(
      fc.property(header, fc.option(fc.oneof(fc.string(), fc.nat().map(String)), { nil: undefined }), (text, age) => {
        const seconds = freshSeconds(text, age);
        expect(Number.isInteger(seconds)).toBe(true);
        expect(seconds).toBeGreaterThanOrEqual(shortestFreshSeconds);
        expect(seconds).toBeLessThanOrEqual(longestFreshSeconds);
      }),
    );
  });
});

test('JSON is UTF-8, without replacement of what is not', () => {
  expect(readJson(Buffer.from('{"a":"ä"}'))).toEqual(ok({ a: 'ä' }));
  expect(readJson(Uint8Array.of(0x22, 0xff, 0x22))).toEqual(err('The document is not JSON.'));
  expect(readJson(new Uint8Array())).toEqual(err('The document is not JSON.'));
});
