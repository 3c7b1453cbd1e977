import { checkOverride, type Layers, type Override, type Overrides } from '../core/overrides.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';

/** Policy overrides as `realms.settings` and `clients.settings` hold them. */
export type StoredOverrides = {
  readonly [key: string]: {
    readonly value: unknown;
    readonly reason?: string | undefined;
    readonly expires_at?: Instant | undefined;
  };
};

export const toStored = (overrides: Overrides): StoredOverrides =>
  mapValues(overrides, ({ value, reason, expiresAt }) => ({
    value,
    ...(reason === undefined ? {} : { reason }),
    ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
  }));

export const fromStored = (stored: StoredOverrides): Overrides =>
  mapValues(stored, ({ value, reason, expires_at }) => ({
    value,
    ...(reason === undefined ? {} : { reason }),
    ...(expires_at === undefined ? {} : { expiresAt: expires_at }),
  }));

/** All faults of a layer's overrides at once, as sentences. */
export function checkOverrides(
  overrides: Overrides,
  layer: 'realm' | 'client',
  inherited: Layers,
  now: Instant,
): Result<Overrides, readonly string[]> {
  const faults = Object.entries(overrides).flatMap(([key, override]) => {
    const checked = checkOverride(key, override, layer, inherited, now);
    return checked.ok ? [] : [checked.error];
  });
  return faults.length === 0 ? ok(overrides) : err(faults);
}

/** When the first override in force runs out, so that settings resolved now are stale from then on; null: never. */
export function nextExpiry(layers: Layers, now: Instant): Instant | null {
  const ends = [layers.system, layers.realm, layers.client].flatMap((overrides) =>
    Object.values(overrides ?? {}).flatMap(({ expiresAt }) =>
      expiresAt !== undefined && expiresAt > now ? [expiresAt] : [],
    ),
  );
  return ends.length === 0 ? null : Math.min(...ends);
}

const mapValues = <From, To>(
  record: { readonly [key: string]: From },
  map: (value: From) => To,
): { readonly [key: string]: To } =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));

/** The overrides after a change by key (null takes one away), and those of the change that need checking. */
export function mergeOverrides(
  before: Overrides,
  change: { readonly [key: string]: Override | null },
): { readonly merged: Overrides; readonly added: Overrides } {
  const added: { [key: string]: Override } = {};
  for (const [key, override] of Object.entries(change)) if (override !== null) added[key] = override;
  const kept = Object.fromEntries(Object.entries(before).filter(([key]) => !Object.hasOwn(change, key)));
  return { merged: { ...kept, ...added }, added };
}
