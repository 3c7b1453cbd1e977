/** A fetched Client ID Metadata Document; the same object for as long as the same answer is in use. */
export type FetchedDocument = { readonly document: unknown };

/**
 * `refused`: an answer came and is none that could be used, or asking is not allowed. `unavailable`: the other server or
 * the way to it has a fault, which says nothing of the client (RFC 5861 §4). `why` is a sentence for operators.
 */
export type DocumentAnswer =
  | { readonly kind: 'found'; readonly fetched: FetchedDocument }
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'unavailable'; readonly why: string };

export type ClientDocuments = {
  /** `mayAsk` is called where another server would have to be asked; false: it is not. */
  readonly get: (url: string, mayAsk: () => boolean) => Promise<DocumentAnswer>;
  /** Asked anew, for a document that describes no client: it must not be kept (§5.2), though ten seconds lie between. */
  readonly renew: (url: string, mayAsk: () => boolean) => Promise<DocumentAnswer>;
};
