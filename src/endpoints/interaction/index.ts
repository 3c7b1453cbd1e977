/**
 * The only bridge between the protocol and the flow engine: an authorization request becomes a run, a run's end becomes an
 * authorization response. It owns the run's handle, its binding to one browser, and the moment where run, session and
 * code are fixed together. Routes: `/run/:handle`, and the second half of `/authorize`.
 */
import { newTimedId, type RunId } from '../../core/ids.ts';
import { unreachable } from '../../core/result.ts';
import { createRun, restart } from '../../flow/engine.ts';
import type { NodeInput } from '../../flow/node.ts';
import type { Run, UserState } from '../../flow/run.ts';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { matchRedirectUri } from '../../oidc/authorize/redirect_uri.ts';
import { checkResponseType } from '../../oidc/authorize/response_type.ts';
import { type Client, countsFrom } from '../../oidc/client.ts';
import type { Realm } from '../../oidc/realm.ts';
import { pageResponse, redirect } from '../answer.ts';
import { readForm } from '../body.ts';
import { type Dependencies, findClient } from '../dependencies.ts';
import type { Exchange, Handler } from '../exchange.ts';
import { createSenderRate, type SenderRate } from '../sender_rate.ts';
import { type Browser, browserOf, isOwnSubmit, renewedBrowser } from './browser.ts';
import { complete } from './completion.ts';
import { demandOf } from './demand.ts';
import { type Driven, drive, idleSessionOf, sessionOf } from './drive.ts';
import { formToken, isFormToken, longestHandle, openHandle, sealRun } from './handle.ts';
import type { FlowVersion, Move, RunDocuments, StoredRun } from './ports.ts';
import { type Recipient, repeatResult, sendFailure, sendResult } from './respond.ts';

/** A run where it stands: in its handle or in its row. */
type Position = RunDocuments & {
  readonly run: Run;
  readonly user: UserState | null;
  readonly isStored: boolean;
  readonly handle: string;
  readonly version: FlowVersion;
  readonly client: Client;
};

export type Interaction = {
  /** The second half of `/authorize`. By POST no cookie is read or set: a cross-site POST carries none of ours. */
  readonly begin: (exchange: Exchange, request: AuthorizationRequest, client: Client) => Promise<Response>;
  readonly show: Handler;
  readonly submit: Handler;
};

/** Everything a run needs from outside, and how many runs a sender may have stored before anyone proved anything. */
type RunDependencies = Dependencies & { readonly storingRate: SenderRate };

const storingSize = { capacity: 60, refillSeconds: 600 };

export function createInteraction(dependencies: Dependencies): Interaction {
  const deps: RunDependencies = { ...dependencies, storingRate: createSenderRate(() => storingSize) };
  return {
    begin: (exchange, request, client) => begin(deps, exchange, request, client),
    show: (exchange) => show(deps, exchange),
    submit: (exchange) => submit(deps, exchange),
  };
}

async function begin(
  deps: RunDependencies,
  exchange: Exchange,
  request: AuthorizationRequest,
  client: Client,
): Promise<Response> {
  const { realm, now } = exchange;
  const version = await deployed(deps, exchange);
  const expiresAt = now + realm.settings.runLifetimeSeconds * 1000;
  const run = createRun({
    id: newTimedId<RunId>(expiresAt),
    realmId: realm.id,
    flowVersionId: version.id,
    definition: version.definition,
    demand: demandOf(request, client),
    startedAt: now,
    expiresAt,
  });
  const start = {
    run,
    user: null,
    isStored: false,
    handle: '',
    version,
    client,
    request,
    bindingHash: null,
    result: null,
  };
  if (exchange.request.method === 'POST') return toSealed(deps, exchange, start, []);
  const browser = browserOf(exchange);
  return settle(deps, exchange, browser, start, await drive(deps, exchange, start, { kind: 'visit' }));
}

async function deployed({ configuration }: Dependencies, { realm, now }: Exchange): Promise<FlowVersion> {
  return (
    (await configuration.deployedFlow(realm.id, 'browser', now)) ??
    unreachable(`realm ${realm.slug} deploys no browser flow`)
  );
}

/** GET /run/:handle. Shows where the run is; what is over says how it ended. */
async function show(deps: RunDependencies, exchange: Exchange): Promise<Response> {
  const browser = browserOf(exchange);
  const found = await locate(deps, exchange, browser);
  if (found instanceof Response) return found;
  const position = heldBy(exchange, browser, found);
  const driven = await drive(deps, exchange, position, { kind: 'visit' });
  const isShown = driven.view.kind === 'screen' && driven.run === position.run;
  return isShown ? page(deps, exchange, browser, position, driven) : settle(deps, exchange, browser, position, driven);
}

