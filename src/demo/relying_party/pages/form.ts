import { attributes, html, type Safe } from '../../../login/html.ts';

export type Button = {
  readonly id: string;
  readonly action: string;
  readonly label: string;
  readonly formToken: string;
  readonly primary?: boolean;
  readonly fields?: { readonly [name: string]: string };
};

/** One button in a form of its own: everything that changes something is a POST with the page's form token. */
export function buttonForm({ id, action, label, formToken, primary = false, fields = {} }: Button): Safe {
  const hidden = Object.entries({ ...fields, form_token: formToken });
  return html`<form method="post" action="${action}">${hidden.map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button type="submit" id="${id}"${attributes({ class: primary ? 'primary' : null })}>${label}</button></form>`;
}
