import { createHash } from 'node:crypto';
import { compactVerify, decodeProtectedHeader, importJWK } from 'jose';
import type { Environment } from './environment.ts';
import { type Json, jsonObject, parseJson } from './json.ts';
import { must } from './verdict.ts';

export type IdTokenFacts = {
  readonly clientId: string;
  readonly nonce: string | null;
  readonly accessToken: string | null;
  readonly code?: string | null;
  /** From the authorization endpoint: there both hashes are mandatory. */
  readonly isFront?: boolean;
  /** Claims that the request asked to have in the ID token. */
  readonly askedFor?: readonly string[];
};

export type IdToken = { readonly raw: string; readonly claims: Json; readonly subject: string };

const skewSeconds = 300;
const defaultAlgorithm = 'RS256';

/** Claims of the protocol itself. Any other that nobody asked for is a WARNING. */
const usual = [
  ...['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'azp', 'at_hash', 'c_hash', 's_hash'],
  ...['nbf', 'jti', 'sid', 'txn'],
];

/** OIDC Core §3.1.3.7 and what the suite looks at beyond it. */
export async function validateIdToken(environment: Environment, raw: string, facts: IdTokenFacts): Promise<IdToken> {
  const claims = await verifySignature(environment, raw);
  const { iss, sub } = claims;
  must(iss === environment.issuer, `iss of the ID token is ${String(iss)}`);
  must(typeof sub === 'string' && /^[\x20-\x7e]{1,255}$/.test(sub), 'sub is not 1 to 255 ASCII characters');
  mustBeFor(facts.clientId, claims);
  mustBeTimely(environment, claims);
  must(
    (claims['nonce'] ?? null) === facts.nonce,
    facts.nonce === null ? 'a nonce that nobody sent is in the ID token' : 'nonce did not come back as it was sent',
  );
  must(claims['acr'] === undefined || isFilled(claims['acr']), 'acr is not a text');
  mustVouch('at_hash', claims, facts.accessToken, facts.isFront);
  mustVouch('c_hash', claims, facts.code ?? null, facts.isFront);
  const wanted = [...usual, ...(facts.askedFor ?? [])];
  const unexpected = Object.keys(claims).filter((name) => !wanted.includes(name));
  environment.warnUnless(unexpected.length === 0, `the ID token has claims nobody asked for: ${unexpected.join(', ')}`);
  return { raw, claims, subject: sub };
}

/** The key is chosen by `kid`, the algorithm is what the client is registered with. */
export async function verifySignature({ keys }: Environment, raw: string): Promise<Json> {
  const { alg, kid } = decodeProtectedHeader(raw);
  must(alg === defaultAlgorithm, `the ID token is signed with ${alg}, not ${defaultAlgorithm}`);
  must(kid !== undefined, 'the ID token names no kid');
  const key = keys.find((candidate) => candidate.kid === kid);
  must(key !== undefined, `the key set has no key ${kid}`);
  const verified = await compactVerify(raw, await importJWK(key, alg)).catch(() => null);
  must(verified !== null, 'the signature of the ID token is not valid');
  const claims = jsonObject(parseJson(new TextDecoder().decode(verified.payload)));
  must(claims !== null, 'the ID token is not a JSON object');
  return claims;
}

function mustBeFor(clientId: string, { aud, azp }: Json): void {
  const audience = Array.isArray(aud) ? aud : [aud];
  must(audience.includes(clientId), `aud of the ID token is ${JSON.stringify(aud)}`);
  must(audience.length === 1 || azp !== undefined, 'several audiences and no azp');
  must(azp === undefined || azp === clientId, `azp is ${String(azp)}`);
}

function mustBeTimely(environment: Environment, { exp, iat, auth_time: authTime }: Json): void {
  const now = environment.now();
  must(typeof exp === 'number' && exp > now - skewSeconds, `exp is ${String(exp)}`);
  must(typeof iat === 'number' && Math.abs(iat - now) <= skewSeconds, `iat is ${String(iat)}, the time is ${now}`);
  must(exp > iat, 'the ID token expires before it was issued');
  must(authTime === undefined || typeof authTime === 'number', `auth_time is ${JSON.stringify(authTime)}`);
}

/** OIDC Core §3.1.3.6, §3.3.2.11, for algorithms that end in 256. */
function mustVouch(name: 'at_hash' | 'c_hash', claims: Json, vouched: string | null, isMandatory = false): void {
  if (vouched === null) return;
  must(claims[name] !== undefined || !isMandatory, `${name} is missing`);
  if (claims[name] === undefined) return;
  const half = createHash('sha256').update(vouched).digest().subarray(0, 16).toString('base64url');
  must(claims[name] === half, `${name} is wrong`);
}

const isFilled = (value: unknown): boolean => typeof value === 'string' && value !== '';

/** auth_time, which the module has made mandatory. */
export function authTimeOf({ claims }: IdToken): number {
  const authTime = claims['auth_time'];
  must(typeof authTime === 'number', 'auth_time is missing');
  return authTime;
}
