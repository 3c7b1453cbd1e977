import { err, ok, type Result } from '../core/result.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import { type Form, parseForm } from '../oidc/parameters.ts';

/** A body that is not what an endpoint takes, with the status that says so (RFC 9110 §15.5.14, §15.5.16). */
export type BodyFault = { readonly status: 400 | 413 | 415; readonly refusal: Refusal };

export const longestBodyBytes = 64 * 1024;

/** The form parameters of a request body; nothing else is ever parsed, whatever it calls itself. */
export async function readForm(request: Request): Promise<Result<Form, BodyFault>> {
  const text = await readText(request, 'application/x-www-form-urlencoded');
  return text.ok ? ok(parseForm(text.value)) : text;
}

/** The JSON object of a request body. */
export async function readJsonObject(
  request: Request,
): Promise<Result<{ readonly [member: string]: unknown }, BodyFault>> {
  const text = await readText(request, 'application/json');
  if (!text.ok) return text;
  const document = parseJson(text.value);
  return typeof document === 'object' && document !== null && !Array.isArray(document)
    ? ok(Object.fromEntries(Object.entries(document)))
    : err(notAnObject);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function readText(request: Request, expected: MediaType): Promise<Result<string, BodyFault>> {
  const mediaType = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== expected) return err(wrongMediaType[expected]);
  const coding = request.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
  if (coding !== 'identity') return err(encoded);
  const text = await readBoundedText(request);
  if (text === null) return err(tooLarge);
  // RFC 6749 Appendix B: bytes that are no UTF-8 are a fault, not replaced. Nothing that is taken here needs the
  // replacement character itself, so that its presence tells of such bytes.
  return text.includes('\ufffd') ? err(notUtf8) : ok(text);
}

/** null: more than an endpoint takes. A body that does not say its length is read no further than that. */
async function readBoundedText(request: Request): Promise<string | null> {
  const declared = request.headers.get('content-length');
  if (declared !== null) return Number(declared) > longestBodyBytes ? null : request.text();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > longestBodyBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

const fault = (status: BodyFault['status'], description: string, rule: string): BodyFault => ({
  status,
  refusal: refusal('invalid_request', description, rule),
});

type MediaType = 'application/x-www-form-urlencoded' | 'application/json';

const wrongMediaType: { readonly [Type in MediaType]: BodyFault } = {
  'application/x-www-form-urlencoded': fault(
    415,
    'the body must be application/x-www-form-urlencoded',
    'RFC 9110 §15.5.16',
  ),
  'application/json': fault(415, 'the body must be application/json', 'RFC 9110 §15.5.16'),
};
const encoded = fault(415, 'the body must not have a Content-Encoding', 'RFC 9110 §15.5.16');
const tooLarge = fault(413, `the body is larger than ${longestBodyBytes} bytes`, 'RFC 9110 §15.5.14');
const notAnObject = fault(400, 'the body is not a JSON object', 'RFC 8259 §4');
const notUtf8 = fault(400, 'the body is not UTF-8', 'RFC 6749 Appendix B');
