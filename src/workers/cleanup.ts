import type { Clock } from '../core/time.ts';
import type { Job } from './job.ts';

export type CleanupPorts = {
  readonly ensurePartitions: (now: number) => Promise<unknown>;
  readonly dropExpiredPartitions: (now: number) => Promise<unknown>;
  /** Each deletes one bounded batch and gives how many rows it was. */
  readonly batches: readonly (() => Promise<number>)[];
  readonly clock: Clock;
};

const mostBatches = 100;

/** Partitions are made ahead and dropped behind; what is not partitioned is deleted in batches. */
export const createCleanup = ({ ensurePartitions, dropExpiredPartitions, batches, clock }: CleanupPorts): Job => ({
  name: 'cleanup',
  everyMilliseconds: 10 * 60 * 1000,
  async run() {
    await ensurePartitions(clock());
    await dropExpiredPartitions(clock());
    for (const batch of batches) {
      for (let turn = 0; turn < mostBatches && (await batch()) > 0; turn += 1);
    }
  },
});
