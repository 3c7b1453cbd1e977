import type { JWK } from 'jose';
import { jsonObject, parseJson } from './json.ts';
import { must } from './verdict.ts';

/** RFC 7518 §6: members that only the holder of a key may know. */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** The key type, and curve where there is one, that a signature algorithm needs (RFC 7518 §3.1, RFC 8037 §3.1). */
const keyOf: { readonly [alg: string]: string } = {
  RS256: 'RSA',
  RS384: 'RSA',
  RS512: 'RSA',
  PS256: 'RSA',
  PS384: 'RSA',
  PS512: 'RSA',
  ES256: 'EC P-256',
  ES384: 'EC P-384',
  ES512: 'EC P-521',
  EdDSA: 'OKP Ed25519',
  Ed25519: 'OKP Ed25519',
};

/** Runs before every module: fetches the key set and looks at every member of every key. */
export async function fetchKeys(jwksUri: string): Promise<readonly JWK[]> {
  const response = await fetch(jwksUri);
  must(response.status === 200, `jwks_uri answers ${response.status}`);
  const document = jsonObject(parseJson(await response.text()));
  const listed = document?.['keys'];
  must(Array.isArray(listed) && listed.length > 0, 'the key set has no keys');
  const keys = listed.map((key) => jsonObject(key) ?? {});
  for (const key of keys) mustBePublic(key);
  const kids = keys.map(({ kid }) => kid);
  must(new Set(kids).size === kids.length, 'two keys have the same kid');
  return keys;
}

function mustBePublic(key: JWK): void {
  const secret = secretMembers.filter((name) => name in key);
  must(secret.length === 0, `a key shows its private members ${secret.join(', ')}`);
  must(key.kty !== 'oct', 'the key set has a symmetric key');
  must(typeof key.kid === 'string' && key.kid !== '', 'a key has no kid');
  must(key.use === undefined || ['sig', 'enc'].includes(key.use), `the key ${key.kid} has use ${key.use}`);
  const shape = key.crv === undefined ? key.kty : `${key.kty} ${key.crv}`;
  if (key.use !== 'enc' && key.alg !== undefined) {
    must(keyOf[key.alg] === shape, `the key ${key.kid} is ${shape}, which is no key for ${key.alg}`);
  }
  for (const [name, value] of Object.entries({ n: key.n, e: key.e, x: key.x, y: key.y })) {
    must(value === undefined || /^[A-Za-z0-9_-]+$/.test(value), `${name} of the key ${key.kid} is not base64url`);
  }
  if (key.kty === 'RSA') must(bitsOf(key.n ?? '') >= 2048, `the RSA key ${key.kid} has fewer than 2048 bits`);
}

const bitsOf = (base64url: string): number => Buffer.from(base64url, 'base64url').byteLength * 8;
