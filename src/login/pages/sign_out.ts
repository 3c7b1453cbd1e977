import { say } from '../copy/index.ts';
import { html } from '../html.ts';
import { type FormTarget, type Frame, form, name, page } from '../layout.ts';

/** `carried`: hidden fields of the sign-out request, so that the answer has them (RP-Initiated Logout §2). */
export type SignOutContent = {
  readonly username: string;
  readonly form: FormTarget;
  readonly carried?: { readonly [name: string]: string };
};

/** Asks before signing out (RP-Initiated Logout §6: anyone can send a browser there). */
export function signOutPage(content: SignOutContent, frame: Frame): string {
  const { copy } = frame;
  const choices = html`<div class="choices">
<button id="submit" name="decision" value="sign_out" type="submit">${copy.sign_out}</button>
<button class="secondary" id="stay" name="decision" value="stay" type="submit">${copy.stay}</button>
</div>`;
  return page(frame, {
    title: copy.sign_out_title,
    main: html`<h1>${copy.sign_out_title}</h1>
<p class="lead">${say(copy, 'sign_out_lead', { username: name(content.username) })}</p>
${form(content.form, choices, content.carried)}`,
  });
}
