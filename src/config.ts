import type { TSchema } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { type AddressRange, readAddressRanges } from './config/address_range.ts';
import { readDatabaseUrl } from './config/database_url.ts';
import { nothingAllowed, type OutboundAllow, readOutboundAllow } from './config/outbound_allow.ts';
import { readHost, readPublicUrl } from './config/public_url.ts';
import { flag, integer, oneOf, quote, type Read, text, wholeNumber } from './config/read.ts';
import { readSecrets } from './config/secrets.ts';
import { nearestName } from './core/nearest_name.ts';
import type { Override, Overrides } from './core/overrides.ts';
import { err, ok, type Result } from './core/result.ts';
import type { Secret } from './core/secret.ts';
import { type SettingKey, settingKeys, settings } from './core/settings.ts';

/** Environment → frozen `Config`. Every variable is one row of `variables`; this file is the only reader of the environment. */

export type Environment = { readonly [name: string]: string | undefined };

export type { AddressRange };

const logLevels = ['debug', 'info', 'warn', 'error'] as const;

export type LogLevel = (typeof logLevels)[number];

export type Config = {
  readonly databaseUrl: Secret | null;
  readonly databaseConnections: number;
  /** The key ring's master secrets, 32 bytes each, newest first. */
  readonly secrets: readonly Secret<Uint8Array>[];
  /** An origin without a trailing slash: the default realm's issuer. */
  readonly publicUrl: string | null;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly certificateFile: string; readonly keyFile: string } | null;
  readonly trustedProxies: readonly AddressRange[];
  /** Where requests of our own may go besides the public internet, and which authorities count besides the public ones. */
  readonly outbound: {
    readonly allow: OutboundAllow;
    readonly loopback: boolean;
    readonly certificatesFile: string | null;
  };
  readonly logLevel: LogLevel;
  readonly reusePort: boolean;
  /** The system layer of the settings (`core/settings.ts`). */
  readonly settings: Overrides;
};

/** One line for the operator: what, where, how to mend. Never holds the value of a secret. */
export type ConfigFault = { readonly variable: string; readonly problem: string; readonly mend: string };

export const describeFault = (fault: ConfigFault): string => `${fault.variable}: ${fault.problem}; ${fault.mend}`;

/** Values that have no default and that some commands cannot do without. */
export type Needed = 'databaseUrl' | 'secrets' | 'publicUrl';

export type ConfigWith<Need extends Needed> = Config & { readonly [Key in Need]: NonNullable<Config[Key]> };

type Row<Value> = {
  readonly name: string;
  readonly read: Read<Value>;
  readonly default: Value;
  readonly sentence: string;
  /** true: what was typed is never repeated. */
  readonly secret: boolean;
  /** What to do where a command needs it and it is not set. */
  readonly whenMissing?: string;
};

const row = <Value>(row: Row<Value>): Row<Value> => row;

