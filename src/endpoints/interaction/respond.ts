import { sha256 } from '../../core/crypto.ts';
import type { SessionId } from '../../core/ids.ts';
import type { Instant } from '../../core/time.ts';
import type { FailureReason, Run } from '../../flow/run.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { type AuthorizationResponse, errorResponse, successResponse } from '../../oidc/authorize/response.ts';
import type { Client } from '../../oidc/client.ts';
import type { Refusal } from '../../oidc/errors.ts';
import { described, pageResponse, redirect } from '../answer.ts';
import { setCookie } from '../cookies.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { logRefusal } from '../refused.ts';
import { type Completion, sessionCookie } from './completion.ts';
import { accountUrl, type Destination, startUrlOf, uiLocalesOf } from './destination.ts';
import { deviceApproved, deviceFailure } from './device_end.ts';
import { refusalOfFailure } from './failure.ts';
import { deviceCookie } from './known_device.ts';
import type { RunResult } from './ports.ts';
import { returnedFrom } from './returned.ts';
import { sessionStateFor, stateCookiesOf } from './watched_state.ts';

/** The last answer of a run: to its destination, or to the person where a client would not understand it any more. */

export type Recipient = {
  readonly exchange: Exchange;
  readonly destination: Destination;
  readonly cookies: readonly string[];
};

export type ClientRecipient = {
  readonly exchange: Exchange;
  readonly client: Client;
  readonly request: AuthorizationRequest;
  readonly cookies: readonly string[];
};

function send(
  deps: Dependencies,
  { exchange, client, request, cookies }: ClientRecipient,
  response: AuthorizationResponse,
): Response {
  if (response.kind === 'redirect') return redirect(response.location, cookies);
  const parameters = Object.fromEntries(response.fields);
  const page = { kind: 'form_post' as const, redirectUri: response.action, parameters, clientName: client.name };
  return pageResponse(deps.renderPage, exchange, page, { cookies, uiLocales: request.uiLocales });
}

function sendError(deps: Dependencies, recipient: ClientRecipient, refused: Refusal): Response {
  const { exchange, request, client } = recipient;
  logRefusal(deps.log, exchange, refused, client.clientId);
  const told = { ...refused, description: described(refused, exchange.errorId) };
  return send(deps, recipient, errorResponse(request.target, exchange.realm.issuer, told));
}

/** A run that was left too long is told to the person: the client's own `state` is likely gone by then. */
export function sendFailure(deps: Dependencies, recipient: Recipient, reason: FailureReason): Response {
  const { exchange, cookies, destination } = recipient;
  if (destination.kind === 'device') return deviceFailure(deps, { exchange, cookies, destination }, reason);
  if (reason === 'expired') {
    const page = { kind: 'expired' as const, startUrl: startUrlOf(destination, exchange.realm) };
    return pageResponse(deps.renderPage, exchange, page, { status: 410, cookies, uiLocales: uiLocalesOf(destination) });
  }
  if (destination.kind === 'client') {
    return sendError(deps, { exchange, cookies, ...destination }, refusalOfFailure(reason));
  }
  const { errorId, path, realm } = exchange;
  deps.log.info('run.failed', { errorId, path, reason });
  const shown = { kind: 'error' as const, reason: 'sign_in_failed' as const, errorId, backUrl: null, clientName: null };
  const page = { ...shown, retryUrl: startUrlOf(destination, realm) };
  return pageResponse(deps.renderPage, exchange, page, { status: 403, cookies });
}

/** The end of a run that succeeded just now: to its destination, or a page with a link; and the session's cookie. */
export const sendResult = (
  deps: Dependencies,
  recipient: Recipient,
  run: Run,
  { result, sessionId }: Completion,
): Promise<Response> =>
  resultResponse(deps, recipient, { run, result, cookie: cookieOf(deps, run, result), sessionId });

/**
 * Within the code's lifetime a repeat gets the same redirect, later a link. The same cookie goes with it, in case the first
 * answer was lost; not where its session has ended or goes on under another cookie: that one would be overwritten.
 */
export async function repeatResult(
  deps: Dependencies,
  recipient: Recipient,
  run: Run,
  result: RunResult,
): Promise<Response> {
  const { realm, now } = recipient.exchange;
  const cookie = isTimely(run, result, now) ? cookieOf(deps, run, result) : null;
  const session =
    cookie === null
      ? null
      : await deps.sessions.find({
          realmId: realm.id,
          secretHash: sha256(cookie),
          clientId: null,
          idleLifetimeSeconds: realm.settings.sessionIdleLifetimeSeconds,
        });
  const sessionId = session?.id ?? null;
  return resultResponse(deps, recipient, { run, result, cookie: sessionId === null ? null : cookie, sessionId });
}

const isTimely = (run: Run, { code }: RunResult, now: Instant): boolean => now < (code?.expires_at ?? run.expiresAt);

const cookieOf = ({ ring }: Dependencies, run: Run, { sessionKeyId }: RunResult): string | null =>
  sessionKeyId === null ? null : sessionCookie(ring, run.id, sessionKeyId);

type Ending = {
  readonly run: Run;
  readonly result: RunResult;
  readonly cookie: string | null;
  /** The browser's session, where it is this run's. */
  readonly sessionId: SessionId | null;
};

async function resultResponse(deps: Dependencies, recipient: Recipient, ending: Ending): Promise<Response> {
  const { exchange, destination } = recipient;
  const cookies = [...recipient.cookies, ...signInCookies(deps, exchange, ending)];
  switch (destination.kind) {
    case 'client':
      return clientResponse(deps, { exchange, cookies, ...destination }, ending);
    case 'device':
      return deviceApproved(deps, { exchange, cookies, destination });
    case 'account':
      return redirect(accountUrl(exchange.realm, destination.request), cookies);
  }
}

function signInCookies(
  { ring }: Dependencies,
  exchange: Exchange,
  { run, result, cookie, sessionId }: Ending,
): readonly string[] {
  const { realm } = exchange;
  const watched = sessionId === null ? [] : stateCookiesOf(realm, sessionId);
  if (cookie === null) return watched;
  const known = deviceCookie(ring, exchange, run, result);
  return [setCookie(realm, 'session', cookie), ...(known === null ? [] : [known]), ...watched];
}

async function clientResponse(
  deps: Dependencies,
  recipient: ClientRecipient,
  { run, result }: Ending,
): Promise<Response> {
  const { exchange, request, client, cookies } = recipient;
  const { realm, now } = exchange;
  if (result.code !== null && isTimely(run, result, now)) {
    const returned = await returnedFrom(deps, recipient, result, result.code);
    if (!returned.ok) return sendError(deps, recipient, returned.error);
    const sessionState = sessionStateFor(recipient, result.code);
    return send(deps, recipient, successResponse(request.target, realm.issuer, { ...returned.value, sessionState }));
  }
  const page = { kind: 'completed' as const, backUrl: backUrl(client, request), clientName: client.name };
  return pageResponse(deps.renderPage, exchange, page, { cookies, uiLocales: request.uiLocales });
}

/** Where a person finds the application again: what it is registered with, else where its redirects go. */
function backUrl({ metadata }: Client, { target }: AuthorizationRequest): string | null {
  const origin = URL.parse(target.redirectUri)?.origin;
  return metadata.client_uri ?? (origin === undefined || origin === 'null' ? null : `${origin}/`);
}
