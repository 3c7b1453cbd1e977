import type { NodeContext } from '../../../src/flow/node.ts';
import { plainDemand, start } from '../browser.ts';

/** What a node sees at the start of a run, with changes. */
export const nodeContext = (changes: Partial<NodeContext<object>> = {}): NodeContext<object> => ({
  config: {},
  demand: plainDemand,
  now: start,
  startedAt: start,
  user: null,
  subjectOf: (userId) => userId,
  evidence: [],
  kept: {},
  seen: () => undefined,
  ...changes,
});
