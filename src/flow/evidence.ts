import type { Instant } from '../core/time.ts';
import { satisfiesAcr } from './acr.ts';
import type { Demand, Evidence, FailureReason, UserState } from './run.ts';

/** Methods that authenticate a person by themselves; `auth_time` and every age are theirs. */
const primaryMethods: readonly string[] = ['pwd'];

/** How long a run may wait on what was proved in it, by method; a session's evidence lives as long as the session. */
const heldForSeconds: ReadonlyMap<string, number> = new Map([['pwd', 60 * 60]]);
const otherwiseHeldForSeconds = 60 * 60;

/** What still counts for this person: their own, and not from before `validFrom`. */
export const standing = (evidence: readonly Evidence[], user: UserState): readonly Evidence[] =>
  evidence.filter(({ userId, at }) => userId === user.userId && at >= user.validFrom);

/** Whether a run that waited until `now` may still go on with this piece (judged beside `standing`). */
export function isHeld({ method, at, fromSession }: Evidence, now: Instant): boolean {
  return fromSession === true || now - at < (heldForSeconds.get(method) ?? otherwiseHeldForSeconds) * 1000;
}

/**
 * When the person authenticated (OIDC Core §2 `auth_time`): the newest primary authentication. `max_age` counts from it,
 * so a second factor given later must not make it look younger. null: never.
 */
export function authTimeOf(evidence: readonly Evidence[]): Instant | null {
  const times = evidence.filter(({ method }) => primaryMethods.includes(method)).map(({ at }) => at);
  return times.length === 0 ? null : Math.max(...times);
}

/** Authentication method references (RFC 8176), each once, sorted. */
export const amrOf = (evidence: readonly Evidence[]): readonly string[] =>
  [...new Set(evidence.map(({ method }) => method))].sort();

/** Adds evidence to what a run has, keeping the newest of each method. */
export function merge(older: readonly Evidence[], newer: readonly Evidence[]): readonly Evidence[] {
  const newestByMethod = new Map<string, Evidence>();
  for (const piece of [...older, ...newer]) {
    const known = newestByMethod.get(piece.method);
    if (known === undefined || piece.at >= known.at) newestByMethod.set(piece.method, piece);
  }
  return [...newestByMethod.values()];
}

export type Proof = {
  readonly user: UserState;
  /** What the run's audience calls the user. */
  readonly subject: string;
  readonly evidence: readonly Evidence[];
  readonly startedAt: Instant;
  readonly now: Instant;
};

/**
 * The first demand that the proof does not meet, as the failure it would be; null: all are met.
 * An authentication within the run meets every age (OIDC Core §3.1.2.1 `max_age`, `prompt=login`): how long the person
 * then reads the next page is not its age.
 */
export function unmetDemand(demand: Demand, { user, subject, evidence, startedAt, now }: Proof): FailureReason | null {
  if (!user.enabled) return 'user_disabled';
  if (demand.subject !== null && demand.subject !== subject) return 'login_required';
  const counting = standing(evidence, user);
  const authTime = authTimeOf(counting);
  if (authTime === null) return 'login_required';
  if (authTime < startedAt) {
    if (demand.fresh) return 'login_required';
    if (demand.maxAgeSeconds !== null && now - authTime > demand.maxAgeSeconds * 1000) return 'login_required';
  }
  const { values, essential } = demand.acr;
  const acrMet = !essential || values.length === 0 || values.some((value) => satisfiesAcr(value, counting));
  return acrMet ? null : 'acr_unmet';
}
