import { endpoint, isJson } from './discovery.ts';
import type { Environment } from './environment.ts';
import { type Json, jsonObject, parseJson } from './json.ts';
import { must } from './verdict.ts';

/** OIDC Core §5.3.1 and RFC 6750 §2.1, §2.2: the ways to present the access token. */
const ways = {
  get: (token: string): RequestInit => ({ headers: bearer(token) }),
  post_header: (token: string): RequestInit => ({ method: 'POST', headers: bearer(token) }),
  post_body: (token: string): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ access_token: token }).toString(),
  }),
} as const;

export type Way = keyof typeof ways;

const bearer = (token: string): { readonly authorization: string } => ({ authorization: `Bearer ${token}` });

export const requestUserinfo = (environment: Environment, accessToken: string, way: Way = 'get'): Promise<Response> =>
  fetch(endpoint(environment, 'userinfo_endpoint'), ways[way](accessToken));

/** OIDC Core §5.3.2: JSON, about the subject of the ID token. */
export async function userinfo(
  environment: Environment,
  accessToken: string,
  subject: string,
  way: Way = 'get',
): Promise<Json> {
  const response = await requestUserinfo(environment, accessToken, way);
  must(response.status === 200, `userinfo answers ${response.status}`);
  must(isJson(response.headers), `userinfo comes as ${response.headers.get('content-type')}`);
  const claims = jsonObject(parseJson(await response.text()));
  must(claims !== null, 'userinfo is not a JSON object');
  must(claims['sub'] === subject, 'sub of userinfo is not sub of the ID token');
  validateStandardClaims(claims);
  return claims;
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string' && value.trim() !== '';
const boolean: Check = (value) => typeof value === 'boolean';
const url: Check = (value) => typeof value === 'string' && URL.canParse(value);
const address: Check = (value) => {
  const members = jsonObject(value);
  return members !== null && Object.values(members).every(text);
};

/** OIDC Core §5.1 and §5.4, written down anew: what the provider has of its own is what is examined. */
const scopes: { readonly [scope: string]: { readonly [claim: string]: Check } } = {
  profile: {
    name: text,
    given_name: text,
    family_name: text,
    middle_name: text,
    nickname: text,
    preferred_username: text,
    profile: url,
    picture: url,
    website: url,
    gender: text,
    birthdate: (value) => typeof value === 'string' && /^\d{4}(-\d{2}-\d{2})?$/.test(value),
    zoneinfo: text,
    locale: text,
    updated_at: (value) => typeof value === 'number',
  },
  email: { email: (value) => text(value) && String(value).includes('@'), email_verified: boolean },
  address: { address },
  phone: { phone_number: text, phone_number_verified: boolean },
};

export const claimsOfScopes = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => Object.keys(scopes[name] ?? {}));

function validateStandardClaims(claims: Json): void {
  for (const [name, check] of Object.values(scopes).flatMap((scope) => Object.entries(scope))) {
    const value = claims[name];
    must(value === undefined || check(value), `${name} in userinfo is ${JSON.stringify(value)}`);
  }
}
