import { Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import { createLocalJWKSet, decodeProtectedHeader, errors, type JWK, jwtVerify } from 'jose';
import { err, ok, type Result } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import type { Client } from './client.ts';

/** A client's public keys, by value or behind its `jwks_uri` (RFC 7591 §2), and what is verified with them. */
export type KeySet = { readonly keys: readonly JWK[] };

/** Asymmetric ones only: nothing that a public key could be mistaken for the secret of. */
export const clientSigningAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'] as const;

/** Whose keys they are; `introduced` says whose word their place is. */
export type KeyOwner = Pick<Client, 'jwks' | 'metadata' | 'introduced'>;

export type ClientKeys = {
  /** null: it has none, or they cannot be had. */
  readonly current: (client: KeyOwner) => Promise<KeySet | null>;
  /** Asked anew, for when `current` lacks the key that signed; null: there is nothing newer to have. */
  readonly renewed: (client: KeyOwner) => Promise<KeySet | null>;
};

/** Key sets by URL. How often one URL is asked is bounded by whoever implements it. */
export type KeyDocuments = {
  readonly get: (url: string) => Promise<KeySet | null>;
  readonly refetch: (url: string) => Promise<KeySet | null>;
};

export const createClientKeys = (documents: KeyDocuments): ClientKeys => ({
  async current({ jwks, metadata: { jwks_uri } }) {
    if (jwks !== null) return jwks;
    return jwks_uri === undefined ? null : documents.get(jwks_uri);
  },
  async renewed({ jwks, metadata: { jwks_uri } }) {
    return jwks !== null || jwks_uri === undefined ? null : documents.refetch(jwks_uri);
  },
});

const mostKeys = 20;
/** base64url characters of a modulus of 4096 bits: checking a signature takes longer with the square of its length. */
const longestModulus = 683;

/** A key of a size that costs little to verify with. */
export const hasBoundedSize = ({ n }: JWK): boolean => (n?.length ?? 0) <= longestModulus;

const keySetSchema = TypeCompiler.Compile(
  Type.Object({ keys: Type.Array(Type.Object({ kty: Type.String() }), { maxItems: mostKeys }) }),
);

/** The public keys of a JSON Web Key Set (RFC 7517 §5). A private or symmetric key in it is known to others and is left out. */
export function readKeySet(document: unknown): Result<KeySet, string> {
  if (!keySetSchema.Check(document)) return err(`The document is no JSON Web Key Set of at most ${mostKeys} keys.`);
  return ok({
    keys: document.keys.filter(
      (key: JWK) => key.kty !== 'oct' && !('d' in key) && !('k' in key) && hasBoundedSize(key),
    ),
  });
}

export type SignedByClient = {
  readonly client: KeyOwner;
  readonly clientKeys: ClientKeys;
  /** The one algorithm that the client registered for this purpose; absent: any of `clientSigningAlgorithms`. */
  readonly registeredAlgorithm: string | undefined;
  readonly now: Instant;
  readonly clockSkewSeconds: number;
  readonly requiredClaims?: readonly string[];
};

export type ClientJwt = { readonly typ: string | null; readonly payload: { readonly [claim: string]: unknown } };

/**
 * A JWT that one of the client's keys signed and whose `exp` and `nbf` hold now, else null. A key that is not among those
 * known is looked for once more where the client publishes them: it may have rotated (OIDC Core §10.1.1).
 */
export async function verifySignedByClient(jwt: string, facts: SignedByClient): Promise<ClientJwt | null> {
  const { client, clientKeys, registeredAlgorithm } = facts;
  const algorithms = clientSigningAlgorithms.filter((name) => name === (registeredAlgorithm ?? name));
  // Before anything is fetched: what nobody could have signed must not make this server ask another one.
  if (!algorithms.some((name) => name === algorithmOf(jwt))) return null;
  const known = await clientKeys.current(client);
  const verified = known === null ? 'unsigned' : await verifyWith(jwt, known, algorithms, facts);
  if (verified !== 'unsigned') return verified === 'untimely' ? null : verified;
  const renewed = await clientKeys.renewed(client);
  if (renewed === null || renewed === known) return null;
  const again = await verifyWith(jwt, renewed, algorithms, facts);
  return typeof again === 'string' ? null : again;
}

/** RFC 7517 §4.5: a `kid` says which key it is, so that the others need not be tried. */
function fits(jwt: string): (key: JWK) => boolean {
  const { kid } = decodeProtectedHeader(jwt);
  return (key) => kid === undefined || key.kid === undefined || key.kid === kid;
}

function algorithmOf(jwt: string): string | undefined {
  try {
    return decodeProtectedHeader(jwt).alg;
  } catch {
    return undefined;
  }
}

async function verifyWith(
  jwt: string,
  { keys }: KeySet,
  algorithms: readonly string[],
  { now, clockSkewSeconds, requiredClaims = [] }: SignedByClient,
): Promise<ClientJwt | 'unsigned' | 'untimely'> {
  const options = {
    algorithms: [...algorithms],
    currentDate: new Date(now),
    clockTolerance: clockSkewSeconds,
    requiredClaims: [...requiredClaims],
  };
  // RFC 7515 §4.1.4: a JWT without `kid` may be of any of the keys that fit its algorithm.
  for (const key of keys.filter(fits(jwt))) {
    try {
      const { payload, protectedHeader } = await jwtVerify(jwt, createLocalJWKSet({ keys: [key] }), options);
      return { typ: protectedHeader.typ ?? null, payload };
    } catch (thrown) {
      // jose looks at the claims only once the signature is right.
      if (thrown instanceof errors.JWTExpired || thrown instanceof errors.JWTClaimValidationFailed) return 'untimely';
    }
  }
  return 'unsigned';
}
