/**
 * The admin API, JSON over HTTP at `/admin/api/v1`. Owns its routes, who may call them, and their documents; it must not
 * know SQL, how tokens are made, or pages. One list of routes (`routes.ts`): each names the permission that it needs, and
 * is mounted behind it.
 */
import { Value } from '@sinclair/typebox/value';
import { Elysia } from 'elysia';
import { unreachable } from '../core/result.ts';
import { bearerChallenge } from '../oidc/bearer.ts';
import { refusal } from '../oidc/errors.ts';
import type { Realm } from '../oidc/realm.ts';
import {
  documentResponse,
  forbidden,
  malformed,
  nothingHere,
  type RefusedAnswer,
  refusalResponse,
  refused,
  wrongMethod,
} from './answer.ts';
import { adminPath, authenticate, noToken } from './caller.ts';
import { openApiDocument } from './openapi.ts';
import type { AdminPorts, Caller, Peer } from './ports.ts';
import type { AdminRoute } from './route.ts';
import { adminRoutes } from './routes.ts';

export { type Action, actionNames, actions } from './actions.ts';
export { adminPath } from './caller.ts';
export type { AdminPorts } from './ports.ts';

export type AdminApi = (request: Request, peer: Peer) => Promise<Response>;

const unconfirmed = refusal(
  'temporarily_unavailable',
  'the configuration could not be confirmed for ten seconds',
  'configuration staleness',
);
const noPermission = refusal('access_denied', 'the caller has no permission for this', 'admin permission');

export function createAdmin(ports: AdminPorts): AdminApi {
  const peers = new WeakMap<Request, Peer>();
  const peerOf = (request: Request): Peer => peers.get(request) ?? unreachable('a request came past the front');
  const app = new Elysia({ name: 'admin', prefix: adminPath, strictPath: true, normalize: false });
  // Before the routes: only those that come after it have it, and the router's own answer tells the error's message.
  app.onError(({ code, error, request }) => {
    const peer = peerOf(request);
    if (code !== 'NOT_FOUND') return ports.fail(error, request, peer);
    return refuse(ports, { peer, path: adminPath, realm: null, caller: null }, refused(nothingHere, { status: 404 }));
  });
  for (const [path, routes] of Map.groupBy(adminRoutes, (route) => route.path)) {
    // The router's own parsers would read a body before its sender is known.
    app.all(path, ({ request, params }) => serve(ports, routes, request, params, peerOf(request)), { parse: 'none' });
  }
  const description = openApiDocument(ports.publicUrl);
  app.get('/openapi.json', () => documentResponse(description));
  return async (request, peer) => {
    peers.set(request, peer);
    return app.fetch(request);
  };
}

/** What is known of a request when it is refused. */
type Known = {
  readonly peer: Peer;
  readonly path: string;
  readonly realm: Realm | null;
  readonly caller: Caller | null;
};

/** The order of checks: may anything be answered now, is there such a route, who is it, may they, what do they say. */
async function serve(
  ports: AdminPorts,
  routes: readonly AdminRoute[],
  request: Request,
  parameters: { readonly [name: string]: string },
  peer: Peer,
): Promise<Response> {
  const now = ports.clock();
  const realm = ports.isFresh(now) ? await ports.defaultRealm(now) : null;
  const known = { peer, path: adminPath + (routes[0]?.path ?? ''), realm, caller: null };
  if (realm === null) return refuse(ports, known, refused(unconfirmed), { 'retry-after': '5' });
  const route = routes.find(({ method }) => method === (request.method === 'HEAD' ? 'GET' : request.method));
  if (route === undefined) {
    const allow = routes.map(({ method }) => method).join(', ');
    return refuse(ports, known, refused(wrongMethod, { status: 405 }), { allow });
  }
  const authenticated = await authenticate(ports, request, realm, now);
  if (!authenticated.ok) {
    // RFC 6750 §3: without a token no error is told in the challenge.
    const told = authenticated.error === noToken ? null : authenticated.error;
    const challenge = bearerChallenge(ports.publicUrl, told);
    return refuse(ports, known, refused(authenticated.error), { 'www-authenticate': challenge });
  }
  const caller = authenticated.value;
  return admitted(ports, route, { request, parameters, caller, now }, { ...known, caller });
}

type Admitted = {
  readonly request: Request;
  readonly parameters: { readonly [name: string]: string };
  readonly caller: Caller;
  readonly now: number;
};

async function admitted(
  ports: AdminPorts,
  route: AdminRoute,
  { request, parameters, caller, now }: Admitted,
  known: Known,
): Promise<Response> {
  const reach = await ports.reachOf(caller, route.needs);
  if (!reach.everywhere && reach.realmIds.length === 0) return refuse(ports, known, forbidden(noPermission));
  const body = route.body === undefined ? null : await ports.readJsonObject(request);
  if (body?.ok === false) return refuse(ports, known, refused(body.error.refusal, { status: body.error.status }));
  const faults = route.body === undefined || body === null ? [] : faultsOf(route.body, body.value);
  if (faults.length > 0) return refuse(ports, known, refused(malformed, { faults }));
  const { peer } = known;
  const answer = await route.handle(ports, { caller, reach, parameters, body: body?.value ?? null, peer, now });
  return answer.kind === 'document' ? documentResponse(answer.document) : refuse(ports, known, answer);
}

/** Where and what, never the value that was sent. */
const faultsOf = (schema: NonNullable<AdminRoute['body']>, body: unknown): readonly string[] => [
  ...new Set(
    [...Value.Errors(schema, body)].map(
      ({ path, message }) => `${path === '' ? 'the body' : path.slice(1).replaceAll('/', '.')}: ${message}`,
    ),
  ),
];

function refuse(
  ports: AdminPorts,
  { peer, path, realm, caller }: Known,
  answer: RefusedAnswer,
  headers: { readonly [name: string]: string } = {},
): Response {
  const clientId = caller?.clientId ?? null;
  ports.noteRefusal({ peer, path, refusal: answer.refusal, clientId, defaultRealm: realm });
  return refusalResponse(answer, peer.errorId, headers);
}
