import type { UserId } from '../core/ids.ts';
import type { Instant } from '../core/time.ts';
import type { Answer, Effect, NodeInput, Question, QuestionKind, Registry } from './node.ts';
import type { Evidence, FailureReason, Run, UserState } from './run.ts';
import type { Screen } from './screen.ts';

/** What goes into a step of the engine and what comes out. */

/** What the person or the browser did. */
export type Arrival =
  /** Show where the run is; a run that was never entered is entered. */
  | { readonly kind: 'visit' }
  /** The form of screen number `step`. */
  | { readonly kind: 'submit'; readonly step: number; readonly input: NodeInput };

/** `answer` hands back the `pending` of the question's view with what the edge found out. */
export type Event = Arrival | { readonly kind: 'answer'; readonly pending: Pending; readonly answer: Answer };

/** What a step knows while its question is open. Lives within one request and is never stored. */
export type Pending = {
  readonly asked: QuestionKind;
  readonly node: string;
  /** What the engine held back to look at the browser's session first; null: a node asked. */
  readonly heldBack: Arrival | null;
  readonly user: UserState | null;
  readonly effects: readonly Effect[];
  readonly hops: number;
  readonly stale: boolean;
};

export type StepContext = {
  readonly now: Instant;
  readonly registry: Registry;
  /** The run's user (`run.userId`) as the database has it now; null: none yet, or gone. */
  readonly user: UserState | null;
  /** What the run's audience calls a user; absent: by the id itself. */
  readonly subjectOf?: (userId: UserId) => string;
};

export type View =
  /** `stale`: the submit did not answer the current screen and was not looked at. */
  | { readonly kind: 'screen'; readonly screen: Screen; readonly step: number; readonly stale: boolean }
  | { readonly kind: 'question'; readonly question: Question; readonly pending: Pending }
  | { readonly kind: 'succeeded'; readonly userId: UserId; readonly evidence: readonly Evidence[] }
  | { readonly kind: 'failed'; readonly reason: FailureReason };

/** With a question the run is in mid-step (not to be stored) and the effects are still held in `pending`. */
export type Step = { readonly run: Run; readonly effects: readonly Effect[]; readonly view: View };
