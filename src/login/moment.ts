import type { Copy } from './copy/index.ts';
import { sayText } from './copy/index.ts';
import { html, type Safe } from './html.ts';

/** A date and time of day. Without a script the browser does not tell its zone, so it is UTC and says so. */
export function moment(copy: Copy, instant: number): Safe {
  const date = new Date(instant);
  const format = new Intl.DateTimeFormat(copy.lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return html`<time datetime="${date.toISOString()}">${sayText(copy, 'time_utc', { time: format.format(date) })}</time>`;
}
