import type { Server } from 'bun';
import type { CustomFetch } from 'openid-client';
import { err, ok, type Result } from '../../core/result.ts';
import { formActionSource } from '../../login/content_security_policy.ts';
import { createHandler } from './handle.ts';
import type { PageContext } from './pages/context.ts';
import { createProvider, type RelyingPartyClient } from './provider.ts';
import { createRespond, refuse } from './respond.ts';
import type { Application } from './routes.ts';
import { createSessions } from './sessions.ts';

/**
 * The demo relying party: an application of its own on a port of its own, that signs in with a provider through
 * `openid-client` and shows everything it gets. Owns `/`, `/callback`, `/signed-out` and the POSTs of its buttons.
 * It is an outsider: it must not know the store, the flow engine or any endpoint, only the issuer's URL.
 */
export type RelyingPartyOptions = {
  readonly port: number;
  readonly hostname: string;
  readonly issuer: string;
  /** Signs in by default; register `<url>/callback` and `<url>/signed-out` for it. */
  readonly client: RelyingPartyClient;
  /** Offered as a second button, with the same URIs. */
  readonly publicClient?: RelyingPartyClient | undefined;
  /** Shown on the start page as the demo's credentials. */
  readonly users?: PageContext['users'];
  /** How browsers reach this application; without it `http://<hostname>:<port>`. */
  readonly baseUrl?: string | undefined;
  readonly scope?: string;
  /** Carries requests to the provider in place of the process's own `fetch`. */
  readonly fetch?: CustomFetch | undefined;
  /** Told of a bug while answering; the browser only sees an opaque 500. */
  readonly onBug?: (bug: unknown) => void;
};

export type RelyingParty = { readonly url: string; stop(): Promise<void> };

const defaultScope = 'openid profile email address phone';
const bodyLimitBytes = 16 * 1024;
/** Longer than the calls to the provider that one button makes, each of which has its own time limit. */
const idleTimeoutSeconds = 60;

type Handle = (request: Request) => Response | Promise<Response>;

/**
 * Listens, and answers with its URL or with a sentence that says what is wrong. The provider is asked for its metadata
 * at the first sign-in, so it may start later.
 */
export async function startRelyingParty(options: RelyingPartyOptions): Promise<Result<RelyingParty, string>> {
  let handle: Handle = () => refuse(503, 'starting');
  const listening = listen(options, (request) => handle(request));
  if (!listening.ok) return listening;
  const server = listening.value;
  const { origin } = new URL(options.baseUrl ?? `http://${browserHost(options.hostname)}:${server.port}`);
  handle = createHandler(application(options, origin));
  return ok({ url: origin, stop: () => server.stop(true) });
}

function listen({ port, hostname, onBug }: RelyingPartyOptions, fetch: Handle): Result<Server<undefined>, string> {
  try {
    return ok(
      Bun.serve({
        port,
        hostname,
        fetch,
        // A taken port must be an error, never a second listener that gets every other connection.
        reusePort: false,
        development: false,
        maxRequestBodySize: bodyLimitBytes,
        idleTimeout: idleTimeoutSeconds,
        error: (bug) => {
          onBug?.(bug);
          return refuse(500, 'internal error');
        },
      }),
    );
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
    const sentence = typeof code === 'string' ? listenFaults.get(code) : undefined;
    if (sentence === undefined) throw thrown;
    return err(sentence(port, hostname));
  }
}

const listenFaults: ReadonlyMap<string, (port: number, hostname: string) => string> = new Map([
  [
    'EADDRINUSE',
    (port, hostname) => `port ${port} of ${hostname} is taken; choose another for the demo application with --rp-port`,
  ],
  ['EACCES', (port) => `port ${port} needs privileges; choose one above 1023 for the demo application with --rp-port`],
  ['EADDRNOTAVAIL', (_port, hostname) => `the demo application cannot listen on ${hostname}: no address of this host`],
]);

function application(options: RelyingPartyOptions, baseUrl: string): Application {
  const { issuer, client, publicClient, users = [], scope = defaultScope, fetch } = options;
  const clients = publicClient === undefined ? [client] : [client, publicClient];
  return {
    page: {
      issuer,
      baseUrl,
      users,
      clients: { primary: client.client_id, secondary: publicClient?.client_id ?? null },
    },
    providers: new Map(
      clients.map((each) => [each.client_id, createProvider({ issuer, client: each, baseUrl, scope, fetch })]),
    ),
    sessions: createSessions(new URL(baseUrl)),
    respond: createRespond(formActionSource(issuer)),
  };
}

/** A wildcard address is nowhere a browser can go, and an IPv6 literal stands in brackets (RFC 3986 §3.2.2). */
function browserHost(hostname: string): string {
  if (hostname === '0.0.0.0' || hostname === '::') return '127.0.0.1';
  return hostname.includes(':') ? `[${hostname}]` : hostname;
}
