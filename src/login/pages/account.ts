import { agentName, type Place, placeLine } from '../agent.ts';
import { type Copy, type CopyKey, say } from '../copy/index.ts';
import { html, type Safe } from '../html.ts';
import { accountLine, buttonLink, type FormTarget, type Frame, form, name, page } from '../layout.ts';
import { moment } from '../moment.ts';
import { historySection, type ShownEntry } from './account_history.ts';
import { itemSentence } from './consent.ts';

export type AccountContent = {
  readonly username: string;
  readonly form: FormTarget;
  /** What the last change came to; null: there was none. */
  readonly status: AccountStatus | null;
  /** false: a change asks for another sign-in first. */
  readonly isRecent: boolean;
  readonly signOutUrl: string;
  readonly sessions: readonly (Place & {
    readonly id: string;
    readonly startedAt: number;
    readonly seenAt: number;
    readonly isThis: boolean;
  })[];
  readonly applications: readonly {
    readonly clientId: string;
    readonly name: string;
    readonly scope: readonly string[];
    readonly since: number;
    /** null: it holds nothing at present. */
    readonly lastUsedAt: number | null;
    readonly offline: boolean;
  }[];
  readonly devices: readonly (Place & {
    readonly id: string;
    readonly rememberedAt: number;
    readonly provedAt: number;
    readonly isThis: boolean;
  })[];
  readonly history: readonly ShownEntry[];
  readonly olderUrl: string | null;
};

const statuses = {
  end_session: 'account_done_end_session',
  end_other_sessions: 'account_done_end_other_sessions',
  revoke_access: 'account_done_revoke_access',
  forget_device: 'account_done_forget_device',
  nothing: 'account_done_nothing',
  again: 'account_done_again',
} as const satisfies { readonly [status: string]: CopyKey };

export type AccountStatus = keyof typeof statuses;

type Change = Exclude<AccountStatus, 'nothing' | 'again'> | 'end_everything';

/** What a person has here, and a form for each thing that they can end. */
export function accountPage(content: AccountContent, frame: Frame): string {
  const { copy } = frame;
  const { status, isRecent } = content;
  return page(frame, {
    title: copy.account_title,
    wide: true,
    main: html`<h1>${copy.account_title}</h1>
${accountLine(say(copy, 'signed_in_as', { username: name(content.username) }))}
<p id="status" class="status" role="status">${status && copy[statuses[status]]}</p>
${isRecent ? null : html`<p class="muted">${copy.account_again_note}</p>`}
${sessionsSection(copy, content)}
${applicationsSection(copy, content)}
${devicesSection(copy, content)}
${historySection(copy, content)}`,
  });
}

function sessionsSection(copy: Copy, { sessions, form: target, signOutUrl }: AccountContent): Safe {
  const entries = sessions.map((session, index) => {
    const id = `session-${index}`;
    const times = say(copy, 'account_session_times', {
      since: moment(copy, session.startedAt),
      seen: moment(copy, session.seenAt),
    });
    const end = session.isThis
      ? buttonLink(signOutUrl, copy.sign_out)
      : change(target, { value: 'end_session', id: session.id }, copy.sign_out, id);
    return entry(id, placeName(copy, session), [placeLine(copy, session), times], end);
  });
  return html`<section aria-labelledby="sessions">
<h2 id="sessions">${copy.account_sessions}</h2>
${list(entries)}
<div class="choices">
${sessions.length > 1 ? change(target, { value: 'end_other_sessions' }, copy.account_end_others) : null}
${change(target, { value: 'end_everything' }, copy.account_end_everything)}
</div>
</section>`;
}

function applicationsSection(copy: Copy, { applications, form: target }: AccountContent): Safe {
  const entries = applications.map(({ clientId, name: called, scope, since, lastUsedAt, offline }, index) => {
    const id = `application-${index}`;
    const times =
      lastUsedAt === null
        ? say(copy, 'account_application_allowed', { since: moment(copy, since) })
        : say(copy, 'account_application_times', { since: moment(copy, since), used: moment(copy, lastUsedAt) });
    const lines = [times, ...(offline ? [copy.account_offline] : []), scopeList(copy, scope)];
    return entry(
      id,
      name(called),
      lines,
      change(target, { value: 'revoke_access', id: clientId }, copy.account_revoke, id),
    );
  });
  return html`<section aria-labelledby="applications">
<h2 id="applications">${copy.account_applications}</h2>
${entries.length === 0 ? html`<p class="muted">${copy.account_applications_none}</p>` : list(entries)}
</section>`;
}

function devicesSection(copy: Copy, { devices, form: target }: AccountContent): Safe {
  const entries = devices.map((device, index) => {
    const id = `device-${index}`;
    const times = say(copy, 'account_device_times', {
      since: moment(copy, device.rememberedAt),
      proved: moment(copy, device.provedAt),
    });
    const forget = change(target, { value: 'forget_device', id: device.id }, copy.account_forget, id);
    return entry(id, placeName(copy, device), [placeLine(copy, device), times], forget);
  });
  return html`<section aria-labelledby="devices">
<h2 id="devices">${copy.account_devices}</h2>
<p class="muted">${copy.account_devices_lead}</p>
${entries.length === 0 ? html`<p class="muted">${copy.account_devices_none}</p>` : list(entries)}
</section>`;
}

const list = (entries: readonly Safe[]): Safe => html`<ul class="entries">
${entries}</ul>`;

/** `id` names the entry, so that its button can be told from the others'. */
const entry = (id: string, called: Safe, lines: readonly (Safe | string | null)[], end: Safe | null): Safe =>
  html`<li>
<div><h3 id="${id}">${called}</h3>
${lines.map((line) => line && html`<p>${line}</p>\n`)}</div>
${end}
</li>
`;

/** A form with one button: without a script each change is one of its own. */
function change(
  target: FormTarget,
  { value, id }: { readonly value: Change; readonly id?: string },
  text: string,
  describedBy: string | null = null,
): Safe {
  const button =
    describedBy === null
      ? html`<button class="secondary" name="change" value="${value}" type="submit">${text}</button>`
      : html`<button class="secondary" name="change" value="${value}" type="submit" aria-describedby="${describedBy}">${text}</button>`;
  return form(target, button, id === undefined ? {} : { id });
}

/** What kind of browser on what kind of machine; and whether it is the one in front of the person. */
function placeName(copy: Copy, { agent, isThis }: Place & { readonly isThis: boolean }): Safe {
  return html`${agentName(copy, agent)}${isThis ? html` <span class="this">${copy.account_this}</span>` : null}`;
}

const scopeList = (copy: Copy, scope: readonly string[]): Safe | null =>
  scope.length === 0
    ? null
    : html`${scope.map((item, index) => html`${index === 0 ? null : ' · '}${itemSentence(copy, item)}`)}`;
