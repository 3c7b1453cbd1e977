/**
 * OIDC over HTTP. Owns elysia, the front before it (Host, paths, addresses), cookies, and the translation of decisions into
 * responses; `interaction/` is the only bridge to the flow engine. Routes: the table in `routes.ts`, for the default realm
 * at the root and for every other one under `/realms/{slug}`.
 * It must not know SQL, how a rule decides, or how a page looks.
 */
import { Elysia } from 'elysia';
import { json, pageResponse } from './answer.ts';
import type { Dependencies } from './dependencies.ts';
import { type Exchange, longestAgent } from './exchange.ts';
import { createFront, type Front, type Peer } from './front.ts';
import { metadataEndpoint } from './metadata.ts';
import { authorizationServerMetadata, type Method, type Route, routes } from './routes.ts';

export type { Dependencies } from './dependencies.ts';

export type EndpointsOptions = Dependencies & {
  readonly isTrustedProxy: (address: string) => boolean;
  /** 503 for a failure that passes by itself, 500 for a bug. */
  readonly isPassing: (thrown: unknown) => boolean;
  /** Routes that belong to the process, not to an issuer (`/livez`). */
  readonly operations: { readonly [path: string]: () => Promise<Response> };
};

export function createEndpoints(options: EndpointsOptions): Front {
  const peers = new WeakMap<Request, Peer>();
  const app = new Elysia({ name: 'endpoints', strictPath: true, normalize: false });
  for (const route of routes(options)) {
    mount(app, route.path, (request, parameters) => serve(options, peers, request, route, null, parameters));
    mount(app, `/realms/:realm${route.path}`, (request, parameters) =>
      serve(options, peers, request, route, parameters['realm'] ?? '', parameters),
    );
  }
  const metadata: Route = {
    path: authorizationServerMetadata,
    methods: { GET: metadataEndpoint(options) },
    cors: true,
    needsFreshConfiguration: false,
  };
  mount(app, metadata.path, (request) => serve(options, peers, request, metadata, null, {}));
  mount(app, `${metadata.path}/realms/:realm`, (request, parameters) =>
    serve(options, peers, request, metadata, parameters['realm'] ?? '', parameters),
  );
  for (const [path, answer] of Object.entries(options.operations)) app.get(path, answer, { parse: 'none' });
  app.onError(({ code, error, request }) => {
    if (code === 'NOT_FOUND') return notFound(options, request, peers.get(request)?.errorId ?? '');
    throw error;
  });
  return createFront({
    publicUrl: options.publicUrl,
    isTrustedProxy: options.isTrustedProxy,
    log: options.log,
    route(request, peer) {
      const routable = withRoutableUrl(request);
      peers.set(routable, peer);
      return Promise.resolve(app.handle(routable));
    },
    onFailure: (thrown, request, errorId) => failed(options, thrown, request, errorId),
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

async function serve(
  options: EndpointsOptions,
  peers: WeakMap<Request, Peer>,
  request: Request,
  route: Route,
  slug: string | null,
  parameters: { readonly [name: string]: string },
): Promise<Response> {
  const peer = peers.get(request);
  if (peer === undefined) throw new Error('a request came past the front');
  const method = methodOf(request.method);
  const handler = method === null ? undefined : route.methods[method];
  if (request.method === 'OPTIONS' && route.cors) return preflight(route);
  if (handler === undefined) return methodNotAllowed(route);
  const now = options.clock();
  if (route.needsFreshConfiguration && !options.configuration.isFresh(now)) return stale(peer.errorId);
  const realm = await realmOf(options, slug, now);
  if (realm === null) return notFound(options, request, peer.errorId);
  const exchange: Exchange = {
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
  };
  const response = await handler(exchange);
  if (route.cors) response.headers.set('access-control-allow-origin', '*');
  return request.method === 'HEAD' ? withoutBody(response) : response;
}

const methodOf = (method: string): Method | null => {
  if (method === 'GET' || method === 'HEAD') return 'GET';
  return method === 'POST' ? 'POST' : null;
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

/** RFC 9110 §9.3.2. */
const withoutBody = (response: Response): Response =>
  new Response(null, { status: response.status, headers: response.headers });

const allowOf = ({ methods, cors }: Route): string =>
  [...Object.keys(methods), ...('GET' in methods ? ['HEAD'] : []), ...(cors ? ['OPTIONS'] : [])].join(', ');

/** Fetch §4.8: no credentials, since tokens and client credentials travel in headers that the page itself sets. */
const preflight = (route: Route): Response =>
  new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': '*',
      'access-control-allow-methods': Object.keys(route.methods).join(', '),
      'access-control-allow-headers': 'authorization, content-type, dpop',
      'access-control-max-age': '7200',
      vary: 'Origin',
    },
  });

/** RFC 9110 §15.5.6. */
const methodNotAllowed = (route: Route): Response =>
  json({ error: 'invalid_request', error_description: 'this method is not allowed here' }, 405, {
    allow: allowOf(route),
  });

const stale = (errorId: string): Response =>
  json(
    { error: 'temporarily_unavailable', error_description: `configuration cannot be confirmed (error id ${errorId})` },
    503,
    { 'retry-after': '5' },
  );

const wantsPage = (request: Request): boolean => request.headers.get('accept')?.includes('text/html') === true;

const nowhere = { name: 'Limen' };

function notFound(options: EndpointsOptions, request: Request, errorId: string): Response {
  if (!wantsPage(request))
    return json({ error: 'invalid_request', error_description: 'there is nothing at this address' }, 404);
  const page = { kind: 'error' as const, reason: 'not_found' as const, errorId, backUrl: null, clientName: null };
  return pageResponse(options.renderPage, { request, realm: nowhere }, page, { status: 404 });
}

/** The error id and a sentence: nothing else of a failure leaves the process. */
function failed(options: EndpointsOptions, thrown: unknown, request: Request, errorId: string): Response {
  const passing = options.isPassing(thrown);
  const status = passing ? 503 : 500;
  const headers: { readonly [name: string]: string } = passing ? { 'retry-after': '5' } : {};
  if (wantsPage(request)) {
    const page = { kind: 'error' as const, reason: 'server_error' as const, errorId, backUrl: null, clientName: null };
    return pageResponse(options.renderPage, { request, realm: nowhere }, page, { status, headers });
  }
  const error = passing ? 'temporarily_unavailable' : 'server_error';
  return json(
    { error, error_description: `the request could not be carried out (error id ${errorId})` },
    status,
    headers,
  );
}
