import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { decodeBase64url, encodeBase64url } from '../../core/base64url.ts';
import { equalConstantTime, hmacSha256, sha256 } from '../../core/crypto.ts';
import { brandId, isUuid, type RunId } from '../../core/ids.ts';
import type { KeyRing } from '../../core/key_ring.ts';
import { open, seal } from '../../core/seal.ts';
import type { Run } from '../../flow/run.ts';
import { decodeRun, encodeRun } from '../../flow/run_codec.ts';
import type { Realm } from '../../oidc/realm.ts';
import { type RunRequest, readRunRequest } from './destination.ts';

/** `/run/{handle}`: the id of a stored run, or a whole run that was not stored yet, sealed. */

export type SealedRun = {
  readonly run: Run;
  readonly request: RunRequest;
  /** The browser that typed into it; null: nobody has yet. */
  readonly bindingHash: Buffer | null;
};

/** A longer handle would not survive every proxy and browser: such a run is stored at once. Characters. */
export const longestHandle = 2048;

export function sealRun(ring: KeyRing, realm: Realm, { run, request, bindingHash }: SealedRun): string {
  const binding = bindingHash === null ? null : encodeBase64url(bindingHash);
  return seal(ring, 'run', realm.id, {
    objectId: run.id,
    plaintext: deflateRawSync(JSON.stringify([encodeRun(run), request, binding])),
  });
}

export type OpenedHandle =
  | { readonly kind: 'stored'; readonly runId: RunId }
  | { readonly kind: 'sealed'; readonly sealed: SealedRun }
  | { readonly kind: 'unreadable' };

export function openHandle(ring: KeyRing, realm: Realm, handle: string): OpenedHandle {
  if (isUuid(handle)) return { kind: 'stored', runId: brandId<RunId>(handle) };
  const opened = open(ring, 'run', realm.id, handle);
  const sealed = typeof opened === 'string' ? null : readSealed(parse(opened.plaintext));
  return sealed === null ? { kind: 'unreadable' } : { kind: 'sealed', sealed };
}

/** Sealed by us, so it inflates to what we deflated. */
const parse = (plaintext: Buffer): unknown => JSON.parse(inflateRawSync(plaintext).toString('utf8'));

function readSealed(document: unknown): SealedRun | null {
  if (!Array.isArray(document)) return null;
  const [packed, sent, binding]: readonly unknown[] = document;
  const run = typeof packed === 'string' ? decodeRun(packed) : null;
  const request = readRunRequest(sent);
  if (run?.ok !== true || request === null) return null;
  const bindingHash = typeof binding === 'string' ? decodeBase64url(binding) : null;
  return bindingHash === undefined ? null : { run: run.value, request, bindingHash };
}

/** What a run keeps of the browser's binding cookie. */
export const bindingHashOf = (cookie: string): Buffer => sha256(`limen binding\n${cookie}`);

/** Proves that a form came from the page shown to this browser for this step of this run. */
export function formToken(ring: KeyRing, cookie: string, subject: string, step: number): string {
  return encodeBase64url(tokenUnder(ring.newest().derive('form token'), cookie, subject, step));
}

export function isFormToken(ring: KeyRing, sent: string, cookie: string, subject: string, step: number): boolean {
  const bytes = decodeBase64url(sent);
  if (bytes === undefined) return false;
  return ring
    .entries()
    .some((entry) => equalConstantTime(bytes, tokenUnder(entry.derive('form token'), cookie, subject, step)));
}

const tokenUnder = (key: Buffer, cookie: string, subject: string, step: number): Buffer =>
  hmacSha256(key, `${cookie}\n${subject}\n${step}`).subarray(0, 16);
