/** A browser without a window: cookies, redirects by hand, forms by their fields. For what Chromium would be slow at. */
export type Shown = {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
  /** The page's title without the realm. */
  readonly title: string;
  /** Hidden fields of the first form. */
  readonly hidden: { readonly [name: string]: string };
};

export class UserAgent {
  readonly cookies = new Map<string, string>();
  /** Names of cookies that no script may read. */
  readonly httpOnly = new Set<string>();
  readonly #headers: { readonly [name: string]: string };

  constructor(headers: { readonly [name: string]: string } = {}) {
    this.#headers = headers;
  }

  /** One request with the cookies of this browser; redirects are given back, not followed. */
  async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers({ accept: 'text/html', ...this.#headers });
    new Headers(init.headers).forEach((value, name) => {
      headers.set(name, value);
    });
    if (this.cookies.size > 0)
      headers.set('cookie', [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) this.#store(line);
    return response;
  }

  /** Follows redirects as long as they stay at `origin`; gives the page, or the redirect that leaves it. */
  async open(url: string, origin = new URL(url).origin): Promise<Shown | URL> {
    let target = url;
    for (let hop = 0; hop < 10; hop += 1) {
      const response = await this.fetch(target);
      const location = response.headers.get('location');
      if (location === null) return shown(target, response);
      const next = new URL(location, target);
      if (next.origin !== origin) return next;
      target = next.href;
    }
    throw new Error('too many redirects');
  }

  async page(url: string): Promise<Shown> {
    const opened = await this.open(url);
    if (opened instanceof URL) throw new Error(`expected a page, was sent to ${opened.href}`);
    return opened;
  }

  /** Submits the first form of a page as its own page would, with these fields; gives the answer itself. */
  submit(page: Shown, fields: { readonly [name: string]: string }): Promise<Response> {
    return this.fetch(page.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ ...page.hidden, ...fields }).toString(),
    });
  }

  /** Submits and follows: the next page, or the redirect that leaves the provider. */
  async answer(page: Shown, fields: { readonly [name: string]: string }): Promise<Shown | URL> {
    const response = await this.submit(page, fields);
    const location = response.headers.get('location');
    if (location === null) return shown(page.url, response);
    const next = new URL(location, page.url);
    return next.origin === new URL(page.url).origin ? this.open(next.href) : next;
  }

  #store(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const name = pair.slice(0, pair.indexOf('='));
    const has = (wanted: string): boolean => attributes.some((attribute) => attribute.toLowerCase() === wanted);
    if (has('httponly')) this.httpOnly.add(name);
    else this.httpOnly.delete(name);
    if (has('max-age=0')) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(name.length + 1));
  }
}

async function shown(url: string, response: Response): Promise<Shown> {
  const html = await response.text();
  const form = /<form[\s\S]*?<\/form>/.exec(html)?.[0] ?? '';
  const fields = [...form.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  return {
    url,
    status: response.status,
    headers: response.headers,
    html,
    title: /<title>(.*?)(?: · .*)?<\/title>/.exec(html)?.[1] ?? '',
    hidden: Object.fromEntries(fields.map(([, name = '', value = '']) => [name, decodeEntities(value)])),
  };
}

const entities: { readonly [entity: string]: string } = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#x27;': "'",
};
const decodeEntities = (text: string): string =>
  text.replace(/&(?:amp|lt|gt|quot|#x27);/g, (entity) => entities[entity] ?? entity);

export type SignIn = { readonly username: string; readonly password: string };

/** From the first screen of a run through consent to the redirect that leaves the provider. */
export async function signIn(agent: UserAgent, authorizeUrl: string, { username, password }: SignIn): Promise<URL> {
  let at = await agent.open(authorizeUrl);
  for (let screen = 0; screen < 6 && !(at instanceof URL); screen += 1) {
    if (at.html.includes('id="username"')) at = await agent.answer(at, { username });
    else if (at.html.includes('id="password"')) at = await agent.answer(at, { password });
    else if (at.html.includes('id="allow"')) at = await agent.answer(at, { decision: 'allow' });
    else throw new Error(`no way on from "${at.title}" (${at.status})`);
  }
  if (at instanceof URL) return at;
  throw new Error(`still at "${at.title}"`);
}
