import type { CopyKey } from '../copy/index.ts';
import { html } from '../html.ts';
import { backLink, buttonLink, type Frame, page } from '../layout.ts';

const sentences = {
  request_invalid: 'error_request_invalid',
  client_unknown: 'error_client_unknown',
  client_document_refused: 'error_client_document_refused',
  client_document_unavailable: 'error_client_document_unavailable',
  redirect_uri_unregistered: 'error_redirect_uri_unregistered',
  cookies_blocked: 'error_cookies_blocked',
  not_found: 'error_not_found',
  server_error: 'error_server_error',
  sign_in_failed: 'error_sign_in_failed',
} as const satisfies { readonly [reason: string]: CopyKey };

export type ErrorReason = keyof typeof sentences;

/** What an error page is told. An operator resolves `errorId`; `backUrl` only where the application is beyond doubt. */
export type ErrorContent = {
  readonly reason: ErrorReason;
  readonly errorId: string;
  readonly backUrl: string | null;
  readonly clientName: string | null;
  /** Where the same can be tried again; absent: nowhere. */
  readonly retryUrl?: string | null;
};

/** Where nothing can be sent to the application (RFC 6749 §4.1.2.1): fixed texts, nothing of the request. */
export function errorPage(content: ErrorContent, frame: Frame): string {
  const { copy } = frame;
  return page(frame, {
    title: copy.error_title,
    fault: true,
    main: html`<section id="error">
<h1>${copy.error_title}</h1>
<p>${copy[sentences[content.reason]]}</p>
<p class="reference muted">${copy.error_id} <code id="error_id">${content.errorId}</code></p>
${backLink(copy, content.backUrl, content.clientName)}
${buttonLink(content.retryUrl ?? null, copy.try_again)}
</section>`,
  });
}
