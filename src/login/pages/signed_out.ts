import { html, Safe } from '../html.ts';
import { backLink, type Frame, page } from '../layout.ts';
import { link } from '../link.ts';
import { hashSource } from '../style.ts';

/** On as soon as every frame has loaded, or failed to; a frame that does neither is not waited for. */
const script = `
  (function () {
    var next = document.getElementById('continue');
    if (next === null) return;
    function goOn() { location.replace(next.href); }
    addEventListener('load', goOn);
    setTimeout(goOn, 5000);
  })();
`;
const scriptElement = new Safe(`<script>${script}</script>`);

/** What lets the script of this page, and no other, through. */
export const goOnScriptHash = hashSource(script);

export type SignedOutContent = {
  readonly backUrl: string | null;
  readonly clientName: string | null;
  readonly frames?: readonly string[];
  readonly continueUrl?: string | null;
};

/** The end of a sign-in. Without a script the browser goes on by the `Refresh` header that comes with this page, or by the link. */
export function signedOutPage(content: SignedOutContent, frame: Frame): string {
  const { copy } = frame;
  const { frames = [], continueUrl = null } = content;
  const next = link(continueUrl);
  const loaded = frames.filter((url) => link(url) !== null);
  return page(frame, {
    title: copy.signed_out_title,
    main: html`<section id="signed-out">
<h1>${copy.signed_out_title}</h1>
<p class="lead">${continueUrl === null ? copy.signed_out_lead : copy.signed_out_going_on}</p>
${next === null ? null : html`<a class="button" id="continue" href="${next}"><span>${copy.continue}</span></a>`}
${continueUrl === null ? backLink(copy, content.backUrl, content.clientName) : null}
</section>
${loaded.map((url) => html`<iframe src="${url}" title="${copy.signed_out_title}" sandbox="allow-scripts allow-same-origin allow-forms" hidden></iframe>`)}
${loaded.length > 0 ? scriptElement : null}`,
  });
}
