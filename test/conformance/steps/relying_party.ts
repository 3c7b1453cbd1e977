import { Failure, must } from './verdict.ts';

/** A request that came in at one of the relying party's addresses. */
export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string | null;
  /** The fields of the body of a POST. */
  readonly form: URLSearchParams;
  /** What followed `#` in the browser's address bar. */
  readonly fragment: URLSearchParams;
};

/** PEM texts. */
export type Certificate = { readonly certificate: string; readonly key: string };

export type Document = { readonly type: string; readonly body: string };

/** The suite's side of the redirects: a real server that keeps what it is sent. */
export type RelyingParty = {
  readonly origin: string;
  /** The same by https, for what the provider asks for by itself. */
  readonly secureOrigin: string;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string;
  readonly received: readonly Received[];
  /** Where a document of this name is, or will be. */
  readonly addressOf: (name: string) => string;
  /** Publishes a document, or its successor, and gives its address, which is https. */
  readonly publish: (name: string, document: Document) => string;
  /** The latest request to this path, once one has come. */
  readonly until: (path: string) => Promise<Received>;
  readonly stop: () => Promise<void>;
};

export const callbackPath = '/test/a/limen/callback';
export const postLogoutPath = '/test/a/limen/post_logout_redirect';

const pollMilliseconds = 50;
const mostPolls = 300;

const done = '<!doctype html><title>Done</title><p id="submission_complete">Received.</p>';

export function startRelyingParty({ certificate, key }: Certificate): RelyingParty {
  const received: Received[] = [];
  const documents = new Map<string, Document>();
  const answer = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    const document = documents.get(pathname);
    if (document !== undefined) return new Response(document.body, { headers: { 'content-type': document.type } });
    if (!pathname.startsWith('/test/')) return new Response(null, { status: 404 });
    received.push({
      method: request.method,
      path: pathname,
      query: searchParams,
      contentType: request.headers.get('content-type'),
      form: new URLSearchParams(request.method === 'POST' ? await request.text() : ''),
      fragment: new URLSearchParams(),
    });
    return new Response(done, { headers: { 'content-type': 'text/html' } });
  };
  const place = { hostname: '127.0.0.1', port: 0, fetch: answer };
  const server = Bun.serve(place);
  const secure = Bun.serve({ ...place, tls: { cert: certificate, key } });
  const origin = `http://127.0.0.1:${server.port}`;
  const secureOrigin = `https://localhost:${secure.port}`;
  const addressOf = (name: string): string => `${secureOrigin}/documents/${name}`;
  return {
    origin,
    secureOrigin,
    redirectUri: origin + callbackPath,
    postLogoutRedirectUri: origin + postLogoutPath,
    received,
    addressOf,
    publish: (name, document) => {
      documents.set(`/documents/${name}`, document);
      return addressOf(name);
    },
    until: async (path) => {
      for (let poll = 0; poll < mostPolls; poll += 1) {
        const request = received.findLast((one) => one.path === path);
        if (request !== undefined) return request;
        await Bun.sleep(pollMilliseconds);
      }
      throw new Failure(`nothing came to ${path}`);
    },
    stop: async () => {
      await server.stop(true);
      await secure.stop(true);
    },
  };
}

/** The parameters of a request, none of them twice. */
export function fieldsOf(sent: URLSearchParams): { readonly [name: string]: string } {
  const entries = [...sent];
  const names = entries.map(([name]) => name);
  must(new Set(names).size === names.length, `a parameter is sent twice: ${names.join(', ')}`);
  return Object.fromEntries(entries);
}
