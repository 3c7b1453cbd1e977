import { Secret } from '../../core/secret.ts';
import { type Answer, defineNode, type NodeContext, type NodeInput, type Outcome } from '../node.ts';
import type { Screen } from '../screen.ts';
import { noConfig } from './no_config.ts';

type Output = 'verified' | 'change_account';
type Fault = Extract<Screen, { name: 'password' }>['fault'];

export const password = defineNode({
  type: 'password',
  summary: 'Asks for the password of the account that was named before.',
  config: noConfig,
  outputs: ['verified', 'change_account'],
  terminal: false,
  asks: true,
  needs: ['verify_password'],
  enter: (context) => ask(context, null),
  submit,
  answer: judge,
});

function submit(context: NodeContext<unknown>, input: NodeInput): Outcome<Output> {
  if (input['change_account'] !== undefined) return { kind: 'advance', output: 'change_account' };
  const username = usernameOf(context);
  const typed = input['password'];
  if (username === null || typed === undefined || typed === '') return ask(context, 'password_missing');
  return { kind: 'ask', question: { kind: 'verify_password', username, password: new Secret(typed) } };
}

function judge(context: NodeContext<unknown>, answer: Answer): Outcome<Output> {
  if (answer.kind !== 'verify_password') return ask(context, null);
  const { verdict } = answer;
  // A disabled account is refused like an unknown one: the answer must not tell them apart.
  if (verdict.kind !== 'accepted') return ask(context, verdict.kind);
  if (!verdict.user.enabled) return ask(context, 'refused');
  const { user, at } = verdict;
  return { kind: 'advance', output: 'verified', user, evidence: [{ method: 'pwd', userId: user.userId, at }] };
}

function usernameOf({ seen }: NodeContext<unknown>): string | null {
  const username = seen('username');
  return typeof username === 'string' && username !== '' ? username : null;
}

function ask(context: NodeContext<unknown>, fault: Fault): Outcome<Output> {
  const username = usernameOf(context);
  // No account was named on the way here: only the way back can help.
  if (username === null) return { kind: 'advance', output: 'change_account' };
  return { kind: 'challenge', screen: { name: 'password', username, fault }, unattended: 'login_required' };
}
