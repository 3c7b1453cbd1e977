import { agentName, type Place, placeLine } from '../agent.ts';
import type { Copy, CopyKey } from '../copy/index.ts';
import { html, type Safe } from '../html.ts';
import { buttonLink, name } from '../layout.ts';
import { moment } from '../moment.ts';

/** Audit events that people have words for. `isUntried`: an attempt that was refused without looking at the password. */
const words = {
  'session.started': 'event_session_started',
  'session.ended': 'event_session_ended',
  'password.accepted': 'event_password_accepted',
  'password.refused': 'event_password_refused',
  'lockout.started': 'event_lockout_started',
  'lockout.cleared': 'event_lockout_cleared',
  'user.signed_out_everywhere': 'event_signed_out_everywhere',
  'user.password_set': 'event_password_set',
  'device.forgotten': 'event_device_forgotten',
  'device.approved': 'event_device_approved',
  'device.denied': 'event_device_denied',
  'consent.granted': 'event_consent_granted',
  'consent.revoked': 'event_consent_revoked',
  'token.revoked': 'event_token_revoked',
  'token.reuse': 'event_token_reuse',
  'code.replayed': 'event_code_replayed',
} as const satisfies { readonly [event: string]: CopyKey };

export type ShownEvent = keyof typeof words;

export type ShownEntry = Place & {
  readonly event: ShownEvent;
  readonly at: number;
  readonly clientName: string | null;
  readonly isUntried: boolean;
};

export function historySection(
  copy: Copy,
  { history, olderUrl }: { readonly history: readonly ShownEntry[]; readonly olderUrl: string | null },
): Safe {
  return html`<section aria-labelledby="history">
<h2 id="history">${copy.account_history}</h2>
${
  history.length === 0
    ? html`<p class="muted">${copy.account_history_none}</p>`
    : html`<ul class="entries">
${history.map((entry) => line(copy, entry))}</ul>`
}
${buttonLink(olderUrl, copy.account_older)}
</section>`;
}

function line(copy: Copy, { event, isUntried, at, clientName, address, agent }: ShownEntry): Safe {
  const text = copy[isUntried ? 'event_password_untried' : words[event]];
  const about = clientName === null ? null : html` <span class="this">${name(clientName)}</span>`;
  const from = [placeLine(copy, { address, agent }), agent === null ? null : agentName(copy, agent)];
  return html`<li><div><h3>${text}${about}</h3>
<p>${moment(copy, at)}${from.map((part) => part && html` · ${part}`)}</p></div></li>
`;
}