/** POST /run/:handle. Whatever is wrong with a submit, the person sees the screen where the run is and nothing is lost. */
async function submit(deps: RunDependencies, exchange: Exchange): Promise<Response> {
  const browser = browserOf(exchange);
  if (!browser.isKnown) return errorPage(deps, exchange, 'cookies_blocked', 400);
  const body = await readForm(exchange.request);
  if (!body.ok) return errorPage(deps, exchange, 'request_invalid', body.error.status);
  const found = await locate(deps, exchange, browser);
  if (found instanceof Response) return found;
  const input = inputOf(body.value.values);
  const sentStep = Number(input['step'] ?? Number.NaN);
  const isOurs = isOwnSubmit(exchange, new URL(deps.publicUrl).origin);
  const isProven = isFormToken(deps.ring, input['token'] ?? '', browser.binding, found.run.id, sentStep);
  const isHeld = found.bindingHash === null || browser.bindingHash.equals(found.bindingHash);
  if (!isOurs || !isProven || !isHeld) return redirect(urlOf(exchange, found.handle), browser.cookies);
  // Going back to a page from before the run became a row must cost no hash and count no failure.
  const stored = found.isStored ? null : await deps.runs.find(exchange.realm.id, found.run.id);
  if (stored !== null) return whereItStands(deps, exchange, browser, stored);
  const driven = await drive(deps, exchange, found, { kind: 'submit', step: sentStep, input });
  return settle(deps, exchange, browser, { ...found, bindingHash: browser.bindingHash }, driven);
}

function inputOf(values: { readonly [name: string]: string | readonly string[] }): NodeInput {
  const single = Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  const input: { [name: string]: string } = Object.create(null);
  for (const [name, value] of single) input[name] = value;
  return input;
}

/** The run of this handle, or the page that says why there is none for this browser. */
async function locate(deps: RunDependencies, exchange: Exchange, browser: Browser): Promise<Position | Response> {
  const { realm, handle, now } = exchange;
  const opened = openHandle(deps.ring, realm, handle ?? '');
  if (opened.kind === 'unreadable') return gone(deps, exchange);
  const stored = opened.kind === 'stored' ? await deps.runs.find(realm.id, opened.runId) : fresh(opened.sealed);
  if (stored === null) return gone(deps, exchange);
  const client = await findClient(deps, realm, stored.request.clientId, now);
  if (client === null || !isStillRegistered(stored, client, realm)) {
    return errorPage(deps, exchange, 'client_unknown', 400);
  }
  if (opened.kind === 'stored' && !(await mayHold(deps, browser, stored))) {
    const elsewhere = { kind: 'elsewhere' as const, startUrl: client.metadata.client_uri ?? null };
    return pageResponse(deps.renderPage, exchange, elsewhere, { status: 403, uiLocales: stored.request.uiLocales });
  }
  const version = await deps.configuration.flowVersion(realm.id, stored.run.flowVersionId, now);
  const place = { ...stored, isStored: opened.kind === 'stored', handle: handle ?? '', client };
  if (version !== null && (version.recalledAt === null || isOver(stored.run))) return { ...place, version };
  const current = await deployed(deps, exchange);
  return { ...place, version: current, run: restart(stored.run, current.definition, current.id, now) };
}

/** What an operator took from a client since the request came is taken from runs that wait, too. */
const isStillRegistered = (
  { request, run }: Pick<StoredRun, 'request' | 'run'>,
  client: Client,
  realm: Realm,
): boolean =>
  isOver(run) ||
  (request.receivedAt >= countsFrom(client, realm) &&
    matchRedirectUri(request.target.redirectUri, client.redirectUris).ok &&
    checkResponseType(request.responseType, client).ok &&
    request.scope.every((scope) => client.scope.includes(scope)));

const fresh = (sealed: Pick<StoredRun, 'run' | 'request' | 'bindingHash'>): StoredRun => ({
  ...sealed,
  user: null,
  result: null,
});

const isOver = ({ status }: Run): boolean => status === 'completed' || status === 'failed' || status === 'expired';

