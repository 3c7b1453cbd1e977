import { type Static, Type } from '@sinclair/typebox';
import { defineParameters } from '../parameters.ts';

const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }));

export const longestState = 4096;

/** RFC 6749 §4.1.1, OIDC Core §3.1.2.1, RFC 7636 §4.3, RFC 8707 §2, RFC 9449 §10. */
const schema = Type.Object({
  client_id: text(255),
  redirect_uri: text(2048),
  response_type: text(64),
  response_mode: text(64),
  scope: text(2048),
  state: text(longestState),
  nonce: text(1024),
  display: text(64),
  prompt: text(128),
  max_age: text(16),
  ui_locales: text(256),
  claims_locales: text(256),
  id_token_hint: text(8192),
  login_hint: text(320),
  acr_values: text(1024),
  claims: text(8192),
  code_challenge: text(256),
  code_challenge_method: text(64),
  dpop_jkt: text(64),
  request: text(16_384),
  request_uri: text(2048),
  registration: text(8192),
  resource: Type.Optional(Type.Array(Type.String({ maxLength: 2048 }), { maxItems: 10 })),
});

export const authorizationParameters = defineParameters(schema);
export type AuthorizationParameters = Static<typeof schema>;
