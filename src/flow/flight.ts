import type { UserId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import { type Definition, type DefinitionNode, nodeOf, typeOf } from './definition.ts';
import type { Effect, NodeContext, NodeType, Registry } from './node.ts';
import type { Json, Run, UserState } from './run.ts';

/** A run while a step moves it, with what the step has gathered. */
export type Flight = {
  readonly run: Run;
  readonly user: UserState | null;
  readonly effects: readonly Effect[];
  /** Nodes left and questions asked in this request. */
  readonly hops: number;
  readonly stale: boolean;
};

/** What stays the same during a step. */
export type World = {
  readonly definition: Definition;
  readonly registry: Registry;
  readonly now: Instant;
  readonly subjectOf: (userId: UserId) => string;
};

export const begin = (run: Run, user: UserState | null): Flight => ({ run, user, effects: [], hops: 0, stale: false });

export type Place = { readonly node: DefinitionNode; readonly type: NodeType };

/** The node where the run is. A run that does not fit its definition was pinned to another one: a bug. */
export function placeOf({ run }: Flight, { definition, registry }: World): Place {
  const node = nodeOf(definition, run.node) ?? unreachable(`the definition has no node "${run.node}"`);
  return { node, type: typeOf(registry, node.type) ?? unreachable(`there is no node type "${node.type}"`) };
}

export function nodeContext(flight: Flight, world: World): NodeContext<unknown> {
  const { run, user } = flight;
  const { demand, startedAt, evidence, state } = run;
  const kept = state.find(({ node }) => node === run.node)?.kept ?? {};
  const seen = (key: string): Json | undefined => state.findLast((entry) => Object.hasOwn(entry.kept, key))?.kept[key];
  const { now, subjectOf } = world;
  return { config: placeOf(flight, world).node.config, demand, now, startedAt, user, subjectOf, evidence, kept, seen };
}
