import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler, type ValueError } from '@sinclair/typebox/compiler';
import { ValueErrorType } from '@sinclair/typebox/value';
import { nearestName } from '../../core/nearest_name.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { type Members, members } from '../../oidc/registration/members.ts';
import { standardClaimsSchema } from '../../oidc/standard_claims.ts';
import type { Refused } from '../administration.ts';
import { parseStrictJson } from './json.ts';

/**
 * The format of `limen apply` and `limen export`, version 1. Clients are written by the wire names of their registration
 * (RFC 7591 §2), of which every row of `oidc/registration/members.ts` is one here. A member that has no row is refused.
 */

/** A schema, and in words what it accepts. */
const is = <Schema extends TSchema>(description: string, schema: Schema): Schema => ({ ...schema, description });

const closed = { additionalProperties: false };
const text = is('text of 1 to 255 characters', Type.String({ minLength: 1, maxLength: 255 }));
const flag = is('true or false', Type.Boolean());
const texts = is('a list of texts', Type.Array(Type.String({ minLength: 1, maxLength: 2048 }), { maxItems: 100 }));

const fromEnvironment = Type.Object({ environment: Type.String({ pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }) }, closed);
const fromFile = Type.Object({ file: Type.String({ minLength: 1 }) }, closed);
const fromHash = Type.Object({ hash: Type.String({ pattern: '^\\$argon2id\\$v=19\\$[!-~]{20,500}$' }) }, closed);

/** Where a secret is, so that it need not stand in the document. */
export type SecretSource = Static<typeof fromEnvironment> | Static<typeof fromFile>;

const scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean()]);
const instantPattern = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?(Z|[+-]\\d{2}:\\d{2})$';
const detailed = Type.Object(
  {
    value: scalar,
    reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
    expires_at: Type.Optional(Type.String({ pattern: instantPattern })),
  },
  closed,
);
const overrides = is(
  'an object of settings by their keys',
  Type.Record(
    Type.String(),
    is(
      'a value, or an object with value and, where they are needed, reason and expires_at (2027-01-31T00:00:00Z)',
      Type.Union([scalar, detailed]),
    ),
  ),
);

const oneSecret = Type.Union([Type.String({ minLength: 1, maxLength: 1024 }), fromEnvironment, fromFile]);
const oneHash = Type.String({ pattern: '^[0-9a-f]{64}$' });
const oneOrTwo = <Schema extends TSchema>(schema: Schema) =>
  Type.Union([schema, Type.Array(schema, { minItems: 1, maxItems: 2 })]);

/** What an operator says of a client beside what the client could say of itself. */
const operatorMembers = {
  client_id: is('text of 1 to 128 characters', Type.String({ minLength: 1, maxLength: 128 })),
  class: Type.Optional(
    is('public or confidential', Type.Union([Type.Literal('public'), Type.Literal('confidential')])),
  ),
  client_secret: Type.Optional(
    is(
      'a secret of 128 bits or more, {"environment": "<name>"} or {"file": "<path>"}, or a list of two of them',
      oneOrTwo(oneSecret),
    ),
  ),
  client_secret_sha256: Type.Optional(
    is('the SHA-256 of a secret in hexadecimal, or a list of two of them', oneOrTwo(oneHash)),
  ),
  resources: Type.Optional(texts),
  introspects: Type.Optional(texts),
  consent: Type.Optional(
    is(
      'remembered, always or never',
      Type.Union([Type.Literal('remembered'), Type.Literal('always'), Type.Literal('never')]),
    ),
  ),
  enabled: Type.Optional(flag),
  settings: Type.Optional(overrides),
};

const registeredMembers = Object.fromEntries(
  Object.entries(members).map(([name, row]) => [name, Type.Optional(is(row.is, row.schema))]),
);

const operatorSchema = Type.Object(operatorMembers, closed);
const clientSchema = Type.Object({ ...operatorMembers, ...registeredMembers }, closed);

