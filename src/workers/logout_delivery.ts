import type { Log } from '../core/log.ts';
import type { Clock, Instant } from '../core/time.ts';
import type { LogoutNotice, PreparedLogout } from '../oidc/logout/backchannel.ts';
import type { Job } from './job.ts';

/** `store/logout_deliveries.ts` fits. */
export type LogoutDelivery = LogoutNotice & { readonly id: string; readonly attempt: number };

export type LogoutDeliveryPorts = {
  readonly claim: (limit: number, leaseSeconds: number) => Promise<readonly LogoutDelivery[]>;
  readonly delivered: (delivery: LogoutDelivery) => Promise<void>;
  readonly failed: (
    delivery: LogoutDelivery,
    failed: {
      readonly fault: string;
      readonly retryAfterSeconds: number;
      readonly giveUpAfterSeconds: number;
      readonly pauseClientSeconds: number | null;
    },
  ) => Promise<'waits' | 'given_up' | 'overtaken'>;
  readonly abandon: (delivery: LogoutDelivery, why: string) => Promise<void>;
  readonly queueLate: () => Promise<number>;
  readonly prepare: (notice: LogoutNotice, now: Instant) => Promise<PreparedLogout>;
  readonly post: PostForm;
  readonly clock: Clock;
  readonly log: Log;
};

/** Through the guard of outgoing requests. `sentence`: why there is no answer, for operators. */
export type PostForm = (
  url: string,
  form: { readonly [name: string]: string },
) => Promise<
  { readonly kind: 'answered'; readonly status: number } | { readonly kind: 'unanswered'; readonly sentence: string }
>;

const minute = 60;
const hour = 60 * minute;

/** After each failed attempt; the last one again and again. */
const backOffSeconds = [10, minute, 5 * minute, 30 * minute, 2 * hour];
const giveUpAfterSeconds = 24 * hour;
/** Longer than an attempt can last, or two would be at it. */
const leaseSeconds = minute;
const pauseClientSeconds = 10;
/** Sent at the same time by one process. */
const batch = 16;
const mostBatches = 20;
/** Twice within what the second look takes in, so that one of them comes after every statement of that moment. */
const lateEveryMilliseconds = 30_000;

/** Seconds from this failed attempt (from 1) to the next one. */
export const retryAfterSeconds = (attempt: number): number =>
  backOffSeconds[Math.min(attempt, backOffSeconds.length) - 1] ?? 2 * hour;

/** OIDC Back-Channel Logout §2.5: tells clients of sign-ins that ended, each until it has understood, for a day. */
export function createLogoutDelivery(ports: LogoutDeliveryPorts): Job {
  const { claim, queueLate, clock } = ports;
  let lookedAt: Instant | null = null;
  return {
    name: 'logout_delivery',
    everyMilliseconds: 1000,
    async run() {
      const now = clock();
      if (lookedAt === null || Math.abs(now - lookedAt) >= lateEveryMilliseconds) {
        await queueLate();
        lookedAt = now;
      }
      for (let turn = 0; turn < mostBatches; turn += 1) {
        const deliveries = await claim(batch, leaseSeconds);
        await settleAll(deliveries.map((delivery) => deliver(ports, delivery)));
        if (deliveries.length < batch) return;
      }
    },
  };
}

/** All of them to their end, then the first failure: one bad row does not leave the others unsettled. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const rejected = results.find((result) => result.status === 'rejected');
  if (rejected !== undefined) throw rejected.reason;
}

type Attempt =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'pointless'; readonly why: string }
  | { readonly kind: 'failed'; readonly fault: string; readonly answered: boolean };

async function deliver(ports: LogoutDeliveryPorts, delivery: LogoutDelivery): Promise<void> {
  const { log } = ports;
  const { clientId, attempt } = delivery;
  const attempted = await tryOnce(ports, delivery);
  if (attempted.kind === 'delivered') {
    await ports.delivered(delivery);
    return;
  }
  if (attempted.kind === 'pointless') {
    await ports.abandon(delivery, attempted.why);
    log.info('logout_delivery.pointless', { clientId, why: attempted.why });
    return;
  }
  const { fault, answered } = attempted;
  const afterSeconds = retryAfterSeconds(attempt);
  const outcome = await ports.failed(delivery, {
    fault,
    retryAfterSeconds: afterSeconds,
    giveUpAfterSeconds,
    pauseClientSeconds: answered ? null : pauseClientSeconds,
  });
  log.warn('logout_delivery.failed', { clientId, attempt, fault, outcome, retryAfterSeconds: afterSeconds });
}

async function tryOnce(ports: LogoutDeliveryPorts, delivery: LogoutDelivery): Promise<Attempt> {
  const { prepare, post, clock, log } = ports;
  const prepared = await prepare(delivery, clock()).catch((thrown: unknown) => {
    log.error('logout_delivery.unprepared', { clientId: delivery.clientId, thrown });
    return null;
  });
  if (prepared === null) return { kind: 'failed', fault: 'the logout token could not be made', answered: true };
  if (prepared.kind === 'pointless') return prepared;
  const answer = await post(prepared.url, { logout_token: prepared.logoutToken });
  if (answer.kind === 'unanswered') return { kind: 'failed', fault: answer.sentence, answered: false };
  // Back-Channel Logout §2.8: 200, and 204, which some frameworks make of an empty 200.
  if (answer.status === 200 || answer.status === 204) return { kind: 'delivered' };
  return { kind: 'failed', fault: `the client answered with status ${answer.status}`, answered: true };
}
