import { defineNode, type NodeContext, type Outcome } from '../node.ts';
import { noConfig } from './no_config.ts';

const longestUsername = 255;
const controlCharacter = /\p{Cc}/u;

export const identifier = defineNode({
  type: 'identifier',
  summary: 'Asks who is signing in. What is typed proves nothing.',
  config: noConfig,
  outputs: ['next'],
  terminal: false,
  asks: true,
  needs: [],
  enter: (context): Outcome<'next'> => ask(context, suggestion(context), null),
  submit(context, input): Outcome<'next'> {
    const username = cleanUsername(input['username']);
    if (username === null) return ask(context, '', 'username_missing');
    return { kind: 'advance', output: 'next', keep: { username } };
  },
});

/**
 * One spelling per name (NFKC, trimmed); null where nothing is left that could be a name: empty, over 255 UTF-16 units,
 * or with a control character, which Postgres text and jsonb would refuse.
 */
export function cleanUsername(typed: unknown): string | null {
  if (typeof typed !== 'string') return null;
  const username = typed.toWellFormed().normalize('NFKC').trim();
  return username === '' || username.length > longestUsername || controlCharacter.test(username) ? null : username;
}

/** What was typed in this run, else what the request names, else who was signed in here before. */
function suggestion({ kept, demand, seen }: NodeContext<unknown>): string {
  return cleanUsername(kept['username']) ?? cleanUsername(demand.hint) ?? cleanUsername(seen('username')) ?? '';
}

function ask({ demand }: NodeContext<unknown>, username: string, fault: 'username_missing' | null): Outcome<'next'> {
  return {
    kind: 'challenge',
    screen: { name: 'identifier', username, fault },
    unattended: demand.selectAccount ? 'account_selection_required' : 'login_required',
  };
}
