import { html } from '../html.ts';
import { buttonLink, type Frame, page } from '../layout.ts';

export type BusyContent = { readonly retryUrl: string | null };

/** Goes with 503 and `Retry-After`. */
export function busyPage(content: BusyContent, frame: Frame): string {
  const { copy } = frame;
  return page(frame, {
    title: copy.busy_title,
    fault: true,
    main: html`<section id="busy">
<h1>${copy.busy_title}</h1>
<p class="lead">${copy.busy_lead}</p>
${buttonLink(content.retryUrl, copy.try_again)}
</section>`,
  });
}
