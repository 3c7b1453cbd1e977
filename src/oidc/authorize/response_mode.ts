import { err, ok, type Result } from '../../core/result.ts';
import { type Refusal, refusal } from '../errors.ts';
import { isFrontChannel, type ResponseType } from './response_type.ts';

/** How the response travels (OAuth 2.0 Multiple Response Type Encoding Practices §2.1; Form Post Response Mode). */
export const responseModesSupported = ['query', 'fragment', 'form_post'] as const;
export type ResponseMode = (typeof responseModesSupported)[number];

const isServed = (text: string): text is ResponseMode => responseModesSupported.some((mode) => mode === text);

/** Tokens never travel in a query, which servers log and referrers carry. */
export function checkResponseMode(sent: string | undefined, type: ResponseType): Result<ResponseMode, Refusal> {
  if (sent === undefined) return ok(defaultResponseMode(type));
  if (!isServed(sent)) return err(refuse('this response_mode is not supported'));
  if (sent === 'query' && isFrontChannel(type))
    return err(refuse('this response_type cannot be answered in the query'));
  return ok(sent);
}

export const defaultResponseMode = (type: ResponseType): ResponseMode => (isFrontChannel(type) ? 'fragment' : 'query');

const refuse = (description: string): Refusal =>
  refusal('invalid_request', description, 'OAuth Multiple Response Types §2.1', 'response_mode');
