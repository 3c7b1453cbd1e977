import { decodeBase64url, encodeBase64url } from './base64url.ts';
import { equalConstantTime, hmacSha256, sha256 } from './crypto.ts';
import type { Secret } from './secret.ts';

/**
 * The cookie by which a browser is known to the accounts that signed in there: a token of 256 bits for each. Beside each
 * stands a tag, so that tokens we never gave are told apart without asking the database: an attacker's inventions must
 * not reach it. Whose a token is, and whether it still counts, only the database says.
 */

/** One browser, so many people; the one who signed in longest ago is forgotten first. */
export const mostDevicesOfBrowser = 5;

/** Of one person; the one used longest ago is forgotten first. */
export const mostDevicesOfUser = 50;

/** From the last sign-in on. Browsers keep no cookie for much longer. */
export const deviceLifetimeSeconds = 365 * 24 * 60 * 60;

/**
 * A sign-in is dated by its process and a change of the password by the database. So much later than the change it is
 * certainly one by the new password, however far a process's clock may be ahead.
 */
export const clearlyAfterPasswordSeconds = 2;

const entryPattern = /^([A-Za-z0-9_-]{43})([A-Za-z0-9_-]{22})$/;
const separator = '.';

/** The tokens of a cookie that are ours, in the order of their sign-ins. `key`: the realm's own. */
export function readDevices(key: Secret<Uint8Array>, cookie: string): readonly string[] {
  const entries = cookie.split(separator, mostDevicesOfBrowser);
  return [...new Set(entries.flatMap((entry) => tokenOf(key, entry) ?? []))];
}

function tokenOf(key: Secret<Uint8Array>, entry: string): string | null {
  const [, token, tag] = entryPattern.exec(entry) ?? [];
  const sent = tag === undefined ? undefined : decodeBase64url(tag);
  if (token === undefined || sent === undefined) return null;
  return equalConstantTime(sent, tagOf(key, token)) ? token : null;
}

/** The cookie with this token as the newest; those beyond the bound are left out. */
export const writeDevices = (key: Secret<Uint8Array>, carried: readonly string[], newest: string): string =>
  [...carried.filter((token) => token !== newest), newest]
    .slice(-mostDevicesOfBrowser)
    .map((token) => token + encodeBase64url(tagOf(key, token)))
    .join(separator);

/** What the database keeps of a token. */
export const deviceHash = (token: string): Buffer => sha256(token);

const tagOf = (key: Secret<Uint8Array>, token: string): Buffer =>
  hmacSha256(key.reveal(), `known device\n${token}`).subarray(0, 16);
