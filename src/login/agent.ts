import { type Copy, say, sayText } from './copy/index.ts';
import { html, type Safe } from './html.ts';

/** Where somebody was, as far as the browser and the network tell. */
export type Place = { readonly address: string | null; readonly agent: string | null };

/** Programs by the first mark of theirs in `User-Agent`: those that carry the marks of others come before them. */
const browsers = [
  ['Edg', 'Edge'],
  ['OPR/', 'Opera'],
  ['SamsungBrowser/', 'Samsung Internet'],
  ['Firefox/', 'Firefox'],
  ['FxiOS/', 'Firefox'],
  ['CriOS/', 'Chrome'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
  ['curl/', 'curl'],
] as const;

const systems = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['CrOS', 'ChromeOS'],
  ['Windows', 'Windows'],
  ['Macintosh', 'macOS'],
  ['Linux', 'Linux'],
] as const;

const nameIn = (agent: string, table: readonly (readonly [string, string])[]): string | null =>
  table.find(([mark]) => agent.includes(mark))?.[1] ?? null;

/** What a person would call it. The header can say anything: it is a hint, no proof. */
export function agentName(copy: Copy, agent: string | null): string {
  const [browser, system] = [nameIn(agent ?? '', browsers), nameIn(agent ?? '', systems)];
  if (browser !== null && system !== null) return sayText(copy, 'agent_on', { browser, system });
  return browser ?? system ?? copy.agent_unknown;
}

export const placeLine = (copy: Copy, { address }: Place): Safe | null =>
  address === null ? null : say(copy, 'account_address', { address: html`<code>${address}</code>` });
