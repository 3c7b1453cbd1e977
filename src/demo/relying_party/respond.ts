import type { Safe } from '../../login/html.ts';

export type Respond = {
  page(body: Safe, status?: number): Response;
  /** After a POST always 303, so that reload and back repeat nothing. */
  seeOther(location: string): Response;
};

const base = {
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
} as const;

/** `formActionSource`: the provider, because browsers check where a submitted form is redirected to as well. */
export function createRespond(formActionSource: string): Respond {
  const policy = [
    "default-src 'none'",
    "style-src 'self'",
    "img-src 'self'",
    `form-action 'self' ${formActionSource}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
  return {
    page: (body, status = 200) =>
      new Response(body.toString(), {
        status,
        headers: { ...base, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy },
      }),
    seeOther: (location) => new Response(null, { status: 303, headers: { ...base, location } }),
  };
}

/** A style sheet or picture of our own. */
export const asset = (body: string, contentType: string): Response =>
  new Response(body, { headers: { ...base, 'cache-control': 'no-cache', 'content-type': contentType } });

export const refuse = (status: number, text: string, headers: { readonly [name: string]: string } = {}): Response =>
  new Response(`${text}\n`, { status, headers: { ...base, ...headers, 'content-type': 'text/plain; charset=utf-8' } });
