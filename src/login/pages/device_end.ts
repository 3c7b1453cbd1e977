import { say } from '../copy/index.ts';
import { html } from '../html.ts';
import { buttonLink, type Frame, name, page } from '../layout.ts';

export type DeviceEndContent = {
  /** `gone`: the code has expired, or was decided about before. */
  readonly outcome: 'approved' | 'denied' | 'gone';
  readonly clientName: string;
  readonly startUrl: string | null;
};

const texts = {
  approved: { title: 'device_approved_title', lead: 'device_approved_lead' },
  denied: { title: 'device_denied_title', lead: 'device_denied_lead' },
  gone: { title: 'device_gone_title', lead: 'device_gone_lead' },
} as const;

/** The device goes on by itself; this browser has nowhere to go. */
export function deviceEndPage({ outcome, clientName, startUrl }: DeviceEndContent, frame: Frame): string {
  const { copy } = frame;
  const { title, lead } = texts[outcome];
  return page(frame, {
    title: copy[title],
    main: html`<section id="device-${outcome}">
<h1>${copy[title]}</h1>
<p class="lead">${say(copy, lead, { client: name(clientName) })}</p>
${buttonLink(startUrl, copy.device_enter_another)}
</section>`,
  });
}
