import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { compactVerify, createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { err, ok, type Result } from '../core/result.ts';
import { type Refusal, refusal } from './errors.ts';

/** Who an ID token of ours named. It may have expired: as a hint that does not matter (OIDC Core §3.1.2.1). */
export type IdTokenHint = { readonly subject: string; readonly clientId: string; readonly sid: string | null };

const claims = TypeCompiler.Compile(
  Type.Object({
    iss: Type.String(),
    sub: Type.String(),
    aud: Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })]),
    azp: Type.Optional(Type.String()),
    sid: Type.Optional(Type.String()),
  }),
);

/** Verifies the signature with this realm's keys, retired ones included, and the issuer; not the expiry. */
export async function verifyIdTokenHint(
  hint: string,
  issuer: string,
  jwks: JSONWebKeySet,
): Promise<Result<IdTokenHint, Refusal>> {
  if (isEncrypted(hint)) return err(encryptedHint);
  const payload = await verifiedPayload(hint, jwks);
  if (!claims.Check(payload) || payload.iss !== issuer) {
    return err(
      refusal(
        'invalid_request',
        'id_token_hint is not an ID token of this issuer',
        'OIDC Core §3.1.2.1',
        'id_token_hint',
      ),
    );
  }
  const audience = typeof payload.aud === 'string' ? [payload.aud] : payload.aud;
  const clientId = payload.azp ?? audience[0] ?? '';
  return ok({ subject: payload.sub, clientId, sid: payload.sid ?? null });
}

/** RFC 7516 §9: a compact JWE has five parts, a JWS three. */
const isEncrypted = (token: string): boolean => token.split('.').length === 5;

/** It was encrypted to the client, and no key is published here that it could be encrypted to for us. */
const encryptedHint = refusal(
  'invalid_request',
  'id_token_hint is encrypted; send the signed ID token that is in it',
  'OIDC Core §3.1.2.1',
  'id_token_hint',
);

async function verifiedPayload(token: string, jwks: JSONWebKeySet): Promise<unknown> {
  try {
    const { payload, protectedHeader } = await compactVerify(token, createLocalJWKSet(jwks));
    // An access token of ours is no hint (RFC 9068 §2.1 types it apart).
    if (protectedHeader.typ !== undefined && protectedHeader.typ !== 'JWT') return undefined;
    return JSON.parse(new TextDecoder().decode(payload));
  } catch {
    return undefined;
  }
}