export const variables = {
  databaseUrl: row<Secret | null>({
    name: 'DATABASE_URL',
    read: readDatabaseUrl,
    default: null,
    sentence: 'Postgres 16 or newer, as `postgres://user:password@host:port/database`.',
    secret: true,
    whenMissing: 'set it to postgres://user:password@host:port/database',
  }),
  secrets: row<readonly Secret<Uint8Array>[]>({
    name: 'LIMEN_SECRETS',
    read: readSecrets,
    default: [],
    sentence:
      'The key ring: 256-bit master secrets in base64url or hex, newest first, separated by spaces or commas. `limen secrets generate` makes one.',
    secret: true,
    whenMissing: 'set it to the output of `limen secrets generate`, and keep a copy',
  }),
  publicUrl: row<string | null>({
    name: 'LIMEN_PUBLIC_URL',
    read: readPublicUrl,
    default: null,
    sentence:
      'How browsers and applications reach this provider: scheme, host and port only. It is the default realm’s issuer. https; http only on localhost, 127.0.0.0/8 and [::1].',
    secret: false,
    whenMissing: 'set it to how browsers reach this provider, such as https://id.example.com',
  }),
  host: row({
    name: 'LIMEN_HOST',
    read: readHost,
    default: '0.0.0.0',
    sentence: 'The address to listen on: `::` for IPv6 and IPv4, `127.0.0.1` behind a proxy on the same machine.',
    secret: false,
  }),
  port: row({
    name: 'LIMEN_PORT',
    read: integer(1, 65535),
    default: 8080,
    sentence: 'The port to listen on.',
    secret: false,
  }),
  tlsCertificateFile: row<string | null>({
    name: 'LIMEN_TLS_CERT_FILE',
    read: text,
    default: null,
    sentence:
      'PEM file with the certificate chain, to serve https without a proxy. Together with `LIMEN_TLS_KEY_FILE`.',
    secret: false,
  }),
  tlsKeyFile: row<string | null>({
    name: 'LIMEN_TLS_KEY_FILE',
    read: text,
    default: null,
    sentence: 'PEM file with the private key of that certificate.',
    secret: false,
  }),
  trustedProxies: row<readonly AddressRange[]>({
    name: 'LIMEN_TRUSTED_PROXIES',
    read: readAddressRanges,
    default: [],
    sentence:
      'Addresses and CIDR ranges of your own reverse proxies, separated by spaces or commas. Forwarded headers from anyone else are ignored.',
    secret: false,
  }),
  outboundAllow: row<OutboundAllow | null>({
    name: 'LIMEN_OUTBOUND_ALLOW',
    read: readOutboundAllow,
    default: null,
    sentence:
      'Host names (`*.` before one for all names below it), addresses and CIDR ranges beyond the public internet that applications’ documents may be fetched from and notices delivered to, separated by spaces or commas.',
    secret: false,
  }),
  outboundLoopback: row({
    name: 'LIMEN_OUTBOUND_LOOPBACK',
    read: flag,
    default: false,
    sentence: '`true`: such requests may also go to this machine itself, there with http too. For development.',
    secret: false,
  }),
  outboundCertificatesFile: row<string | null>({
    name: 'LIMEN_OUTBOUND_CA_FILE',
    read: text,
    default: null,
    sentence: 'PEM file with certificate authorities that such requests trust besides the public ones.',
    secret: false,
  }),
  databaseConnections: row({
    name: 'LIMEN_DATABASE_CONNECTIONS',
    read: integer(3, 500),
    default: 16,
    sentence: 'Connections that one process opens to Postgres at most.',
    secret: false,
  }),
  logLevel: row<LogLevel>({
    name: 'LIMEN_LOG_LEVEL',
    read: oneOf(logLevels),
    default: 'info',
    sentence: 'The least severe log lines to write: `debug`, `info`, `warn` or `error`.',
    secret: false,
  }),
  reusePort: row({
    name: 'LIMEN_REUSE_PORT',
    read: flag,
    default: false,
    sentence: '`true`: several processes on this machine share the port (Linux). Otherwise a taken port is an error.',
    secret: false,
  }),
} as const;

const variableNames = Object.values(variables).map((variable) => variable.name);

const settingPrefix = 'LIMEN_SETTING_';

/** `lockoutThreshold` → `LIMEN_SETTING_LOCKOUT_THRESHOLD`: every row of `core/settings.ts` has a system default that can be set. */
export const settingVariable = (key: SettingKey): string =>
  settingPrefix + key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();

const settingOfVariable = new Map(settingKeys.map((key) => [settingVariable(key), key]));

/** The environment of this process. */
export const processEnvironment = (): Environment => process.env;

/**
 * Reads and checks everything before anything starts.
 * @returns the frozen configuration, in which all that `needs` names is present, or every fault there is.
 */
