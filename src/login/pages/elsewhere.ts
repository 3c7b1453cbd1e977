import { html } from '../html.ts';
import { buttonLink, type Frame, page } from '../layout.ts';

export type ElsewhereContent = { readonly startUrl: string | null };

/** For a stored run under the cookie of another browser: says where to go on, and nothing of the run. */
export function elsewherePage(content: ElsewhereContent, frame: Frame): string {
  const { copy } = frame;
  return page(frame, {
    title: copy.elsewhere_title,
    main: html`<section id="elsewhere">
<h1>${copy.elsewhere_title}</h1>
<p class="lead">${copy.elsewhere_lead}</p>
${buttonLink(content.startUrl, copy.start_again)}
</section>`,
  });
}
