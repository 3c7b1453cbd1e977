import type { ClientId, RealmId } from '../../core/ids.ts';
import type { Result } from '../../core/result.ts';
import type { Secret } from '../../core/secret.ts';
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
  /** Makes it a secret. */
  readonly withSecret: boolean;
  readonly registrationTokenHash: Uint8Array;
  /** Of the initial access token that is spent with it; null: it came without one. */
  readonly initialTokenHash: Uint8Array | null;
  /** How it was classified, for the audit log. */
  readonly rule: string;
  readonly presenter: Presenter;
};

export type Replacement = Pick<Birth, 'realmId' | 'clientId' | 'registered' | 'registrationTokenHash' | 'presenter'> & {
  /** `keep`: as they are; `none`: they end; `new`: one is made, and takes their place. */
  readonly secret: 'keep' | 'none' | 'new';
  /** true: nothing that was issued before counts any more. */
  readonly endsEverything: boolean;
};

/** With the secret that was made just now, which is known this once. */
export type WithSecret = { readonly client: RegisteredClient; readonly secret: Secret | null };

/** Every write but a birth raises the configuration's version; nobody can have looked for a client before its birth. */
export type Registrations = {
  /** Whether such an initial access token could register one more client now. */
  readonly isInitialToken: (realmId: RealmId, hash: Uint8Array) => Promise<boolean>;
  /** Client, spent token and audit event in one transaction. */
  readonly register: (birth: Birth, now: Instant) => Promise<Result<WithSecret, 'token_spent' | 'too_many_unused'>>;
  readonly find: (realmId: RealmId, clientId: string) => Promise<RegisteredClient | null>;
  /** null: no such client with this token any more. */
  readonly replace: (replacement: Replacement, now: Instant) => Promise<WithSecret | null>;
  /** With what people allowed it. false: no such client with this token any more. */
  readonly remove: (
    client: Pick<Birth, 'realmId' | 'clientId' | 'registrationTokenHash' | 'presenter'>,
  ) => Promise<boolean>;
};

/** A JSON document of somebody else's. A failure is a sentence that may be shown to whoever named the URL. */
export type FetchJson = (url: string) => Promise<Result<unknown, string>>;
