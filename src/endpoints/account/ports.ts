import type { ClientId, RealmId, SessionId, UserId } from '../../core/ids.ts';
import type { Instant } from '../../core/time.ts';

/** What a person sees of their own account, and what they can end. `store/account.ts` fits. */

/** Every question and every change is about one person of one realm: ids of anybody else's are unknown. */
export type Owner = { readonly realmId: RealmId; readonly userId: UserId };

/** Who asks for a change, for the audit log. */
export type Presenter = { readonly address: string; readonly agent: string | null };

export type AccountSession = {
  readonly id: SessionId;
  readonly startedAt: Instant;
  readonly seenAt: Instant;
  readonly address: string | null;
  readonly agent: string | null;
};

export type AccountDevice = {
  readonly id: string;
  readonly rememberedAt: Instant;
  readonly provedAt: Instant;
  readonly address: string | null;
  readonly agent: string | null;
  /** The browser that asks is this one. */
  readonly isThis: boolean;
};

/** What one application has: a remembered consent, living token families, or both. */
export type ClientAccess = {
  readonly clientId: ClientId;
  /** Scopes by wire name. */
  readonly scope: readonly string[];
  readonly consentedAt: Instant | null;
  /** null: it holds no tokens. */
  readonly held: {
    readonly since: Instant;
    /** The newest of them. */
    readonly lastGrantedAt: Instant;
    readonly lastUsedAt: Instant;
    /** One of them goes on when the person signs out. */
    readonly offline: boolean;
  } | null;
};

export type HistoryEntry = {
  readonly id: string;
  readonly at: Instant;
  readonly event: string;
  readonly clientId: ClientId | null;
  readonly address: string | null;
  readonly agent: string | null;
  readonly reason: string | null;
};

export type Account = {
  readonly sessions: (owner: Owner) => Promise<readonly AccountSession[]>;
  readonly access: (owner: Owner) => Promise<readonly ClientAccess[]>;
  /** `tokenHashes`: what the browser carries. */
  readonly devices: (owner: Owner, tokenHashes: readonly Uint8Array[]) => Promise<readonly AccountDevice[]>;
  /** Newest first, older than the entry `before`. */
  readonly history: (
    owner: Owner,
    page: { readonly events: readonly string[]; readonly before: string | null; readonly limit: number },
  ) => Promise<readonly HistoryEntry[]>;
  /** false, here and below: there is no such thing of this person's. */
  readonly endSession: (owner: Owner, id: string, by: Presenter) => Promise<boolean>;
  readonly endOtherSessions: (owner: Owner, keep: SessionId, by: Presenter) => Promise<boolean>;
  readonly endEverything: (owner: Owner, by: Presenter) => Promise<boolean>;
  readonly revokeAccess: (owner: Owner, clientId: string, by: Presenter) => Promise<boolean>;
  readonly forgetDevice: (owner: Owner, id: string, by: Presenter) => Promise<boolean>;
};
