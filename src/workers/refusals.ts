import { addressPrefixes } from '../core/lockout.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../core/time.ts';
import { TokenBuckets } from '../core/token_bucket.ts';
import type { NewRefusal, RefusalRecord } from '../oidc/explanation/index.ts';
import type { Job } from './job.ts';

export type RefusalsPorts = {
  readonly write: (records: readonly RefusalRecord[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
};

export type RefusalKeeper = Job & {
  /** Never waits, and never fails the request: what is too much is dropped and counted. */
  readonly keep: (refusal: NewRefusal, address: string) => void;
};

/** Rows of one write, so in a process at any time. */
export const mostPerFlush = 200;
/** Of one sender within a second, so that a flood does not push out what others were told. */
export const mostPerSender = 20;
/** However long a flood lasts: of one prefix a tenth of what a process keeps in all, some 430,000 rows a day. */
const sustainedOfSender = { capacity: 100, refillSeconds: 200 };
const sustained = { capacity: 1000, refillSeconds: 200 };
const mostSenders = 10_000;

/** What error ids stand for, written behind the requests: in one statement a second, and only where there is something. */
export function createRefusalKeeper({ write, clock, log }: RefusalsPorts): RefusalKeeper {
  const rate = new TokenBuckets(1);
  const senderRate = new TokenBuckets(mostSenders);
  const senders = new Map<string, number>();
  let waiting: RefusalRecord[] = [];
  let dropped = 0;
  return {
    name: 'refusals',
    everyMilliseconds: 1000,
    keep(refusal, address) {
      const at = clock();
      const { narrow: sender, wide } = addressPrefixes(address);
      const around = wide ?? sender;
      const count = (senders.get(sender) ?? 0) + 1;
      const isTooMuch =
        count > mostPerSender ||
        waiting.length >= mostPerFlush ||
        senderRate.take(around, sustainedOfSender, at) > 0 ||
        rate.take('all', sustained, at) > 0;
      if (isTooMuch) {
        dropped += 1;
        return;
      }
      senders.set(sender, count);
      waiting.push({ ...refusal, at });
    },
    async run() {
      const batch = waiting;
      const lost = dropped;
      waiting = [];
      dropped = 0;
      senders.clear();
      if (lost > 0) log.warn('refusals.dropped', { count: lost });
      if (batch.length > 0) await write(batch);
    },
  };
}
