import { say, sayText } from '../copy/index.ts';
import { html, type Safe } from '../html.ts';
import { accountLine, form, name, page } from '../layout.ts';
import { moment } from '../moment.ts';
import { audienceLogo, decisionButtons, introduced, itemList, links } from './consent.ts';
import type { ScreenFrame, ScreenOf } from './screen.ts';

/**
 * RFC 8628 §3.3, §5.4: what a person compares before a device gets anything. The warning stands before the buttons, for
 * whoever was sent a link or a code by somebody else. Nothing has the focus, as on the consent page.
 */
export function devicePage(screen: ScreenOf<'device'>, frame: ScreenFrame): string {
  const { copy } = frame;
  const { device } = screen;
  return page(frame, {
    title: sayText(copy, 'device_title', { client: screen.audienceName }),
    main: html`${audienceLogo(screen.logoUri)}
<h1>${say(copy, 'device_title', { client: name(screen.audienceName) })}</h1>
${introduced(copy, frame.introduction ?? null)}
${accountLine(say(copy, 'signed_in_as', { username: name(screen.username) }))}
<p class="lead" id="compare">${copy.device_compare}</p>
<p class="user-code"><code id="user_code">${device.userCode}</code></p>
<dl>
${fact(copy.device_asked_at, moment(copy, device.askedAt))}
${device.address === null ? null : fact(copy.device_address, html`<code>${device.address}</code>`)}
${device.agent === null ? null : fact(copy.device_agent, name(shortened(device.agent)))}
</dl>
${itemList(copy, screen.items)}
<p class="warning" id="warning"><strong>${copy.device_warning_title}</strong> ${copy.device_warning}</p>
${form(frame.form, decisionButtons(copy))}
${links(copy, screen)}`,
  });
}

const fact = (term: string, value: Safe): Safe => html`<dt>${term}</dt><dd>${value}</dd>\n`;

/** What a device says of itself may say anything: room for a name, not for a letter. */
const shortened = (agent: string): string => (agent.length > longestAgent ? `${agent.slice(0, longestAgent)}…` : agent);
const longestAgent = 80;
