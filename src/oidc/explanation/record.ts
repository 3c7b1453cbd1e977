import type { RealmId } from '../../core/ids.ts';
import type { Instant } from '../../core/time.ts';

/** What an error id stands for. Never a value that was sent; `parameter` is the name of one. */
export type NewRefusal = {
  /** `fault`: a request that failed (500, 503); nothing of it is known here but when and where. */
  readonly kind: 'refusal' | 'fault';
  readonly errorId: string;
  /** null: the path named no realm. */
  readonly realmId: RealmId | null;
  /** The route, `/token`; handles and what could be one are left out. */
  readonly endpoint: string;
  /** Of a client that exists. */
  readonly clientId: string | null;
  readonly error: string;
  /** The section that decides. */
  readonly rule: string | null;
  readonly parameter: string | null;
  readonly description: string | null;
};

export type RefusalRecord = NewRefusal & { readonly at: Instant };
