import type { Page, RenderPage } from '../login/render.ts';
import { type Refusal, statusOfError } from '../oidc/errors.ts';

/** What leaves the endpoints: JSON, redirects and pages, each with the headers its kind must have. */

const noStore = { 'cache-control': 'no-store', pragma: 'no-cache' };
const jsonHeaders = { 'content-type': 'application/json', ...noStore };

export const json = (
  body: unknown,
  status = 200,
  headers: { readonly [name: string]: string } | null = null,
): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: headers === null ? jsonHeaders : { ...jsonHeaders, ...headers },
  });

/** RFC 6749 §5.2. The error id is in the description, because that is what clients log. */
export function jsonError(
  refusal: Refusal,
  { errorId, realm }: { readonly errorId: string; readonly realm: { readonly issuer: string } | null },
  { status, headers }: { readonly status?: number; readonly headers?: { readonly [name: string]: string } } = {},
): Response {
  const challenge =
    refusal.error === 'invalid_client' && realm !== null ? { 'www-authenticate': `Basic realm="${realm.issuer}"` } : {};
  const body = { error: refusal.error, error_description: described(refusal, errorId) };
  return json(body, status ?? statusOfError(refusal.error), { ...challenge, ...headers });
}

export const described = ({ description }: Refusal, errorId: string): string => `${description} (error id ${errorId})`;

/** After a POST the browser must GET (RFC 9110 §15.4.4); after a GET it does so anyway. */
export function redirect(location: string, cookies: readonly string[] = []): Response {
  const headers = new Headers({ location, ...noStore });
  for (const cookie of cookies) headers.append('set-cookie', cookie);
  return new Response(null, { status: 303, headers });
}

export type PageAnswer = {
  readonly status?: number;
  readonly uiLocales?: readonly string[];
  /** Where a submit of this page may end. */
  readonly redirectUri?: string | null;
  readonly cookies?: readonly string[];
  readonly headers?: { readonly [name: string]: string };
};

export function pageResponse(
  renderPage: RenderPage,
  exchange: { readonly request: Request; readonly realm: { readonly name: string } },
  page: Page,
  answer: PageAnswer = {},
): Response {
  const rendered = renderPage(page, {
    realmName: exchange.realm.name,
    uiLocales: answer.uiLocales ?? [],
    acceptLanguage: exchange.request.headers.get('accept-language'),
    redirectUri: answer.redirectUri ?? null,
  });
  const headers = new Headers({
    'content-type': 'text/html; charset=utf-8',
    'content-language': rendered.language,
    'content-security-policy': rendered.contentSecurityPolicy,
    'x-frame-options': 'DENY',
    vary: 'Accept-Language',
    ...noStore,
    ...answer.headers,
  });
  for (const cookie of answer.cookies ?? []) headers.append('set-cookie', cookie);
  return new Response(rendered.html, { status: answer.status ?? 200, headers });
}
