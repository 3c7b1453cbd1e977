import type { Refusal } from '../errors.ts';
import type { ResponseTarget } from './index.ts';

/** What travels to the client: a redirect, or a page that posts by itself. */
export type AuthorizationResponse =
  | { readonly kind: 'redirect'; readonly location: string }
  | { readonly kind: 'form_post'; readonly action: string; readonly fields: readonly (readonly [string, string])[] };

type Fields = readonly (readonly [name: string, value: string | null])[];

/** What a response type returns; null: not part of it. */
export type Returned = {
  readonly code: string | null;
  readonly accessToken: { readonly value: string; readonly lifetimeSeconds: number; readonly scope: string } | null;
  readonly idToken: string | null;
  /** OIDC Session Management §2, where the realm has it on. */
  readonly sessionState?: string | null;
};

/** OIDC Core §3.1.2.5, §3.2.2.5, §3.3.2.5 with RFC 9207 §2: every authorization response names the issuer. */
export const successResponse = (target: ResponseTarget, issuer: string, returned: Returned): AuthorizationResponse =>
  respond(target, [
    ['code', returned.code],
    ['access_token', returned.accessToken?.value ?? null],
    ['token_type', returned.accessToken === null ? null : 'Bearer'],
    ['expires_in', returned.accessToken === null ? null : String(returned.accessToken.lifetimeSeconds)],
    ['scope', returned.accessToken?.scope ?? null],
    ['id_token', returned.idToken],
    ['session_state', returned.sessionState ?? null],
    ['state', target.state],
    ['iss', issuer],
  ]);

/** RFC 6749 §4.1.2.1. */
export const errorResponse = (
  target: ResponseTarget,
  issuer: string,
  { error, description }: Refusal,
): AuthorizationResponse =>
  respond(target, [
    ['error', error],
    ['error_description', description],
    ['state', target.state],
    ['iss', issuer],
  ]);

function respond(target: ResponseTarget, fields: Fields): AuthorizationResponse {
  const present = fields.filter((field): field is readonly [string, string] => field[1] !== null);
  if (target.responseMode === 'form_post') return { kind: 'form_post', action: target.redirectUri, fields: present };
  const append = target.responseMode === 'fragment' ? appendFragment : appendQuery;
  return { kind: 'redirect', location: append(target.redirectUri, present) };
}

/** A registered redirect URI has no fragment (RFC 6749 §3.1.2). */
const appendFragment = (uri: string, fields: readonly (readonly [string, string])[]): string =>
  `${uri}#${encode(fields)}`;

const encode = (fields: readonly (readonly [string, string])[]): string =>
  fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');

/** RFC 6749 §3.1.2: a query that the redirect URI already has is kept as it was registered. */
export function appendQuery(uri: string, fields: readonly (readonly [string, string])[]): string {
  if (fields.length === 0) return uri;
  const query = encode(fields);
  if (!uri.includes('?')) return `${uri}?${query}`;
  return uri.endsWith('?') || uri.endsWith('&') ? uri + query : `${uri}&${query}`;
}
