import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { addsNames, nameList } from './name_list.ts';

/**
 * Every runtime setting is one row: schema with bounds, default, the layers that may set it, a sentence. Types, defaults,
 * validation, forms and docs follow from the row. Layers: system default → realm → client (`overrides.ts`).
 */
export type SettingRow<Schema extends TSchema = TSchema> = {
  readonly schema: Schema;
  readonly default: Static<Schema>;
  readonly scope: 'realm' | 'client';
  readonly sentence: string;
  /** A client value that makes the policy weaker must name a reason. */
  loosens?(inherited: Static<Schema>, value: Static<Schema>): boolean;
};

const row = <const Schema extends TSchema>(row: SettingRow<Schema>): SettingRow<Schema> => row;

const seconds = (minimum: number, maximum: number) => Type.Integer({ minimum, maximum });
const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

/** The widest absolute lifetime that a realm may set: partitions are kept this far ahead. */
export const longestFamilySeconds = 180 * day;

/** From the strictest to the loosest. */
const dpopPolicies: readonly string[] = ['required', 'allowed', 'off'];
const registrationModes: readonly string[] = ['off', 'initial access token', 'open'];

/** What each value of `tokenExchange` allows. */
const exchangesOf = {
  off: [],
  impersonation: ['impersonation'],
  delegation: ['delegation'],
  'impersonation and delegation': ['impersonation', 'delegation'],
} as const;
export const allowsExchange = (value: keyof typeof exchangesOf, kind: 'impersonation' | 'delegation'): boolean =>
  exchangesOf[value].some((allowed) => allowed === kind);

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
  dpop: row({
    schema: Type.Union([Type.Literal('off'), Type.Literal('allowed'), Type.Literal('required')]),
    default: 'allowed',
    scope: 'client',
    sentence:
      'Whether tokens are bound to a key of the client (DPoP, RFC 9449): never, where it shows a proof, or always.',
    loosens: (inherited, value) => dpopPolicies.indexOf(value) > dpopPolicies.indexOf(inherited),
  }),
  dpopNonce: row({
    schema: Type.Union([Type.Literal('off'), Type.Literal('required')]),
    default: 'off',
    scope: 'realm',
    sentence: 'Whether DPoP proofs must carry a nonce of the server, so that none can be made ahead (RFC 9449 §8).',
    loosens: (inherited, value) => inherited === 'required' && value === 'off',
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
  tokenExchange: row({
    schema: Type.Union([
      Type.Literal('off'),
      Type.Literal('impersonation'),
      Type.Literal('delegation'),
      Type.Literal('impersonation and delegation'),
    ]),
    default: 'off',
    scope: 'client',
    sentence:
      'Whether a client with the grant may exchange access tokens (RFC 8693): for ones that do not show it (impersonation), or ones that name who acts (delegation, by an actor token).',
    loosens: (inherited, value) =>
      exchangesOf[value].some((allowed) => !exchangesOf[inherited].some((kind) => kind === allowed)),
  }),
  tokenExchangeClients: row({
    schema: nameList('client ids with a space between'),
    default: '',
    scope: 'client',
    sentence: 'Whose access tokens it may exchange; its own only if it is named as well.',
    loosens: addsNames,
  }),
  tokenExchangeAudiences: row({
    schema: nameList('audiences with a space between'),
    default: '',
    scope: 'client',
    sentence:
      "Which APIs the client is: another client's token can be exchanged only if its audience names one of these, or the client_id.",
    loosens: addsNames,
  }),
  acrValues: row({
    schema: Type.Union([Type.Literal('voluntary'), Type.Literal('required')]),
    default: 'voluntary',
    scope: 'client',
    sentence:
      'Whether a sign-in that reaches none of the `acr_values` asked for goes on (OIDC Core §5.5.1.1) or is refused, which RFC 9470 §5 recommends for step-up.',
    loosens: (inherited, value) => inherited === 'required' && value === 'voluntary',
  }),
  userinfoAcrValues: row({
    schema: nameList('authentication context classes with a space between'),
    default: '',
    scope: 'client',
    sentence: 'Classes of sign-in that userinfo demands, any of them; it challenges others to step up (RFC 9470).',
    loosens: (inherited, value) => inherited !== '' && (value === '' || addsNames(inherited, value)),
  }),
  userinfoMaxAgeSeconds: row({
    schema: seconds(0, 90 * day),
    default: 0,
    scope: 'client',
    sentence:
      'How long ago the sign-in may be for userinfo, which challenges others to sign in again (RFC 9470); 0: any time.',
    loosens: (inherited, value) => inherited > 0 && (value === 0 || value > inherited),
  }),
  codeLifetimeSeconds: row({
    schema: seconds(5, minute),
    default: minute,
    scope: 'realm',
    sentence: 'How long an authorization code can be redeemed.',
  }),
  deviceCodeLifetimeSeconds: row({
    schema: seconds(minute, 30 * minute),
    default: 10 * minute,
    scope: 'client',
    sentence: 'How long a device waits for a person to enter its code (RFC 8628).',
  }),
  devicePollingIntervalSeconds: row({
    schema: seconds(1, minute),
    default: 5,
    scope: 'client',
    sentence: 'How long a device waits between two polls; each one that comes too soon adds 5 seconds to it.',
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
  opaqueAccessTokensFor: row({
    schema: nameList('resources with a space between'),
    default: '',
    scope: 'client',
    sentence: 'Resources whose access tokens are no JWT: only this server reads them, and tells by introspection.',
    loosens: (inherited, value) => addsNames(value, inherited),
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
  registrationResources: row({
    schema: Type.String({
      pattern: '^([a-z][a-z0-9+.-]*:[!$-;=?-Z_a-z~]+( [a-z][a-z0-9+.-]*:[!$-;=?-Z_a-z~]+)*)?$',
      maxLength: 8192,
      description: 'URIs with a space between',
    }),
    default: '',
    scope: 'realm',
    sentence:
      'Resources (RFC 8707), such as MCP servers, that clients may ask for which registered themselves or are described by a metadata document.',
    loosens: addsNames,
  }),
  clientIdMetadataDocuments: row({
    schema: Type.Boolean(),
    default: false,
    scope: 'realm',
    sentence:
      'Whether a `client_id` may be the https URL of a document that describes the client (Client ID Metadata Document), which this server then fetches.',
    loosens: (inherited, value) => !inherited && value,
  }),
  clientIdMetadataHosts: row({
    schema: Type.String({
      pattern: '^(!?(\\*\\.)?[a-z0-9.:\\[\\]-]+( !?(\\*\\.)?[a-z0-9.:\\[\\]-]+)*)?$',
      maxLength: 8192,
      description: 'host names with a space between, `*.` for all below one, `!` for all but it',
    }),
    default: '',
    scope: 'realm',
    sentence: 'Hosts whose client metadata documents are taken; empty: any. One with `!` is refused in any case.',
    loosens: (inherited, value) => inherited !== '' && (value === '' || addsNames(inherited, value)),
  }),
  localhostAnyPort: row({
    schema: Type.Boolean(),
    default: false,
    scope: 'client',
    sentence:
      'Whether `http://localhost` in a redirect URI stands for any port, as the addresses 127.0.0.1 and [::1] do (RFC 8252 §7.3, §8.3).',
    loosens: (inherited, value) => !inherited && value,
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

export const settingKeys = Object.keys(settings) as readonly SettingKey[];

export const isSettingKey = (key: string): key is SettingKey => Object.hasOwn(settings, key);
