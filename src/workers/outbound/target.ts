import { isIP } from 'node:net';
import { err, ok, type Result } from '../../core/result.ts';

/**
 * What a URL must be before its name is even looked up. Pure. `reason` may be shown to whoever named the URL: it never
 * tells what a name resolves to.
 */
export type Refusal = {
  readonly rule: 'url' | 'credentials' | 'host' | 'port' | 'plain_http' | 'address' | 'downgrade';
  readonly reason: string;
};

export type Target = {
  readonly scheme: 'https' | 'http';
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The `Host` header (RFC 9110 §7.2): the default port is left out. */
  readonly authority: string;
  /** Path and query, as they are requested. */
  readonly path: string;
  readonly origin: string;
  /** The whole URL without its fragment. */
  readonly url: string;
};

export const longestUrl = 2048;

const defaultPorts = { https: 443, http: 80 } as const;

export const refuse = (rule: Refusal['rule'], reason: string) => err<Refusal>({ rule, reason });

/** `isNamed`: the operator named this host, so any port of it may be asked. */
export function readTarget(text: string, isNamed: (host: string) => boolean): Result<Target, Refusal> {
  if (text.length > longestUrl) return refuse('url', `The URL is longer than ${longestUrl} characters.`);
  // White space, control characters and `\` are repaired by URL parsers, each in its own way; RFC 3986 has none of them.
  if (!/^[!-~]+$/.test(text) || /[\\<>"^`{|}]/.test(text)) {
    return refuse('url', 'The URL has characters that must be percent-encoded, or in a host name written as xn--….');
  }
  const [, scheme = '', authority = ''] = /^(https?):\/\/([^/?#]*)/i.exec(text) ?? [];
  if (scheme === '' || !URL.canParse(text)) return refuse('url', 'The URL does not begin with https:// and a host.');
  if (authority.includes('@')) return refuse('credentials', 'The URL has a user name or a password in it.');
  const url = new URL(text);
  url.hash = '';
  // 0x7f.1, 0177.0.0.1, 2130706433 and %31 are other spellings of a host; nobody who means well uses one.
  const written = authority.toLowerCase().replace(/:\d*$/, '');
  if (!url.hostname.startsWith('[') && written !== url.hostname) {
    return refuse('host', `The host is not written as it is used; write ${url.hostname}.`);
  }
  const host = url.hostname.replaceAll(/^\[|\]$/g, '');
  if (isIP(host) === 0 && !isHostName(host)) return refuse('host', 'The host is no name that can be looked up.');
  const named = scheme.toLowerCase() === 'https' ? 'https' : 'http';
  const port = url.port === '' ? defaultPorts[named] : Number(url.port);
  // Below 1024 other protocols live, which a request could be made to speak.
  if (port === 0 || (port < 1024 && port !== defaultPorts[named] && !isNamed(host))) {
    return refuse('port', `The port ${port} is neither ${defaultPorts[named]} nor 1024 or above.`);
  }
  return ok({
    scheme: named,
    host,
    port,
    authority: url.host,
    path: `${url.pathname}${url.search}`,
    origin: url.origin,
    url: url.href,
  });
}

const isHostName = (host: string): boolean =>
  host.length <= 253 && host.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
