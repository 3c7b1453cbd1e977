import type { RealmId } from '../core/ids.ts';
import type { Overrides } from '../core/overrides.ts';
import type { Secret } from '../core/secret.ts';
import type { Settings } from '../core/settings.ts';
import type { Instant } from '../core/time.ts';

/** A tenant as the configuration cache holds it. */
export type Realm = {
  readonly id: RealmId;
  readonly slug: string;
  readonly name: string;
  /** The default realm's issuer is the public URL itself; any other realm's is `/realms/{slug}` below it. */
  readonly isDefault: boolean;
  /** Exactly one, without a trailing slash. */
  readonly issuer: string;
  readonly overrides: Overrides;
  readonly settings: Settings;
  /** Random per realm; survives every rotation of the key ring. */
  readonly secrets: RealmSecrets;
  readonly enabled: boolean;
  readonly validFrom: Instant;
};

export type RealmSecrets = {
  /** Salt of pairwise subjects and of `sid` (OIDC Core §8.1). */
  readonly pairwise: Secret<Uint8Array>;
  /** Key of the pseudonyms in lockout counters. */
  readonly lockout: Secret<Uint8Array>;
};
