import { createPrivateKey, sign } from 'node:crypto';
import type { JWK } from 'jose';

export type SignJwt = (type: string, claims: object) => string;

/** ES256 in the fastest way that was found here: synchronous, with the header encoded once per type. */
export function createSign(jwk: JWK): SignJwt {
  const key = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const headers = new Map<string, string>();
  return (type, claims) => {
    const header = headers.get(type) ?? encode({ alg: 'ES256', typ: type, kid: jwk.kid });
    headers.set(type, header);
    const input = `${header}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
    return `${input}.${signature.toString('base64url')}`;
  };
}
