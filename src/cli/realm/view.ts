import { effective, type Layers, type Overrides } from '../../core/overrides.ts';
import { settingKeys } from '../../core/settings.ts';
import type { Instant } from '../../core/time.ts';
import type { RealmRecord, RealmRefusal } from '../../store/realms.ts';
import type { Cell } from '../output.ts';

/** RFC 3339, UTC. */
export const shownInstant = (instant: Instant): string => new Date(instant).toISOString();

export const issuerOf = (realm: RealmRecord, publicUrl: string | null): string | null => {
  if (publicUrl === null) return null;
  return realm.isDefault ? publicUrl : `${publicUrl}/realms/${realm.slug}`;
};

export const realmDocument = (realm: RealmRecord, publicUrl: string | null) => ({
  id: realm.id,
  slug: realm.slug,
  name: realm.name,
  is_default: realm.isDefault,
  issuer: issuerOf(realm, publicUrl),
  enabled: realm.enabled,
  settings: overridesDocument(realm.overrides),
  created_at: shownInstant(realm.createdAt),
});

export const overridesDocument = (overrides: Overrides) =>
  Object.fromEntries(
    Object.entries(overrides).map(([key, { value, reason, expiresAt }]) => [
      key,
      {
        value,
        ...(reason === undefined ? {} : { reason }),
        ...(expiresAt === undefined ? {} : { expires_at: shownInstant(expiresAt) }),
      },
    ]),
  );

/** Every setting in force, and which layer set it. */
export const effectiveDocument = (layers: Layers, now: Instant) =>
  Object.fromEntries(
    settingKeys.map((key) => {
      const { value, from, reason, expiresAt } = effective(key, layers, now);
      return [key, { value, from, reason, expires_at: expiresAt === null ? null : shownInstant(expiresAt) }] as const;
    }),
  );

export const effectiveRows = (layers: Layers, now: Instant): readonly (readonly Cell[])[] =>
  settingKeys.map((key) => {
    const { value, from, reason } = effective(key, layers, now);
    return [key, value, from, reason];
  });

const sentences = {
  slug_invalid: () => ['a slug is 1 to 63 characters out of a-z 0-9 -, and neither begins nor ends with -'],
  slug_taken: () => ['there is a realm with this slug already'],
  default_exists: () => ['there is a default realm already'],
  unknown_realm: () => ['there is no such realm'],
  settings: (faults: readonly string[]) => faults,
} as const satisfies { readonly [Kind in RealmRefusal['kind']]: (faults: readonly string[]) => readonly string[] };

export const explainRealmRefusal = (refusal: RealmRefusal): readonly string[] =>
  sentences[refusal.kind]('faults' in refusal ? refusal.faults : []);
