import { LRUCache } from 'lru-cache';
import { err, ok, type Result } from '../../core/result.ts';
import type { Clock, Instant } from '../../core/time.ts';
import { freshSeconds } from './freshness.ts';
import type { GetOptions, Outbound } from './outbound.ts';
import type { FailureReason } from './result.ts';

/** A document that could not be had is not asked for again before this, nor is one that `refetch` has just fetched. */
export const pauseSeconds = 10;

export type DocumentFailure =
  | { readonly kind: 'refused'; readonly reason: string }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason | 'status' | 'unreadable';
      readonly detail: string;
      /** true: the other server or the way to it has a fault, which says nothing of the document (RFC 5861 §4). */
      readonly isOutage: boolean;
    };

export type DocumentResult<Value> =
  | { readonly kind: 'found'; readonly value: Value; readonly fetchedAt: Instant }
  | DocumentFailure;

export type DocumentCache<Value> = {
  /**
   * The document, from the cache while it is fresh. `mayAsk` is called where the other server would have to be asked;
   * false: it is not, which counts as an outage. It has no say where an old document could stand in: an outage must be the
   * other server's, never one that whoever asks has made for themselves.
   */
  readonly get: (url: string, mayAsk?: () => boolean) => Promise<DocumentResult<Value>>;
  /**
   * For when the cached document does not have what is needed (an unknown `kid`): asks anew unless that was done within the
   * last ten seconds. A document that is still fresh stays when asking anew fails. `mayAsk` as above.
   */
  readonly refetch: (url: string, mayAsk?: () => boolean) => Promise<DocumentResult<Value>>;
};

export type DocumentCachePorts<Value> = {
  readonly outbound: Pick<Outbound, 'get'>;
  readonly clock: Clock;
  /** For every document of this cache. */
  readonly options: GetOptions;
  /** What the document says, or a sentence why it is none. `contentType` as it was sent. */
  readonly read: (body: Uint8Array, contentType: string | undefined) => Result<Value, string>;
  /** For how long after its end a document is still used while an outage lasts (RFC 5861 §4). Default 0. */
  readonly staleIfErrorSeconds?: number;
  /** Of all documents together, as they were sent. Default 8 MB. */
  readonly largestBytes?: number;
};

type Kept<Value> = { readonly result: DocumentResult<Value>; readonly freshUntil: Instant; readonly askedAt: Instant };

/** One fetch per URL at a time. What could not be had is kept apart: made-up URLs push out no document. */
export function createDocumentCache<Value>(ports: DocumentCachePorts<Value>): DocumentCache<Value> {
  const { clock, largestBytes = 8 * 1024 * 1024, staleIfErrorSeconds = 0 } = ports;
  const found = new LRUCache<string, Kept<Value>>({ max: 2000, maxSize: largestBytes });
  const missed = new LRUCache<string, Kept<Value>>({ max: 2000 });
  const loads = new Map<string, Promise<DocumentResult<Value>>>();

  const load = async (url: string): Promise<DocumentResult<Value>> => {
    const { result, freshForSeconds, bytes } = await fetchDocument(url, ports);
    const askedAt = clock();
    const kept = { result, freshUntil: askedAt + freshForSeconds * 1000, askedAt };
    if (result.kind === 'found') {
      found.set(url, kept, { size: Math.max(1, bytes) });
      missed.delete(url);
    } else {
      missed.set(url, kept);
      // An old document is no substitute for an answer.
      if (!isOutage(result) && fresh(found, url) === undefined) found.delete(url);
    }
    return result;
  };
  const loadOnce = (url: string): Promise<DocumentResult<Value>> => {
    const running = loads.get(url);
    if (running !== undefined) return running;
    const started = load(url).finally(() => loads.delete(url));
    loads.set(url, started);
    return started;
  };
  const fresh = (cache: LRUCache<string, Kept<Value>>, url: string): Kept<Value> | undefined => {
    const kept = cache.get(url);
    return kept !== undefined && clock() < kept.freshUntil ? kept : undefined;
  };

  /** What may stand in for it during an outage. */
  const standIn = (url: string): Kept<Value> | undefined => {
    const kept = found.get(url);
    return kept !== undefined && clock() < kept.freshUntil + staleIfErrorSeconds * 1000 ? kept : undefined;
  };
  const duringOutage = (url: string, result: DocumentResult<Value>): DocumentResult<Value> =>
    isOutage(result) ? (standIn(url)?.result ?? result) : result;

  return {
    async get(url, mayAsk = () => true) {
      const kept = fresh(found, url) ?? fresh(missed, url);
      if (kept !== undefined) return duringOutage(url, kept.result);
      const asks = loads.has(url) || standIn(url) !== undefined || mayAsk();
      return asks ? duringOutage(url, await loadOnce(url)) : notAsked;
    },
    async refetch(url, mayAsk = () => true) {
      const document = fresh(found, url);
      const last = fresh(missed, url) ?? document;
      if (last !== undefined && clock() < last.askedAt + pauseSeconds * 1000) return (document ?? last).result;
      const result = loads.has(url) || mayAsk() ? await loadOnce(url) : notAsked;
      return result.kind === 'found' ? result : (fresh(found, url)?.result ?? result);
    },
  };
}

const notAsked: DocumentFailure = { kind: 'failed', reason: 'busy', detail: 'not asked', isOutage: true };

const isOutage = (result: DocumentResult<unknown>): boolean => result.kind === 'failed' && result.isOutage;

/** A server that redirects or sends too much has answered. */
const answers: ReadonlySet<FailureReason> = new Set(['redirect', 'too_large']);

/** RFC 5861 §4 names the four; the others say in so many words that it is a matter of time. */
const passingStatuses: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

async function fetchDocument<Value>(
  url: string,
  { outbound, clock, options, read }: DocumentCachePorts<Value>,
): Promise<{ readonly result: DocumentResult<Value>; readonly freshForSeconds: number; readonly bytes: number }> {
  const missing = (result: DocumentFailure) => ({ result, freshForSeconds: pauseSeconds, bytes: 0 });
  const answer = await outbound.get(url, options);
  if (answer.kind === 'refused') return missing({ kind: 'refused', reason: answer.reason });
  // Nothing was sent, so nothing is known of the document.
  if (answer.kind === 'failed') {
    const failure = missing({ ...answer, isOutage: !answers.has(answer.reason) });
    return answer.reason === 'busy' ? { ...failure, freshForSeconds: 0 } : failure;
  }
  const { status } = answer;
  if (status !== 200) {
    const isPassing = passingStatuses.has(status);
    return missing({ kind: 'failed', reason: 'status', detail: `status ${status}`, isOutage: isPassing });
  }
  const value = read(answer.body, answer.headers.get('content-type'));
  if (!value.ok) return missing({ kind: 'failed', reason: 'unreadable', detail: value.error, isOutage: false });
  return {
    result: { kind: 'found', value: value.value, fetchedAt: clock() },
    freshForSeconds: freshSeconds(answer.headers.get('cache-control'), answer.headers.get('age')),
    bytes: answer.body.byteLength,
  };
}

/** The JSON value of a body in UTF-8, the only encoding of RFC 8259 §8.1. */
export function readJson(body: Uint8Array): Result<unknown, string> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return ok(value);
  } catch {
    return err('The document is not JSON.');
  }
}
