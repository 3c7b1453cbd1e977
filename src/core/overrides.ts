import { Value } from '@sinclair/typebox/value';
import { err, ok, type Result } from './result.ts';
import {
  isSettingKey,
  type SettingKey,
  type SettingRow,
  type Settings,
  type SettingValue,
  settingKeys,
  settings,
} from './settings.ts';
import type { Instant } from './time.ts';

/** What system, realm and client say of the settings, and what is in force by that. */

export type Override = {
  readonly value: unknown;
  readonly reason?: string | undefined;
  readonly expiresAt?: Instant | undefined;
};
export type Overrides = { readonly [key: string]: Override };
export type Layers = { readonly system?: Overrides; readonly realm?: Overrides; readonly client?: Overrides };

export type Effective<Key extends SettingKey> = {
  readonly value: SettingValue<Key>;
  readonly from: 'default' | 'system' | 'realm' | 'client';
  readonly reason: string | null;
  readonly expiresAt: Instant | null;
};

const layerOrder = ['client', 'realm', 'system'] as const;

/** The value in force and why: the innermost layer that sets it validly and has not expired. */
export function effective<Key extends SettingKey>(key: Key, layers: Layers, now: Instant): Effective<Key> {
  const { schema, scope, default: fallback }: SettingRow = settings[key];
  for (const from of layerOrder) {
    if (from === 'client' && scope !== 'client') continue;
    const override = layers[from]?.[key];
    if (override === undefined || (override.expiresAt !== undefined && override.expiresAt <= now)) continue;
    if (!Value.Check(schema, override.value)) continue;
    return {
      value: override.value as SettingValue<Key>,
      from,
      reason: override.reason ?? null,
      expiresAt: override.expiresAt ?? null,
    };
  }
  return { value: fallback as SettingValue<Key>, from: 'default', reason: null, expiresAt: null };
}

/** All values in force. */
export function resolveSettings(layers: Layers, now: Instant): Settings {
  return Object.fromEntries(settingKeys.map((key) => [key, effective(key, layers, now).value])) as Settings;
}

/** Refuses an unknown key, a value out of bounds, a layer that may not set it, and a silent loosening. */
export function checkOverride(
  key: string,
  override: Override,
  layer: 'realm' | 'client',
  inherited: Layers,
  now: Instant,
): Result<SettingKey, string> {
  if (!isSettingKey(key)) return err(`there is no setting "${key}"; known: ${settingKeys.join(', ')}`);
  const setting: SettingRow = settings[key];
  if (layer === 'client' && setting.scope !== 'client') return err(`${key} can be set for a realm only`);
  if (!Value.Check(setting.schema, override.value)) {
    const [fault] = [...Value.Errors(setting.schema, override.value)];
    return err(`${key}: ${fault?.message ?? 'wrong value'}, got ${JSON.stringify(override.value)}`);
  }
  const before = effective(key, inherited, now).value;
  if (setting.loosens?.(before, override.value) === true && !override.reason?.trim()) {
    return err(
      `${key}: ${JSON.stringify(override.value)} is weaker than ${JSON.stringify(before)}; say why with a reason`,
    );
  }
  return ok(key);
}
