/**
 * The one door through which this provider makes HTTP requests: documents of clients, logout and webhook deliveries. Owns
 * where they may go, how long and how large they may be, and a cache of documents. Must not know what they are about: a
 * caller gives a URL and gets an answer, a refusal or a failure.
 */

export { type AddressKind, type AddressRange, addressKind } from './address.ts';
export { createDocumentCache, type DocumentCache, type DocumentResult, readJson } from './document_cache.ts';
export { createOutbound, type GetOptions, type Outbound, type PostOptions } from './outbound.ts';
export { defaultLimits, type OutboundLimits, type OutboundPolicy } from './policy.ts';
export type { Answered, Failed, FailureReason, OutboundResult, Refused } from './result.ts';
export { longestUrl, type Refusal } from './target.ts';
export { certificatesFault } from './trust.ts';
