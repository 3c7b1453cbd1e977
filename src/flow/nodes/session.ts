import { standing, unmetDemand } from '../evidence.ts';
import { type Answer, defineNode, type NodeContext, type Outcome } from '../node.ts';
import type { Demand, UserState } from '../run.ts';
import { noConfig } from './no_config.ts';

type Output = 'found' | 'none';

export const session = defineNode({
  type: 'session',
  summary: 'Goes on with the sign-in that this browser already has, if it is good enough for what is asked.',
  config: noConfig,
  outputs: ['found', 'none'],
  terminal: false,
  asks: false,
  needs: ['session'],
  enter: ({ demand }): Outcome<Output> =>
    demand.selectAccount ? { kind: 'advance', output: 'none' } : { kind: 'ask', question: { kind: 'session' } },
  answer: judge,
});

function judge({ demand, subjectOf, startedAt, now }: NodeContext<unknown>, answer: Answer): Outcome<Output> {
  if (answer.kind !== 'session' || answer.session === null) return { kind: 'advance', output: 'none' };
  const { user } = answer.session;
  const evidence = standing(answer.session.evidence, user).map((piece) => ({ ...piece, fromSession: true as const }));
  const subject = subjectOf(user.userId);
  if (unmetDemand(demand, { user, subject, evidence, startedAt, now }) !== null) {
    return { kind: 'advance', output: 'none', keep: hintFor(demand, subject, user) };
  }
  return { kind: 'advance', output: 'found', user, evidence };
}

/** Who signs in again is most likely who was signed in, unless another person is demanded. */
const hintFor = (demand: Demand, subject: string, user: UserState): { readonly username?: string } =>
  demand.subject === null || demand.subject === subject ? { username: user.username } : {};
