import { randomToken } from '../../core/crypto.ts';
import { readCookie, setCookie } from '../cookies.ts';
import type { Exchange } from '../exchange.ts';
import { bindingHashOf } from './handle.ts';

/** The browser at the other end, as far as its cookies tell. */
export type Browser = {
  /** The binding cookie: one for all runs of this browser at this realm. */
  readonly binding: string;
  readonly bindingHash: Buffer;
  /** Set-Cookie values that every answer to it carries. */
  readonly cookies: readonly string[];
  /** false: it came without a binding cookie and was given one with this answer. */
  readonly isKnown: boolean;
};

export function browserOf({ request, realm }: Exchange): Browser {
  const sent = readCookie(request, realm, 'browser');
  const binding = sent ?? randomToken();
  return {
    binding,
    bindingHash: bindingHashOf(binding),
    cookies: sent === null ? [setCookie(realm, 'browser', binding)] : [],
    isKnown: sent !== null,
  };
}

/** Another person signs in here: runs that wait for the former one stay bound to a cookie that is no more. */
export function renewedBrowser({ realm }: Exchange): Browser {
  const binding = randomToken();
  const cookies = [setCookie(realm, 'browser', binding)];
  return { binding, bindingHash: bindingHashOf(binding), cookies, isKnown: true };
}

/**
 * A submit from our own page: the browser says so itself, in `Sec-Fetch-Site` or, before that header, in `Origin`. Neither
 * can be set by a page elsewhere.
 */
export function isOwnSubmit({ request }: Exchange, publicOrigin: string): boolean {
  const site = request.headers.get('sec-fetch-site');
  if (site !== null) return site === 'same-origin';
  return request.headers.get('origin') === publicOrigin;
}
