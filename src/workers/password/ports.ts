import type { RealmId, UserId } from '../../core/ids.ts';
import type { LockoutAttempt, PasswordAudit, Reservation, SettledFailure } from '../../core/lockout.ts';
import type { Secret } from '../../core/secret.ts';
import type { Settings } from '../../core/settings.ts';
import type { Instant } from '../../core/time.ts';

/** The counters that a sign-in by password needs; `store/lockout.ts` fits. */
export type LockoutCounters = {
  readonly reserve: (attempt: LockoutAttempt) => Promise<Reservation>;
  readonly fail: (attempt: LockoutAttempt, refused: PasswordAudit) => Promise<SettledFailure>;
  readonly succeed: (attempt: LockoutAttempt, accepted: PasswordAudit) => Promise<'settled' | 'void'>;
  readonly release: (attempt: LockoutAttempt) => Promise<void>;
  readonly record: (event: PasswordAudit) => Promise<void>;
};

/** `store/known_devices.ts` fits. */
export type PasswordDevices = {
  /** Those of the tokens, by their hashes, that are somebody's known device in this realm. */
  readonly find: (
    realmId: RealmId,
    tokenHashes: readonly Uint8Array[],
  ) => Promise<readonly { readonly id: string; readonly userId: UserId }[]>;
};

export type PasswordUser = {
  readonly userId: UserId;
  readonly username: string;
  readonly enabled: boolean;
  readonly validFrom: Instant;
};

/** `passwordHash` null: none set. */
export type PasswordAccount = PasswordUser & { readonly passwordHash: Secret | null };

/** `store/users.ts` fits. */
export type PasswordUsers = {
  /** By any name that signs in, as typed: username or e-mail address; whatever the account's state. */
  readonly findForPassword: (realmId: RealmId, identifier: string) => Promise<PasswordAccount | null>;
  /** Sets the new hash only where the old one still stands. */
  readonly rehash: (realmId: RealmId, userId: UserId, before: Secret, after: Secret) => Promise<unknown>;
};

/** What an attempt must know of its realm (`oidc/realm.ts` fits). */
export type PasswordRealm = {
  readonly id: RealmId;
  readonly settings: Settings;
  readonly secrets: { readonly lockout: Secret<Uint8Array> };
};
