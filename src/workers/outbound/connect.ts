import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { checkServerIdentity, type PeerCertificate, type SecureContext, connect as tlsConnect } from 'node:tls';
import { startDeadline } from '../password/deadline.ts';
import { type Failed, failed, faultCode } from './result.ts';
import type { Target } from './target.ts';

/** One that does not answer must leave time for the next. */
const longestAttemptMilliseconds = 1500;
const mostAttempts = 4;

/**
 * A connection to one of these very addresses, which are tried in order; nothing here looks a name up, and neither proxy
 * variables nor other settings of the process's environment count. With https, the certificate is checked for the name.
 */
export async function connect(
  target: Target,
  addresses: readonly string[],
  trust: SecureContext,
  signal: AbortSignal,
): Promise<Socket | Failed> {
  let last = failed('connection', 'no address');
  for (const address of interleave(addresses).slice(0, mostAttempts)) {
    const socket = await dial(address, target.port, signal);
    if (!('kind' in socket)) return target.scheme === 'http' ? socket : secure(socket, target.host, trust, signal);
    if (signal.aborted) return late;
    last = socket;
  }
  return last;
}

const late = failed('timeout', 'no connection within the deadline');

/** The first address's family first, then in turn (RFC 8305 §4), so that one broken family costs one attempt. */
export function interleave(addresses: readonly string[]): readonly string[] {
  const [first = ''] = addresses;
  const same = addresses.filter((address) => isIP(address) === isIP(first));
  const other = addresses.filter((address) => isIP(address) !== isIP(first));
  return Array.from({ length: Math.max(same.length, other.length) }, (_, index) => [same[index], other[index]])
    .flat()
    .filter((address) => address !== undefined);
}

async function dial(address: string, port: number, signal: AbortSignal): Promise<Socket | Failed> {
  const attempt = startDeadline(longestAttemptMilliseconds, signal);
  try {
    const socket = tcpConnect({ host: address, port, noDelay: true });
    return await settled(socket, 'connect', 'connection', attempt.signal);
  } finally {
    attempt.end();
  }
}

function secure(tcp: Socket, host: string, trust: SecureContext, signal: AbortSignal): Promise<Socket | Failed> {
  const socket = tlsConnect({
    socket: tcp,
    secureContext: trust,
    // Said, not left to its default: NODE_TLS_REJECT_UNAUTHORIZED would change that.
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => identityFault(host, certificate),
    ALPNProtocols: ['http/1.1'],
    // RFC 6066 §3: addresses are not permitted as a server name.
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  socket.once('close', () => tcp.destroy());
  return settled(socket, 'secureConnect', 'tls', signal);
}

/** RFC 9525 §6.3: only the subjectAltName counts; the common name that `checkServerIdentity` falls back to does not. */
function identityFault(host: string, certificate: PeerCertificate): Error | undefined {
  if (!certificate.subjectaltname) return new Error('the certificate has no subjectAltName');
  return checkServerIdentity(host, certificate);
}

/** Waits until a socket is ready. A socket that is not gets destroyed. */
function settled(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  reason: 'connection' | 'tls',
  signal: AbortSignal,
): Promise<Socket | Failed> {
  return new Promise((resolve) => {
    const settle = (result: Socket | Failed): void => {
      signal.removeEventListener('abort', abort);
      if (result !== socket) socket.destroy();
      resolve(result);
    };
    const abort = (): void => settle(failed('timeout', `no ${event} in time`));
    socket.once(event, () => settle(socket));
    // Stays for the socket's life: an error without a listener would end the process.
    socket.on('error', (thrown) => settle(failed(reason, faultCode(thrown))));
    socket.once('close', () => settle(failed(reason, 'closed')));
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
