import type { RealmId, RunId, UserId } from '../core/ids.ts';
import type { Instant } from '../core/time.ts';
import type { Screen } from './screen.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * What the request asks of a sign-in, in the engine's own words. `endpoints/interaction.ts` translates the protocol's
 * `prompt`, `max_age`, `id_token_hint`, `acr_values`, `claims` and scopes into it.
 */
export type Demand = {
  /** false: no page may be shown; what would show one fails with the node's reason instead. */
  readonly interactive: boolean;
  /** true: evidence must be newer than the run. */
  readonly fresh: boolean;
  /** Evidence may not be older than this, in seconds; null: any age. */
  readonly maxAgeSeconds: number | null;
  /** Only the user whom the audience calls so will do (`StepContext.subjectOf`); null: anyone. */
  readonly subject: string | null;
  /** A name to put into the identifier field. */
  readonly hint: string | null;
  /** true: ask which account, even if a session is there. */
  readonly selectAccount: boolean;
  /** Wanted authentication context classes, best first; `essential`: without one of them the sign-in fails. */
  readonly acr: { readonly values: readonly string[]; readonly essential: boolean };
  /** null: nothing to consent to. */
  readonly consent: ConsentDemand | null;
};

export type ConsentDemand = {
  /** Who would receive the items: the key under which consent is remembered. */
  readonly audience: string;
  readonly audienceName: string;
  readonly logoUri: string | null;
  readonly policyUri: string | null;
  readonly termsUri: string | null;
  /** What is asked for, by wire name. */
  readonly items: readonly string[];
  /** true: ask even if it was given before. */
  readonly force: boolean;
  /** false: the audience cannot be told from an impostor, so the page is always shown (RFC 8252 §8.6). */
  readonly assured: boolean;
  /** The items go to another device than this browser's; absent: they do not. */
  readonly device?: DeviceDemand;
};

/** What lets a person recognise a device that asks, and without whose comparison no run succeeds (RFC 8628 §3.3, §5.4). */
export type DeviceDemand = {
  readonly userCode: string;
  readonly address: string | null;
  readonly agent: string | null;
  readonly askedAt: Instant;
};

/** Something a user proved to this server, and when. Never made from a form field alone. */
export type Evidence = {
  /** Authentication method reference, RFC 8176 §2: `pwd`, `otp`, `hwk`… */
  readonly method: string;
  readonly userId: UserId;
  readonly at: Instant;
  /** Proved by the browser's session before this run met it: counts for as long as that session lives. */
  readonly fromSession?: true;
};

/** The person as the database has it now; read again whenever a stored run is resumed. */
export type UserState = {
  readonly userId: UserId;
  readonly username: string;
  readonly enabled: boolean;
  /** What was proved before this instant no longer counts. */
  readonly validFrom: Instant;
};

export type RunStatus = 'active' | 'waiting' | 'completed' | 'failed' | 'expired';

/** Why a run ends without success; `endpoints/interaction.ts` maps each to the protocol's error code. */
export const failureReasons = [
  'denied',
  'login_required',
  'consent_required',
  'account_selection_required',
  'interaction_required',
  'acr_unmet',
  'user_disabled',
  'too_many_hops',
  'expired',
] as const;

export type FailureReason = (typeof failureReasons)[number];

/** What one node keeps: its execution state. */
export type Kept = { readonly [key: string]: Json };

export type TraceEntry = { readonly at: Instant; readonly node: string; readonly outcome: string };

/** One run of a flow: `auth_sessions` when stored, a sealed handle before its first evidence. */
export type Run = {
  readonly id: RunId;
  readonly realmId: RealmId;
  /** The published version it began on and finishes on. */
  readonly flowVersionId: string;
  readonly node: string;
  /** Counts the screens shown; a submit names the step that it answers. */
  readonly step: number;
  readonly status: RunStatus;
  /** null unless the status is `failed` or `expired`. */
  readonly failure: FailureReason | null;
  /** Once proven. */
  readonly userId: UserId | null;
  /** The newest of each method, all of `userId`. */
  readonly evidence: readonly Evidence[];
  /**
   * Execution state: at most one entry per node, the last written last. A list, because jsonb sorts an object's keys and
   * the order says which value is the newest.
   */
  readonly state: readonly { readonly node: string; readonly kept: Kept }[];
  readonly lastScreen: Screen | null;
  readonly demand: Demand;
  readonly startedAt: Instant;
  readonly expiresAt: Instant;
  /** The newest entries only. */
  readonly trace: readonly TraceEntry[];
};
