import { appendQuery } from '../oidc/authorize/response.ts';
import type { Client } from '../oidc/client.ts';
import type { Refusal } from '../oidc/errors.ts';
import { type IdTokenHint, verifyIdTokenHint } from '../oidc/id_token_hint.ts';
import { decideLogout, frontchannelLogoutUrls, logoutParameters } from '../oidc/logout/index.ts';
import { type Form, firstFault, parseForm } from '../oidc/parameters.ts';
import { pageResponse, redirect } from './answer.ts';
import { readForm } from './body.ts';
import { clearCookie } from './cookies.ts';
import { type Dependencies, findRegisteredClient, presentedClient } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import { type Browser, browserOf, isOwnSubmit } from './interaction/browser.ts';
import { idleSessionOf, sessionOf } from './interaction/drive.ts';
import { formToken, isFormToken } from './interaction/handle.ts';
import type { FoundSession } from './interaction/ports.ts';
import { logRefusal } from './refused.ts';

/**
 * OIDC RP-Initiated Logout, by GET and by POST, with OIDC Front-Channel Logout. It acts unasked only where the hint names
 * this browser's session; anyone else who sends a browser here makes it show a question.
 */
export function logoutEndpoint(deps: Dependencies): Handler {
  return async (exchange) => {
    const body = exchange.request.method === 'POST' ? await readForm(exchange.request) : null;
    if (body?.ok === false) return errorPage(deps, exchange, body.error.refusal, body.error.status);
    const form = body === null ? parseForm(exchange.query) : body.value;
    const asked = await readRequest(deps, exchange, form);
    if ('error' in asked) return errorPage(deps, exchange, asked, 400);
    if (body !== null && !isOwnSubmit(exchange, new URL(deps.publicUrl).origin)) return byGet(exchange, asked);
    const browser = browserOf(exchange);
    // An idle session signs nobody in any more, but what hangs on it lives until it is ended.
    const session =
      (await sessionOf(deps, exchange, { session: undefined }, null)) ?? (await idleSessionOf(deps, exchange));
    const decision = decideLogout({ ...asked, realm: exchange.realm, sessionId: session?.id ?? null });
    if (!decision.ok) return errorPage(deps, exchange, decision.error, 400);
    const { returnTo } = decision.value;
    if (session === null) return signedOut(deps, exchange, asked, { returnTo, frames: [] });
    const answered = answerIn(deps, exchange, browser, session, form);
    if (decision.value.session === 'sign_out' || answered === 'sign_out') {
      await deps.sessions.end(exchange.realm.id, session, exchange);
      return signedOut(deps, exchange, asked, { returnTo, frames: await framesOf(deps, exchange, session) });
    }
    if (answered === 'stay') return stay(deps, exchange, asked.hintClient);
    return ask(deps, exchange, browser, session, asked);
  };
}

/**
 * A POST from another site carries no Lax cookie, so nobody would seem to be signed in, and the session would outlive the
 * sign-out. As GET the same request comes with it.
 */
function byGet({ realm }: Exchange, { carried }: Asked): Response {
  const fields = Object.entries(carried);
  return redirect(appendQuery(`${realm.issuer}/logout`, fields));
}

type Asked = {
  readonly hint: IdTokenHint | null;
  readonly hintClient: Client | null;
  readonly clientId: string | undefined;
  readonly postLogoutRedirectUri: string | undefined;
  readonly state: string | undefined;
  readonly uiLocales: string | undefined;
  /** What the question carries along, so that its answer knows the request. */
  readonly carried: { readonly [name: string]: string };
};

/** A hint that cannot be verified is no hint: the person is asked, and nothing is redirected. */
async function readRequest(deps: Dependencies, exchange: Exchange, form: Form): Promise<Asked | Refusal> {
  const { realm, keys, errorId } = exchange;
  const fault = firstFault(form);
  if (fault !== null) return fault;
  const sent = logoutParameters.read(form);
  if (!sent.ok) return sent.error;
  const { id_token_hint, client_id, post_logout_redirect_uri, state, ui_locales } = sent.value;
  const verified =
    id_token_hint === undefined
      ? null
      : await verifyIdTokenHint(id_token_hint, realm.issuer, { keys: [...keys.jwks.keys] });
  const hint = verified?.ok === true ? verified.value : null;
  if (verified?.ok === false) {
    const { rule, description } = verified.error;
    deps.log.info('logout.hint_ignored', { errorId, realm: realm.slug, rule, description });
  }
  const client = hint === null ? null : await presentedClient(deps, exchange, hint.clientId);
  return {
    // Whose client cannot be had now neither: a sign-out waits for nobody's document.
    hint: client?.ok === false && client.error !== 'unknown' ? null : hint,
    hintClient: client?.ok === true ? client.value : null,
    clientId: client_id,
    postLogoutRedirectUri: post_logout_redirect_uri,
    state,
    uiLocales: ui_locales,
    carried: present({ id_token_hint, client_id, post_logout_redirect_uri, state, ui_locales }),
  };
}

