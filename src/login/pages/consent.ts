import { resourceOfItem } from '../../flow/consent_item.ts';
import { type Copy, type CopyKey, say, sayText } from '../copy/index.ts';
import { html, type Safe } from '../html.ts';
import { accountLine, form, name, page } from '../layout.ts';
import { link, picture } from '../link.ts';
import type { Introduction, ScreenFrame, ScreenOf } from './screen.ts';

const sentences = new Map<string, CopyKey>([
  ['openid', 'scope_openid'],
  ['profile', 'scope_profile'],
  ['email', 'scope_email'],
  ['address', 'scope_address'],
  ['phone', 'scope_phone'],
  ['offline_access', 'scope_offline_access'],
]);

const tick = html`<svg viewBox="0 0 20 20" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="m4 10.5 4 4 8-9"/></svg>`;

/** No field and no button has the focus, so that a key held down since the last page decides nothing. */
export function consentPage(screen: ScreenOf<'consent'>, frame: ScreenFrame): string {
  const { copy } = frame;
  return page(frame, {
    title: sayText(copy, 'consent_title', { client: screen.audienceName }),
    main: html`${audienceLogo(screen.logoUri)}
<h1>${say(copy, 'consent_title', { client: name(screen.audienceName) })}</h1>
${introduced(copy, frame.introduction ?? null)}
${accountLine(say(copy, 'signed_in_as', { username: name(screen.username) }))}
${itemList(copy, screen.items)}
${form(frame.form, decisionButtons(copy))}
${links(copy, screen)}`,
  });
}

export function audienceLogo(logoUri: string | null): Safe | null {
  const logo = picture(logoUri);
  return logo === null ? null : html`<img class="logo" src="${logo}" alt="" width="64" height="64">`;
}

export const decisionButtons = (copy: Copy): Safe => html`<div class="choices">
<button id="allow" name="decision" value="allow" type="submit">${copy.allow}</button>
<button class="secondary" id="deny" name="decision" value="deny" type="submit">${copy.deny}</button>
</div>`;

/** What strangers say of themselves is no reason to trust them: the addresses are said before anything else. */
export function introduced(copy: Copy, introduction: Introduction | null): Safe | null {
  if (introduction === null) return null;
  const { host, returns } = introduction;
  const sentence = returns?.isOnDevice === true ? 'consent_returns_device' : 'consent_returns';
  return html`${host && html`<p class="lead" id="host">${say(copy, 'consent_host', { host: name(host) })}</p>\n`}
${returns && html`<p class="lead" id="returns">${say(copy, sentence, { host: name(returns.to) })}</p>`}`;
}

export const itemList = (copy: Copy, items: readonly string[]): Safe | null =>
  items.length === 0
    ? null
    : html`<p class="lead">${copy.consent_items}</p>
<ul>
${items.map((item) => html`<li>${tick}<span>${itemSentence(copy, item)}</span></li>\n`)}</ul>`;

/** A scope without a sentence of ours is shown by its name, a resource by its address. */
export function itemSentence(copy: Copy, item: string): Safe {
  const resource = resourceOfItem(item);
  if (resource !== null) return say(copy, 'consent_resource', { resource: name(resource) });
  const key = sentences.get(item);
  return key === undefined ? html`<code>${item}</code>` : html`${copy[key]}`;
}

export function links(copy: Copy, screen: Pick<ScreenOf<'consent'>, 'policyUri' | 'termsUri'>): Safe | null {
  const shown = [
    { url: link(screen.policyUri), text: copy.policy },
    { url: link(screen.termsUri), text: copy.terms },
  ].filter(({ url }) => url !== null);
  if (shown.length === 0) return null;
  return html`<p class="links">${shown.map(({ url, text }) => html`<a href="${url}" rel="noreferrer">${text}</a>`)}</p>`;
}
