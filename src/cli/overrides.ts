import { describeSchema, settingFromText } from '../config.ts';
import { nearestName } from '../core/nearest_name.ts';
import type { Override, Overrides } from '../core/overrides.ts';
import { err, ok, type Result } from '../core/result.ts';
import { type SettingKey, settingKeys, settings } from '../core/settings.ts';
import type { Option } from './command.ts';

export const settingOption = {
  type: 'list',
  value: '<key>=<value>',
  sentence: 'Override a setting here (docs/operations.md lists them); an empty value takes the override away.',
} as const satisfies Option;

export const reasonOption = {
  type: 'text',
  value: '<why>',
  sentence: 'Why the settings given here may be weaker than those above them.',
} as const satisfies Option;

/** By key; null takes the override away. */
export type OverrideChanges = { readonly [key: string]: Override | null };

/** Changes given as `key=value`. Whether a layer may set them is the store's to check. */
export function overrideChanges(typed: readonly string[], reason: string | undefined): Result<OverrideChanges, string> {
  const changes: { [key: string]: Override | null } = {};
  for (const change of typed) {
    const at = change.indexOf('=');
    if (at === -1) return err(`--setting takes <key>=<value>; got "${change}"`);
    const typedKey = change.slice(0, at);
    const key = settingKeys.find((known): known is SettingKey => known === typedKey);
    if (key === undefined) return err(unknownSetting(typedKey));
    const typedValue = change.slice(at + 1);
    const { schema } = settings[key];
    const value = typedValue === '' ? null : settingFromText(schema, typedValue);
    if (value === undefined) return err(`${key} is ${describeSchema(schema)}; got "${typedValue}"`);
    changes[key] = value === null ? null : { value, ...(reason === undefined ? {} : { reason }) };
  }
  return ok(changes);
}

/** What was there, with the changes. */
export function changeOverrides(
  before: Overrides,
  typed: readonly string[],
  reason: string | undefined,
): Result<Overrides, string> {
  const changes = overrideChanges(typed, reason);
  if (!changes.ok) return changes;
  const entries = Object.entries({ ...before, ...changes.value });
  return ok(Object.fromEntries(entries.filter((entry): entry is [string, Override] => entry[1] !== null)));
}

function unknownSetting(typed: string): string {
  const nearest = nearestName(typed, settingKeys);
  const hint = nearest === undefined ? `there are: ${settingKeys.join(', ')}` : `did you mean ${nearest}?`;
  return `there is no setting "${typed}"; ${hint}`;
}
