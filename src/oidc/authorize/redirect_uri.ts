import { err, ok, type Result } from '../../core/result.ts';
import type { Settings } from '../../core/settings.ts';
import { type Refusal, refusal } from '../errors.ts';

/**
 * RFC 6749 §3.1.2.3, OIDC Core §3.1.2.1: compared as a string, character by character. The one exception is the port of a
 * loopback IP literal (RFC 8252 §7.3), because native apps cannot know theirs beforehand; that of `localhost` only where
 * the setting of that name says so, since a name may be resolved to another machine (§8.3).
 */
export function matchRedirectUri(
  presented: string | undefined,
  registered: readonly string[],
  { localhostAnyPort }: Pick<Settings, 'localhostAnyPort'> = { localhostAnyPort: false },
): Result<string, Refusal> {
  if (presented === undefined) return err(refuse('redirect_uri is missing'));
  if (registered.includes(presented)) return ok(presented);
  const portOf = localhostAnyPort ? loopbackOrLocalhost : loopback;
  const portless = withoutPort(presented, portOf);
  if (portless !== null && registered.some((candidate) => withoutPort(candidate, portOf) === portless)) {
    return ok(presented);
  }
  return err(refuse('redirect_uri is not registered for this client'));
}

const refuse = (description: string): Refusal =>
  refusal('invalid_request', description, 'RFC 6749 §3.1.2.3', 'redirect_uri');

/** Taken apart as text, not by the URL parser, which would forgive backslashes, tabs and odd spellings of the address. */
const loopback = /^http:\/\/(127\.0\.0\.1|\[::1\])(?::([0-9]{1,5}))?((?:[/?][!-~]*)?)$/;
const loopbackOrLocalhost = new RegExp(loopback.source.replace('(127', '(localhost|127'));

function withoutPort(uri: string, pattern: RegExp): string | null {
  const match = pattern.exec(uri);
  if (match === null) return null;
  const [, host, port, rest] = match;
  if (port !== undefined && Number(port) > 65_535) return null;
  return `http://${host}${rest}`;
}

export type RedirectUriKind = 'https' | 'loopback' | 'private use';

/** RFC 8252 §7: what kind of place a redirect URI is; null: not one that may be registered. */
export function kindOfRedirectUri(uri: string): RedirectUriKind | null {
  if (!/^[!-~]+$/.test(uri) || uri.includes('#') || uri.includes('\\')) return null;
  const url = URL.parse(uri);
  if (url === null) return null;
  // The parser forgives `https:host`, which a browser takes for a path of ours, and an empty user.
  if (url.protocol === 'https:') return webUri.test(uri) ? 'https' : null;
  if (url.protocol === 'http:') return webUri.test(uri) && isLoopbackHost(url.hostname) ? 'loopback' : null;
  if (url.username !== '' || url.password !== '') return null;
  return /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol) ? 'private use' : null;
}

const webUri = /^https?:\/\/[^/?@]+([/?]|$)/i;

const isLoopbackHost = (hostname: string): boolean => ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
