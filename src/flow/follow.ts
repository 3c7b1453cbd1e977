import { unreachable } from '../core/result.ts';
import { type Flight, nodeContext, placeOf, type World } from './flight.ts';
import type { Outcome } from './node.ts';
import type { FailureReason } from './run.ts';
import type { Step } from './step.ts';
import { keeping, proving, traced } from './transition.ts';

/**
 * The most nodes left and questions asked in one request. A valid graph without surprises needs at most one hop and one
 * question per node; more means that it goes round without asking the person.
 */
export const maximumHops = 100;

type Advance = Extract<Outcome, { kind: 'advance' }>;
type Ask = Extract<Outcome, { kind: 'ask' }>;
type Challenge = Extract<Outcome, { kind: 'challenge' }>;
type Succeed = Extract<Outcome, { kind: 'succeed' }>;

/** Enters the node where the run is and goes on until something waits or the run ends. */
export const enter = (flight: Flight, world: World): Step =>
  follow(flight, placeOf(flight, world).type.enter(nodeContext(flight, world)), world);

/** Goes on from an outcome of the node where the run is. */
export function follow(from: Flight, first: Outcome, world: World): Step {
  let flight = from;
  let outcome = first;
  while (outcome.kind === 'advance') {
    flight = leave(flight, outcome, world);
    if (flight.hops > maximumHops) return end({ ...flight, effects: [] }, 'too_many_hops', world);
    outcome = placeOf(flight, world).type.enter(nodeContext(flight, world));
  }
  if (outcome.kind === 'ask') return suspend(flight, outcome, world);
  if (outcome.kind === 'challenge') return show(flight, outcome, world);
  if (outcome.kind === 'succeed') return complete(flight, outcome, world);
  return end(gather(flight, outcome), outcome.reason, world);
}

const gather = (flight: Flight, { effects = [] }: Pick<Succeed, 'effects'>): Flight => ({
  ...flight,
  effects: [...flight.effects, ...effects],
});

function leave(flight: Flight, outcome: Advance, world: World): Flight {
  const { node, type } = placeOf(flight, world);
  const { output, user, evidence, keep } = outcome;
  const target = Object.hasOwn(node.on, output) ? node.on[output] : undefined;
  if (target === undefined) unreachable(`"${flight.run.node}" (${type.type}) left by "${output}", which is not wired`);
  const kept = keeping(flight.run, keep);
  const proven = user === undefined && evidence === undefined ? kept : proving(kept, user ?? nobody(), evidence ?? []);
  const run = { ...traced(proven, world.now, output), node: target, lastScreen: null };
  return { ...gather(flight, outcome), run, user: user ?? flight.user, hops: flight.hops + 1 };
}

const nobody = (): never => unreachable('a node gave evidence without the user whose it is');

function suspend(flight: Flight, { question }: Ask, world: World): Step {
  const { run, user, effects, stale } = flight;
  const { type } = placeOf(flight, world);
  if (!type.needs.includes(question.kind)) unreachable(`"${type.type}" asks "${question.kind}" without declaring it`);
  const hops = flight.hops + 1;
  if (hops > maximumHops) return end({ ...flight, effects: [] }, 'too_many_hops', world);
  const pending = { asked: question.kind, node: run.node, heldBack: null, user, effects, hops, stale };
  return { run, effects: [], view: { kind: 'question', question, pending } };
}

function show(flight: Flight, outcome: Challenge, world: World): Step {
  const { screen, unattended, keep } = outcome;
  if (!flight.run.demand.interactive) return end(flight, unattended, world);
  const { effects, run, stale } = gather(flight, outcome);
  const fault = 'fault' in screen && screen.fault !== null ? ` ${screen.fault}` : '';
  const noted = traced(keeping(run, keep), world.now, `challenge${fault}`);
  const shown = { ...noted, step: run.step + 1, lastScreen: screen };
  return { run: shown, effects, view: { kind: 'screen', screen, step: shown.step, stale } };
}

/** No node's word is enough: without a proven user there is no success, whatever the node was. */
function complete(flight: Flight, outcome: Succeed, world: World): Step {
  const { run, user, effects } = gather(flight, outcome);
  const { userId, evidence } = run;
  if (userId === null || user?.userId !== userId || evidence.length === 0) {
    unreachable(`"${run.node}" let the run ${run.id} succeed without evidence`);
  }
  const done = { ...traced(run, world.now, 'succeed'), status: 'completed' as const, lastScreen: null };
  return { run: done, effects, view: { kind: 'succeeded', userId, evidence } };
}

export function end(flight: Flight, reason: FailureReason, world: World): Step {
  const { run, effects } = flight;
  const status = reason === 'expired' ? ('expired' as const) : ('failed' as const);
  const ended = { ...traced(run, world.now, reason), status, failure: reason, lastScreen: null };
  return { run: ended, effects, view: { kind: 'failed', reason } };
}
