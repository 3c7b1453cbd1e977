import { err, ok, type Result } from '../../core/result.ts';
import type { Client } from '../client.ts';
import { type Refusal, refusal } from '../errors.ts';

/** Response types served, by their canonical spelling, with the mode used where none is asked for. */
const responseTypes = { code: { defaultMode: 'query' } } as const;

export type ResponseType = keyof typeof responseTypes;
export const responseTypesSupported = Object.keys(responseTypes) as readonly ResponseType[];

const isServed = (text: string): text is ResponseType => Object.hasOwn(responseTypes, text);

/** RFC 6749 §3.1.1. */
export function checkResponseType(
  sent: string | undefined,
  client: Pick<Client, 'responseTypes'>,
): Result<ResponseType, Refusal> {
  if (sent === undefined)
    return err(refusal('invalid_request', 'response_type is missing', 'RFC 6749 §3.1.1', 'response_type'));
  const canonical = sent.split(' ').sort().join(' ');
  if (!isServed(canonical)) {
    return err(
      refusal('unsupported_response_type', 'this response_type is not supported', 'RFC 6749 §3.1.1', 'response_type'),
    );
  }
  if (!client.responseTypes.includes(canonical)) {
    return err(
      refusal(
        'unauthorized_client',
        'this client may not use this response_type',
        'RFC 6749 §4.1.2.1',
        'response_type',
      ),
    );
  }
  return ok(canonical);
}
