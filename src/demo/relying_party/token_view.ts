import { decodeJwt, decodeProtectedHeader, errors } from 'jose';
import type { Claims } from './provider.ts';

export type DecodedToken = { readonly header: Claims; readonly claims: Claims };

/** What a JWT says, unverified: an access token is for the resource server to check. `null`: opaque. */
export function decodeToken(token: string): DecodedToken | null {
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: { ...decodeJwt(token) } };
  } catch (thrown) {
    if (thrown instanceof errors.JWTInvalid || thrown instanceof TypeError) return null;
    throw thrown;
  }
}

const datedClaims: ReadonlySet<string> = new Set(['iat', 'exp', 'nbf', 'auth_time', 'updated_at']);

/** A claim's value as text, and for a NumericDate (RFC 7519 §2) the date it means. */
export function claimText(name: string, value: unknown): { readonly text: string; readonly date: string | null } {
  if (typeof value === 'string') return { text: value, date: null };
  const text = JSON.stringify(value, null, 2) ?? '';
  return { text, date: typeof value === 'number' && datedClaims.has(name) ? dateText(value) : null };
}

function dateText(seconds: number): string | null {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString().replace('T', ' ').replace('.000Z', ' UTC');
}
