import { deviceLifetimeSeconds } from '../core/known_device.ts';
import type { Realm } from '../oidc/realm.ts';

/**
 * Every cookie is read and written here: opaque and random, `__Host-` where we serve https, HttpOnly, SameSite=Lax, named
 * after its realm because all realms of one origin share the browser's jar.
 */
export type CookiePurpose = 'session' | 'browser' | 'state' | 'device';

/**
 * `browser` binds runs to the browser; `session` is the sign-in. Both end with the browser or with what they name. `device`
 * (core/known_device.ts) outlives them: it makes a browser known, and signs nobody in. `state`
 * is the one exception to the rules above: the page of `check_session_iframe` reads it by script, inside a page of another
 * site, so it is neither HttpOnly nor Lax (OIDC Session Management §3.2). It is set only where a realm switched that on,
 * and opens nothing.
 */
export const cookieName = (realm: Pick<Realm, 'issuer' | 'slug'>, purpose: CookiePurpose): string =>
  `${isHttps(realm) ? '__Host-' : ''}limen.${realm.slug}.${purpose}`;

const isHttps = ({ issuer }: Pick<Realm, 'issuer'>): boolean => issuer.startsWith('https:');

const valuePattern = /^[A-Za-z0-9_-]{43}$/;
/** What a longer one holds is judged by who reads it. */
const devicesPattern = /^[A-Za-z0-9_.-]{1,400}$/;

/** The value, if it has the shape of ours. Of two cookies of one name the first counts (RFC 6265 §5.4). */
export function readCookie(request: Request, realm: Realm, purpose: CookiePurpose): string | null {
  const header = request.headers.get('cookie');
  if (header === null || header.length > longestHeader) return null;
  const prefix = `${cookieName(realm, purpose)}=`;
  const pair = header.split(/; */).find((candidate) => candidate.startsWith(prefix));
  const value = pair?.slice(prefix.length);
  const pattern = purpose === 'device' ? devicesPattern : valuePattern;
  return value !== undefined && pattern.test(value) ? value : null;
}

const longestHeader = 16_384;

/** A session cookie of the browser, save that which makes the browser known: the database decides how long it counts. */
export const setCookie = (realm: Realm, purpose: CookiePurpose, value: string): string =>
  `${cookieName(realm, purpose)}=${value}; ${attributes(realm, purpose)}${purpose === 'device' ? `; Max-Age=${deviceLifetimeSeconds}` : ''}`;

export const clearCookie = (realm: Realm, purpose: CookiePurpose): string =>
  `${cookieName(realm, purpose)}=; ${attributes(realm, purpose)}; Max-Age=0`;

/** A browser takes SameSite=None with Secure only; over http the frame works within one site. */
function attributes(realm: Realm, purpose: CookiePurpose): string {
  const secure = isHttps(realm) ? '; Secure' : '';
  if (purpose !== 'state') return `Path=/; HttpOnly; SameSite=Lax${secure}`;
  return `Path=/; SameSite=${isHttps(realm) ? 'None' : 'Lax'}${secure}`;
}
