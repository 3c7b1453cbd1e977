/** Stored and shown, so of a bounded length: the longest that `client_id` may have here. */
const longestUrl = 255;

/** A `client_id` that means a document; anything else is the id of a client that is registered here. */
export const looksLikeUrl = (clientId: string): boolean => clientId.startsWith('https://');

/**
 * draft-ietf-oauth-client-id-metadata-document §3: https, a path, no fragment, no user, no dot segments. Ids are compared
 * as they are written and never normalised, so only what is in its normal form already is one (the draft's SHOULD): a
 * parser that gives back something else has found dot segments, a default port, or a host in another spelling.
 */
export function isClientIdUrl(clientId: string): boolean {
  if (!looksLikeUrl(clientId) || clientId.length > longestUrl || clientId.includes('#')) return false;
  return URL.parse(clientId)?.href === clientId && !/^https:\/\/[^/]*@/.test(clientId);
}

/** Host and port, which are all that is certain of such a client. */
export const hostOfClientId = (clientId: string): string => new URL(clientId).host;

/**
 * The setting `clientIdMetadataHosts`: without a list any host will do; `*.` stands for every name below one, and what has
 * a `!` is refused whatever else is said.
 */
export function isTakenHost(clientId: string, hosts: readonly string[]): boolean {
  const { hostname } = new URL(clientId);
  const names = (pattern: string): boolean =>
    pattern.startsWith('*.') ? hostname.endsWith(pattern.slice(1)) : hostname === pattern;
  const refused = hosts.filter((host) => host.startsWith('!')).map((host) => host.slice(1));
  const taken = hosts.filter((host) => !host.startsWith('!'));
  return !refused.some(names) && (taken.length === 0 || taken.some(names));
}