const userSchema = Type.Object(
  {
    username: text,
    claims: Type.Optional(is('an object of standard claims (OIDC Core §5.1)', standardClaimsSchema)),
    enabled: Type.Optional(flag),
    password: Type.Optional(
      is(
        '{"environment": "<name>"}, {"file": "<path>"} or {"hash": "<Argon2id in PHC form>"}',
        Type.Union([fromEnvironment, fromFile, fromHash]),
      ),
    ),
  },
  closed,
);

const list = <Schema extends TSchema>(what: string, schema: Schema) =>
  is(`a list of ${what}`, Type.Array(schema, { maxItems: 10_000 }));

const realmSchema = Type.Object(
  {
    slug: is('text of 1 to 63 characters', Type.String({ minLength: 1, maxLength: 63 })),
    name: Type.Optional(text),
    default: Type.Optional(flag),
    enabled: Type.Optional(flag),
    settings: Type.Optional(overrides),
    flows: Type.Optional(
      is(
        'an object of flows by their purpose',
        Type.Record(Type.String({ pattern: '^[a-z][a-z_]{0,31}$' }), Type.Unknown(), closed),
      ),
    ),
    clients: Type.Optional(list('clients', clientSchema)),
    users: Type.Optional(list('users', userSchema)),
  },
  closed,
);

export const documentSchema = Type.Object(
  { version: is('1', Type.Literal(1)), realms: list('realms', realmSchema) },
  closed,
);

export type OverridesEntry = Static<typeof overrides>;
export type ClientEntry = Static<typeof operatorSchema> & Members;
export type UserEntry = Static<typeof userSchema>;
export type RealmEntry = Omit<Static<typeof realmSchema>, 'clients'> & { readonly clients?: readonly ClientEntry[] };
export type ApplyDocument = { readonly version: 1; readonly realms: readonly RealmEntry[] };

const compiled = TypeCompiler.Compile(documentSchema);
const memberNames: readonly string[] = Object.keys(members);

/** The part of an entry that a client could have registered itself. */
export const registrationOf = (entry: ClientEntry): Members =>
  Object.fromEntries(Object.entries(entry).filter(([name]) => memberNames.includes(name))) as Members;

const mostFaults = 50;

/** The document, or every fault of its form: where, what, and how to mend it. */
export function readDocument(source: string): Result<ApplyDocument, Refused> {
  const parsed = parseStrictJson(source);
  if (!parsed.ok) return parsed;
  if (compiled.Check(parsed.value)) return ok(typed(parsed.value));
  const faults = new Map<string, string>();
  for (const error of compiled.Errors(parsed.value)) {
    const path = shownPath(error.path);
    if (!faults.has(path)) faults.set(path, `${path}: ${sentenceOf(error)}`);
  }
  const lines = [...faults.values()];
  const rest = lines.length - mostFaults;
  return err(rest > 0 ? [...lines.slice(0, mostFaults), `and ${rest} more`] : lines);
}

/** The boundary between what the schema has passed and its type. */
const typed = (checked: unknown): ApplyDocument => checked as ApplyDocument;

/** `/realms/0/clients/2/name` → `realms[0].clients[2].name` */
export const shownPath = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, step) => (/^\d+$/.test(step) ? `${path}[${step}]` : path === '' ? step : `${path}.${step}`), '') ||
  'the document';

function sentenceOf({ type, schema, path, message }: ValueError): string {
  if (type === ValueErrorType.ObjectAdditionalProperties) return unknownMember(path, schema);
  const name: unknown = schema.description;
  if (type === ValueErrorType.ObjectRequiredProperty) {
    return `is missing${typeof name === 'string' ? `; it must be ${name}` : ''}`;
  }
  return typeof name === 'string' ? `must be ${name}` : message.replace(/^Expected/, 'must be');
}

function unknownMember(path: string, schema: TSchema): string {
  const typedName = path.slice(path.lastIndexOf('/') + 1);
  const known = Object.keys(schema['properties'] ?? {});
  const nearest = nearestName(typedName, known);
  const hint = nearest === undefined ? `there are: ${known.join(', ')}` : `did you mean ${nearest}?`;
  return `there is no such member; ${hint}`;
}
