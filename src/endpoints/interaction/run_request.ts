import { type Static, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { AuthorizationRequest } from '../../oidc/authorize/index.ts';
import { readRequestDocument } from '../../oidc/authorize/request_document.ts';

/** What a run answers: a client by its redirect URI, or a device that polls for it (RFC 8628). */

const text = Type.String();
const nullable = Type.Union([text, Type.Null()]);

const schema = Type.Object({
  kind: Type.Literal('device'),
  clientId: text,
  /** Names the waiting device. */
  familyId: text,
  userCode: text,
  scope: Type.Array(text),
  audience: Type.Array(text),
  address: nullable,
  agent: nullable,
  uiLocales: Type.Array(text),
  receivedAt: Type.Integer(),
  expiresAt: Type.Integer(),
});
const compiled = TypeCompiler.Compile(schema);

export type DeviceRequest = Static<typeof schema>;
export type RunRequest = AuthorizationRequest | DeviceRequest;

export const isDeviceRequest = (request: RunRequest): request is DeviceRequest => 'kind' in request;

/** A request that was sealed by this server, perhaps by another version of it; null: not one of this version. */
export const readRunRequest = (document: unknown): RunRequest | null =>
  compiled.Check(document) ? document : readRequestDocument(document);
