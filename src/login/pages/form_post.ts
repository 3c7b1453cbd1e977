import { unreachable } from '../../core/result.ts';
import { say } from '../copy/index.ts';
import { html, Safe } from '../html.ts';
import { type Frame, hiddenFields, name, page } from '../layout.ts';
import { link } from '../link.ts';
import { hashSource } from '../style.ts';

/** The prototype's `submit`, because the button with that id hides the form's own. */
const script = "HTMLFormElement.prototype.submit.call(document.getElementById('form_post'));";
const scriptElement = new Safe(`<script>${script}</script>`);

/** What lets the script of this page, and no other, through. */
export const formPostScriptHash = hashSource(script);

export type FormPostContent = {
  readonly redirectUri: string;
  readonly parameters: { readonly [name: string]: string };
  readonly clientName: string | null;
};

/** OAuth 2.0 Form Post Response Mode §2, for codes and errors alike. The button is there in any case: a script can also be blocked or fail. */
export function formPostPage(content: FormPostContent, frame: Frame): string {
  const { copy } = frame;
  const { clientName } = content;
  const action = link(content.redirectUri) ?? unreachable('a form post to a redirect URI of no known scheme');
  const lead =
    clientName === null ? copy.form_post_lead_unnamed : say(copy, 'form_post_lead', { client: name(clientName) });
  return page(frame, {
    title: copy.form_post_title,
    main: html`<h1>${copy.form_post_title}</h1>
<p class="lead">${lead}</p>
<noscript><p>${copy.form_post_manual}</p></noscript>
<form id="form_post" method="post" action="${action}">
${hiddenFields(content.parameters)}
<button id="submit" type="submit">${copy.continue}</button>
</form>
${scriptElement}`,
  });
}
