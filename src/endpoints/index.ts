/**
 * OIDC over HTTP. Owns elysia, the front before it (Host, paths, addresses), cookies, and the translation of decisions into
 * responses; `interaction/` is the only bridge to the flow engine. Routes: the table in `routes.ts`, for the default realm
 * at the root and for every other one under `/realms/{slug}`.
 * It must not know SQL, how a rule decides, or how a page looks.
 */
import { Elysia } from 'elysia';
import { unreachable } from '../core/result.ts';
import { refusal } from '../oidc/errors.ts';
import type { Dependencies } from './dependencies.ts';
import { type Exchange, longestAgent } from './exchange.ts';
import { createFront, type Front, type Peer, refusedBy } from './front.ts';
import { metadataEndpoint } from './metadata.ts';
import { type RefusedRequest, refuse } from './refused.ts';
import { authorizationServerMetadata, type Method, type Route, routes } from './routes.ts';
import { failed, notFound, stale, type Telling } from './unavailable.ts';

export type { Dependencies } from './dependencies.ts';

export type EndpointsOptions = Dependencies &
  Telling & {
    readonly isTrustedProxy: (address: string) => boolean;
    /** Routes that belong to the process, not to an issuer (`/livez`). */
    readonly operations: { readonly [path: string]: () => Promise<Response> };
  };

export function createEndpoints(options: EndpointsOptions): Front {
  const peers = new WeakMap<Request, Peer>();
  const peerOf = (request: Request): Peer => peers.get(request) ?? unreachable('a request came past the front');
  const app = new Elysia({ name: 'endpoints', strictPath: true, normalize: false });
  // Before the routes: only those that come after it have it, and the router's own answer tells the error's message.
  app.onError(({ code, error, request }) => {
    if (code === 'NOT_FOUND') return notFound(options, request, peerOf(request));
    return failed(options, error, request, peerOf(request));
  });
  for (const route of routes(options)) {
    mount(app, route.path, (request, parameters) => serve(options, peerOf(request), request, route, null, parameters));
    mount(app, `/realms/:realm${route.path}`, (request, parameters) =>
      serve(options, peerOf(request), request, route, parameters['realm'] ?? '', parameters),
    );
  }
  const metadata: Route = {
    path: authorizationServerMetadata,
    methods: { GET: metadataEndpoint(options) },
    cors: true,
    needsFreshConfiguration: false,
  };
  mount(app, metadata.path, (request) => serve(options, peerOf(request), request, metadata, null, {}));
  mount(app, `${metadata.path}/realms/:realm`, (request, parameters) =>
    serve(options, peerOf(request), request, metadata, parameters['realm'] ?? '', parameters),
  );
  for (const [path, answer] of Object.entries(options.operations)) {
    mount(app, path, async (request) =>
      methodOf(request.method) === 'GET'
        ? answer()
        : methodNotAllowed(options, refusedBy(peerOf(request), request), 'GET, HEAD'),
    );
  }
  return createFront({
    publicUrl: options.publicUrl,
    isTrustedProxy: options.isTrustedProxy,
    log: options.log,
    anyHost: new Set(Object.keys(options.operations)),
    route(request, peer) {
      const routable = withRoutableUrl(request);
      peers.set(routable, peer);
      return Promise.resolve(app.fetch(routable));
    },
    onNotFound: (request, peer) => notFound(options, request, peer),
    onFailure: (thrown, request, peer) => failed(options, thrown, request, peer),
  });
}

type Mounted = (request: Request, parameters: { readonly [name: string]: string }) => Promise<Response>;

/** `parse: 'none'`: the router's own parsers would take the last of two parameters of one name. */
function mount(app: Elysia, path: string, handler: Mounted): void {
  const hasParameters = path.includes('/:');
  app.all(path, ({ request, params }) => handler(request, hasParameters ? params : {}), { parse: 'none' });
}

/** The router looks for the path behind a fixed offset, which a short host name is within. */
function withRoutableUrl(request: Request): Request {
  const { url } = request;
  const start = url.indexOf('/', url.indexOf('://') + 3);
  return start === url.indexOf('/', 11) ? request : new Request(`http://routed.internal${url.slice(start)}`, request);
}

/** Whatever becomes of it: a page that may call an endpoint may also read why it was refused. */
async function serve(
  options: EndpointsOptions,
  peer: Peer,
  request: Request,
  route: Route,
  slug: string | null,
  parameters: { readonly [name: string]: string },
): Promise<Response> {
  if (!route.cors) return answer(options, peer, request, route, slug, parameters);
  try {
    return allowEveryOrigin(await answer(options, peer, request, route, slug, parameters));
  } catch (thrown) {
    return allowEveryOrigin(failed(options, thrown, request, peer));
  }
}

function allowEveryOrigin(response: Response): Response {
  response.headers.set('access-control-allow-origin', '*');
  response.headers.set('access-control-expose-headers', 'www-authenticate, retry-after');
  return response;
}

async function answer(
  options: EndpointsOptions,
  peer: Peer,
  request: Request,
  route: Route,
  slug: string | null,
  parameters: { readonly [name: string]: string },
): Promise<Response> {
  const now = options.clock();
  if (route.needsFreshConfiguration && !options.configuration.isFresh(now)) return stale(options, request, peer);
  const realm = await realmOf(options, slug, now);
  if (realm === null) return notFound(options, request, peer);
  if (request.method === 'OPTIONS' && route.cors) return preflight(route);
  const method = methodOf(request.method);
  const handler = method === null ? undefined : route.methods[method];
  if (handler === undefined) return methodNotAllowed(options, { ...refusedBy(peer, request), realm }, allowOf(route));
  return handler({
    request,
    realm,
    keys: await options.configuration.keys(realm.id, now),
    path: route.path,
    query: queryOf(request.url),
    handle: parameters['handle'] ?? null,
    address: peer.address,
    forwarded: peer.forwarded,
    agent: request.headers.get('user-agent')?.slice(0, longestAgent) ?? null,
    now,
    errorId: peer.errorId,
  });
}

/** RFC 9110 §9.3.2: HEAD is GET; the server leaves the content out. */
const methodOf = (method: string): Method | null => {
  if (method === 'GET' || method === 'HEAD') return 'GET';
  return method === 'POST' || method === 'PUT' || method === 'DELETE' ? method : null;
};

/** A realm has one issuer: the default realm is not also under its slug. */
async function realmOf(
  { configuration }: EndpointsOptions,
  slug: string | null,
  now: number,
): Promise<Exchange['realm'] | null> {
  const realm = slug === null ? await configuration.defaultRealm(now) : await configuration.realmBySlug(slug, now);
  return realm?.enabled === true && realm.isDefault === (slug === null) ? realm : null;
}

function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark === -1 ? '' : url.slice(mark + 1);
}

const allowOf = ({ methods, cors }: Route): string =>
  [...Object.keys(methods), ...('GET' in methods ? ['HEAD'] : []), ...(cors ? ['OPTIONS'] : [])].join(', ');

/** Fetch §4.8: no credentials, since tokens and client credentials travel in headers that the page itself sets. */
const preflight = (route: Route): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': Object.keys(route.methods).join(', '),
      // Model Context Protocol clients send theirs with each request.
      'access-control-allow-headers': 'authorization, content-type, dpop, mcp-protocol-version',
      'access-control-max-age': '7200',
    },
  });

const wrongMethod = refusal('invalid_request', 'this method is not allowed here', 'RFC 9110 §15.5.6');

const methodNotAllowed = ({ log }: EndpointsOptions, request: RefusedRequest, allow: string): Response =>
  refuse(log, request, wrongMethod, { status: 405, headers: { allow } });
