import type { Static, TSchema } from '@sinclair/typebox';
import type { UserId } from '../core/ids.ts';
import type { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import type { Demand, Evidence, FailureReason, Json, Kept, UserState } from './run.ts';
import type { Screen } from './screen.ts';

/**
 * What a node must be told before it can decide. The engine hands the question to the edge and goes on with the answer,
 * so that nodes stay values in, decision out.
 */
export type Question =
  | { readonly kind: 'session' }
  | { readonly kind: 'verify_password'; readonly username: string; readonly password: Secret }
  | { readonly kind: 'consent'; readonly userId: UserId; readonly audience: string };

export type QuestionKind = Question['kind'];

/** Every question that the edge knows to answer. */
export const questionKinds = ['session', 'verify_password', 'consent'] as const satisfies readonly QuestionKind[];

/** A browser's sign-in at this realm, as the database has it now. */
export type SessionAnswer = {
  readonly user: UserState;
  readonly evidence: readonly Evidence[];
};

export type Answer =
  | { readonly kind: 'session'; readonly session: SessionAnswer | null }
  | {
      readonly kind: 'verify_password';
      readonly verdict:
        | { readonly kind: 'accepted'; readonly user: UserState; readonly at: Instant }
        | { readonly kind: 'refused' }
        | { readonly kind: 'busy'; readonly retryAfterSeconds: number };
    }
  | { readonly kind: 'consent'; readonly items: readonly string[] };

export type AnswerTo<Kind extends QuestionKind> = Extract<Answer, { kind: Kind }>;

/** Applied by the edge in one transaction with the run. */
export type Effect =
  | {
      readonly kind: 'remember_consent';
      readonly userId: UserId;
      readonly audience: string;
      readonly items: readonly string[];
    }
  | { readonly kind: 'audit'; readonly event: string; readonly detail: { readonly [key: string]: Json } };

export type { FailureReason };

export type Outcome<Output extends string = string> =
  /** Leave by this output. `user` and `evidence`: what the node has proved; `keep`: its execution state. */
  | {
      readonly kind: 'advance';
      readonly output: Output;
      readonly user?: UserState;
      readonly evidence?: readonly Evidence[];
      readonly keep?: Kept;
      readonly effects?: readonly Effect[];
    }
  /** Show this screen and wait for a submit. `unattended` is the failure where no page may be shown. */
  | {
      readonly kind: 'challenge';
      readonly screen: Screen;
      readonly unattended: FailureReason;
      readonly keep?: Kept;
      readonly effects?: readonly Effect[];
    }
  | { readonly kind: 'ask'; readonly question: Question }
  | { readonly kind: 'succeed'; readonly effects?: readonly Effect[] }
  | { readonly kind: 'fail'; readonly reason: FailureReason; readonly effects?: readonly Effect[] };

/** What a node may look at. `kept` is its own execution state; `seen` finds what earlier nodes kept, by key, newest first. */
export type NodeContext<Config> = {
  readonly config: Config;
  readonly demand: Demand;
  readonly now: Instant;
  readonly startedAt: Instant;
  readonly user: UserState | null;
  /** What the run's audience calls a user. */
  readonly subjectOf: (userId: UserId) => string;
  readonly evidence: readonly Evidence[];
  readonly kept: Kept;
  readonly seen: (key: string) => Json | undefined;
};

export type NodeInput = { readonly [field: string]: string };

/**
 * A node type: one file under `nodes/`, one line in `nodes/index.ts`. Everything that publishing, the palette, the config
 * form and the engine need to know of it is declared here.
 */
export type NodeType<Config extends TSchema = TSchema, Output extends string = string> = {
  readonly type: string;
  /** One sentence for the person who builds a flow. */
  readonly summary: string;
  readonly config: Config;
  /** A node's `advance` names one of these; a definition wires each of them. */
  readonly outputs: readonly Output[];
  /** A terminal has no outputs and ends the run. */
  readonly terminal: boolean;
  /** true: entering can show a screen, so a cycle through this node is one that asks the person. */
  readonly asks: boolean;
  /** The questions it may put to the edge. */
  readonly needs: readonly QuestionKind[];
  /*
   * Methods, not properties: a registry holds nodes of every config type, which method parameters allow. It is sound
   * because a definition's config was checked against the node's own schema before the engine sees it.
   */
  enter(context: NodeContext<Static<Config>>): Outcome<Output>;
  submit?(context: NodeContext<Static<Config>>, input: NodeInput): Outcome<Output>;
  answer?(context: NodeContext<Static<Config>>, answer: Answer): Outcome<Output>;
};

/** Every known node type by its name. */
export type Registry = { readonly [type: string]: NodeType };

export function defineNode<const Config extends TSchema, const Output extends string>(
  node: NodeType<Config, Output>,
): NodeType<Config, Output> {
  return node;
}
