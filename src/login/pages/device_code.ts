import type { CopyKey } from '../copy/index.ts';
import { attributes, html } from '../html.ts';
import { type FormTarget, type Frame, faultRegion, form, page } from '../layout.ts';

const faultTexts = {
  missing: 'device_code_missing',
  refused: 'device_code_refused',
} as const satisfies { readonly [fault: string]: CopyKey };

export type DeviceCodeFault = keyof typeof faultTexts;

/** `userCode`: what is in the field already, from the link that the device showed or from the last try. */
export type DeviceCodeContent = {
  readonly userCode: string;
  readonly fault: DeviceCodeFault | null;
  readonly form: FormTarget;
};

/** RFC 8628 §3.3. Also the whole link still needs the button: opening a page connects nothing (§5.4). */
export function deviceCodePage({ userCode, fault, form: target }: DeviceCodeContent, frame: Frame): string {
  const { copy } = frame;
  const field = attributes({
    'aria-invalid': fault !== null && 'true',
    'aria-describedby': fault === null ? 'hint' : 'error hint',
  });
  const body = html`<label for="user_code">${copy.device_code}</label>
<input class="user-code" id="user_code" name="user_code" type="text" value="${userCode}" autocomplete="off" autocapitalize="characters" autocorrect="off" spellcheck="false" maxlength="64" autofocus${field}>
<button id="submit" type="submit">${copy.continue}</button>`;
  return page(frame, {
    title: copy.device_code_title,
    fault: fault !== null,
    main: html`<h1>${copy.device_code_title}</h1>
<p class="lead" id="hint">${copy.device_code_lead}</p>
${faultRegion(fault && copy[faultTexts[fault]])}
${form(target, body)}`,
  });
}
