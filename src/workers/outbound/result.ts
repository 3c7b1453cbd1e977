import type { Refusal } from './target.ts';

export type FailureReason =
  | 'timeout'
  | 'too_large'
  | 'tls'
  | 'connection'
  | 'dns'
  | 'redirect'
  /** What came is not HTTP/1.1, or in a content coding that was not asked for. */
  | 'malformed'
  /** Too many requests wait already; nothing was sent. */
  | 'busy';

export type Answered = {
  readonly kind: 'answered';
  readonly status: number;
  /** Names in lower case; repeated ones joined with `, `. `Set-Cookie` is left out. */
  readonly headers: ReadonlyMap<string, string>;
  /** Decoded. */
  readonly body: Uint8Array;
  /** The URL that answered, which is another one after a redirect. */
  readonly url: string;
};

/** The policy forbids it. `reason` is a sentence that may be shown to whoever named the URL. */
export type Refused = { readonly kind: 'refused' } & Refusal;

/** It was tried. `detail` is for operators. */
export type Failed = { readonly kind: 'failed'; readonly reason: FailureReason; readonly detail: string };

export type OutboundResult = Answered | Refused | Failed;

export const failed = (reason: FailureReason, detail: string): Failed => ({ kind: 'failed', reason, detail });

/** `ECONNREFUSED`, `CERT_HAS_EXPIRED`, … of what an event `error` or a rejection carries. */
export function faultCode(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown';
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.message.slice(0, 200);
}
