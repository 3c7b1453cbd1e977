import { type Answer, defineNode, type NodeContext, type NodeInput, type Outcome } from '../node.ts';
import type { ConsentDemand, UserState } from '../run.ts';
import { noConfig } from './no_config.ts';

type Output = 'granted' | 'denied';
type Asked = { readonly consent: ConsentDemand; readonly user: UserState };

export const consent = defineNode({
  type: 'consent',
  summary: 'Asks whether the application may have what it asks for, unless that was answered before.',
  config: noConfig,
  outputs: ['granted', 'denied'],
  terminal: false,
  asks: true,
  needs: ['consent'],
  enter: (context) => about(context, lookUp),
  answer: (context, answer) => about(context, (asked) => recall(asked, answer)),
  submit: (context, input) => about(context, (asked) => decide(asked, input)),
});

/**
 * Consent is somebody's: without anything to ask it is given, without a person it cannot be. What goes to another device
 * is asked by `allow`, whose page says all that this one would.
 */
function about({ demand, user }: NodeContext<unknown>, go: (asked: Asked) => Outcome<Output>): Outcome<Output> {
  if (demand.consent === null || demand.consent.device !== undefined) return { kind: 'advance', output: 'granted' };
  if (user === null) return { kind: 'fail', reason: 'login_required' };
  return go({ consent: demand.consent, user });
}

/** Where the page is shown in any case, what was remembered does not matter. */
function lookUp(asked: Asked): Outcome<Output> {
  const { consent, user } = asked;
  if (consent.force || !consent.assured) return show(asked);
  return { kind: 'ask', question: { kind: 'consent', userId: user.userId, audience: consent.audience } };
}

/** An audience that asks for nothing is not covered by what nobody was ever asked. */
function recall(asked: Asked, answer: Answer): Outcome<Output> {
  const { items } = asked.consent;
  const remembered = answer.kind === 'consent' ? answer.items : [];
  const covered = items.length > 0 && items.every((item) => remembered.includes(item));
  return covered ? { kind: 'advance', output: 'granted' } : show(asked);
}

/** Only the two words decide; anything else shows the page again. */
function decide(asked: Asked, input: NodeInput): Outcome<Output> {
  const { consent, user } = asked;
  const decision = input['decision'];
  if (decision === 'deny') return { kind: 'advance', output: 'denied' };
  if (decision !== 'allow') return show(asked);
  const { audience, items } = consent;
  const remember = { kind: 'remember_consent', userId: user.userId, audience, items } as const;
  return { kind: 'advance', output: 'granted', effects: [remember] };
}

function show({ consent, user }: Asked): Outcome<Output> {
  const { audienceName, logoUri, policyUri, termsUri, items } = consent;
  return {
    kind: 'challenge',
    screen: { name: 'consent', username: user.username, audienceName, logoUri, policyUri, termsUri, items },
    unattended: 'consent_required',
  };
}
