/** How long a document may be used that came with this `Cache-Control` (RFC 9111 §5.2.2), in seconds. Pure. */
export const shortestFreshSeconds = 60;
export const longestFreshSeconds = 3600;
/** For servers that do not say. */
const usualFreshSeconds = 300;

/**
 * Bounded on both sides: a client's server can neither make us ask at every request nor keep a removed key in use for
 * days. `age` is the header of that name (RFC 9111 §5.1). Shared caches are none of ours, so `s-maxage` is not read.
 */
export function freshSeconds(cacheControl: string | undefined, age: string | undefined): number {
  const directives = (cacheControl ?? '')
    .toLowerCase()
    .split(',')
    .map((directive) => directive.trim());
  if (directives.some((directive) => /^no-(store|cache)(=|$)/.test(directive))) return shortestFreshSeconds;
  const [seconds] = directives.flatMap((directive) => /^max-age="?(\d{1,10})"?$/.exec(directive)?.slice(1) ?? []);
  if (seconds === undefined) return usualFreshSeconds;
  const spent = /^\d{1,10}$/.test(age ?? '') ? Number(age) : 0;
  return Math.min(longestFreshSeconds, Math.max(shortestFreshSeconds, Number(seconds) - spent));
}
