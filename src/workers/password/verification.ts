import { randomToken } from '../../core/crypto.ts';
import { Secret } from '../../core/secret.ts';
import type { Instant } from '../../core/time.ts';
import { TokenBuckets } from '../../core/token_bucket.ts';
import { Admission } from './admission.ts';
import { startDeadline } from './deadline.ts';
import type { PasswordHashing } from './hashing.ts';
import { LockedCache } from './locked_cache.ts';
import type { LockoutCounters, PasswordDevices, PasswordRealm, PasswordUser, PasswordUsers } from './ports.ts';
import { PrefixLimit } from './prefix_limit.ts';
import { RecentDurations } from './recent_durations.ts';
import { Verdicts } from './verdicts.ts';

export type PasswordAttempt = {
  readonly realm: PasswordRealm;
  readonly username: string;
  readonly password: Secret;
  readonly context: {
    readonly address: string;
    /** true: a declared proxy vouches for the address. */
    readonly forwarded?: boolean;
    readonly agent?: string | null;
    /** Of the known-device tokens that the browser carries (core/known_device.ts). */
    readonly deviceHashes?: readonly Uint8Array[];
  };
  readonly now: Instant;
  /** Ends when the client is gone, and with it the wait for a turn; an attempt whose turn has come is judged and counted. */
  readonly signal?: AbortSignal;
};

/** For the audit log alone; the page and the time it takes are the same for all of them. */
export type RefusalReason = 'unknown' | 'wrong' | 'locked' | 'no_password' | 'disabled';

export type PasswordVerdict =
  | { readonly kind: 'accepted'; readonly user: PasswordUser }
  | { readonly kind: 'refused'; readonly reason: RefusalReason }
  /** 503: no turn or no verdict within the deadline; nothing was counted. */
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }
  /** 429: about the address prefix, never about an account. */
  | { readonly kind: 'slow_down'; readonly retryAfterSeconds: number };

export type PasswordVerificationOptions = {
  readonly users: PasswordUsers;
  readonly devices: PasswordDevices;
  readonly lockouts: LockoutCounters;
  readonly hashing: PasswordHashing;
  /** As many as there are hashing children. */
  readonly turns: number;
  readonly waitingAttempts?: number;
  /** Of the wait for a turn, and again of the hash. */
  readonly deadlineMilliseconds?: number;
  readonly waitingPerPrefix?: number;
  /** How long "locked" is believed without asking the database. */
  readonly lockedCacheMilliseconds?: number;
};

/** What a process keeps for its sign-ins by password. */
export type PasswordVerification = {
  readonly users: PasswordUsers;
  readonly devices: PasswordDevices;
  readonly lockouts: LockoutCounters;
  readonly hashing: PasswordHashing;
  readonly deadlineMilliseconds: number;
  readonly admission: Admission;
  readonly prefixLimit: PrefixLimit;
  readonly locked: LockedCache;
  /** By prefix: how often a device is let past what is known of it. */
  readonly pastPrefix: TokenBuckets;
  readonly verdicts: Verdicts;
  readonly durations: RecentDurations;
  /** Resolves when the decoy is made and one verification was timed, or could not be. */
  readonly warm: Promise<void>;
};

const waitingOverall = 10_000;
const mostPrefixes = 10_000;
const warmUpMilliseconds = 10_000;

/** One per process: limits and times are the process's. */
export function createPasswordVerification(options: PasswordVerificationOptions): PasswordVerification {
  const durations = new RecentDurations();
  return {
    users: options.users,
    devices: options.devices,
    lockouts: options.lockouts,
    hashing: options.hashing,
    deadlineMilliseconds: options.deadlineMilliseconds ?? 5_000,
    admission: new Admission({ turns: options.turns, waiting: options.waitingAttempts ?? 256 }),
    prefixLimit: new PrefixLimit({ perPrefix: options.waitingPerPrefix ?? 64, overall: waitingOverall }),
    locked: new LockedCache(options.lockedCacheMilliseconds ?? 10_000),
    pastPrefix: new TokenBuckets(mostPrefixes),
    verdicts: new Verdicts(),
    durations,
    warm: warmUp(options.hashing, durations),
  };
}

/** So that the first locked answer already has a real duration to wait for. */
async function warmUp(hashing: PasswordHashing, durations: RecentDurations): Promise<void> {
  const deadline = startDeadline(warmUpMilliseconds, null);
  const decoy = await hashing.decoy(deadline.signal);
  const before = deadline.elapsedMilliseconds();
  const outcome = decoy === null ? 'void' : await hashing.verify(new Secret(randomToken()), decoy, deadline.signal);
  if (outcome !== 'void') durations.record(deadline.elapsedMilliseconds() - before);
  deadline.end();
}
