import { sha256 } from '../../core/crypto.ts';
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
import { sessionCookie } from './completion.ts';
import { deviceApproved, deviceFailure } from './device_end.ts';
import { refusalOfFailure } from './failure.ts';
import type { FoundSession, RunResult } from './ports.ts';
import { returnedFrom } from './returned.ts';
import { isDeviceRequest, type RunRequest } from './run_request.ts';
import { stateCookiesOf, watchedState } from './watched_state.ts';

/** The last answer of a run: to the client, or to the person where the client would not understand it any more. */

export type Recipient<Request extends RunRequest = RunRequest> = {
  readonly exchange: Exchange;
  readonly client: Client;
  readonly request: Request;
  readonly cookies: readonly string[];
};

export type ClientRecipient = Recipient<AuthorizationRequest>;

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
  const { exchange, request, cookies, client } = recipient;
  if (isDeviceRequest(request)) return deviceFailure(deps, { ...recipient, request }, reason);
  if (reason !== 'expired') return sendError(deps, { ...recipient, request }, refusalOfFailure(reason));
  const page = { kind: 'expired' as const, startUrl: client.metadata.client_uri ?? null };
  return pageResponse(deps.renderPage, exchange, page, { status: 410, cookies, uiLocales: request.uiLocales });
}

/** The end of a run that succeeded just now: to the client with a code, or a page with a link; and the session's cookie. */
export const sendResult = (deps: Dependencies, recipient: Recipient, run: Run, result: RunResult): Promise<Response> =>
  resultResponse(deps, recipient, { run, result, cookie: cookieOf(deps, run, result), isCurrent: true, found: null });

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
  const isCurrent = session !== null;
  return resultResponse(deps, recipient, { run, result, cookie: isCurrent ? cookie : null, isCurrent, found: session });
}

const isTimely = (run: Run, { code }: RunResult, now: Instant): boolean => now < (code?.expires_at ?? run.expiresAt);

const cookieOf = ({ ring }: Dependencies, run: Run, { sessionKeyId }: RunResult): string | null =>
  sessionKeyId === null ? null : sessionCookie(ring, run.id, sessionKeyId);

type Ending = {
  readonly run: Run;
  readonly result: RunResult;
  readonly cookie: string | null;
  /** The browser's session is this run's. */
  readonly isCurrent: boolean;
  /** As it was looked up; null: it was not, or is no more. */
  readonly found: Pick<FoundSession, 'id'> | null;
};

async function resultResponse(
  deps: Dependencies,
  recipient: Recipient,
  { run, result, cookie, isCurrent, found }: Ending,
): Promise<Response> {
  const { exchange, request, client } = recipient;
  const { realm, now } = exchange;
  const cookies = cookie === null ? recipient.cookies : [...recipient.cookies, setCookie(realm, 'session', cookie)];
  const watched = found === null ? cookies : [...cookies, ...stateCookiesOf(realm, found.id)];
  if (isDeviceRequest(request)) return deviceApproved(deps, { ...recipient, request, cookies: watched });
  if (result.code !== null && isTimely(run, result, now)) {
    const to = { ...recipient, request };
    const returned = await returnedFrom(deps, to, result, result.code);
    if (!returned.ok) return sendError(deps, { ...to, cookies }, returned.error);
    const { sessionState, stateCookies } = watchedState(to, result.code);
    const ended = { ...to, cookies: isCurrent ? [...cookies, ...stateCookies] : cookies };
    return send(deps, ended, successResponse(request.target, realm.issuer, { ...returned.value, sessionState }));
  }
  const page = { kind: 'completed' as const, backUrl: backUrl(client, request), clientName: client.name };
  return pageResponse(deps.renderPage, exchange, page, { cookies: watched, uiLocales: request.uiLocales });
}

/** Where a person finds the application again: what it is registered with, else where its redirects go. */
function backUrl({ metadata }: Client, { target }: AuthorizationRequest): string | null {
  const origin = URL.parse(target.redirectUri)?.origin;
  return metadata.client_uri ?? (origin === undefined || origin === 'null' ? null : `${origin}/`);
}
