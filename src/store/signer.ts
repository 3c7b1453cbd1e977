import { createPrivateKey, sign as signSync } from 'node:crypto';
import { CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';

/** What can sign here (RFC 7518 §3.1, RFC 8037 §3.1), and how to do it fastest without holding up the event loop. */
const algorithms = {
  // node:crypto in this thread signs 27,000/s on one core where jose signs 7,000-9,500/s.
  ES256: { make: signerInThread, keyOptions: {} },
  // RSA takes a millisecond: it belongs on the thread pool, where jose's WebCrypto runs it.
  RS256: { make: signerOffThread, keyOptions: { modulusLength: 2048 } },
  PS256: { make: signerOffThread, keyOptions: { modulusLength: 2048 } },
  ES384: { make: signerOffThread, keyOptions: {} },
  EdDSA: { make: signerOffThread, keyOptions: { crv: 'Ed25519' } },
} as const;

export type SigningAlgorithm = keyof typeof algorithms;
export const isSigningAlgorithm = (text: string): text is SigningAlgorithm => Object.hasOwn(algorithms, text);
export const signingAlgorithms: readonly SigningAlgorithm[] = Object.keys(algorithms).filter(isSigningAlgorithm);

/** Signs with one private key. `type` is the JWS header's `typ`: `at+jwt`, `JWT`, … */
export type Signer = {
  readonly algorithm: SigningAlgorithm;
  readonly kid: string;
  /** A compact JWS (RFC 7515 §7.1). Synchronous where the algorithm is fast. */
  readonly sign: (type: string, claims: object) => string | Promise<string>;
};

export type KeyPair = { readonly publicJwk: JWK; readonly privateJwk: JWK };

/** A new pair; the public half carries `kid` (RFC 7638 thumbprint), `alg` and `use`. */
export async function generateSigningKey(algorithm: SigningAlgorithm): Promise<KeyPair> {
  const { keyOptions } = algorithms[algorithm];
  const pair = await generateKeyPair(algorithm, { ...keyOptions, extractable: true });
  const publicHalf = await exportJWK(pair.publicKey);
  const kid = await calculateJwkThumbprint(publicHalf, 'sha256');
  const names = { kid, alg: algorithm, use: 'sig' };
  return { publicJwk: { ...publicHalf, ...names }, privateJwk: { ...(await exportJWK(pair.privateKey)), ...names } };
}

export const createSigner = async (algorithm: SigningAlgorithm, kid: string, privateJwk: JWK): Promise<Signer> => ({
  algorithm,
  kid,
  sign: await algorithms[algorithm].make(algorithm, kid, privateJwk),
});

type Sign = Signer['sign'];

async function signerInThread(algorithm: SigningAlgorithm, kid: string, privateJwk: JWK): Promise<Sign> {
  const key = createPrivateKey({ key: { ...privateJwk }, format: 'jwk' });
  // RFC 7518 §3.4: the two integers side by side, not DER.
  const how = { key, dsaEncoding: 'ieee-p1363' } as const;
  // The types are a handful that this process itself names.
  const headers = new Map<string, string>();
  const headerOf = (type: string): string => {
    const known = headers.get(type);
    if (known !== undefined) return known;
    const header = Buffer.from(JSON.stringify({ alg: algorithm, typ: type, kid })).toString('base64url');
    headers.set(type, header);
    return header;
  };
  return (type, claims) => {
    // Buffers that encode themselves: another view of their bytes would cost more than the encoding.
    const input = `${headerOf(type)}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
    return `${input}.${signSync('sha256', Buffer.from(input), how).toString('base64url')}`;
  };
}

async function signerOffThread(algorithm: SigningAlgorithm, kid: string, privateJwk: JWK): Promise<Sign> {
  const key = await importJWK(privateJwk, algorithm);
  return (type, claims) =>
    new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: algorithm, typ: type, kid })
      .sign(key);
}
