/**
 * The only bridge between the protocol and the flow engine: an authorization request becomes a run, a run's end becomes an
 * authorization response, the answer that a device waits for, or the way back to a page of ours (`destination.ts`). It owns
 * the run's handle, its binding to one browser, and the moment where run, session and code are fixed together. Routes:
 * `/run/:handle`, and the second half of `/authorize`, `/device` and `/account`.
 */
import { newTimedId, type RunId } from '../../core/ids.ts';
import { createRun } from '../../flow/engine.ts';
import type { NodeInput } from '../../flow/node.ts';
import { redirect } from '../answer.ts';
import { readForm } from '../body.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange, Handler } from '../exchange.ts';
import { createSenderRate } from '../sender_rate.ts';
import { browserOf, isOwnSubmit } from './browser.ts';
import { demandFor } from './demand.ts';
import type { Destination } from './destination.ts';
import { drive } from './drive.ts';
import { isFormToken } from './handle.ts';
import { deployed, heldBy, locate, type RunDependencies } from './position.ts';
import { errorPage, screenPage, urlOf } from './run_page.ts';
import { settle, toSealed, whereItStands } from './settle.ts';

export type Interaction = {
  /**
   * The second half of what begins a run. By POST no cookie is read or set, since a cross-site POST carries none of ours;
   * but for a device, whose code is typed into a form of our own.
   */
  readonly begin: (exchange: Exchange, destination: Destination) => Promise<Response>;
  readonly show: Handler;
  readonly submit: Handler;
};

/** How many runs a sender may have stored before anyone proved anything. */
const storingSize = { capacity: 60, refillSeconds: 600 };

export function createInteraction(dependencies: Dependencies): Interaction {
  const deps: RunDependencies = { ...dependencies, storingRate: createSenderRate(() => storingSize) };
  return {
    begin: (exchange, destination) => begin(deps, exchange, destination),
    show: (exchange) => show(deps, exchange),
    submit: (exchange) => submit(deps, exchange),
  };
}

async function begin(deps: RunDependencies, exchange: Exchange, destination: Destination): Promise<Response> {
  const { realm, now } = exchange;
  const version = await deployed(deps, exchange);
  const longest = now + realm.settings.runLifetimeSeconds * 1000;
  const expiresAt = destination.kind === 'device' ? Math.min(longest, destination.request.expiresAt) : longest;
  const run = createRun({
    id: newTimedId<RunId>(expiresAt),
    realmId: realm.id,
    flowVersionId: version.id,
    definition: version.definition,
    demand: demandFor(destination),
    startedAt: now,
    expiresAt,
  });
  const start = {
    run,
    user: null,
    isStored: false,
    handle: '',
    version,
    destination,
    bindingHash: destination.kind === 'device' ? browserOf(exchange).bindingHash : null,
    result: null,
  };
  if (exchange.request.method === 'POST') return toSealed(deps, exchange, start, []);
  const browser = browserOf(exchange);
  return settle(deps, exchange, browser, start, await drive(deps, exchange, start, { kind: 'visit' }));
}

/** GET /run/:handle. Shows where the run is; what is over says how it ended. */
async function show(deps: RunDependencies, exchange: Exchange): Promise<Response> {
  const browser = browserOf(exchange);
  const found = await locate(deps, exchange, browser);
  if (found instanceof Response) return found;
  const position = heldBy(exchange, browser, found);
  const driven = await drive(deps, exchange, position, { kind: 'visit' });
  const { view } = driven;
  return view.kind === 'screen' && driven.run === position.run
    ? screenPage(deps, exchange, browser, position, view)
    : settle(deps, exchange, browser, position, driven);
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