/** A stored run belongs to the browser that it was stored for; one stored before any browser came, to the first. */
async function mayHold({ runs }: Dependencies, { bindingHash }: Browser, stored: StoredRun): Promise<boolean> {
  if (stored.bindingHash !== null) return bindingHash.equals(stored.bindingHash);
  return runs.bind(stored.run.realmId, stored.run.id, bindingHash);
}

/**
 * A sealed run under another browser's cookie begins again: what one person typed is not shown to another. It gets an id
 * of its own, or whoever proves something first would take the run from the other.
 */
function heldBy({ now }: Exchange, browser: Browser, position: Position): Position {
  const { bindingHash, isStored, run, version } = position;
  if (isStored || bindingHash === null || browser.bindingHash.equals(bindingHash)) return position;
  const begun = restart(run, version.definition, version.id, now);
  return { ...position, run: { ...begun, id: newTimedId<RunId>(run.expiresAt), state: [] }, bindingHash: null };
}

/** Writes what the step decided, then answers. */
async function settle(
  deps: RunDependencies,
  exchange: Exchange,
  browser: Browser,
  position: Position,
  driven: Driven,
): Promise<Response> {
  const { run, view, effects } = driven;
  const recipient = recipientOf(exchange, browser, position);
  if (position.isStored && isOver(position.run)) return repeat(deps, recipient, position);
  if (view.kind === 'succeeded') return succeed(deps, exchange, browser, position, driven);
  const isProven = run.evidence.some(({ fromSession }) => fromSession !== true);
  const mustStore = position.isStored || effects.length > 0 || isProven;
  if (view.kind === 'screen' && !mustStore) return toSealed(deps, exchange, { ...position, run }, browser.cookies);
  if (mustStore && run !== position.run) {
    const saved = await deps.runs.save(moveOf(exchange, browser, position, driven, null));
    if (saved !== 'saved') return afterLoss(deps, exchange, browser, run);
  }
  if (view.kind === 'failed') return sendFailure(deps, recipient, view.reason);
  return redirect(urlOf(exchange, run.id), browser.cookies);
}

const recipientOf = (exchange: Exchange, { cookies }: Browser, { client, request }: Position): Recipient => ({
  exchange,
  client,
  request,
  cookies,
});

function moveOf(
  exchange: Exchange,
  browser: Browser,
  position: Position,
  driven: Driven,
  completion: ReturnType<typeof complete> | null,
): Move {
  const { address, agent } = exchange;
  return {
    run: driven.run,
    request: position.request,
    bindingHash: browser.bindingHash,
    result: completion?.result ?? null,
    origin: position.isStored ? { kind: 'stored', step: position.run.step } : { kind: 'sealed' },
    effects: driven.effects,
    session: completion?.session ?? null,
    address,
    agent,
  };
}

/** A silent sign-in with nothing to remember writes nothing; everything else is one transaction. */
async function succeed(
  deps: RunDependencies,
  exchange: Exchange,
  browser: Browser,
  position: Position,
  driven: Driven,
): Promise<Response> {
  const { client, request } = position;
  const { run, effects } = driven;
  const cookieSession = await currentSession(deps, exchange, driven);
  const idleSession = cookieSession === null ? await idleSessionOf(deps, exchange) : null;
  const completion = complete({ exchange, ring: deps.ring, client, request, run, session: cookieSession, idleSession });
  const former = completion.session?.former ?? null;
  const holder = former !== null && former.userId !== run.userId ? renewedBrowser(exchange) : browser;
  const recipient = recipientOf(exchange, holder, position);
  if (!position.isStored && effects.length === 0 && completion.session === null) {
    if (cookieSession?.touchDue === true) await deps.sessions.touch(run.realmId, cookieSession.id);
    return sendResult(deps, recipient, run, completion.result);
  }
  const saved = await deps.runs.save(moveOf(exchange, holder, position, driven, completion));
  if (saved === 'user_gone') return sendFailure(deps, recipient, 'user_disabled');
  if (saved === 'lost') return afterLoss(deps, exchange, browser, run);
  // A page must not be the answer to a POST, or reloading it would submit again.
  const isPosted = exchange.request.method === 'POST' && request.target.responseMode === 'form_post';
  return isPosted
    ? redirect(urlOf(exchange, run.id), holder.cookies)
    : sendResult(deps, recipient, run, completion.result);
}

/** The session that this browser came with. */
async function currentSession(deps: RunDependencies, exchange: Exchange, { session, run }: Driven) {
  if (session !== undefined) return session;
  return sessionOf(deps, exchange, { session: undefined }, run.demand.consent?.audience ?? null);
}

