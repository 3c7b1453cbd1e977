import type { ClientId, FamilyId, RealmId } from '../../core/ids.ts';
import type { Ceiling } from '../../core/lockout.ts';
import type { Instant } from '../../core/time.ts';
import type { Presenter } from '../ports.ts';

/** A device that begins to wait. */
export type DeviceBirth = {
  readonly familyId: FamilyId;
  readonly realmId: RealmId;
  readonly clientId: ClientId;
  readonly codeHash: Uint8Array;
  readonly userCode: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly lifetimeSeconds: number;
  readonly intervalSeconds: number;
  readonly presenter: Presenter;
};

/** One that waits, as the person who typed its code is told of it. */
export type WaitingDevice = {
  readonly familyId: FamilyId;
  readonly clientId: ClientId;
  readonly userCode: string;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  readonly address: string | null;
  readonly agent: string | null;
};

export type UserCodeGuess = {
  readonly realmId: RealmId;
  /** null: what was typed can be no user code; it counts like a wrong one. */
  readonly userCode: string | null;
  /** RFC 8628 §5.1: how many wrong ones a place and a realm may send. */
  readonly ceilings: readonly Ceiling[];
};

export type UserCodeVerdict =
  | { readonly kind: 'found'; readonly device: WaitingDevice }
  /** Wrong, expired, or decided already. */
  | { readonly kind: 'unknown' }
  /** `key`: of the ceiling that is used up. */
  | { readonly kind: 'crowded'; readonly key: string; readonly waitSeconds: number };

export type DeviceAuthorizations = {
  /** False: the user code is taken, so another one is needed. */
  readonly open: (birth: DeviceBirth) => Promise<boolean>;
  /** Counts and looks up in one transaction, so that parallel guesses are judged one after the other. */
  readonly guess: (guess: UserCodeGuess) => Promise<UserCodeVerdict>;
};
