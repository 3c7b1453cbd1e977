import { type Refusal, refusal, statusOfError } from '../oidc/errors.ts';

const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' };

/** What a handler decided. */
export type Answer = { readonly kind: 'document'; readonly document: object } | RefusedAnswer;

export type RefusedAnswer = {
  readonly kind: 'refused';
  readonly refusal: Refusal;
  /** Where HTTP has one of its own for it; else the error code's. */
  readonly status?: number;
  readonly faults?: readonly string[];
};

export const document = (body: object): Answer => ({ kind: 'document', document: body });

export const refused = (
  refusal: Refusal,
  more: { readonly status?: number; readonly faults?: readonly string[] } = {},
): RefusedAnswer => ({ kind: 'refused', refusal, ...more });

/** Who is known and may not: at the protocol's own endpoints the code has another status (RFC 8628 §3.5). */
export const forbidden = (refusal: Refusal): RefusedAnswer => refused(refusal, { status: 403 });

export const documentResponse = (body: object): Response => new Response(JSON.stringify(body), { headers });

/** As the other endpoints tell it (RFC 6749 §5.2), with a member for the error id and one for a list of faults. */
export function refusalResponse(
  { refusal: { error, description }, status, faults }: RefusedAnswer,
  errorId: string,
  more: { readonly [name: string]: string } = {},
): Response {
  const body = {
    error,
    error_description: description,
    error_id: errorId,
    ...(faults === undefined ? {} : { faults }),
  };
  return new Response(JSON.stringify(body), {
    status: status ?? statusOfError(error),
    headers: { ...headers, ...more },
  });
}

export const nothingHere = refusal('invalid_request', 'there is nothing at this address', 'RFC 9110 §15.5.5');
export const wrongMethod = refusal('invalid_request', 'this method is not allowed here', 'RFC 9110 §15.5.6');
export const malformed = refusal('invalid_request', 'the body is not what this address takes', 'RFC 9110 §15.5.1');
export const notAccepted = refusal('invalid_request', 'the change breaks a rule of the setting', 'setting rules');
