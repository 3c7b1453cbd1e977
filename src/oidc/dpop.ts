import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { calculateJwkThumbprint, decodeProtectedHeader, importJWK, type JWK, jwtVerify } from 'jose';
import { encodeBase64url } from '../core/base64url.ts';
import { sha256 } from '../core/crypto.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import { settings } from '../core/settings.ts';
import { type Instant, toNumericDate } from '../core/time.ts';
import { errorParameters } from './bearer.ts';
import type { Client } from './client.ts';
import { hasBoundedSize } from './client_keys.ts';
import { type Refusal, refusal } from './errors.ts';
import type { ProofToSpend } from './ports.ts';
import type { Realm } from './realm.ts';

/**
 * RFC 9449 §4.3: what a DPoP proof must be. RS256 is not taken: profiles that build on DPoP forbid it (FAPI 2.0 Security
 * Profile §5.4), and a key made for proofs need not be of that kind.
 */
export const dpopAlgorithms = ['ES256', 'ES384', 'PS256', 'EdDSA', 'Ed25519'] as const;

/** What a realm or client makes of proofs; a client that registered bound tokens (RFC 9449 §5.2) is never loosened. */
export const dpopPolicyOf = ({
  settings: { dpop },
  metadata,
}: Pick<Client, 'settings' | 'metadata'>): 'off' | 'allowed' | 'required' =>
  metadata.dpop_bound_access_tokens === true ? 'required' : dpop;

export type ProofFacts = {
  readonly realm: Pick<Realm, 'id' | 'settings'>;
  readonly method: string;
  /** The endpoint by the configured issuer, never by what the request calls it. */
  readonly url: string;
  readonly now: Instant;
  /** The access token that the proof goes with; null: at the token endpoint. */
  readonly accessToken: string | null;
  /** Whether the server has given out this nonce; null: none is demanded. */
  readonly isNonce: ((nonce: string) => boolean) | null;
};

/** A proof that holds. `spend` is spent by the statement that acts on it. */
export type VerifiedProof = {
  /** The SHA-256 thumbprint of its key (RFC 7638), which tokens carry as `cnf.jkt`. */
  readonly thumbprint: string;
  readonly spend: ProofToSpend;
};

/** How old a proof may be, and how far ahead of us its maker's clock; the realm's tolerance comes on top of both. */
export const oldestProofSeconds = 60;
export const earliestProofSeconds = 10;
const widestTolerance = settings.clockSkewSeconds.schema.maximum ?? unreachable('the tolerance is bounded');

const payloadSchema = TypeCompiler.Compile(
  Type.Object({
    jti: Type.String({ minLength: 1, maxLength: 256 }),
    htm: Type.String({ maxLength: 16 }),
    htu: Type.String({ maxLength: 2048 }),
    iat: Type.Number({ minimum: 0, maximum: 1e11 }),
    ath: Type.Optional(Type.String({ maxLength: 64 })),
    nonce: Type.Optional(Type.String({ maxLength: 256 })),
  }),
);

const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const keySchema = TypeCompiler.Compile(
  Type.Union([
    Type.Object({ kty: Type.Literal('EC'), crv: text(16), x: text(128), y: text(128) }),
    Type.Object({ kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: text(128) }),
    Type.Object({ kty: Type.Literal('RSA'), n: text(1024), e: text(8) }),
  ]),
);
/** RFC 7518 §6.2.2, §6.3.2, §6.4.1: whoever shows one of these has given the key away. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** Several headers of one name arrive joined by commas, which no JWS has in it. */
const compactJws = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const longestProof = 8192;

/** RFC 9449 §4.3, in the order of its list. `header` is the DPoP header as it arrived. */
export async function verifyProof(header: string, facts: ProofFacts): Promise<Result<VerifiedProof, Refusal>> {
  if (header.length > longestProof || !compactJws.test(header)) return err(refuse('is not exactly one JWT'));
  const key = readKey(header);
  if (!key.ok) return key;
  const payload = await signedBy(key.value, header, facts);
  if (payload === null) return err(refuse('is not signed by the key that it carries, or is over'));
  if (!payloadSchema.Check(payload)) return err(refuse('lacks a claim, or has one of another form'));
  const { realm, method, url, now, accessToken, isNonce } = facts;
  if (payload.htm !== method) return err(refuse('is for another method'));
  if (addressOf(payload.htu) !== addressOf(url)) return err(refuse('is for another address'));
  if (!isTimely(payload.iat, now, realm.settings.clockSkewSeconds))
    return err(refuse('is too old, or from the future'));
  if (accessToken !== null && payload.ath !== encodeBase64url(sha256(accessToken))) {
    return err(refuse('is not for this access token'));
  }
  if (isNonce !== null && (payload.nonce === undefined || !isNonce(payload.nonce))) return err(useNonce);
  const thumbprint = await calculateJwkThumbprint(key.value.jwk, 'sha256');
  return ok({
    thumbprint,
    spend: {
      kind: 'dpop',
      realmId: realm.id,
      owner: thumbprint,
      jti: payload.jti,
      // Of what is signed alone, so that the proof meets the same row after a change of the realm's tolerance too.
      expiresAt: (Math.ceil(payload.iat) + oldestProofSeconds + widestTolerance) * 1000,
    },
  });
}

