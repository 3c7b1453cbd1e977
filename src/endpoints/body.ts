import { err, ok, type Result } from '../core/result.ts';
import { type Form, parseForm } from '../oidc/parameters.ts';

/** A body that is not what an endpoint takes, with the status that says so (RFC 9110 §15.5.14, §15.5.16). */
export type BodyFault = { readonly status: 400 | 413 | 415; readonly description: string };

export const longestBodyBytes = 64 * 1024;

/** The form parameters of a request body; nothing else is ever parsed, whatever it calls itself. */
export async function readForm(request: Request): Promise<Result<Form, BodyFault>> {
  const mediaType = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/x-www-form-urlencoded') {
    return err({ status: 415, description: 'the body must be application/x-www-form-urlencoded' });
  }
  const text = await readText(request);
  return text.ok ? ok(parseForm(text.value)) : text;
}

/** RFC 6749 Appendix B: percent-encoded UTF-8; bytes that are no UTF-8 are a fault, not replaced. */
async function readText(request: Request): Promise<Result<string, BodyFault>> {
  const declared = Number(request.headers.get('content-length') ?? 0);
  if (declared > longestBodyBytes) return err(tooLarge);
  const bytes = await request.bytes();
  if (bytes.byteLength > longestBodyBytes) return err(tooLarge);
  try {
    return ok(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return err({ status: 400, description: 'the body is not UTF-8' });
  }
}

const tooLarge: BodyFault = { status: 413, description: `the body is larger than ${longestBodyBytes} bytes` };
