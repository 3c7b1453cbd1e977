import type { Run } from '../../flow/run.ts';
import type { View } from '../../flow/step.ts';
import type { Introduction } from '../../login/pages/index.ts';
import { kindOfRedirectUri } from '../../oidc/authorize/redirect_uri.ts';
import { refusal } from '../../oidc/errors.ts';
import { pageResponse } from '../answer.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { logRefusal } from '../refused.ts';
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
  const shown = {
    screen: view.screen,
    clientName: clientNameOf(destination),
    introduction: introductionOf(destination),
  };
  const screen = { kind: 'screen' as const, ...shown, form };
  return pageResponse(deps.renderPage, exchange, screen, {
    cookies,
    uiLocales: uiLocalesOf(destination),
    redirectUri: redirectUriOf(destination),
  });
}

/** A person is to see who asks and where the answer goes wherever no operator has judged it. */
function introductionOf(destination: Destination): Introduction | null {
  if (destination.kind === 'account' || destination.client.introduced === undefined) return null;
  const { host } = destination.client.introduced;
  const redirectUri = redirectUriOf(destination);
  const url = redirectUri === null ? null : URL.parse(redirectUri);
  if (redirectUri === null || url === null) return host === null ? null : { host, returns: null };
  // On the person's own device any program can be there.
  const isOnDevice = kindOfRedirectUri(redirectUri) !== 'https';
  return { host, returns: { to: url.host === '' ? url.protocol.slice(0, -1) : url.host, isOnDevice } };
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
  reason: keyof typeof refused,
  status: number,
): Response {
  const { errorId } = exchange;
  logRefusal(deps.log, exchange, refused[reason]);
  const shown = { kind: 'error' as const, reason, errorId, backUrl: null, clientName: null };
  return pageResponse(deps.renderPage, exchange, shown, { status });
}

const refused = {
  cookies_blocked: refusal('invalid_request', 'the browser sends no cookie back', 'RFC 6265 §5.4'),
  request_invalid: refusal('invalid_request', 'what was submitted is not the form of this page', 'RFC 9110 §15.5.1'),
  client_unknown: refusal('invalid_client', 'the client of this sign-in is unknown or disabled', 'RFC 6749 §4.1.2.1'),
} as const;