export function isTimely(issuedAt: number, now: Instant, toleranceSeconds: number): boolean {
  const age = toNumericDate(now) - issuedAt;
  return age <= oldestProofSeconds + toleranceSeconds && -age <= earliestProofSeconds + toleranceSeconds;
}

type ProofKey = { readonly algorithm: string; readonly jwk: JWK };

function readKey(proof: string): Result<ProofKey, Refusal> {
  const header = headerOf(proof);
  const algorithm = dpopAlgorithms.find((name) => name === header?.alg);
  if (algorithm === undefined) return err(refuse(`must be signed by one of ${dpopAlgorithms.join(', ')}`));
  const { jwk } = header ?? {};
  if (!keySchema.Check(jwk)) return err(refuse('does not carry its public key'));
  if (privateMembers.some((member) => Object.hasOwn(jwk, member))) return err(refuse('gives its private key away'));
  return hasBoundedSize(jwk) ? ok({ algorithm, jwk }) : err(refuse('has an RSA key of more than 4096 bits'));
}

function headerOf(proof: string) {
  try {
    return decodeProtectedHeader(proof);
  } catch {
    return null;
  }
}

/** `exp` and `nbf` are no part of a proof, and count where it has them (RFC 7519 §4.1). */
async function signedBy(
  { algorithm, jwk }: ProofKey,
  proof: string,
  { now, realm }: Pick<ProofFacts, 'now' | 'realm'>,
): Promise<{ readonly [claim: string]: unknown } | null> {
  try {
    const key = await importJWK(jwk, algorithm);
    const { payload } = await jwtVerify(proof, key, {
      algorithms: [algorithm],
      typ: 'dpop+jwt',
      currentDate: new Date(now),
      clockTolerance: realm.settings.clockSkewSeconds,
    });
    return payload;
  } catch {
    return null;
  }
}

const uri = /^https?:\/\/[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]+$/i;

/**
 * `htu` without query and fragment, in the one spelling that RFC 3986 §6.2.2 and §6.2.3 give it: case of scheme and host,
 * the scheme's own port, dot segments, escapes that need not be. null: not an address of a request.
 */
export function addressOf(htu: string): string | null {
  const url = uri.test(htu) && URL.canParse(htu) ? new URL(htu) : null;
  if (url === null || url.username !== '' || url.password !== '') return null;
  const path = url.pathname.replace(/%[0-9a-f]{2}/gi, (escaped) => {
    const character = String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escaped.toUpperCase();
  });
  return url.origin + path;
}

const refuse = (description: string): Refusal =>
  refusal('invalid_dpop_proof', `the DPoP proof ${description}`, 'RFC 9449 §4.3', 'DPoP');

/** RFC 9449 §5.2, and a realm's own policy. */
export const missingProof = refusal(
  'invalid_dpop_proof',
  'a DPoP proof is required: this client gets bound tokens only',
  'RFC 9449 §5.2',
  'DPoP',
);

/** RFC 9449 §11.1. */
export const spentProof = refusal(
  'invalid_dpop_proof',
  'the DPoP proof was used before; make one for each request',
  'RFC 9449 §11.1',
  'DPoP',
);

const useNonce = refusal(
  'use_dpop_nonce',
  'the DPoP proof must carry the nonce of the DPoP-Nonce header',
  'RFC 9449 §8',
  'DPoP',
);

/** RFC 9449 §7.1: the challenge of a protected resource; without a refusal no error is told. */
export function dpopChallenge(refused: Refusal | null): string {
  return `DPoP ${[...errorParameters(refused), `algs="${dpopAlgorithms.join(' ')}"`].join(', ')}`;
}
