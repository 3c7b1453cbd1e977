const blank = /[\s\p{Cc}]/u;
/** A path of this server, but not `//host`; the web; a private-use scheme in reverse domain notation (RFC 8252 §7.1). */
const allowed = /^(?:\/(?![/\\])|https?:\/\/|[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:)/i;

/** The URL if a page may link to it, else `null`: escaping makes `javascript:` no safer, so the scheme decides. */
export const link = (url: string | null): string | null =>
  url !== null && allowed.test(url) && !blank.test(url) ? url : null;

/** As `link`, for pictures: a path of this server or the web. */
export const picture = (url: string | null): string | null => {
  const target = link(url);
  return target !== null && /^(?:\/|https?:)/i.test(target) ? target : null;
};
