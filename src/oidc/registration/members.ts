import { type Static, type TObject, type TOptional, type TSchema, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { err, ok, type Result } from '../../core/result.ts';
import type { Refusal } from '../errors.ts';
import { subjectTypes } from '../subject.ts';
import { refuseMember } from './refusal.ts';

/**
 * What a registration may say (RFC 7591 §2, OIDC Registration §2, the logout specifications): one row per member, its form
 * and that form in words. What has no row is ignored (RFC 7591 §2). Whether a value is served is `served.ts`' to say.
 */
type Row<Schema extends TSchema = TSchema> = { readonly schema: Schema; readonly is: string };

const row = <const Schema extends TSchema>(schema: Schema, is: string): Row<Schema> => ({ schema, is });

const oneOf = <const Value extends string>(values: readonly Value[]) =>
  row(Type.Union(values.map((value) => Type.Literal(value))), `one of ${values.join(', ')}`);
const url = row(Type.String({ minLength: 1, maxLength: 2048 }), 'a URL of at most 2048 characters');
const urls = row(Type.Array(url.schema, { maxItems: 50 }), 'a list of at most 50 URLs');
const word = row(Type.String({ minLength: 1, maxLength: 64 }), 'a word');
const words = row(Type.Array(word.schema, { maxItems: 20 }), 'a list of at most 20 words');
const flag = row(Type.Boolean(), 'true or false');
/** Shown to people; what cannot be seen, or turns the direction of what follows, could make one name look like another. */
const label = row(
  Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]+$',
  }),
  'text of at most 255 characters without control characters',
);

export const members = {
  redirect_uris: urls,
  post_logout_redirect_uris: urls,
  response_types: words,
  grant_types: words,
  application_type: oneOf(['web', 'native']),
  client_name: label,
  contacts: row(
    Type.Array(Type.String({ minLength: 1, maxLength: 320 }), { maxItems: 20 }),
    'a list of at most 20 addresses',
  ),
  client_uri: url,
  logo_uri: url,
  policy_uri: url,
  tos_uri: url,
  scope: row(Type.String({ maxLength: 2048 }), 'scopes with a space between'),
  jwks_uri: url,
  jwks: row(
    Type.Object({ keys: Type.Array(Type.Object({ kty: Type.String() }), { minItems: 1, maxItems: 50 }) }),
    'a JSON Web Key Set of 1 to 50 keys',
  ),
  sector_identifier_uri: url,
  subject_type: oneOf(subjectTypes),
  token_endpoint_auth_method: word,
  token_endpoint_auth_signing_alg: word,
  id_token_signed_response_alg: word,
  id_token_encrypted_response_alg: word,
  id_token_encrypted_response_enc: word,
  userinfo_signed_response_alg: word,
  userinfo_encrypted_response_alg: word,
  userinfo_encrypted_response_enc: word,
  introspection_signed_response_alg: word,
  introspection_encrypted_response_alg: word,
  introspection_encrypted_response_enc: word,
  authorization_signed_response_alg: word,
  authorization_encrypted_response_alg: word,
  authorization_encrypted_response_enc: word,
  request_object_signing_alg: word,
  request_object_encryption_alg: word,
  request_object_encryption_enc: word,
  require_signed_request_object: flag,
  require_pushed_authorization_requests: flag,
  dpop_bound_access_tokens: flag,
  tls_client_certificate_bound_access_tokens: flag,
  request_uris: urls,
  default_max_age: row(Type.Integer({ minimum: 0, maximum: 2_147_483_647 }), 'a whole number of seconds'),
  require_auth_time: flag,
  default_acr_values: row(
    Type.Array(Type.String({ pattern: '^[!-~]{1,255}$' }), { maxItems: 20 }),
    'a list of at most 20 authentication context class references',
  ),
  initiate_login_uri: url,
  frontchannel_logout_uri: url,
  frontchannel_logout_session_required: flag,
  backchannel_logout_uri: url,
  backchannel_logout_session_required: flag,
  backchannel_token_delivery_mode: word,
  software_id: label,
  software_version: label,
} as const;

export type MemberName = keyof typeof members;
export type Members = Static<TObject<{ [Name in MemberName]: TOptional<(typeof members)[Name]['schema']> }>>;

const names = Object.keys(members) as readonly MemberName[];
const checks = new Map(names.map((name) => [name, TypeCompiler.Compile<TSchema>(members[name].schema)]));

/** The members of a registration that have a row, each of its form. null means the same as absent (RFC 7592 §2.2). */
export function readMembers(document: { readonly [member: string]: unknown }): Result<Members, Refusal> {
  const sent = names.filter((name) => Object.hasOwn(document, name) && document[name] !== null);
  const wrong = sent.find((name) => checks.get(name)?.Check(document[name]) !== true);
  if (wrong !== undefined) return err(refuseMember(wrong, `must be ${members[wrong].is}`));
  return ok(typed(Object.fromEntries(sent.map((name) => [name, document[name]]))));
}

/** The boundary between what was checked member by member and the type of the whole. */
const typed = (checked: { readonly [member: string]: unknown }): Members => checked as Members;