/** Another submit moved the run first: its browser sees what came of that. */
async function afterLoss(
  deps: RunDependencies,
  exchange: Exchange,
  browser: Browser,
  { id, realmId }: Run,
): Promise<Response> {
  const stored = await deps.runs.find(realmId, id);
  return stored === null
    ? redirect(urlOf(exchange, id), browser.cookies)
    : whereItStands(deps, exchange, browser, stored);
}

/** On to a stored run's page; where it is over its holder gets its end at once. */
async function whereItStands(
  deps: RunDependencies,
  exchange: Exchange,
  browser: Browser,
  stored: StoredRun,
): Promise<Response> {
  const isHolder = stored.bindingHash === null || browser.bindingHash.equals(stored.bindingHash);
  if (!isHolder || !isOver(stored.run)) return redirect(urlOf(exchange, stored.run.id), browser.cookies);
  const client = await findClient(deps, exchange.realm, stored.request.clientId, exchange.now);
  if (client === null) return errorPage(deps, exchange, 'client_unknown', 400);
  return repeat(deps, { exchange, client, request: stored.request, cookies: browser.cookies }, stored);
}

/** A run ends once; asked again it says the same. */
async function repeat(
  deps: RunDependencies,
  recipient: Recipient,
  { run, result }: Pick<StoredRun, 'run' | 'result'>,
): Promise<Response> {
  if (run.status === 'completed')
    return repeatResult(deps, recipient, run, result ?? unreachable('a completed run without result'));
  return sendFailure(deps, recipient, run.failure ?? unreachable(`run ${run.id} failed without a reason`));
}

/** On to the run's page, the run in the URL; where it does not fit there it is stored at once. */
async function toSealed(
  deps: RunDependencies,
  exchange: Exchange,
  position: Position,
  cookies: readonly string[],
): Promise<Response> {
  const { run, request, bindingHash } = position;
  const handle = sealRun(deps.ring, exchange.realm, {
    run,
    request,
    bindingHash: bindingHash === null ? null : Buffer.from(bindingHash),
  });
  if (handle.length <= longestHandle) return redirect(urlOf(exchange, handle), cookies);
  const waitSeconds = deps.storingRate(exchange);
  if (waitSeconds > 0) return crowded(deps, exchange, waitSeconds);
  const { address, agent } = exchange;
  const documents = { run, request, bindingHash, result: null, session: null, effects: [], address, agent };
  await deps.runs.save({ ...documents, origin: { kind: 'sealed' } });
  return redirect(urlOf(exchange, run.id), cookies);
}

/** 429: about the sender's address, whatever was asked for (RFC 6585 §4). */
const crowded = (deps: RunDependencies, exchange: Exchange, waitSeconds: number): Response =>
  pageResponse(
    deps.renderPage,
    exchange,
    { kind: 'busy', retryUrl: null },
    {
      status: 429,
      headers: { 'retry-after': String(waitSeconds) },
    },
  );

const urlOf = ({ realm }: Exchange, handle: string): string => `${realm.issuer}/run/${handle}`;

function page(
  deps: RunDependencies,
  exchange: Exchange,
  browser: Browser,
  position: Position,
  { view }: Driven,
): Response {
  const { client, request, handle, run } = position;
  if (view.kind !== 'screen') return unreachable('a page without a screen');
  const form = {
    action: new URL(urlOf(exchange, handle)).pathname,
    step: view.step,
    token: formToken(deps.ring, browser.binding, run.id, view.step),
  };
  const screen = { kind: 'screen' as const, screen: view.screen, clientName: client.name, form };
  const { cookies } = browser;
  return pageResponse(deps.renderPage, exchange, screen, {
    cookies,
    uiLocales: request.uiLocales,
    redirectUri: request.target.redirectUri,
  });
}

/** A handle that opens nothing here: cut, forged, of another realm, or its run long over. */
const gone = (deps: RunDependencies, exchange: Exchange): Response =>
  pageResponse(deps.renderPage, exchange, { kind: 'expired', startUrl: null }, { status: 404 });

function errorPage(
  deps: RunDependencies,
  exchange: Exchange,
  reason: 'cookies_blocked' | 'request_invalid' | 'client_unknown',
  status: number,
): Response {
  const { errorId, path } = exchange;
  deps.log.info('run.refused', { errorId, path, reason });
  const shown = { kind: 'error' as const, reason, errorId, backUrl: null, clientName: null };
  return pageResponse(deps.renderPage, exchange, shown, { status });
}
