import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createLog, type LogFields } from '../../src/core/log.ts';
import { createOutbound, type OutboundPorts } from '../../src/workers/outbound/outbound.ts';
import type { OutboundPolicy } from '../../src/workers/outbound/policy.ts';

/** Real servers on 127.0.0.1 that say on a connection exactly what a test tells them to. */

const read = (name: string): string => readFileSync(new URL(`certificates/${name}.pem`, import.meta.url), 'utf8');

export const testAuthority = read('authority');

export type Certificate = 'names' | 'address' | 'other' | 'common_name' | 'expired' | 'self_signed';

export type ScriptedServer = {
  readonly port: number;
  /** What came on each connection, as it came. */
  readonly requests: readonly string[];
  /** Connections that were opened, also those without a request. */
  readonly connections: () => number;
  readonly openConnections: () => number;
  readonly stop: () => void;
};

/** `reply` gets the connection once the head of a request is complete. A string is written and the connection ended. */
export type Script = string | ((socket: Socket, request: string) => void);

export async function startServer(
  script: Script,
  certificate: Certificate | 'plain' = 'names',
): Promise<ScriptedServer> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const onSocket = (socket: Socket): void => {
    let text = '';
    let isAnswered = false;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      const [head, body] = text.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head ?? '')?.[1] ?? 0);
      if (isAnswered || body === undefined || body.length < length) return;
      isAnswered = true;
      requests.push(text);
      if (typeof script === 'string') socket.end(script);
      else script(socket, text);
    });
  };
  const server: Server =
    certificate === 'plain'
      ? createTcpServer(onSocket)
      : createTlsServer({ cert: read(certificate), key: read(`${certificate}.key`) }, onSocket);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: portOf(server),
    requests,
    connections: () => connections,
    openConnections: () => sockets.size,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export const answer = (body: string, ...headers: readonly string[]): string =>
  ['HTTP/1.1 200 OK', `Content-Length: ${Buffer.byteLength(body)}`, ...headers, '', body].join('\r\n');

export const testPolicy: OutboundPolicy = {
  allowHosts: [],
  allowRanges: [],
  loopback: true,
  extraCertificates: testAuthority,
};

/** A door whose names all lead to 127.0.0.1 unless told otherwise, and what it logged. */
export function openDoor(policy: Partial<OutboundPolicy> = {}, resolve?: OutboundPorts['resolve']) {
  const lines: LogFields[] = [];
  const log = createLog(
    'debug',
    (line) => lines.push(JSON.parse(line)),
    () => 0,
  );
  const outbound = createOutbound(
    { ...testPolicy, ...policy },
    { log, resolve: resolve ?? (async () => ['127.0.0.1']) },
  );
  return { ...outbound, lines };
}
