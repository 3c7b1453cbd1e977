import type { RealmId, UserId } from '../core/ids.ts';
import type { Layers, Override } from '../core/overrides.ts';
import type { Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import type { AccessTokenClaims } from '../oidc/access_token.ts';
import type { Client } from '../oidc/client.ts';
import type { Refusal } from '../oidc/errors.ts';
import type { RefusalRecord } from '../oidc/explanation/index.ts';
import type { Families } from '../oidc/ports.ts';
import type { Realm } from '../oidc/realm.ts';
import type { Action } from './actions.ts';

/** Who asks, as the front knows it. */
export type Peer = { readonly address: string; readonly forwarded: boolean; readonly errorId: string };

/** A user of the default realm who signed in to a client, or a client of it by its own token. */
export type Caller =
  | { readonly kind: 'user'; readonly userId: UserId; readonly clientId: string }
  | { readonly kind: 'client'; readonly clientId: string };

/** The realms that a permission is for. */
export type Reach = { readonly everywhere: boolean; readonly realmIds: readonly RealmId[] };

export type AdministeredRealm = {
  readonly id: RealmId;
  readonly slug: string;
  readonly overrides: NonNullable<Layers['realm']>;
};

/** Everything the admin API uses; `app_admin.ts` makes it. */
export type AdminPorts = {
  /** An origin without a trailing slash. */
  readonly publicUrl: string;
  readonly clock: () => Instant;
  /** The system layer of the settings. */
  readonly system: NonNullable<Layers['system']>;
  /** How long the last process may go on with what was in force before a change. */
  readonly inForceWithinSeconds: number;
  readonly isFresh: (now: Instant) => boolean;
  readonly defaultRealm: (now: Instant) => Promise<Realm | null>;
  /** Signature, type, issuer and time of a token of the default realm. */
  readonly verifyAccessToken: (token: string, realm: Realm, now: Instant) => Promise<AccessTokenClaims | null>;
  /** Out of the configuration's cache; null: unknown or disabled. */
  readonly findClient: (realm: Realm, clientId: string, now: Instant) => Promise<Client | null>;
  readonly readLive: Families['readLive'];
  /** What the database has now. */
  readonly reachOf: (caller: Caller, action: Action) => Promise<Reach>;
  readonly realms: () => Promise<readonly AdministeredRealm[]>;
  readonly client: (realmId: RealmId, clientId: string) => Promise<Omit<Client, 'settings'> | null>;
  readonly refusals: (errorId: string) => Promise<readonly RefusalRecord[]>;
  /** With its audit event, in one transaction; the error: every fault, a sentence each. */
  readonly changeSetting: (change: SettingChange) => Promise<Result<AdministeredRealm, readonly string[]>>;
  readonly readJsonObject: (
    request: Request,
  ) => Promise<Result<{ readonly [member: string]: unknown }, { readonly status: number; readonly refusal: Refusal }>>;
  /** Tells the log, and keeps what the error id stands for. */
  readonly noteRefusal: (refused: NotedRefusal) => void;
  /** The opaque answer to a bug or a lost database, with its log line. */
  readonly fail: (thrown: unknown, request: Request, peer: Peer) => Response;
};

export type NotedRefusal = {
  readonly peer: Peer;
  readonly path: string;
  readonly refusal: Refusal;
  readonly clientId: string | null;
  readonly defaultRealm: Realm | null;
};

export type SettingChange = {
  readonly slug: string;
  readonly realmId: RealmId;
  readonly key: string;
  /** null: the override is taken away. */
  readonly override: Override | null;
  readonly caller: Caller;
  readonly address: string;
  readonly now: Instant;
};
