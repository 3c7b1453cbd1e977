import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomToken, sha256 } from '../../src/core/crypto.ts';
import { systemClock, toNumericDate } from '../../src/core/time.ts';

/** Proofs as a client makes them, and as it should not. */

export type ProofMaker = {
  readonly thumbprint: string;
  readonly jwk: JWK;
  readonly privateJwk: JWK;
  readonly privateKey: CryptoKey;
  /** undefined leaves a claim or a header parameter out. */
  readonly prove: (claims: Claims, header?: Claims) => Promise<string>;
};

type Claims = { readonly [name: string]: unknown };

const without = (members: Claims): { [name: string]: unknown } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

export async function proofMaker(alg = 'ES256'): Promise<ProofMaker> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return {
    thumbprint: await calculateJwkThumbprint(jwk),
    jwk,
    privateJwk: await exportJWK(privateKey),
    privateKey,
    prove(claims, header = {}) {
      const payload: JWTPayload = without({ jti: randomToken(), iat: toNumericDate(systemClock()), ...claims });
      return new SignJWT(payload)
        .setProtectedHeader({ alg, ...without({ typ: 'dpop+jwt', jwk, ...header }) })
        .sign(privateKey);
    },
  };
}

export const athOf = (accessToken: string): string => encodeBase64url(sha256(accessToken));

/** A JWT of these parts that nobody signed. */
export const unsigned = (header: object, payload: object, signature = 'AAAA'): string =>
  [...[header, payload].map((part) => encodeBase64url(Buffer.from(JSON.stringify(part)))), signature].join('.');
