import { connect } from 'node:net';

/** One HTTP/1.1 request written byte by byte, because clients mend what a test must send broken. */
export type RawRequest = {
  readonly method: string;
  /** As it stands in the request line; nothing is normalised. */
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
  /** Sends the body in chunks instead of with its length. */
  readonly chunked?: boolean;
  /** Of the Host header; null leaves it out. */
  readonly host?: string | null;
  readonly version?: '1.0' | '1.1';
};

export type RawResponse = {
  /** 0: the connection was closed without an answer. */
  readonly status: number;
  /** By lower-case name; several of one name are kept apart. */
  readonly headers: { readonly [name: string]: readonly string[] };
  readonly body: string;
  /** All of it, as text. */
  readonly text: string;
};

const patienceMilliseconds = 5000;
const chunkBytes = 16_384;

export function sendRaw(origin: string, request: RawRequest): Promise<RawResponse> {
  const { hostname, port, host } = new URL(origin);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const received: Buffer[] = [];
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      const parsed = parse(Buffer.concat(received), request.method, true);
      if (parsed === null) reject(new Error('the answer is no HTTP'));
      else resolve(parsed);
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no whole answer to ${request.method} ${request.target.slice(0, 80)}`));
    }, patienceMilliseconds);
    socket.on('data', (data: Buffer) => {
      received.push(data);
      if (parse(Buffer.concat(received), request.method, false) !== null) finish();
    });
    // A server that refuses early may reset while we are still sending: what it said before counts.
    socket.on('error', finish);
    socket.on('close', finish);
    socket.write(bytesOf(request, host));
  });
}

function bytesOf({ method, target, version = '1.1', ...request }: RawRequest, ownHost: string): Buffer {
  const body = Buffer.from(request.body ?? '');
  const hasBody = request.body !== undefined;
  const host = request.host === undefined ? ownHost : request.host;
  const lines = [
    `${method} ${target} HTTP/${version}`,
    ...(host === null ? [] : [`Host: ${host}`]),
    ...(request.headers ?? []).map(([name, value]) => `${name}: ${value}`),
    ...(hasBody && request.chunked === true ? ['Transfer-Encoding: chunked'] : []),
    ...(hasBody && request.chunked !== true && !declaresLength(request) ? [`Content-Length: ${body.length}`] : []),
    'Connection: close',
  ];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return Buffer.concat([head, request.chunked === true ? inChunks(body) : body]);
}

const declaresLength = ({ headers = [] }: Pick<RawRequest, 'headers'>): boolean =>
  headers.some(([name]) => name.toLowerCase() === 'content-length');

function inChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let start = 0; start < body.length; start += chunkBytes) {
    const chunk = body.subarray(start, start + chunkBytes);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/** null: not whole yet. */
function parse(received: Buffer, method: string, ended: boolean): RawResponse | null {
  if (received.length === 0) return ended ? { status: 0, headers: {}, body: '', text: '' } : null;
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd === -1) return null;
  const [statusLine = '', ...lines] = received.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 ([0-9]{3}) /.exec(statusLine)?.[1]);
  if (Number.isNaN(status)) return null;
  const headers: { [name: string]: string[] } = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers[name] = [...(headers[name] ?? []), line.slice(colon + 1).trim()];
  }
  const content = received.subarray(headEnd + 4);
  const length = headers['content-length']?.[0];
  const isBare = method === 'HEAD' || status === 204 || status === 304;
  if (!ended && !isBare && (length === undefined || content.length < Number(length))) return null;
  return { status, headers, body: content.toString('utf8'), text: received.toString('utf8') };
}
