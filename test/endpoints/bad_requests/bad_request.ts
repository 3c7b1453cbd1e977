import type { RawRequest } from '../raw_http.ts';
import { basic } from '../relying_party.ts';
import type { Known } from './known.ts';

/** How a refusal reaches whoever asked. `server`: by the HTTP server itself, before any code of ours. */
export type Told = 'json' | 'page' | 'redirect' | 'form_post' | 'server';

export type BadRequest = {
  readonly name: string;
  readonly request: (known: Known) => RawRequest;
  readonly status: number;
  readonly told: Told;
  /** The code in the JSON body, the redirect or the posted form; null: none is told. */
  readonly error: string | null;
  /** What the log names beside the rule. */
  readonly parameter?: string | null;
  readonly headers?: { readonly [name: string]: string | RegExp };
};

export type Fields = readonly (readonly [name: string, value: string])[];
type Headers = NonNullable<RawRequest['headers']>;

/** Stands for whatever was guessed or pasted: it must come back nowhere. */
export const guess = 'guessed-7f3b1d5e9a';

export const formType = 'application/x-www-form-urlencoded';

export const encode = (fields: Fields): string =>
  fields.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');

export const postForm = (target: string, body: Fields | string | Uint8Array, headers: Headers = []): RawRequest => ({
  method: 'POST',
  target,
  headers: [['Content-Type', formType], ...headers],
  body: typeof body === 'string' || body instanceof Uint8Array ? body : encode(body),
});

export const get = (target: string, headers: Headers = []): RawRequest => ({ method: 'GET', target, headers });

export const asPerson: Headers[number] = ['Accept', 'text/html'];

export const basicHeader = (clientId: string, secret: string): Headers[number] => [
  'Authorization',
  basic(clientId, secret),
];

/** The fields without those of these names, then with these. */
export const changed = (
  fields: Fields,
  ...changes: readonly (readonly [name: string, value: string | null])[]
): Fields => [
  ...fields.filter(([name]) => !changes.some(([changedName]) => changedName === name)),
  ...changes.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
];
