import { defaultLocale, type Locale, locales } from './copy/index.ts';

/** More preferences than this say nothing new. */
const maximumRanges = 32;

/**
 * The language of the pages: the first of `ui_locales` that we have (OIDC Core §3.1.2.1), else the best of
 * `Accept-Language` (RFC 9110 §12.5.4), else `fallback`.
 */
export function negotiateLocale(
  uiLocales: readonly string[],
  acceptLanguage: string | null,
  fallback: Locale = defaultLocale,
): Locale {
  for (const tag of uiLocales.slice(0, maximumRanges)) {
    const locale = lookUp(tag);
    if (locale !== null) return locale;
  }
  return fromAcceptLanguage(acceptLanguage ?? '', fallback) ?? fallback;
}

function fromAcceptLanguage(header: string, fallback: Locale): Locale | null {
  const ranges = header.split(',', maximumRanges).map(parseRange);
  const refused = new Set(ranges.filter(({ quality }) => quality === 0).map(({ tag }) => tag));
  const acceptable = (locale: Locale): boolean => !refused.has(locale);
  const wanted = ranges.filter(({ quality }) => quality > 0).sort((left, right) => right.quality - left.quality);
  for (const { tag } of wanted) {
    const locale = tag === '*' ? ([fallback, ...locales].find(acceptable) ?? null) : lookUp(tag);
    if (locale !== null && acceptable(locale)) return locale;
  }
  return null;
}

const weight = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i;

function parseRange(text: string): { readonly tag: string; readonly quality: number } {
  const [tag = '', ...parameters] = text.split(';').map((part) => part.trim());
  const quality = parameters.map((parameter) => weight.exec(parameter)?.[1]).find((value) => value !== undefined);
  return { tag: tag.toLowerCase(), quality: quality === undefined ? 1 : Number(quality) };
}

/** Drops subtags from the end until we have the language: `de-AT` finds `de` (RFC 4647 §3.4). */
function lookUp(tag: string): Locale | null {
  let rest = tag.toLowerCase();
  while (rest !== '') {
    const found = locales.find((locale) => locale.toLowerCase() === rest);
    if (found !== undefined) return found;
    rest = rest.slice(0, Math.max(0, rest.lastIndexOf('-')));
  }
  return null;
}
