import type { KeyRing } from '../core/key_ring.ts';
import type { Log } from '../core/log.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { Job } from './job.ts';

/** A node whose clock is further off than this from the database's is not ready (milliseconds). */
export const largestClockDifference = 2000;

export type Pulse = {
  readonly configVersion: number;
  readonly sharedKeyIds: ReadonlySet<string>;
  readonly databaseNow: Instant;
};

export type HeartbeatPorts = {
  readonly beat: () => Promise<Pulse>;
  /** Tells the configuration cache which version was in force after `askedAt`. */
  readonly confirm: (version: number, askedAt: Instant) => void;
  readonly ring: KeyRing;
  readonly clock: Clock;
  readonly log: Log;
};

export type Heartbeat = Job & {
  /** How far this process's clock is from the database's, at most; null: not known yet. */
  readonly clockDifferenceMilliseconds: () => number | null;
};

/**
 * Each second: this process lives, with these keys; which configuration is in force; which key everybody can open. One
 * statement.
 */
export function createHeartbeat({ beat, confirm, ring, clock, log }: HeartbeatPorts): Heartbeat {
  let difference: number | null = null;
  return {
    name: 'heartbeat',
    everyMilliseconds: 1000,
    clockDifferenceMilliseconds: () => difference,
    async run() {
      const askedAt = clock();
      const pulse = await beat();
      const answeredAt = clock();
      confirm(pulse.configVersion, askedAt);
      ring.restrictTo(pulse.sharedKeyIds);
      // The database read its clock somewhere between asking and answering.
      difference = Math.max(0, askedAt - pulse.databaseNow, pulse.databaseNow - answeredAt);
      if (difference > largestClockDifference) log.warn('clock.off', { milliseconds: difference });
    },
  };
}
