import { err, ok, type Result } from '../../core/result.ts';
import { type Refusal, refusal } from '../errors.ts';

/** How the response travels (OAuth 2.0 Multiple Response Type Encoding Practices §2.1; Form Post Response Mode). */
export const responseModesSupported = ['query', 'form_post'] as const;
export type ResponseMode = (typeof responseModesSupported)[number];

const isServed = (text: string): text is ResponseMode => responseModesSupported.some((mode) => mode === text);

export function checkResponseMode(sent: string | undefined): Result<ResponseMode, Refusal> {
  if (sent === undefined) return ok('query');
  if (!isServed(sent)) {
    return err(
      refusal(
        'invalid_request',
        'this response_mode is not supported',
        'OAuth Multiple Response Types §2.1',
        'response_mode',
      ),
    );
  }
  return ok(sent);
}
