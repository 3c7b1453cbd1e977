import type { Run } from '../../flow/run.ts';
import type { View } from '../../flow/step.ts';
import { pageResponse } from '../answer.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Browser } from './browser.ts';
import { clientNameOf, type Destination, redirectUriOf, uiLocalesOf } from './destination.ts';
import { formToken } from './handle.ts';

/** The pages of a run: its screens, and what is said where there is no run to show. */

export const urlOf = ({ realm }: Exchange, handle: string): string => `${realm.issuer}/run/${handle}`;

export type ShownRun = {
  readonly run: Run;
  readonly handle: string;
  readonly destination: Destination;
};

export function screenPage(
  deps: Dependencies,
  exchange: Exchange,
  { binding, cookies }: Browser,
  { destination, handle, run }: ShownRun,
  view: Extract<View, { kind: 'screen' }>,
): Response {
  const form = {
    action: new URL(urlOf(exchange, handle)).pathname,
    step: view.step,
    token: formToken(deps.ring, binding, run.id, view.step),
  };
  const screen = { kind: 'screen' as const, screen: view.screen, clientName: clientNameOf(destination), form };
  return pageResponse(deps.renderPage, exchange, screen, {
    cookies,
    uiLocales: uiLocalesOf(destination),
    redirectUri: redirectUriOf(destination),
  });
}

/** A handle that opens nothing here: cut, forged, of another realm, or its run long over. */
export const gonePage = (deps: Dependencies, exchange: Exchange): Response =>
  pageResponse(deps.renderPage, exchange, { kind: 'expired', startUrl: null }, { status: 404 });

/** 429: about the sender's address, whatever was asked for (RFC 6585 §4). */
export const crowdedPage = (deps: Dependencies, exchange: Exchange, waitSeconds: number): Response =>
  pageResponse(
    deps.renderPage,
    exchange,
    { kind: 'busy', retryUrl: null },
    { status: 429, headers: { 'retry-after': String(waitSeconds) } },
  );

export function errorPage(
  deps: Dependencies,
  exchange: Exchange,
  reason: 'cookies_blocked' | 'request_invalid' | 'client_unknown',
  status: number,
): Response {
  const { errorId, path } = exchange;
  deps.log.info('run.refused', { errorId, path, reason });
  const shown = { kind: 'error' as const, reason, errorId, backUrl: null, clientName: null };
  return pageResponse(deps.renderPage, exchange, shown, { status });
}
