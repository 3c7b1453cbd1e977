import { html } from '../html.ts';
import { buttonLink, type Frame, page } from '../layout.ts';

export type ExpiredContent = { readonly startUrl: string | null };

export function expiredPage(content: ExpiredContent, frame: Frame): string {
  const { copy } = frame;
  return page(frame, {
    title: copy.expired_title,
    main: html`<section id="expired">
<h1>${copy.expired_title}</h1>
<p class="lead">${copy.expired_lead}</p>
${buttonLink(content.startUrl, copy.start_again)}
</section>`,
  });
}
