import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { err, ok, type Result } from './result.ts';
import type { Instant } from './time.ts';

/**
 * Every runtime setting is one row: schema with bounds, default, the layers that may set it, a sentence. Types, defaults,
 * validation, forms and docs follow from the row. Layers: system default → realm → client.
 */
type Row<Schema extends TSchema = TSchema> = {
  readonly schema: Schema;
  readonly default: Static<Schema>;
  readonly scope: 'realm' | 'client';
  readonly sentence: string;
  /** A client value that makes the policy weaker must name a reason. */
  loosens?(inherited: Static<Schema>, value: Static<Schema>): boolean;
};

const row = <const Schema extends TSchema>(row: Row<Schema>): Row<Schema> => row;

const seconds = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });
const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The widest absolute lifetime that a realm may set: partitions are kept this far ahead. */
export const longestFamilySeconds = 180 * day;

/** From the strictest to the loosest. */
const registrationModes: readonly string[] = ['off', 'initial access token', 'open'];

export const settings = {
  pkce: row({
    schema: Type.Union([Type.Literal('required for public'), Type.Literal('required for all')]),
    default: 'required for public',
    scope: 'client',
    sentence: 'Which clients must send a PKCE code_challenge (RFC 7636).',
    loosens: (inherited, value) => inherited === 'required for all' && value === 'required for public',
  }),
  implicitAndHybrid: row({
    schema: Type.Boolean(),
    default: false,
    scope: 'client',
    sentence:
      'Whether response types that return tokens through the browser are served; RFC 9700 §2.1.2 advises against them.',
    loosens: (inherited, value) => !inherited && value,
  }),
  rotation: row({
    schema: Type.Union([Type.Literal('always'), Type.Literal('never')]),
    default: 'always',
    scope: 'client',
    sentence: 'Whether a refresh gives a new refresh token; `never` only for confidential clients (RFC 9700 §4.14.2).',
    loosens: (inherited, value) => inherited === 'always' && value === 'never',
  }),
  refreshIdleLifetimeSeconds: row({
    schema: seconds(minute, longestFamilySeconds),
    default: 14 * day,
    scope: 'client',
    sentence: 'A refresh token that is not used for this long ends.',
  }),
  refreshAbsoluteLifetimeSeconds: row({
    schema: seconds(minute, longestFamilySeconds),
    default: 30 * day,
    scope: 'client',
    sentence: 'Refreshing never goes on for longer than this after the sign-in.',
  }),
  refreshLeewaySeconds: row({
    schema: seconds(0, 300),
    default: 30,
    scope: 'client',
    sentence: 'How long a public client may present the parent of its current refresh token and get the same heir.',
  }),
  reuseReaction: row({
    schema: Type.Union([Type.Literal('family'), Type.Literal('session'), Type.Literal('user')]),
    default: 'family',
    scope: 'client',
    sentence: 'What ends when an old refresh token is presented: the family, its SSO session, or all the user has.',
  }),
  accessTokenLifetimeSeconds: row({
    schema: seconds(30, day),
    default: 10 * minute,
    scope: 'client',
    sentence: 'How long an access token is valid.',
  }),
  idTokenLifetimeSeconds: row({
    schema: seconds(30, day),
    default: 10 * minute,
    scope: 'client',
    sentence: 'How long an ID token is valid.',
  }),
  codeLifetimeSeconds: row({
    schema: seconds(5, minute),
    default: minute,
    scope: 'realm',
    sentence: 'How long an authorization code can be redeemed.',
  }),
  accessTokenSigningAlgorithm: row({
    schema: Type.Union([
      Type.Literal('ES256'),
      Type.Literal('RS256'),
      Type.Literal('PS256'),
      Type.Literal('ES384'),
      Type.Literal('EdDSA'),
    ]),
    default: 'ES256',
    scope: 'client',
    sentence: 'What signs access tokens.',
  }),
  signingKeyLifetimeSeconds: row({
    schema: seconds(hour, 730 * day),
    default: 90 * day,
    scope: 'realm',
    sentence: 'How long a signing key signs before the next one takes over.',
  }),
  sessionIdleLifetimeSeconds: row({
    schema: seconds(minute, 90 * day),
    default: day,
    scope: 'realm',
    sentence: 'A sign-in that no application uses for this long ends.',
  }),
  sessionAbsoluteLifetimeSeconds: row({
    schema: seconds(minute, 90 * day),
    default: 14 * day,
    scope: 'realm',
    sentence: 'A sign-in never lasts longer than this.',
  }),
  sessionManagement: row({
    schema: Type.Boolean(),
    default: false,
    scope: 'realm',
    sentence:
      'Whether applications may watch the sign-in by a frame (OpenID Connect Session Management); it needs a cookie that scripts of this origin can read.',
    loosens: (inherited, value) => !inherited && value,
  }),
  accountChangeAgeSeconds: row({
    schema: seconds(minute, day),
    default: 15 * minute,
    scope: 'realm',
    sentence: 'How long after signing in a person may change something on the account page without signing in again.',
    loosens: (inherited, value) => value > inherited,
  }),
  runLifetimeSeconds: row({
    schema: seconds(5 * minute, 14 * day),
    default: day,
    scope: 'realm',
    sentence: 'How long an unfinished sign-in can be resumed.',
  }),
  requestAgeSeconds: row({
    schema: seconds(5 * minute, day),
    default: hour,
    scope: 'realm',
    sentence:
      'A sign-in finished later than this after the request ends with a link to the application, not a callback.',
  }),
  registration: row({
    schema: Type.Union([Type.Literal('off'), Type.Literal('initial access token'), Type.Literal('open')]),
    default: 'off',
    scope: 'realm',
    sentence: 'Who may register clients over HTTP (RFC 7591): nobody, who holds an initial access token, or everyone.',
    loosens: (inherited, value) => registrationModes.indexOf(value) > registrationModes.indexOf(inherited),
  }),
  registrationScopes: row({
    schema: Type.String({
      pattern: '^[!#-[\\]-~]+( [!#-[\\]-~]+)*$',
      maxLength: 2048,
      description: 'scopes with a space between',
    }),
    default: 'openid profile email address phone offline_access',
    scope: 'realm',
    sentence: 'Scopes that clients may register themselves for; what they ask for beyond these is left out.',
  }),
  registrationsPerHour: row({
    schema: Type.Integer({ minimum: 1, maximum: 100_000 }),
    default: 60,
    scope: 'realm',
    sentence:
      'How many registrations, and changes of one, an address prefix may send to a process without an initial access token.',
  }),
  clockSkewSeconds: row({
    schema: seconds(0, 120),
    default: 15,
    scope: 'realm',
    sentence: 'Tolerance for the clocks of others in every JWT that comes in.',
  }),
  lockout: row({
    schema: Type.Boolean(),
    default: true,
    scope: 'realm',
    sentence: 'Whether wrong passwords lock.',
  }),
  lockoutThreshold: row({
    schema: Type.Integer({ minimum: 1, maximum: 100 }),
    default: 5,
    scope: 'realm',
    sentence: 'Wrong passwords until the lock.',
  }),
  lockoutWindowSeconds: row({
    schema: seconds(minute, day),
    default: 15 * minute,
    scope: 'realm',
    sentence: 'The time in which wrong passwords add up.',
  }),
  lockoutDurationSeconds: row({
    schema: seconds(minute, day),
    default: 15 * minute,
    scope: 'realm',
    sentence: 'How long the lock lasts.',
  }),
  lockoutScope: row({
    schema: Type.Union([Type.Literal('context'), Type.Literal('account')]),
    default: 'context',
    scope: 'realm',
    sentence:
      'What is locked: the account from where the guesses came (device or address), or the account from everywhere.',
  }),
} as const;

export type SettingKey = keyof typeof settings;
export type SettingValue<Key extends SettingKey> = Static<(typeof settings)[Key]['schema']>;
export type Settings = { readonly [Key in SettingKey]: SettingValue<Key> };

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
  const { schema, scope, default: fallback }: Row = settings[key];
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

export const settingKeys = Object.keys(settings) as readonly SettingKey[];

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
  const setting: Row = settings[key];
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

const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(settings, key);
