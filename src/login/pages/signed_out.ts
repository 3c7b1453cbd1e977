import { html } from '../html.ts';
import { backLink, type Frame, page } from '../layout.ts';

export type SignedOutContent = { readonly backUrl: string | null; readonly clientName: string | null };

export function signedOutPage(content: SignedOutContent, frame: Frame): string {
  const { copy } = frame;
  return page(frame, {
    title: copy.signed_out_title,
    main: html`<section id="signed-out">
<h1>${copy.signed_out_title}</h1>
<p class="lead">${copy.signed_out_lead}</p>
${backLink(copy, content.backUrl, content.clientName)}
</section>`,
  });
}
