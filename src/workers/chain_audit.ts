import type { Job } from './job.ts';

export type AuditChainPorts = {
  /** Covers about so many events by one more checkpoint; null: there is nothing to cover, or another process does it. */
  readonly extend: (most: number) => Promise<unknown>;
};

const eventsPerCheckpoint = 10_000;
/** After a stop of hours there may be many; the rest waits for the next turn. */
const mostCheckpoints = 100;

/** Every process tries; the store lets one at a time. */
export const createAuditChaining = ({ extend }: AuditChainPorts): Job => ({
  name: 'chain_audit',
  everyMilliseconds: 1000,
  async run() {
    for (let turn = 0; turn < mostCheckpoints && (await extend(eventsPerCheckpoint)) !== null; turn += 1);
  },
});
