import type { Shown, SignIn, UserAgent } from '../user_agent.ts';
import { entryFor, isPage, pageOf, screenOf } from './run_browser.ts';

/** The account page as a test reads and uses it. */

export const accountUrlOf = (issuer: string): string => `${issuer}/account`;

/** Opens the page, signing in where that is asked for. */
export async function openAccount(agent: UserAgent, issuer: string, who: SignIn): Promise<Shown> {
  let at: Shown | URL = await agent.open(accountUrlOf(issuer));
  for (let hop = 0; hop < 4 && isPage(at) && !at.html.includes('id="sessions"'); hop += 1) {
    at = await agent.answer(at, entryFor(screenOf(at), who));
  }
  return pageOf(at);
}

/** Whose page it is; null: it is another page. */
export const accountOf = ({ html }: Shown): string | null =>
  html.includes('id="sessions"') ? (/Signed in as <bdi>([^<]*)</.exec(html)?.[1] ?? null) : null;

export const statusOf = ({ html }: Shown): string => /role="status">([^<]*)</.exec(html)?.[1] ?? 'no status line';

export type ChangeForm = {
  readonly change: string;
  /** The entry of the list that it stands in; '' outside of lists. */
  readonly around: string;
  readonly fields: { readonly [name: string]: string };
};

export function formsOf({ html }: Shown): readonly ChangeForm[] {
  return [...html.matchAll(/<form[\s\S]*?<\/form>/g)].map((match) => {
    const [form] = match;
    const before = html.slice(0, match.index);
    const entry = before.slice(before.lastIndexOf('<li'));
    const hidden = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
    const change = /name="change" value="([^"]*)"/.exec(form)?.[1] ?? '';
    const fields = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    return { change, around: entry.includes('</li>') ? '' : entry, fields: { ...fields, change } };
  });
}

/** Presses the form's button, and gives the page that comes of it. */
export const changed = async (agent: UserAgent, page: Shown, { fields }: Pick<ChangeForm, 'fields'>): Promise<Shown> =>
  pageOf(await agent.answer({ ...page, url: page.url.replace(/\?.*$/, ''), hidden: {} }, fields));
