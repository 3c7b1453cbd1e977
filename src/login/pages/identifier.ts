import { attributes, html } from '../html.ts';
import { destination, faultRegion, form, page } from '../layout.ts';
import type { ScreenFrame, ScreenOf } from './screen.ts';

export function identifierPage(screen: ScreenOf<'identifier'>, frame: ScreenFrame): string {
  const { copy } = frame;
  const fault = screen.fault === null ? null : copy[screen.fault];
  const field = attributes({
    'aria-invalid': fault !== null && 'true',
    'aria-describedby': fault === null ? null : 'error',
  });
  const body = html`<label for="username">${copy.username}</label>
<input id="username" name="username" type="text" value="${screen.username}" autocomplete="username webauthn" autocapitalize="none" autocorrect="off" spellcheck="false" autofocus${field}>
<button id="submit" type="submit">${copy.continue}</button>`;
  return page(frame, {
    title: copy.sign_in,
    fault: fault !== null,
    main: html`<h1>${copy.sign_in} ${destination(copy, frame.clientName)}</h1>
${faultRegion(fault)}
${form(frame.form, body)}`,
  });
}
