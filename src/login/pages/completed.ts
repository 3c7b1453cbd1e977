import { html } from '../html.ts';
import { backLink, type Frame, page } from '../layout.ts';

export type CompletedContent = { readonly backUrl: string | null; readonly clientName: string | null };

/** For a run that has completed and whose redirect can no longer be given again. */
export function completedPage(content: CompletedContent, frame: Frame): string {
  const { copy } = frame;
  return page(frame, {
    title: copy.completed_title,
    main: html`<section id="completed">
<h1>${copy.completed_title}</h1>
<p class="lead">${copy.completed_lead}</p>
${backLink(copy, content.backUrl, content.clientName)}
</section>`,
  });
}
