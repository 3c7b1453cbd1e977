import type { FailureReason, Run } from '../../flow/run.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { type AuthorizationResponse, codeResponse, errorResponse } from '../../oidc/authorize/response.ts';
import type { Client } from '../../oidc/client.ts';
import type { Refusal } from '../../oidc/errors.ts';
import { described, pageResponse, redirect } from '../answer.ts';
import { setCookie } from '../cookies.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { logRefusal } from '../refused.ts';
import { codeOf, sessionCookie } from './completion.ts';
import { refusalOfFailure } from './failure.ts';
import type { RunResult } from './ports.ts';

/** The last answer of a run: to the client, or to the person where the client would not understand it any more. */

export type Recipient = {
  readonly exchange: Exchange;
  readonly client: Client;
  readonly request: AuthorizationRequest;
  readonly cookies: readonly string[];
};

export function send(
  deps: Dependencies,
  { exchange, client, request, cookies }: Recipient,
  response: AuthorizationResponse,
): Response {
  if (response.kind === 'redirect') return redirect(response.location, cookies);
  const parameters = Object.fromEntries(response.fields);
  const page = { kind: 'form_post' as const, redirectUri: response.action, parameters, clientName: client.name };
  return pageResponse(deps.renderPage, exchange, page, { cookies, uiLocales: request.uiLocales });
}

export function sendError(deps: Dependencies, recipient: Recipient, refused: Refusal): Response {
  const { exchange, request, client } = recipient;
  logRefusal(deps.log, exchange, refused, client.clientId);
  const told = { ...refused, description: described(refused, exchange.errorId) };
  return send(deps, recipient, errorResponse(request.target, exchange.realm.issuer, told));
}

/** A run that was left too long is told to the person: the client's own `state` is likely gone by then. */
export function sendFailure(deps: Dependencies, recipient: Recipient, reason: FailureReason): Response {
  if (reason !== 'expired') return sendError(deps, recipient, refusalOfFailure(reason));
  const { exchange, request, cookies, client } = recipient;
  const page = { kind: 'expired' as const, startUrl: client.metadata.client_uri ?? null };
  return pageResponse(deps.renderPage, exchange, page, { status: 410, cookies, uiLocales: request.uiLocales });
}

/** Within the code's lifetime a repeat gets the same redirect and the same cookie; later, a link. */
export function sendResult(deps: Dependencies, recipient: Recipient, run: Run, result: RunResult): Response {
  const { exchange, request, client } = recipient;
  const { realm, now } = exchange;
  const { code, sessionKeyId } = result;
  const isTimely = now < (code?.expires_at ?? run.expiresAt);
  const cookie = sessionKeyId === null || !isTimely ? null : sessionCookie(deps.ring, run.id, sessionKeyId);
  const cookies = cookie === null ? recipient.cookies : [...recipient.cookies, setCookie(realm, 'session', cookie)];
  if (code !== null && isTimely) {
    const sealed = codeOf(deps.ring, realm, result, code);
    return send(deps, { ...recipient, cookies }, codeResponse(request.target, realm.issuer, sealed));
  }
  const page = { kind: 'completed' as const, backUrl: backUrl(client, request), clientName: client.name };
  return pageResponse(deps.renderPage, exchange, page, { cookies, uiLocales: request.uiLocales });
}

/** Where a person finds the application again: what it is registered with, else where its redirects go. */
function backUrl({ metadata }: Client, { target }: AuthorizationRequest): string | null {
  const origin = URL.parse(target.redirectUri)?.origin;
  return metadata.client_uri ?? (origin === undefined || origin === 'null' ? null : `${origin}/`);
}
