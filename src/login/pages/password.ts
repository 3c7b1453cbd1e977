import { type CopyKey, say } from '../copy/index.ts';
import { attributes, html } from '../html.ts';
import { accountLine, destination, faultRegion, form, name, page } from '../layout.ts';
import type { ScreenFrame, ScreenOf } from './screen.ts';

type Fault = NonNullable<ScreenOf<'password'>['fault']>;

/** `refused` is one text whatever the reason: it names the ways out and tells nothing of the account. */
const faultTexts = {
  password_missing: { text: 'password_missing', invalid: true },
  refused: { text: 'password_refused', invalid: true },
  busy: { text: 'password_busy', invalid: false },
} as const satisfies { readonly [Name in Fault]: { readonly text: CopyKey; readonly invalid: boolean } };

/**
 * The nameless, undisplayed field tells password managers whose password this is; it is never submitted. Another account
 * is a form of its own, so that it sends no password, and comes last, so that Enter means `submit`.
 */
export function passwordPage(screen: ScreenOf<'password'>, frame: ScreenFrame): string {
  const { copy } = frame;
  const fault = screen.fault === null ? null : faultTexts[screen.fault];
  const field = attributes({
    'aria-invalid': fault?.invalid === true && 'true',
    'aria-describedby': fault === null ? null : 'error',
  });
  const body = html`<input type="text" value="${screen.username}" autocomplete="username" readonly hidden>
<label for="password">${copy.password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus${field}>
<button id="submit" type="submit">${copy.sign_in}</button>`;
  const change = html`<button class="quiet" id="change_account" name="change_account" value="1" type="submit">${copy.change_account}</button>`;
  return page(frame, {
    title: copy.password_title,
    fault: fault !== null,
    main: html`<h1>${copy.password_title} ${destination(copy, frame.clientName)}</h1>
${accountLine(say(copy, 'signing_in_as', { username: name(screen.username) }))}
${faultRegion(fault && copy[fault.text])}
${form(frame.form, body)}
${form(frame.form, change)}`,
  });
}
