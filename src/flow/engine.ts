import type { RealmId, RunId, UserId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import type { Definition } from './definition.ts';
import { isHeld, standing, unmetDemand } from './evidence.ts';
import { begin, type Flight, nodeContext, placeOf, type World } from './flight.ts';
import { end, enter, follow } from './follow.ts';
import type { Answer } from './node.ts';
import type { Demand, Run, UserState } from './run.ts';
import type { Arrival, Event, Pending, Step, StepContext, View } from './step.ts';
import { restarted } from './transition.ts';

export function createRun(birth: {
  readonly id: RunId;
  readonly realmId: RealmId;
  readonly flowVersionId: string;
  readonly definition: Definition;
  readonly demand: Demand;
  readonly startedAt: Instant;
  readonly expiresAt: Instant;
}): Run {
  const { definition, ...identity } = birth;
  return {
    ...identity,
    node: definition.start,
    step: 0,
    status: 'active',
    failure: null,
    userId: null,
    evidence: [],
    state: [],
    lastScreen: null,
    trace: [],
  };
}

/**
 * One move of a run. Pure: the same arguments give the same step. The edge stores `run` and applies `effects` in one
 * transaction once the view is no question. Throws only on a bug: an answer that nobody asked for, a run that does not
 * belong to the definition, a node that breaks its contract.
 */
export function step(run: Run, definition: Definition, event: Event, context: StepContext): Step {
  const { registry, now, subjectOf = byId } = context;
  const world: World = { definition, registry, now, subjectOf };
  if (event.kind === 'answer') return answered(run, event.pending, event.answer, world);
  if (isEnded(run)) return { run, effects: [], view: endView(run) };
  const flight = begin(run, userOf(run, context));
  if (world.now >= run.expiresAt) return end(flight, 'expired', world);
  if (run.evidence.some(({ fromSession }) => fromSession === true)) {
    return {
      run,
      effects: [],
      view: { kind: 'question', question: { kind: 'session' }, pending: holdBack(flight, event) },
    };
  }
  return arrive(flight, event, world);
}

/**
 * Back to the first screen, on this or a newer version: what was proved is dropped, what was typed stays. For a recalled
 * version and for a sealed run under another browser's cookie. An ended run does not begin again: that throws.
 */
export function restart(run: Run, definition: Definition, flowVersionId: string, now: Instant): Run {
  if (isEnded(run)) unreachable(`run ${run.id} has ended and cannot start over`);
  return { ...restarted(run, definition, now), flowVersionId };
}

const byId = (userId: UserId): string => userId;

const isEnded = ({ status }: Run): boolean => status === 'completed' || status === 'failed' || status === 'expired';

/** The end is the run's own: asking again, in whatever way, gives the same. */
function endView({ id, userId, evidence, failure, status }: Run): View {
  if (status === 'completed') {
    return { kind: 'succeeded', userId: userId ?? unreachable(`run ${id} succeeded without a user`), evidence };
  }
  return { kind: 'failed', reason: failure ?? unreachable(`run ${id} failed without a reason`) };
}

function userOf(run: Run, { user }: StepContext): UserState | null {
  if (run.userId === null) return null;
  if (user !== null && user.userId !== run.userId) unreachable(`run ${run.id} was given another user's state`);
  return user;
}

/** Evidence that a session lent counts only while that session lives, so the session is looked at before anything. */
function holdBack(flight: Flight, arrival: Arrival): Pending {
  const { run, user, effects, hops, stale } = flight;
  return { asked: 'session', node: run.node, heldBack: arrival, user, effects, hops, stale };
}

function answered(run: Run, pending: Pending, answer: Answer, world: World): Step {
  if (isEnded(run) || pending.node !== run.node || pending.asked !== answer.kind) {
    unreachable(`run ${run.id} got the answer "${answer.kind}" at "${run.node}", asked was "${pending.asked}"`);
  }
  const { heldBack, user, effects, hops, stale } = pending;
  const flight: Flight = { run, user, effects, hops, stale };
  if (heldBack === null) {
    const { type } = placeOf(flight, world);
    const outcome = type.answer?.(nodeContext(flight, world), answer);
    return follow(flight, outcome ?? unreachable(`"${type.type}" asks but takes no answer`), world);
  }
  // Where another person is signed in by now, the run's evidence does not stand for them and the run starts over.
  const lender = answer.kind === 'session' && answer.session !== null ? answer.session.user : null;
  return arrive({ ...flight, user: lender }, heldBack, world);
}

function arrive(flight: Flight, arrival: Arrival, world: World): Step {
  const { run } = flight;
  const unanswered: Flight = { ...flight, stale: arrival.kind === 'submit' };
  if (!stillProven(flight, world)) {
    return enter({ ...unanswered, run: restarted(run, world.definition, world.now), user: null }, world);
  }
  if (run.lastScreen === null) return enter(unanswered, world);
  if (arrival.kind === 'visit' || arrival.step !== run.step) {
    return {
      run,
      effects: [],
      view: { kind: 'screen', screen: run.lastScreen, step: run.step, stale: unanswered.stale },
    };
  }
  const { type } = placeOf(flight, world);
  const outcome = type.submit?.(nodeContext(flight, world), arrival.input);
  return follow(flight, outcome ?? unreachable(`"${type.type}" shows a screen but takes no submit`), world);
}

/**
 * Whether a run that waited may go on: its user is still there and enabled, and every piece of evidence counts. A session's
 * evidence must also still be young enough for the demand, or the person would consent only to be refused at the end.
 */
function stillProven({ run, user }: Flight, { now, subjectOf }: World): boolean {
  if (run.userId === null) return true;
  if (user === null || !user.enabled) return false;
  const { demand, evidence, startedAt } = run;
  if (standing(evidence, user).length < evidence.length) return false;
  if (!evidence.every((piece) => isHeld(piece, now))) return false;
  const lent = evidence.some(({ fromSession }) => fromSession === true);
  return !lent || unmetDemand(demand, { user, subject: subjectOf(user.userId), evidence, startedAt, now }) === null;
}
