import type { ClientId, RealmId } from '../../core/ids.ts';
import type { Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import type { Client } from '../client.ts';
import type { Presenter } from '../ports.ts';
import type { Registered } from './index.ts';

/** A client that registered itself, as it is stored; not out of a cache. */
export type RegisteredClient = Omit<Client, 'settings' | 'introduced'> & {
  readonly createdAt: Instant;
  readonly registrationTokenHash: Uint8Array;
};

export type Birth = {
  readonly realmId: RealmId;
  readonly clientId: ClientId;
  readonly registered: Registered;
  /** null: it has no secret. */
  readonly secretHash: Uint8Array | null;
  readonly registrationTokenHash: Uint8Array;
  /** Of the initial access token that is spent with it; null: it came without one. */
  readonly initialTokenHash: Uint8Array | null;
  /** How it was classified, for the audit log. */
  readonly rule: string;
  readonly presenter: Presenter;
};

export type Replacement = Pick<Birth, 'realmId' | 'clientId' | 'registered' | 'registrationTokenHash' | 'presenter'> & {
  /** `keep`: as they are; `none`: they end; else this one takes their place. */
  readonly secret: 'keep' | 'none' | { readonly hash: Uint8Array };
  /** true: nothing that was issued before counts any more. */
  readonly endsEverything: boolean;
};

/** Every write but a birth raises the configuration's version; nobody can have looked for a client before its birth. */
export type Registrations = {
  /** Whether such an initial access token could register one more client now. */
  readonly isInitialToken: (realmId: RealmId, hash: Uint8Array) => Promise<boolean>;
  /** Client, spent token and audit event in one transaction. */
  readonly register: (
    birth: Birth,
    now: Instant,
  ) => Promise<Result<RegisteredClient, 'token_spent' | 'too_many_unused'>>;
  readonly find: (realmId: RealmId, clientId: string) => Promise<RegisteredClient | null>;
  /** null: no such client with this token any more. */
  readonly replace: (replacement: Replacement, now: Instant) => Promise<RegisteredClient | null>;
  /** With what people allowed it. false: no such client with this token any more. */
  readonly remove: (
    client: Pick<Birth, 'realmId' | 'clientId' | 'registrationTokenHash' | 'presenter'>,
  ) => Promise<boolean>;
};

/** A JSON document of somebody else's. A failure is a sentence that may be shown to whoever named the URL. */
export type FetchJson = (url: string) => Promise<Result<unknown, string>>;
