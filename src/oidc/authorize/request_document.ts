import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { AuthorizationRequest } from './index.ts';
import { promptValuesSupported } from './prompt.ts';
import { responseModesSupported } from './response_mode.ts';
import { responseTypeNames } from './response_type.ts';

const text = Type.String();
const nullable = Type.Union([text, Type.Null()]);
const texts = Type.Array(text);
const oneOf = <const Value extends string>(values: readonly Value[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));
const acr = Type.Object({ values: texts, essential: Type.Boolean() });

const schema = TypeCompiler.Compile(
  Type.Object({
    clientId: text,
    target: Type.Object({ redirectUri: text, responseMode: oneOf(responseModesSupported), state: nullable }),
    responseType: oneOf(responseTypeNames),
    scope: texts,
    audience: texts,
    nonce: nullable,
    codeChallenge: nullable,
    dpopJkt: Type.Optional(text),
    prompt: Type.Array(oneOf(promptValuesSupported)),
    maxAgeSeconds: Type.Union([Type.Integer(), Type.Null()]),
    claims: Type.Object({ userinfo: texts, idToken: texts, subject: nullable, acr }),
    acr,
    subject: nullable,
    loginHint: nullable,
    uiLocales: texts,
    receivedAt: Type.Integer(),
  }),
);

/** A request that was sealed or stored by this server, perhaps by another version of it; null: not one of this version. */
export function readRequestDocument(document: unknown): AuthorizationRequest | null {
  return schema.Check(document) ? document : null;
}
