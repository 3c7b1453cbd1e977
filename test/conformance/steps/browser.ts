import { type Shown, type SignIn, UserAgent } from '../../user_agent.ts';
import { runFrame } from './frame.ts';
import type { Received, RelyingParty } from './relying_party.ts';

/** Screens that a browser answers by itself, by the id of the field or button that it uses. */
export type Screen = 'username' | 'password' | 'allow' | 'sign_out';

/** Where a visit ended: at the relying party, on a page of the provider, or somewhere nobody asked for. */
export type End =
  | { readonly kind: 'relying_party'; readonly request: Received }
  | { readonly kind: 'page'; readonly status: number; readonly html: string }
  | { readonly kind: 'elsewhere'; readonly url: string };

export type Visit = {
  /** What the person had to do on the way. */
  readonly screens: readonly Screen[];
  /** The pages that asked for it. */
  readonly pages: readonly string[];
  readonly end: End;
};

export type Target = {
  readonly url: string;
  /** Sent by POST from the relying party's page. */
  readonly form?: { readonly [name: string]: string };
};

/** A person at a browser with an empty cookie jar, who answers what they are asked. */
export type Browser = {
  readonly visit: (target: Target) => Promise<Visit>;
  /** What a frame at this address answers to a message from a page of the relying party. */
  readonly askFrame: (url: string, message: string) => Promise<unknown>;
  readonly close: () => Promise<void>;
};

export type BrowserFacts = {
  readonly issuer: string;
  readonly user: SignIn;
  readonly relyingParty: RelyingParty;
};

export type OpenBrowser = (facts: BrowserFacts) => Promise<Browser>;

/** Each screen with the element that shows it and the fields that answer it. */
const screens: readonly {
  readonly name: Screen;
  readonly element: string;
  readonly answer: (user: SignIn) => { readonly [name: string]: string };
}[] = [
  { name: 'username', element: 'id="username"', answer: ({ username }) => ({ username }) },
  { name: 'password', element: 'id="password"', answer: ({ password }) => ({ password }) },
  { name: 'allow', element: 'id="allow"', answer: () => ({ decision: 'allow' }) },
  { name: 'sign_out', element: 'id="stay"', answer: () => ({ decision: 'sign_out' }) },
];

const mostPages = 8;

/** Without a window. The page of form_post is sent on only if its own script would do so. */
export const openUserAgent: OpenBrowser = async ({ issuer, user, relyingParty }) => {
  const agent = new UserAgent();
  const visit = async (target: Target): Promise<Visit> => {
    const answered: Screen[] = [];
    const pages: string[] = [];
    let at = await open(agent, target);
    for (let page = 0; page < mostPages && !(at instanceof URL); page += 1) {
      const shown = { ...at, url: new URL(actionOf(at.html), at.url).href };
      const screen = screens.find(({ element }) => shown.html.includes(element));
      if (screen !== undefined) {
        answered.push(screen.name);
        pages.push(shown.html);
        at = await agent.answer(shown, screen.answer(user));
      } else if (postsItself(shown.html)) {
        await agent.fetch(shown.url, crossSitePost(shown.hidden));
        return { screens: answered, pages, end: lastReceived(relyingParty) };
      } else if (shown.html.includes('<iframe') && shown.html.includes('id="continue"')) {
        for (const [, src = ''] of shown.html.matchAll(/<iframe src="([^"]*)"/g)) await agent.fetch(plain(src));
        const [, next = ''] = /id="continue" href="([^"]*)"/.exec(shown.html) ?? [];
        at = new URL(plain(next));
      } else return { screens: answered, pages, end: { kind: 'page', status: at.status, html: at.html } };
    }
    if (!(at instanceof URL)) throw new Error(`still at "${at.title}" after ${mostPages} pages`);
    if (at.origin !== relyingParty.origin)
      return { screens: answered, pages, end: { kind: 'elsewhere', url: at.href } };
    await agent.fetch(at.href);
    return { screens: answered, pages, end: lastReceived(relyingParty, at.hash) };
  };
  /** A POST that comes from another site carries no Lax cookie. */
  const open = async (agent: UserAgent, { url, form }: Target): Promise<Shown | URL> => {
    if (form === undefined) return agent.open(url, issuer);
    const stranger = new UserAgent();
    const response = await stranger.fetch(url, crossSitePost(form));
    for (const [name, value] of stranger.cookies) agent.cookies.set(name, value);
    const location = response.headers.get('location');
    if (location === null) throw new Error(`a POST is answered by ${response.status} without a redirect`);
    return agent.open(new URL(location, url).href, issuer);
  };
  const askFrame: Browser['askFrame'] = async (url, message) => {
    const frame = await agent.page(url);
    const cookies = [...agent.cookies].filter(([name]) => !agent.httpOnly.has(name));
    const cookie = cookies.map(([name, value]) => `${name}=${value}`).join('; ');
    return runFrame(frame, { cookie, origin: relyingParty.origin, message });
  };
  return { visit, askFrame, close: async () => {} };
};

const crossSitePost = (fields: { readonly [name: string]: string }): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
  body: new URLSearchParams(fields).toString(),
});

/** By a script, and with a button where there is none. */
const postsItself = (html: string): boolean =>
  html.includes('id="form_post"') && /<script>[^<]*submit/.test(html) && html.includes('type="submit"');

const plain = (attribute: string): string => attribute.replaceAll('&amp;', '&');

const actionOf = (html: string): string => plain(/<form[^>]* action="([^"]*)"/.exec(html)?.[1] ?? '');

/** `hash`: what only the browser's address bar has. */
export function lastReceived({ received }: RelyingParty, hash = ''): End {
  const request = received.at(-1);
  if (request === undefined) throw new Error('the relying party received nothing');
  return { kind: 'relying_party', request: { ...request, fragment: new URLSearchParams(hash.slice(1)) } };
}
