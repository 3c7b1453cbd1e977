import { newTimedId, type RunId } from '../../core/ids.ts';
import { unreachable } from '../../core/result.ts';
import { restart } from '../../flow/engine.ts';
import type { Run, UserState } from '../../flow/run.ts';
import { pageResponse, redirect } from '../answer.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { SenderRate } from '../sender_rate.ts';
import type { Browser } from './browser.ts';
import {
  type Destination,
  destinationOf,
  devicePageUrl,
  isStillServed,
  startUrlOf,
  uiLocalesOf,
} from './destination.ts';
import { sessionOf } from './drive.ts';
import { openHandle } from './handle.ts';
import type { FlowVersion, RunDocuments, StoredRun } from './ports.ts';
import { errorPage, gonePage } from './run_page.ts';

/** Everything a run needs from outside. `storingRate`: a run stored before anyone proved anything is a row for the asking. */
export type RunDependencies = Dependencies & { readonly storingRate: SenderRate };

/** A run where it stands: in its handle or in its row. */
export type Position = Omit<RunDocuments, 'request'> & {
  readonly run: Run;
  readonly user: UserState | null;
  readonly isStored: boolean;
  readonly handle: string;
  readonly version: FlowVersion;
  readonly destination: Destination;
};

/** The version that new runs of this realm begin on. */
export async function deployed({ configuration }: Dependencies, { realm, now }: Exchange): Promise<FlowVersion> {
  return (
    (await configuration.deployedFlow(realm.id, 'browser', now)) ??
    unreachable(`realm ${realm.slug} deploys no browser flow`)
  );
}

export const isOver = ({ status }: Run): boolean =>
  status === 'completed' || status === 'failed' || status === 'expired';

/** The run of this handle, or the page that says why there is none for this browser. */
export async function locate(
  deps: RunDependencies,
  exchange: Exchange,
  browser: Browser,
): Promise<Position | Response> {
  const { realm, handle, now } = exchange;
  const opened = openHandle(deps.ring, realm, handle ?? '');
  if (opened.kind === 'unreadable') return gonePage(deps, exchange);
  const stored = opened.kind === 'stored' ? await deps.runs.find(realm.id, opened.runId) : fresh(opened.sealed);
  if (stored === null) return gonePage(deps, exchange);
  const destination = await destinationOf(deps, exchange, stored.request);
  if (destination === null || !(isOver(stored.run) || isStillServed(destination, realm))) {
    return errorPage(deps, exchange, 'client_unknown', 400);
  }
  if (destination.kind === 'device' && opened.kind === 'sealed' && !hasTyped(browser, stored)) {
    return redirect(devicePageUrl(realm, destination.request.userCode));
  }
  const isHeld =
    opened.kind !== 'stored' ||
    ((await mayHold(deps, browser, stored)) && !(await isOvertaken(deps, exchange, stored)));
  if (!isHeld) {
    const elsewhere = { kind: 'elsewhere' as const, startUrl: startUrlOf(destination, realm) };
    return pageResponse(deps.renderPage, exchange, elsewhere, { status: 403, uiLocales: uiLocalesOf(destination) });
  }
  const version = await deps.configuration.flowVersion(realm.id, stored.run.flowVersionId, now);
  const { request: _, ...documents } = stored;
  const place = { ...documents, isStored: opened.kind === 'stored', handle: handle ?? '', destination };
  if (version !== null && (version.recalledAt === null || isOver(stored.run))) return { ...place, version };
  const current = await deployed(deps, exchange);
  return { ...place, version: current, run: restart(stored.run, current.definition, current.id, now) };
}

const fresh = (sealed: Pick<StoredRun, 'run' | 'request' | 'bindingHash'>): StoredRun => ({
  ...sealed,
  user: null,
  result: null,
});

/**
 * RFC 8628 §5.4: a link that led past the page of the code would ask a person to allow what somebody else had typed. Only
 * the browser in which it was typed goes on; any other is at the form.
 */
const hasTyped = ({ bindingHash }: Browser, typed: StoredRun): boolean =>
  typed.bindingHash !== null && bindingHash.equals(typed.bindingHash);

/** A stored run belongs to the browser that it was stored for; one stored before any browser came, to the first. */
async function mayHold({ runs }: Dependencies, { bindingHash }: Browser, stored: StoredRun): Promise<boolean> {
  if (stored.bindingHash !== null) return bindingHash.equals(stored.bindingHash);
  return runs.bind(stored.run.realmId, stored.run.id, bindingHash);
}

/** Another person has proved themselves in this browser since: whoever this run waits for is no longer at it. */
async function isOvertaken(deps: Dependencies, exchange: Exchange, { run }: StoredRun): Promise<boolean> {
  const proved = run.evidence.filter(({ fromSession }) => fromSession !== true).map(({ at }) => at);
  if (isOver(run) || proved.length === 0) return false;
  const session = await sessionOf(deps, exchange, { session: undefined }, null);
  if (session === null || session.user.userId === run.userId) return false;
  return session.evidence.some(({ at }) => at > Math.max(...proved));
}

/**
 * A sealed run under another browser's cookie begins again: what one person typed is not shown to another. It gets an id
 * of its own, or whoever proves something first would take the run from the other.
 */
export function heldBy({ now }: Exchange, browser: Browser, position: Position): Position {
  const { bindingHash, isStored, run, version } = position;
  if (isStored || bindingHash === null || browser.bindingHash.equals(bindingHash)) return position;
  const begun = restart(run, version.definition, version.id, now);
  return { ...position, run: { ...begun, id: newTimedId<RunId>(run.expiresAt), state: [] }, bindingHash: null };
}
