import { encodeBase64url } from '../../core/base64url.ts';
import { hmacSha256 } from '../../core/crypto.ts';
import type { RunId } from '../../core/ids.ts';
import type { KeyRing } from '../../core/key_ring.ts';
import { deviceHash, readDevices, writeDevices } from '../../core/known_device.ts';
import { unreachable } from '../../core/result.ts';
import type { Run } from '../../flow/run.ts';
import { readCookie, setCookie } from '../cookies.ts';
import type { Exchange } from '../exchange.ts';
import type { DeviceChange, FoundDevice, RunResult } from './ports.ts';

export { deviceHash };

/** The known-device tokens of this browser: given by us, though maybe ended since. */
export function carriedDevices({ request, realm }: Pick<Exchange, 'request' | 'realm'>): readonly string[] {
  const cookie = readCookie(request, realm, 'device');
  return cookie === null ? [] : readDevices(realm.secrets.lockout, cookie);
}

/**
 * A browser in which a password was given and the run went on to its end is known to that person from then on. `found`:
 * what the browser is known as already.
 */
export function deviceChange(ring: KeyRing, run: Run, found: readonly FoundDevice[]): DeviceChange | null {
  const proof = run.evidence.find(({ method, fromSession }) => method === 'pwd' && fromSession !== true);
  if (proof === undefined) return null;
  const known = found.find(({ userId }) => userId === run.userId);
  if (known !== undefined) return { kind: 'known', tokenHash: known.tokenHash, provedAt: proof.at };
  const token =
    deviceToken(ring, run.id, ring.newest().keyId) ?? unreachable('the newest ring entry is not in the ring');
  return { kind: 'new', tokenHash: deviceHash(token), provedAt: proof.at };
}

/** The Set-Cookie value after this result, the person's own token the newest; null: the cookie stays as it is. */
export function deviceCookie(ring: KeyRing, { request, realm }: Exchange, run: Run, result: RunResult): string | null {
  const carried = carriedDevices({ request, realm });
  const given = deviceToken(ring, run.id, result.sessionKeyId);
  const candidates = given === null ? carried : [...carried, given];
  const own = candidates.find((token) => encodeBase64url(deviceHash(token)) === result.device);
  return own === undefined ? null : setCookie(realm, 'device', writeDevices(realm.secrets.lockout, carried, own));
}

/** Derived from the run like the session's cookie, so that a browser whose answer was lost gets the same one again. */
function deviceToken(ring: KeyRing, runId: RunId, keyId: string | null): string | null {
  const entry = keyId === null ? undefined : ring.find(keyId);
  return entry === undefined ? null : encodeBase64url(hmacSha256(entry.derive('known device'), runId));
}
