import { isIP } from 'node:net';
import { ok } from '../core/result.ts';
import { quote, type Read, refuse } from './read.ts';

/**
 * An origin and nothing else: below a path, `/.well-known` would not be where RFC 8414 §3 puts it, and cookies, pages and
 * tokens would share an origin with whatever else is served there. Plain http is for loopback, where nothing is on the wire.
 * @returns scheme, host and port, without a trailing slash.
 */
export const readPublicUrl: Read<string> = (typed) => {
  const example = 'write scheme and host, such as https://id.example.com';
  if (!URL.canParse(typed)) return refuse(`${quote(typed)} is not a URL`, example);
  const url = new URL(typed);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return refuse(`${quote(typed)} is not an https URL`, example);
  if (url.username !== '' || url.password !== '') return refuse('has a user name or password in it', example);
  if (url.pathname !== '/' || typed.includes('?') || typed.includes('#')) {
    return refuse(`${quote(typed)} has more than scheme, host and port`, `write ${url.origin}`);
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    return refuse(`${quote(typed)} is not encrypted`, `write https://${url.host}; http is accepted on loopback only`);
  }
  return ok(url.origin);
};

/** Of a hostname as `URL` writes it. */
export const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);

/** An address or a name to listen on. */
export const readHost: Read<string> = (typed) =>
  isIP(typed) !== 0 || /^(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(typed)
    ? ok(typed)
    : refuse(`${quote(typed)} is no address or host name`, 'write one such as 0.0.0.0, without scheme and port');
