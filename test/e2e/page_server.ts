import { contentSecurityPolicy } from '../../src/login/content_security_policy.ts';
import { formPostScriptHash } from '../../src/login/pages/index.ts';

export type Submission = { readonly path: string; readonly fields: { readonly [name: string]: string } };

export type PageServer = {
  readonly origin: string;
  /** The address of a document; served with the policy of real pages. */
  readonly publish: (markup: string) => string;
  /** Takes what forms have sent since the last call. */
  readonly takeSubmissions: () => readonly Submission[];
  readonly stop: () => Promise<void>;
};

const logo = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><rect width="8" height="8" fill="#d7602d"/></svg>`;
const received =
  '<!doctype html><html lang="en"><title>Received</title><main><h1 id="received">Received</h1></main></html>';

/** Documents under the headers that they will have, and a place where their forms end. */
export function startPageServer(): PageServer {
  const documents: string[] = [];
  const submissions: Submission[] = [];
  const policy = contentSecurityPolicy({
    formAction: ["'self'"],
    scriptHashes: [formPostScriptHash],
    imageSources: ["'self'"],
    frameSources: ["'self'"],
  });
  const htmlHeaders = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy };
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (request.method === 'POST') {
        const form = new URLSearchParams(await request.text());
        submissions.push({ path: pathname, fields: Object.fromEntries(form) });
        return new Response(received, { headers: htmlHeaders });
      }
      if (pathname === '/logo.svg') return new Response(logo, { headers: { 'content-type': 'image/svg+xml' } });
      if (pathname === '/favicon.ico') return new Response(null, { status: 204 });
      const document = documents[Number(pathname.slice('/page/'.length))];
      return document === undefined
        ? new Response('', { status: 404 })
        : new Response(document, { headers: htmlHeaders });
    },
  });
  const origin = `http://127.0.0.1:${server.port}`;
  return {
    origin,
    publish: (markup) => `${origin}/page/${documents.push(markup) - 1}`,
    takeSubmissions: () => submissions.splice(0),
    stop: () => server.stop(true),
  };
}
