import type { ClientId, RealmId, RunId, SessionId, UserId } from '../../core/ids.ts';
import type { Secret } from '../../core/secret.ts';
import type { Instant } from '../../core/time.ts';
import type { Definition } from '../../flow/definition.ts';
import type { Effect } from '../../flow/node.ts';
import type { Evidence, Run, UserState } from '../../flow/run.ts';
import type { CodeContent } from '../../oidc/authorization_code.ts';
import type { DeviceDecision } from '../../oidc/ports.ts';
import type { Realm } from '../../oidc/realm.ts';
import type { RunRequest } from './destination.ts';

/** What a sign-in needs from outside; `app.ts` wires the store and the password worker to it. */

export type FlowVersion = { readonly id: string; readonly definition: Definition; readonly recalledAt: Instant | null };

export type FoundSession = {
  readonly id: SessionId;
  readonly createdAt: Instant;
  readonly user: UserState;
  readonly evidence: readonly Evidence[];
  readonly consentedScope: readonly string[] | null;
  readonly touchDue: boolean;
};

export type Sessions = {
  readonly find: (query: {
    readonly realmId: RealmId;
    readonly secretHash: Uint8Array;
    readonly clientId: ClientId | null;
    readonly idleLifetimeSeconds: number;
  }) => Promise<FoundSession | null>;
  readonly touch: (realmId: RealmId, id: SessionId) => Promise<void>;
  /** Every client that the sign-in was passed on to, by name; also after the session's end. */
  readonly clientsOf: (realmId: RealmId, id: SessionId) => Promise<readonly ClientId[]>;
  /** For an ID token without a token family behind it, so that its client hears of the end. False: it has ended. */
  readonly noteClient: (realmId: RealmId, id: SessionId, clientId: ClientId) => Promise<boolean>;
  /** With its audit event. */
  readonly end: (
    realmId: RealmId,
    session: FoundSession,
    presenter: { address: string; agent: string | null },
  ) => Promise<void>;
};

export type Consents = {
  readonly find: (key: {
    readonly realmId: RealmId;
    readonly userId: UserId;
    readonly clientId: ClientId;
  }) => Promise<readonly string[]>;
};

/** What a completed run answers, fixed once, so that a repeat of its last submit gets the same. */
export type RunResult = {
  /** null: the run answers no client. */
  readonly familyId: string | null;
  /** The family of an access token that is returned from the authorization endpoint itself; null: none is. */
  readonly frontFamilyId: string | null;
  /** null: the run answers no client, or its request was too old for a callback and the person gets a link. */
  readonly code: CodeContent | null;
  /** The ring entry that the session cookie was derived with; null: the browser keeps the session it had. */
  readonly sessionKeyId: string | null;
  /** Hash of the token by which the browser is known to the person from now on, base64url; null: nothing was given. */
  readonly device?: string | null;
};

/** `new`: the browser gets a token derived from the run; `known`: it has one. */
export type DeviceChange = {
  readonly kind: 'new' | 'known';
  readonly tokenHash: Uint8Array;
  /** When the password was given: a later change of it ends the device. */
  readonly provedAt: Instant;
};

export type KnownDevices = {
  /** Those of the tokens that are somebody's device in this realm. */
  readonly find: (realmId: RealmId, tokenHashes: readonly Uint8Array[]) => Promise<readonly FoundDevice[]>;
};

/** A browser that is somebody's. */
export type FoundDevice = { readonly id: string; readonly userId: UserId; readonly tokenHash: Uint8Array };

export type RunDocuments = {
  readonly request: RunRequest;
  readonly bindingHash: Uint8Array | null;
  readonly result: RunResult | null;
};

export type StoredRun = RunDocuments & { readonly run: Run; readonly user: UserState | null };

export type SessionChange = {
  readonly sessionId: SessionId;
  readonly secretHash: Uint8Array;
  readonly evidence: readonly Evidence[];
  readonly absoluteLifetimeSeconds: number;
  readonly former: { readonly sessionId: SessionId; readonly userId: UserId } | null;
  /** The browser, as a device from which this person proved everything; null: it was not a password. */
  readonly device: DeviceChange | null;
  readonly address: string | null;
  readonly agent: string | null;
};

export type Move = RunDocuments & {
  readonly run: Run;
  readonly origin: { readonly kind: 'sealed' } | { readonly kind: 'stored'; readonly step: number };
  readonly effects: readonly Effect[];
  readonly session: SessionChange | null;
  readonly decision: DeviceDecision | null;
  readonly address: string | null;
  readonly agent: string | null;
};

export type Runs = {
  readonly find: (realmId: RealmId, runId: RunId) => Promise<StoredRun | null>;
  readonly save: (move: Move) => Promise<'saved' | 'lost' | 'user_gone' | 'device_gone'>;
  readonly bind: (realmId: RealmId, runId: RunId, bindingHash: Uint8Array) => Promise<boolean>;
};

export type PasswordVerdict =
  | { readonly kind: 'accepted'; readonly user: UserState; readonly at: Instant }
  | { readonly kind: 'refused' }
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number };

export type VerifyPassword = (attempt: {
  readonly realm: Realm;
  readonly username: string;
  readonly password: Secret;
  readonly address: string;
  /** true: a trusted proxy vouched for the address. */
  readonly forwarded: boolean;
  readonly agent: string | null;
  /** Of the known-device tokens that the browser carries. */
  readonly deviceHashes: readonly Uint8Array[];
  readonly now: Instant;
  /** Aborted when the person goes away. */
  readonly signal: AbortSignal;
}) => Promise<PasswordVerdict>;