const present = (values: { readonly [name: string]: string | undefined }): { readonly [name: string]: string } =>
  Object.fromEntries(Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined));

const tokenStep = 0;
const tokenSubject = (session: FoundSession): string => `logout ${session.id}`;

/** What the person pressed, if the form was ours and shown to this browser for this session. */
function answerIn(
  deps: Dependencies,
  exchange: Exchange,
  browser: Browser,
  session: FoundSession,
  form: Form,
): 'sign_out' | 'stay' | null {
  const { decision, token } = form.values;
  if (exchange.request.method !== 'POST' || !browser.isKnown || typeof token !== 'string') return null;
  if (!isOwnSubmit(exchange, new URL(deps.publicUrl).origin)) return null;
  if (!isFormToken(deps.ring, token, browser.binding, tokenSubject(session), tokenStep)) return null;
  return decision === 'sign_out' || decision === 'stay' ? decision : null;
}

function ask(deps: Dependencies, exchange: Exchange, browser: Browser, session: FoundSession, asked: Asked): Response {
  const form = {
    action: new URL(`${exchange.realm.issuer}/logout`).pathname,
    step: tokenStep,
    token: formToken(deps.ring, browser.binding, tokenSubject(session), tokenStep),
  };
  const redirectUri = asked.hintClient === null ? null : (asked.postLogoutRedirectUri ?? null);
  const page = {
    kind: 'sign_out' as const,
    username: session.user.username,
    form,
    carried: asked.carried,
    redirectUri,
  };
  return pageResponse(deps.renderPage, exchange, page, {
    cookies: browser.cookies,
    uiLocales: asked.uiLocales?.split(' ') ?? [],
    redirectUri,
  });
}

/**
 * OIDC Front-Channel Logout §3: every client that the sign-in was passed on to, also the one that asked. Another
 * browser's pages cannot be loaded from here: those clients are told by back channel, which the session's end has queued.
 * Clients that a document describes are told by neither.
 */
async function framesOf(
  deps: Dependencies,
  { realm, now }: Exchange,
  { id }: FoundSession,
): Promise<readonly string[]> {
  const clientIds = await deps.sessions.clientsOf(realm.id, id);
  const clients = await Promise.all(clientIds.map((clientId) => findRegisteredClient(deps, realm, clientId, now)));
  const known = clients.filter((client) => client !== null);
  return frontchannelLogoutUrls(realm, known, id);
}

/** Seconds after everything has loaded; a browser with scripts does not wait for them. */
const goOnAfterSeconds = 2;

/** Straight back where no client's page must be loaded first. */
function signedOut(
  deps: Dependencies,
  exchange: Exchange,
  { hintClient, uiLocales }: Pick<Asked, 'hintClient' | 'uiLocales'>,
  { returnTo, frames }: { readonly returnTo: string | null; readonly frames: readonly string[] },
): Response {
  const { realm } = exchange;
  const state = realm.settings.sessionManagement ? [clearCookie(realm, 'state')] : [];
  // Runs that wait in this browser were begun by whoever signs out: the next person must not go on with them.
  const cookies = [clearCookie(realm, 'session'), clearCookie(realm, 'browser'), ...state];
  if (returnTo !== null && frames.length === 0) return redirect(returnTo, cookies);
  const page = {
    kind: 'signed_out' as const,
    backUrl: hintClient?.metadata.client_uri ?? null,
    clientName: hintClient?.name ?? null,
    frames,
    continueUrl: returnTo,
  };
  return pageResponse(deps.renderPage, exchange, page, {
    cookies,
    uiLocales: uiLocales?.split(' ') ?? [],
    headers: returnTo === null ? {} : { refresh: `${goOnAfterSeconds}; url=${returnTo}` },
  });
}

function stay(deps: Dependencies, exchange: Exchange, client: Client | null): Response {
  const page = {
    kind: 'completed' as const,
    backUrl: client?.metadata.client_uri ?? null,
    clientName: client?.name ?? null,
  };
  return pageResponse(deps.renderPage, exchange, page);
}

function errorPage(deps: Dependencies, exchange: Exchange, refused: Refusal, status: number): Response {
  logRefusal(deps.log, exchange, refused);
  const page = { kind: 'error' as const, reason: 'request_invalid' as const, errorId: exchange.errorId };
  return pageResponse(deps.renderPage, exchange, { ...page, backUrl: null, clientName: null }, { status });
}
