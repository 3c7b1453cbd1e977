import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { failureReasons, type RunStatus } from './run.ts';

/** The shape of an encoded run, checked whenever one is opened: a sealed handle may come from another release. */

/** The first number of the list. A change of shape raises it; a handle of another version starts again. */
export const packedVersion = 1;

const text = Type.String();
const orNull = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const exactly = { additionalProperties: false } as const;
const oneOf = <const Name extends string>(names: readonly Name[]) =>
  Type.Unsafe<Name>({ ...Type.Union(names.map((name) => Type.Literal(name))) });

const statuses = ['active', 'waiting', 'completed', 'failed', 'expired'] as const satisfies readonly RunStatus[];

const json = Type.Recursive((self) =>
  Type.Union([text, Type.Number(), Type.Boolean(), Type.Null(), Type.Array(self), Type.Record(Type.String(), self)]),
);

const evidence = Type.Tuple([text, Type.Number(), Type.Boolean()]);

const device = Type.Object(
  { userCode: text, address: orNull(text), agent: orNull(text), askedAt: Type.Number() },
  exactly,
);

const asking = {
  username: text,
  audienceName: text,
  logoUri: orNull(text),
  policyUri: orNull(text),
  termsUri: orNull(text),
  items: Type.Array(text),
};

const screen = Type.Union([
  Type.Object(
    { name: Type.Literal('identifier'), username: text, fault: orNull(oneOf(['username_missing'])) },
    exactly,
  ),
  Type.Object(
    { name: Type.Literal('password'), username: text, fault: orNull(oneOf(['password_missing', 'refused', 'busy'])) },
    exactly,
  ),
  Type.Object({ name: Type.Literal('consent'), ...asking }, exactly),
  Type.Object({ name: Type.Literal('device'), ...asking, device }, exactly),
]);

const audience = Type.Tuple([text, text, orNull(text), orNull(text), orNull(text)]);
const consentFlags = Type.Tuple([Type.Boolean(), Type.Boolean()]);
const consent = Type.Union([
  Type.Tuple([audience, Type.Array(text), consentFlags]),
  Type.Tuple([audience, Type.Array(text), consentFlags, device]),
]);

const demand = Type.Tuple([
  Type.Tuple([Type.Boolean(), Type.Boolean(), Type.Boolean()]),
  orNull(Type.Number()),
  orNull(text),
  orNull(text),
  Type.Tuple([Type.Array(text), Type.Boolean()]),
  orNull(consent),
]);

export const packedRunSchema = Type.Tuple([
  Type.Literal(packedVersion),
  Type.Tuple([text, text, text]),
  Type.Tuple([text, Type.Integer({ minimum: 0 }), oneOf(statuses), orNull(oneOf(failureReasons))]),
  Type.Tuple([orNull(text), Type.Array(evidence)]),
  Type.Array(Type.Tuple([text, Type.Record(Type.String(), json)])),
  orNull(screen),
  demand,
  Type.Tuple([Type.Number(), Type.Number()]),
  Type.Tuple([Type.Array(text), Type.Array(Type.Number())]),
]);

export type PackedEvidence = Static<typeof evidence>;
export type PackedDemand = Static<typeof demand>;
