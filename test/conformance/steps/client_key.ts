import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** An RS256 key of a client. */
export type ClientKey = { readonly jwk: JWK & { readonly kid: string }; readonly privateKey: CryptoKey };

export async function generateClientKey(kid: string): Promise<ClientKey> {
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  return { jwk: { ...(await exportJWK(publicKey)), kid, use: 'sig', alg: 'RS256' }, privateKey };
}

export const signWith = (
  { jwk, privateKey }: ClientKey,
  claims: { readonly [name: string]: unknown },
): Promise<string> => new SignJWT({ ...claims }).setProtectedHeader({ alg: 'RS256', kid: jwk.kid }).sign(privateKey);
