import { must } from './verdict.ts';

/** A request that came in at one of the relying party's addresses. */
export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string | null;
  /** The fields of the body of a POST. */
  readonly form: URLSearchParams;
};

/** The suite's side of the redirects: a real server that keeps what it is sent. */
export type RelyingParty = {
  readonly origin: string;
  readonly redirectUri: string;
  readonly postLogoutRedirectUri: string;
  readonly received: readonly Received[];
  readonly stop: () => Promise<void>;
};

export const callbackPath = '/test/a/limen/callback';
export const postLogoutPath = '/test/a/limen/post_logout_redirect';

const done = '<!doctype html><title>Done</title><p id="submission_complete">Received.</p>';

export function startRelyingParty(): RelyingParty {
  const received: Received[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (!pathname.startsWith('/test/')) return new Response(null, { status: 404 });
      received.push({
        method: request.method,
        path: pathname,
        query: searchParams,
        contentType: request.headers.get('content-type'),
        form: new URLSearchParams(request.method === 'POST' ? await request.text() : ''),
      });
      return new Response(done, { headers: { 'content-type': 'text/html' } });
    },
  });
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    origin,
    redirectUri: origin + callbackPath,
    postLogoutRedirectUri: origin + postLogoutPath,
    received,
    stop: () => server.stop(true),
  };
}

/** The parameters of a request, none of them twice. */
export function fieldsOf(sent: URLSearchParams): { readonly [name: string]: string } {
  const entries = [...sent];
  const names = entries.map(([name]) => name);
  must(new Set(names).size === names.length, `a parameter is sent twice: ${names.join(', ')}`);
  return Object.fromEntries(entries);
}
