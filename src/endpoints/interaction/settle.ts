import { unreachable } from '../../core/result.ts';
import type { Run } from '../../flow/run.ts';
import { redirect } from '../answer.ts';
import type { Exchange } from '../exchange.ts';
import { type Browser, renewedBrowser } from './browser.ts';
import { complete, denialOf, isProved } from './completion.ts';
import { type Destination, destinationOf } from './destination.ts';
import { type Driven, idleSessionOf, sessionOf } from './drive.ts';
import { longestHandle, sealRun } from './handle.ts';
import { carriedDevices, deviceHash } from './known_device.ts';
import type { Move, StoredRun } from './ports.ts';
import { isOver, type Position, type RunDependencies } from './position.ts';
import { type Recipient, repeatResult, sendFailure, sendResult } from './respond.ts';
import { crowdedPage, errorPage, urlOf } from './run_page.ts';

/** Writes what the step decided, then answers. */
export async function settle(
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
  const denial = isDenied(exchange, driven) ? denialOf(position.destination, run) : null;
  const mustStore = position.isStored || effects.length > 0 || isProved(run) || denial !== null;
  if (view.kind === 'screen' && !mustStore) return toSealed(deps, exchange, { ...position, run }, browser.cookies);
  if (mustStore && run !== position.run) {
    const saved = await deps.runs.save(
      moveOf(exchange, browser, position, driven, { result: null, session: null, decision: denial }),
    );
    if (saved === 'device_gone') return gone(deps, recipient);
    if (saved !== 'saved') return afterLoss(deps, exchange, browser, run);
  }
  const isAnswered = view.kind === 'failed' && !(mustStore && mustBeFetched(recipient));
  if (isAnswered) return sendFailure(deps, recipient, view.reason);
  return redirect(urlOf(exchange, run.id), browser.cookies);
}

/** By a person's submit: whatever a flow refuses a mere visit for is no decision. */
const isDenied = ({ request }: Exchange, { view }: Driven): boolean =>
  request.method === 'POST' && view.kind === 'failed' && view.reason === 'denied';

const recipientOf = (exchange: Exchange, { cookies }: Browser, { destination }: Position): Recipient => ({
  exchange,
  destination,
  cookies,
});

function moveOf(
  exchange: Exchange,
  browser: Browser,
  position: Position,
  driven: Driven,
  outcome: Pick<Move, 'result' | 'session' | 'decision'>,
): Move {
  const { address, agent } = exchange;
  return {
    run: driven.run,
    request: position.destination.request,
    bindingHash: browser.bindingHash,
    origin: position.isStored ? { kind: 'stored', step: position.run.step } : { kind: 'sealed' },
    effects: driven.effects,
    ...outcome,
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
  const { destination } = position;
  const { run, effects } = driven;
  const cookieSession = await currentSession(deps, exchange, driven);
  const idleSession = cookieSession === null ? await idleSessionOf(deps, exchange) : null;
  const devices = isProved(run) ? await devicesOf(deps, exchange) : [];
  const sessions = { session: cookieSession, idleSession };
  const completion = complete({ exchange, ring: deps.ring, destination, run, ...sessions, devices });
  const former = completion.session?.former ?? null;
  const holder = former !== null && former.userId !== run.userId ? renewedBrowser(exchange) : browser;
  const recipient = recipientOf(exchange, holder, position);
  const writesNothing = effects.length === 0 && completion.session === null && completion.decision === null;
  if (!position.isStored && writesNothing) {
    if (cookieSession?.touchDue === true) await deps.sessions.touch(run.realmId, cookieSession.id);
    return sendResult(deps, recipient, run, completion);
  }
  const saved = await deps.runs.save(moveOf(exchange, holder, position, driven, completion));
  if (saved === 'user_gone') return sendFailure(deps, recipient, 'user_disabled');
  if (saved === 'device_gone') return gone(deps, recipientOf(exchange, browser, position));
  if (saved === 'lost') return afterLoss(deps, exchange, browser, run);
  return mustBeFetched(recipient)
    ? redirect(urlOf(exchange, run.id), holder.cookies)
    : sendResult(deps, recipient, run, completion);
}

/** A page must not be the answer to a POST, or reloading it would submit again. */
const mustBeFetched = ({ exchange, destination }: Recipient): boolean =>
  exchange.request.method === 'POST' && endsInPage(destination);

const endsInPage = (destination: Destination): boolean =>
  destination.kind === 'device' ||
  (destination.kind === 'client' && destination.request.target.responseMode === 'form_post');

/** Nothing was written: the person sees that their word came too late. */
const gone = (deps: RunDependencies, recipient: Recipient): Response => sendFailure(deps, recipient, 'expired');

/** What the browser is known as. */
async function devicesOf({ knownDevices }: RunDependencies, exchange: Exchange) {
  const hashes = carriedDevices(exchange).map(deviceHash);
  return hashes.length === 0 ? [] : knownDevices.find(exchange.realm.id, hashes);
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
export async function whereItStands(
  deps: RunDependencies,
  exchange: Exchange,
  browser: Browser,
  stored: StoredRun,
): Promise<Response> {
  const isHolder = stored.bindingHash === null || browser.bindingHash.equals(stored.bindingHash);
  if (!isHolder || !isOver(stored.run)) return redirect(urlOf(exchange, stored.run.id), browser.cookies);
  const destination = await destinationOf(deps, exchange, stored.request);
  if (destination === null) return errorPage(deps, exchange, 'client_unknown', 400);
  return repeat(deps, { exchange, destination, cookies: browser.cookies }, stored);
}

/** A run ends once; asked again it says the same. */
async function repeat(
  deps: RunDependencies,
  recipient: Recipient,
  { run, result }: Pick<StoredRun, 'run' | 'result'>,
): Promise<Response> {
  if (mustBeFetched(recipient)) return redirect(urlOf(recipient.exchange, run.id), recipient.cookies);
  if (run.status === 'completed')
    return repeatResult(deps, recipient, run, result ?? unreachable('a completed run without result'));
  return sendFailure(deps, recipient, run.failure ?? unreachable(`run ${run.id} failed without a reason`));
}

/** On to the run's page, the run in the URL; where it does not fit there it is stored at once. */
export async function toSealed(
  deps: RunDependencies,
  exchange: Exchange,
  position: Position,
  cookies: readonly string[],
): Promise<Response> {
  const { run, bindingHash } = position;
  const { request } = position.destination;
  const handle = sealRun(deps.ring, exchange.realm, {
    run,
    request,
    bindingHash: bindingHash === null ? null : Buffer.from(bindingHash),
  });
  if (handle.length <= longestHandle) return redirect(urlOf(exchange, handle), cookies);
  const waitSeconds = deps.storingRate(exchange);
  if (waitSeconds > 0) return crowdedPage(deps, exchange, waitSeconds);
  const { address, agent } = exchange;
  const nothing = { result: null, session: null, decision: null, effects: [] };
  const documents = { run, request, bindingHash, ...nothing, address, agent };
  await deps.runs.save({ ...documents, origin: { kind: 'sealed' } });
  return redirect(urlOf(exchange, run.id), cookies);
}
