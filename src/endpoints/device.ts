import { addressPrefixes, deviceCodeCeilings, isPrivateAddress } from '../core/lockout.ts';
import type { DeviceCodeFault } from '../login/pages/index.ts';
import { mayUseDevices } from '../oidc/device/authorization_request.ts';
import type { WaitingDevice } from '../oidc/device/ports.ts';
import { formatUserCode, normalizeUserCode } from '../oidc/device/user_code.ts';
import { devicePath } from '../oidc/discovery.ts';
import { type Form, parseForm, single } from '../oidc/parameters.ts';
import { pageResponse, redirect } from './answer.ts';
import { readForm } from './body.ts';
import { CrowdedCeilings } from './crowded_ceilings.ts';
import { type Dependencies, findClient } from './dependencies.ts';
import type { Exchange, Handler } from './exchange.ts';
import { browserOf, isOwnSubmit } from './interaction/browser.ts';
import { formToken, isFormToken } from './interaction/handle.ts';
import type { Interaction } from './interaction/index.ts';
import { crowdedPage, errorPage } from './interaction/run_page.ts';

/**
 * RFC 8628 §3.3: where a person enters what their device shows. What it leads to is a run like any other, which ends at
 * the device. GET shows the form and no more, whatever code is in the link (§5.4).
 */
export function devicePageEndpoint(deps: Dependencies, interaction: Interaction): Handler {
  const crowded = new CrowdedCeilings();
  return async (exchange) =>
    exchange.request.method === 'POST' ? enter(deps, interaction, crowded, exchange) : show(deps, exchange);
}

const tokenStep = 0;
const tokenSubject = 'device';

function show(deps: Dependencies, exchange: Exchange): Response {
  const browser = browserOf(exchange);
  const form = parseForm(exchange.query);
  const fault = single(form, 'fault');
  const page = {
    kind: 'device_code' as const,
    userCode: shownCode(form) ?? '',
    fault: isFault(fault) ? fault : null,
    form: {
      action: new URL(exchange.realm.issuer + devicePath).pathname,
      step: tokenStep,
      token: formToken(deps.ring, browser.binding, tokenSubject, tokenStep),
    },
  };
  return pageResponse(deps.renderPage, exchange, page, { cookies: browser.cookies });
}

const isFault = (text: string | undefined): text is DeviceCodeFault => text === 'missing' || text === 'refused';

/** Only what could be a code goes into the field: a link must not put words there. */
function shownCode(form: Form): string | null {
  const code = normalizeUserCode(single(form, 'user_code') ?? '');
  return code === null ? null : formatUserCode(code);
}

async function enter(
  deps: Dependencies,
  interaction: Interaction,
  crowded: CrowdedCeilings,
  exchange: Exchange,
): Promise<Response> {
  const browser = browserOf(exchange);
  if (!browser.isKnown) return errorPage(deps, exchange, 'cookies_blocked', 400);
  const body = await readForm(exchange.request);
  if (!body.ok) return errorPage(deps, exchange, 'request_invalid', body.error.status);
  const form = body.value;
  const isProven = isFormToken(deps.ring, single(form, 'token') ?? '', browser.binding, tokenSubject, tokenStep);
  if (!isOwnSubmit(exchange, new URL(deps.publicUrl).origin) || !isProven) return again(exchange, form, null);
  const typed = single(form, 'user_code')?.trim() ?? '';
  if (typed === '') return again(exchange, form, 'missing');
  const { realm, address, forwarded, now } = exchange;
  // A private peer that nobody declared is a proxy, and its address stands for everybody.
  const isPlace = forwarded || !isPrivateAddress(address);
  const ceilings = deviceCodeCeilings(isPlace ? addressPrefixes(address) : null);
  const waitSeconds = crowded.waitSeconds(realm.id, ceilings, now);
  if (waitSeconds > 0) return crowdedPage(deps, exchange, waitSeconds);
  const verdict = await deps.devices.guess({ realmId: realm.id, userCode: normalizeUserCode(typed), ceilings });
  if (verdict.kind === 'crowded') {
    crowded.remember(realm.id, verdict, now);
    return crowdedPage(deps, exchange, verdict.waitSeconds);
  }
  if (verdict.kind === 'unknown') return again(exchange, form, 'refused');
  const { device } = verdict;
  const client = await findClient(deps, realm, device.clientId, now);
  if (client === null || !mayUseDevices(client)) return again(exchange, form, 'refused');
  return interaction.begin(exchange, { kind: 'device', client, request: requestOf(device) });
}

/** After a POST the browser must GET, and what was typed is still there to be mended. */
function again({ realm }: Exchange, form: Form, fault: DeviceCodeFault | null): Response {
  const userCode = shownCode(form);
  const query = new URLSearchParams({
    ...(userCode === null ? {} : { user_code: userCode }),
    ...(fault === null ? {} : { fault }),
  });
  return redirect(`${realm.issuer}${devicePath}${query.size === 0 ? '' : `?${query}`}`);
}

const requestOf = (device: WaitingDevice) => ({
  kind: 'device' as const,
  clientId: device.clientId,
  familyId: device.familyId,
  userCode: formatUserCode(device.userCode),
  scope: [...device.scope],
  audience: [...device.audience],
  address: device.address,
  agent: device.agent,
  uiLocales: [],
  receivedAt: device.createdAt,
  expiresAt: device.expiresAt,
});
