import type { RenderPage } from '../login/render.ts';
import { refusal } from '../oidc/errors.ts';
import { jsonError, pageResponse } from './answer.ts';
import { type Peer, refusedBy } from './front.ts';
import { logRefusal, type RequestLog } from './refused.ts';

/** The answers that belong to no endpoint: nothing is there, or nothing can be done now. A page for people, else JSON. */

export type Telling = {
  readonly log: RequestLog;
  readonly renderPage: RenderPage;
  /** 503 for a failure that passes by itself, 500 for a bug. */
  readonly isPassing: (thrown: unknown) => boolean;
};

const nothingHere = refusal('invalid_request', 'there is nothing at this address', 'RFC 9110 §15.5.5');

export function notFound(telling: Telling, request: Request, peer: Peer): Response {
  logRefusal(telling.log, refusedBy(peer, request), nothingHere);
  return wantsPage(request)
    ? errorPage(telling, request, peer, 'not_found', 404)
    : jsonError(nothingHere, { ...peer, realm: null }, { status: 404 });
}

const unconfirmed = refusal(
  'temporarily_unavailable',
  'the configuration could not be confirmed for ten seconds',
  'configuration staleness',
);

/** Keys, clients and policies may have changed since: better no answer than one by rules that are no longer in force. */
export function stale(telling: Telling, request: Request, peer: Peer): Response {
  logRefusal(telling.log, refusedBy(peer, request), unconfirmed);
  return wantsPage(request)
    ? errorPage(telling, request, peer, 'server_error', 503)
    : jsonError(unconfirmed, { ...peer, realm: null }, { headers: retryAfter });
}

/** The error id and a sentence: nothing else of a failure leaves the process. */
export function failed(telling: Telling, thrown: unknown, request: Request, peer: Peer): Response {
  const { errorId } = peer;
  telling.log.error('request.failed', { errorId, method: request.method, thrown: asError(thrown) });
  const passing = telling.isPassing(thrown);
  const error = passing ? 'temporarily_unavailable' : 'server_error';
  const unknown = { realmId: null, clientId: null, rule: null, parameter: null, description: null };
  const { path: endpoint } = refusedBy(peer, request);
  telling.log.keep?.({ kind: 'fault', errorId, endpoint, error, ...unknown }, peer.address);
  if (wantsPage(request)) return errorPage(telling, request, peer, 'server_error', passing ? 503 : 500);
  const told = refusal(error, 'the request could not be carried out', 'RFC 6749 §4.1.2.1');
  return jsonError(told, { errorId, realm: null }, passing ? { headers: retryAfter } : {});
}

const retryAfter = { 'retry-after': '5' };

const wantsPage = (request: Request): boolean => request.headers.get('accept')?.includes('text/html') === true;

function errorPage(
  { renderPage }: Telling,
  request: Request,
  { errorId }: Peer,
  reason: 'not_found' | 'server_error',
  status: number,
): Response {
  const page = { kind: 'error' as const, reason, errorId, backUrl: null, clientName: null };
  const headers = status === 503 ? retryAfter : {};
  return pageResponse(renderPage, { request, realm: { name: 'Limen' } }, page, { status, headers });
}

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error('something that is no error was thrown');
