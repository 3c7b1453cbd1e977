import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { LookupFunction, Socket } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import type { OutboundLimits } from './policy.ts';
import { type Failed, failed, faultCode } from './result.ts';
import type { Target } from './target.ts';

export type Message = {
  readonly method: 'GET' | 'POST';
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string };
  readonly body: Uint8Array | null;
};

export type Reply = {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
};

/** One request and its answer (RFC 9112) on a connection that is made for it and destroyed after it. */
export async function exchange(
  socket: Socket,
  target: Target,
  message: Message,
  limits: OutboundLimits,
  signal: AbortSignal,
): Promise<Reply | Failed> {
  try {
    const reply = await converse(socket, target, message, limits, signal);
    return 'kind' in reply ? reply : decoded(reply, limits.bodyBytes);
  } finally {
    socket.destroy();
  }
}

function converse(
  socket: Socket,
  target: Target,
  { method, headers, body }: Message,
  limits: OutboundLimits,
  signal: AbortSignal,
): Promise<Reply | Failed> {
  return new Promise((resolve) => {
    const settle = (result: Reply | Failed): void => {
      signal.removeEventListener('abort', abort);
      resolve(result);
    };
    const abort = (): void => settle(failed('timeout', 'no complete answer within the deadline'));
    signal.addEventListener('abort', abort, { once: true });
    const request = httpRequest({
      method,
      path: target.path,
      headers: {
        host: target.authority,
        connection: 'close',
        ...headers,
        ...(body === null ? {} : { 'content-length': String(body.byteLength) }),
      },
      setHost: false,
      maxHeaderSize: limits.headerBytes,
      createConnection: () => socket,
      // Were `createConnection` ever ignored, a connection of somebody else's choice must not come about.
      host: 'never-connected.invalid',
      lookup: refuseLookup,
    });
    request.on('error', (thrown) => settle(faultOf(thrown)));
    request.on('upgrade', () => settle(failed('malformed', 'switched to another protocol')));
    request.on('close', () => settle(failed('connection', 'closed before an answer')));
    request.on('response', (response) => collect(response, limits.bodyBytes, settle));
    if (signal.aborted) abort();
    else request.end(body ?? undefined);
  });
}

const refuseLookup: LookupFunction = (_, __, callback) => callback(new Error('a connection was made already'), []);

function faultOf(thrown: Error): Failed {
  const code = faultCode(thrown);
  if (code === 'HPE_HEADER_OVERFLOW') return failed('too_large', 'the headers');
  return failed(code.startsWith('HPE_') ? 'malformed' : 'connection', code);
}

function collect(response: IncomingMessage, bodyBytes: number, settle: (result: Reply | Failed) => void): void {
  const headers = headersOf(response.rawHeaders);
  const tooLarge = failed('too_large', 'the body');
  if (Number(headers.get('content-length') ?? 0) > bodyBytes) {
    settle(tooLarge);
    return;
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  response.on('data', (chunk: Uint8Array) => {
    length += chunk.byteLength;
    if (length > bodyBytes) settle(tooLarge);
    else chunks.push(chunk);
  });
  response.on('error', (thrown) => settle(failed('connection', faultCode(thrown))));
  response.on('end', () =>
    settle(
      response.complete
        ? { status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks) }
        : failed('connection', 'the answer ended early'),
    ),
  );
}

function headersOf(raw: readonly string[]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase();
    const value = raw[index + 1] ?? '';
    const before = headers.get(name);
    if (name !== 'set-cookie') headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

const decoders: { readonly [coding: string]: typeof gunzipSync } = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
};

/** We ask for `identity`; some servers compress anyway. One coding at most, and never more out of it than was allowed in. */
function decoded(reply: Reply, bodyBytes: number): Reply | Failed {
  const coding = reply.headers.get('content-encoding')?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity' || reply.body.byteLength === 0) return reply;
  const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined;
  if (decode === undefined) return failed('malformed', 'an unknown content coding');
  try {
    return { ...reply, body: decode(reply.body, { maxOutputLength: bodyBytes }) };
  } catch (thrown) {
    return faultCode(thrown) === 'ERR_BUFFER_TOO_LARGE'
      ? failed('too_large', 'the decoded body')
      : failed('malformed', 'the content coding');
  }
}
