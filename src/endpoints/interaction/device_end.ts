import type { FailureReason } from '../../flow/run.ts';
import { pageResponse } from '../answer.ts';
import type { Dependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { logRefusal } from '../refused.ts';
import { type DestinationOf, startUrlOf } from './destination.ts';
import { refusalOfFailure } from './failure.ts';

/** The last page of a run that a device waits for. The device hears of it by its own polls, so nothing is redirected. */

type DeviceRecipient = {
  readonly exchange: Exchange;
  readonly destination: DestinationOf<'device'>;
  readonly cookies: readonly string[];
};
type Outcome = 'approved' | 'denied' | 'gone';

const statusOf: { readonly [Name in Outcome]: number } = { approved: 200, denied: 200, gone: 410 };

function endPage(deps: Dependencies, { exchange, destination, cookies }: DeviceRecipient, outcome: Outcome): Response {
  const { client, request } = destination;
  const startUrl = outcome === 'gone' ? startUrlOf(destination, exchange.realm) : null;
  const page = { kind: 'device_end' as const, outcome, clientName: client.name, startUrl };
  return pageResponse(deps.renderPage, exchange, page, {
    status: statusOf[outcome],
    cookies,
    uiLocales: request.uiLocales,
  });
}

export const deviceApproved = (deps: Dependencies, recipient: DeviceRecipient): Response =>
  endPage(deps, recipient, 'approved');

/** Expired, or decided about in another run. */
export const deviceGone = (deps: Dependencies, recipient: DeviceRecipient): Response =>
  endPage(deps, recipient, 'gone');

/** Only `denied` is the device's answer; with any other failure it goes on waiting for somebody else. */
export function deviceFailure(deps: Dependencies, recipient: DeviceRecipient, reason: FailureReason): Response {
  if (reason === 'expired') return deviceGone(deps, recipient);
  logRefusal(deps.log, recipient.exchange, refusalOfFailure(reason), recipient.destination.client.clientId);
  return endPage(deps, recipient, 'denied');
}
