import { unreachable } from '../core/result.ts';
import { type Copy, say, sayText } from './copy/index.ts';
import { html, Safe } from './html.ts';
import { link } from './link.ts';
import { style } from './style.ts';

/** What every page is told beside its own content. */
export type Frame = { readonly copy: Copy; readonly realmName: string };

/** Where a form goes and what it proves: the step that it answers and the form token. */
export type FormTarget = { readonly action: string; readonly step: number; readonly token: string };

type Content = {
  /** Names the page in the window's title. */
  readonly title: string;
  /** true: the title begins with the word for an error, which a screen reader says first. */
  readonly fault?: boolean;
  /** true: for lists, not for a form. */
  readonly wide?: boolean;
  readonly main: Safe;
};

const styleElement = new Safe(`<style>${style}</style>`);

/** A whole document. */
export function page(frame: Frame, content: Content): string {
  const { copy, realmName } = frame;
  const title = sayText(copy, content.fault === true ? 'title_with_fault' : 'title', {
    page: content.title,
    realm: realmName,
  });
  return html`<!doctype html>
<html lang="${copy.lang}" dir="${copy.dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta name="format-detection" content="telephone=no">
<title>${title}</title>
${styleElement}
</head>
<body>
<div class="${content.wide === true ? 'card wide' : 'card'}">
<header class="realm"><span class="mark" aria-hidden="true">${initial(realmName)}</span><span>${name(realmName)}</span></header>
<main>
${content.main}
</main>
</div>
</body>
</html>
`.toString();
}

/** A form that posts to its target, with the hidden fields that prove it. `carried` are further hidden fields. */
export function form(target: FormTarget, body: Safe, carried: { readonly [name: string]: string } = {}): Safe {
  const action = link(target.action) ?? unreachable(`a form that posts to ${target.action}`);
  const hidden = { step: String(target.step), token: target.token, ...carried };
  return html`<form method="post" action="${action}">
${hiddenFields(hidden)}
${body}
</form>`;
}

export const hiddenFields = (fields: { readonly [name: string]: string }): Safe =>
  html`${Object.entries(fields).map(([key, value]) => html`<input type="hidden" name="${key}" value="${value}">`)}`;

/** A name that somebody else chose: its writing direction stays inside it. */
export const name = (text: string): Safe => html`<bdi>${text}</bdi>`;

/** "… to continue to X", where the application is known. */
export const destination = (copy: Copy, clientName: string | null): Safe | null =>
  clientName === null
    ? null
    : html`<span class="to">${say(copy, 'to_continue_to', { client: name(clientName) })}</span>`;

/** Why the last submit was not accepted. `text` is `null` when it was. */
export const faultRegion = (text: string | null): Safe | null =>
  text === null ? null : html`<p class="fault" id="error" role="alert">${text}</p>`;

const person = html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true"><circle cx="12" cy="12" r="10.25"/><circle cx="12" cy="9.75" r="3.25"/><path d="M5.5 19.5a7 7 0 0 1 13 0"/></svg>`;

/** The account that the page is about. */
export const accountLine = (sentence: Safe): Safe => html`<p class="account">${person}<span>${sentence}</span></p>`;

/** A link that looks like a button, or nothing where the target is not one to link to. */
export function buttonLink(url: string | null, text: Safe | string): Safe | null {
  const target = link(url);
  return target === null ? null : html`<a class="button" href="${target}"><span>${text}</span></a>`;
}

/** "Back to X", where there is a place to go back to. */
export const backLink = (copy: Copy, url: string | null, clientName: string | null): Safe | null =>
  buttonLink(url, clientName === null ? copy.back_to_application : say(copy, 'back_to', { client: name(clientName) }));

const initial = (text: string): string => Array.from(text.trim())[0]?.toLocaleUpperCase() ?? '';
