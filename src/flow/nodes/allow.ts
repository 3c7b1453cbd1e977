import { unmetDemand } from '../evidence.ts';
import { defineNode, type NodeContext, type NodeInput, type Outcome } from '../node.ts';
import type { UserState } from '../run.ts';
import type { Screen } from '../screen.ts';
import { noConfig } from './no_config.ts';

/**
 * The one way to success. It trusts no earlier node: the evidence is judged again, whatever path led here; and where the
 * success is another device's, the person compares and confirms here, so that no flow can leave that out (RFC 8628 §5.4).
 */
export const allow = defineNode({
  type: 'allow',
  summary: 'Ends the run with success if what was proved meets what was asked.',
  config: noConfig,
  outputs: [],
  terminal: true,
  asks: true,
  needs: [],
  enter: (context) => proven(context, confirm),
  submit: (context, input) => proven(context, (asked) => decide(asked, input)),
});

type DeviceScreen = Extract<Screen, { name: 'device' }>;

function proven(context: NodeContext<unknown>, ask: (screen: DeviceScreen) => Outcome<never>): Outcome<never> {
  const { demand, user, subjectOf, evidence, startedAt, now } = context;
  if (user === null) return { kind: 'fail', reason: 'login_required' };
  const reason = unmetDemand(demand, { user, subject: subjectOf(user.userId), evidence, startedAt, now });
  if (reason !== null) return { kind: 'fail', reason };
  const screen = deviceScreen(context, user);
  return screen === null ? { kind: 'succeed' } : ask(screen);
}

function deviceScreen({ demand: { consent } }: NodeContext<unknown>, { username }: UserState): DeviceScreen | null {
  if (consent?.device === undefined) return null;
  const { audienceName, logoUri, policyUri, termsUri, items, device } = consent;
  return { name: 'device', username, audienceName, logoUri, policyUri, termsUri, items, device };
}

const confirm = (screen: DeviceScreen): Outcome<never> => ({
  kind: 'challenge',
  screen,
  unattended: 'interaction_required',
});

/** Only the two words decide; anything else shows the page again. */
function decide(screen: DeviceScreen, { decision }: NodeInput): Outcome<never> {
  if (decision === 'deny') return { kind: 'fail', reason: 'denied' };
  return decision === 'allow' ? { kind: 'succeed' } : confirm(screen);
}
