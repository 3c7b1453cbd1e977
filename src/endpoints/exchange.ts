import type { Instant } from '../core/time.ts';
import type { Realm } from '../oidc/realm.ts';
import type { RealmKeys } from './dependencies.ts';

/** One HTTP request, once it is known which realm it is for and who sent it. */
export type Exchange = {
  readonly request: Request;
  readonly realm: Realm;
  readonly keys: RealmKeys;
  /** The path below the issuer, `/token`. */
  readonly path: string;
  /** Query string without `?`, as it was sent. */
  readonly query: string;
  /** The last part of `/run/:handle` and `/register/:handle`; null elsewhere. */
  readonly handle: string | null;
  /** Of the client itself: forwarded headers count from trusted proxies only. */
  readonly address: string;
  /** true: a trusted proxy vouched for the address. */
  readonly forwarded: boolean;
  /** `User-Agent`, cut. */
  readonly agent: string | null;
  readonly now: Instant;
  /** Names this exchange in the log, on pages and in error descriptions. */
  readonly errorId: string;
};

export type Handler = (exchange: Exchange) => Promise<Response>;

/** Longer ones are cut before they reach the database. */
export const longestAgent = 256;
