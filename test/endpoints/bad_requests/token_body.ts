import { type BadRequest, basicHeader, formType, guess, postForm } from './bad_request.ts';
import { asWeb, bad, codeFields, path } from './token_start.ts';

const doubled = (name: string, value: string, expected: string | null = name): BadRequest =>
  bad(
    `${name} twice`,
    'invalid_request',
    (known) => postForm(path, [...codeFields(known), [name, value], [name, value]], [asWeb(known)]),
    { parameter: expected },
  );

/** Bodies that never become parameters, or become two readings of one. */
export const bodyRows: readonly BadRequest[] = [
  ...['grant_type', 'code', 'redirect_uri', 'client_id', 'scope', 'state'].map((name) => doubled(name, guess)),
  doubled(guess, guess, null),
  bad(
    'a parameter in two spellings',
    'invalid_request',
    (known) => postForm(path, `grant_type=authorization_code&grant%5Ftype=refresh_token`, [asWeb(known)]),
    { parameter: 'grant_type' },
  ),
  bad(
    'a value of malformed percent-encoding',
    'invalid_request',
    (known) => postForm(path, `grant_type=authorization_code&code=%zz`, [asWeb(known)]),
    { parameter: 'code' },
  ),
  bad(
    'a value cut within an escape',
    'invalid_request',
    (known) => postForm(path, `grant_type=authorization_code&code=abc%2`, [asWeb(known)]),
    { parameter: 'code' },
  ),
  bad(
    'a value whose escapes are no UTF-8',
    'invalid_request',
    (known) => postForm(path, `grant_type=authorization_code&code=%ff%fe`, [asWeb(known)]),
    { parameter: 'code' },
  ),
  bad(
    'a value with NUL',
    'invalid_request',
    (known) => postForm(path, `grant_type=authorization_code&code=a%00b`, [asWeb(known)]),
    { parameter: 'code' },
  ),
  bad(
    'a name of malformed percent-encoding',
    'invalid_request',
    (known) => postForm(path, `grant_type=authorization_code&%zz=1`, [asWeb(known)]),
    { parameter: null },
  ),
  bad('bytes that are no UTF-8', 'invalid_request', (known) =>
    postForm(path, Buffer.from([0x63, 0x6f, 0x64, 0x65, 0x3d, 0xff, 0xfe]), [asWeb(known)]),
  ),
  bad(
    '101 parameters',
    'invalid_request',
    (known) => postForm(path, Array.from({ length: 101 }, (_, index) => `p${index}=1`).join('&'), [asWeb(known)]),
    { parameter: null },
  ),
  bad('an empty body', 'invalid_client', () => postForm(path, '')),
  bad(
    'parameters in the query only',
    'invalid_request',
    (known) =>
      postForm(`${path}?grant_type=client_credentials`, '', [basicHeader('demo-service', known.serviceSecret)]),
    { parameter: 'grant_type' },
  ),
  bad('credentials in the query only', 'invalid_client', (known) =>
    postForm(`${path}?client_id=demo-service&client_secret=${known.serviceSecret}`, [
      ['grant_type', 'client_credentials'],
    ]),
  ),
  bad(
    'JSON',
    'invalid_request',
    (known) => ({
      method: 'POST',
      target: path,
      headers: [['Content-Type', 'application/json'], asWeb(known)],
      body: JSON.stringify(Object.fromEntries(codeFields(known))),
    }),
    { status: 415 },
  ),
  bad(
    'multipart',
    'invalid_request',
    (known) => ({
      method: 'POST',
      target: path,
      headers: [['Content-Type', 'multipart/form-data; boundary=b'], asWeb(known)],
      body: `--b\r\nContent-Disposition: form-data; name="code"\r\n\r\n${known.webCode}\r\n--b--\r\n`,
    }),
    { status: 415 },
  ),
  bad(
    'no media type',
    'invalid_request',
    (known) => ({
      method: 'POST',
      target: path,
      headers: [asWeb(known)],
      body: 'grant_type=client_credentials',
    }),
    { status: 415 },
  ),
  bad(
    'two media types',
    'invalid_request',
    (known) => postForm(path, codeFields(known), [asWeb(known), ['Content-Type', 'text/plain']]),
    {
      status: 415,
    },
  ),
  bad(
    'a media type that only begins like ours',
    'invalid_request',
    (known) => ({
      method: 'POST',
      target: path,
      headers: [['Content-Type', `${formType}x`], asWeb(known)],
      body: 'grant_type=x',
    }),
    { status: 415 },
  ),
  bad(
    'a compressed body',
    'invalid_request',
    (known) => postForm(path, Bun.gzipSync(Buffer.from('grant_type=x')), [asWeb(known), ['Content-Encoding', 'gzip']]),
    { status: 415 },
  ),
  bad('1 MB', 'invalid_request', (known) => postForm(path, `code=${'x'.repeat(1024 * 1024)}`, [asWeb(known)]), {
    status: 413,
  }),
  bad(
    '1 MB in chunks',
    'invalid_request',
    (known) => ({
      ...postForm(path, `code=${'x'.repeat(1024 * 1024)}`, [asWeb(known)]),
      chunked: true,
    }),
    { status: 413 },
  ),
  bad('one byte too many', 'invalid_request', (known) => postForm(path, 'x'.repeat(64 * 1024 + 1), [asWeb(known)]), {
    status: 413,
  }),
  bad(
    'one byte too many, in chunks',
    'invalid_request',
    (known) => ({
      ...postForm(path, 'x'.repeat(64 * 1024 + 1), [asWeb(known)]),
      chunked: true,
    }),
    { status: 413 },
  ),
  bad(
    '1 MB announced and never sent',
    'invalid_request',
    (known) => postForm(path, 'code=', [asWeb(known), ['Content-Length', String(1024 * 1024)]]),
    { status: 413 },
  ),
  bad('chunked and well-formed, but nothing in it', 'invalid_client', () => ({
    ...postForm(path, '&&&'),
    chunked: true,
  })),
];