export function readConfig<const Need extends Needed = never>(
  environment: Environment,
  needs: readonly Need[] = [],
): Result<ConfigWith<Need>, readonly ConfigFault[]> {
  const faults: ConfigFault[] = [...unknownVariables(environment)];
  const read = <Value>(variable: Row<Value>): Value => {
    const typed = textOf(environment, variable.name);
    if (typed === null) return variable.default;
    const result = variable.read(typed);
    if (result.ok) return result.value;
    faults.push({ variable: variable.name, ...result.error });
    return variable.default;
  };
  const config: Config = {
    databaseUrl: read(variables.databaseUrl),
    secrets: read(variables.secrets),
    publicUrl: read(variables.publicUrl),
    host: read(variables.host),
    port: read(variables.port),
    tls: pairTlsFiles(read(variables.tlsCertificateFile), read(variables.tlsKeyFile), faults),
    trustedProxies: read(variables.trustedProxies),
    databaseConnections: read(variables.databaseConnections),
    outbound: Object.freeze({
      allow: read(variables.outboundAllow) ?? nothingAllowed,
      loopback: read(variables.outboundLoopback),
      certificatesFile: read(variables.outboundCertificatesFile),
    }),
    logLevel: read(variables.logLevel),
    reusePort: read(variables.reusePort),
    settings: readSettings(environment, faults),
  };
  faults.push(...needs.flatMap((need) => missing(environment, variables[need])));
  return faults.length > 0 ? err(faults) : ok(withNeeded<Need>(Object.freeze(config)));
}

/** An empty variable is an unset one: compose files and charts pass both alike. */
function textOf(environment: Environment, name: string): string | null {
  const typed = environment[name]?.trim() ?? '';
  return typed === '' ? null : typed;
}

/** The boundary between what was found present at run time (`missing`) and its type. */
const withNeeded = <Need extends Needed>(config: Config): ConfigWith<Need> => config as ConfigWith<Need>;

const missing = (environment: Environment, { name, whenMissing = 'set it' }: Row<unknown>): readonly ConfigFault[] =>
  textOf(environment, name) === null ? [{ variable: name, problem: 'is not set', mend: whenMissing }] : [];

function unknownVariables(environment: Environment): readonly ConfigFault[] {
  const known = [...variableNames, ...settingOfVariable.keys()];
  return Object.keys(environment)
    .filter((name) => name.toUpperCase().startsWith('LIMEN_') && !known.includes(name))
    .toSorted()
    .map((variable) => {
      const nearest = nearestName(variable, known);
      return {
        variable,
        problem: 'there is no such variable',
        mend: nearest === undefined ? 'remove it; docs/operations.md lists all' : `did you mean ${nearest}?`,
      };
    });
}

function readSettings(environment: Environment, faults: ConfigFault[]): Overrides {
  const overrides: { [key: string]: Override } = {};
  for (const [variable, key] of settingOfVariable) {
    const typed = textOf(environment, variable);
    if (typed === null) continue;
    const schema: TSchema = settings[key].schema;
    const value = settingFromText(schema, typed);
    if (value !== undefined) overrides[key] = Object.freeze({ value });
    else faults.push({ variable, problem: `${quote(typed)} is not accepted`, mend: `write ${describeSchema(schema)}` });
  }
  return Object.freeze(overrides);
}

/** The value of the schema's type that is written like this, or `undefined`. */
export const settingFromText = (schema: TSchema, typed: string): string | number | boolean | undefined =>
  [typed, wholeNumber(typed), true, false].find(
    (candidate) => String(candidate) === typed && Value.Check(schema, candidate),
  );

/** What a setting accepts, in words. */
export function describeSchema(schema: TSchema): string {
  const choices: unknown = schema['anyOf'];
  if (Array.isArray(choices)) return choices.map((choice: TSchema) => `"${String(choice['const'])}"`).join(' or ');
  if (schema['type'] === 'boolean') return 'true or false';
  if (schema['type'] === 'string') return String(schema.description);
  return `a whole number from ${String(schema['minimum'])} to ${String(schema['maximum'])}`;
}

function pairTlsFiles(certificateFile: string | null, keyFile: string | null, faults: ConfigFault[]): Config['tls'] {
  if (certificateFile !== null && keyFile !== null) return Object.freeze({ certificateFile, keyFile });
  if (certificateFile !== null || keyFile !== null) {
    const [variable, other] =
      certificateFile === null
        ? ['LIMEN_TLS_CERT_FILE', 'LIMEN_TLS_KEY_FILE']
        : ['LIMEN_TLS_KEY_FILE', 'LIMEN_TLS_CERT_FILE'];
    faults.push({ variable, problem: `is not set, but ${other} is`, mend: 'set both, or neither behind a proxy' });
  }
  return null;
}
