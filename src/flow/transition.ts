import { unreachable } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import type { Definition } from './definition.ts';
import { merge } from './evidence.ts';
import type { Evidence, Kept, Run, UserState } from './run.ts';

/** Small changes of a run; each gives a new one. */

/** What a person typed is theirs to keep when the run starts over; everything else a node kept is dropped. */
const typedKey = 'username';

const longestTrace = 50;

export const traced = (run: Run, at: Instant, outcome: string): Run => ({
  ...run,
  trace: [...run.trace, { at, node: run.node, outcome }].slice(-longestTrace),
});

/** Replaces what the current node keeps; it becomes the newest entry. */
export function keeping(run: Run, kept: Kept | undefined): Run {
  if (kept === undefined) return run;
  const others = run.state.filter(({ node }) => node !== run.node);
  return { ...run, state: Object.keys(kept).length === 0 ? others : [...others, { node: run.node, kept }] };
}

/** Adds what a node proved. Another user than before starts from nothing: evidence of two people never mixes. */
export function proving(run: Run, user: UserState, evidence: readonly Evidence[]): Run {
  if (evidence.length === 0 || evidence.some(({ userId }) => userId !== user.userId)) {
    unreachable(`node "${run.node}" named a user without evidence of that user`);
  }
  const own = run.userId === user.userId ? run.evidence : [];
  return { ...run, userId: user.userId, evidence: merge(own, evidence) };
}

export function restarted(run: Run, { start }: Definition, now: Instant): Run {
  const typed = run.state.flatMap(({ node, kept }) => {
    const value = Object.hasOwn(kept, typedKey) ? kept[typedKey] : undefined;
    return value === undefined ? [] : [{ node, kept: { [typedKey]: value } }];
  });
  const noted = traced(run, now, 'restart');
  return { ...noted, node: start, userId: null, evidence: [], state: typed, lastScreen: null };
}
