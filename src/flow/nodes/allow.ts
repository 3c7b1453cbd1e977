import { unmetDemand } from '../evidence.ts';
import { defineNode } from '../node.ts';
import { noConfig } from './no_config.ts';

/** The one way to success. It trusts no earlier node: the evidence is judged again, whatever path led here. */
export const allow = defineNode({
  type: 'allow',
  summary: 'Ends the run with success if what was proved meets what was asked.',
  config: noConfig,
  outputs: [],
  terminal: true,
  asks: false,
  needs: [],
  enter({ demand, user, subjectOf, evidence, startedAt, now }) {
    if (user === null) return { kind: 'fail', reason: 'login_required' };
    const reason = unmetDemand(demand, { user, subject: subjectOf(user.userId), evidence, startedAt, now });
    return reason === null ? { kind: 'succeed' } : { kind: 'fail', reason };
  },
});
