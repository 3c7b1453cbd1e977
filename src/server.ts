import type { App } from './app.ts';
import type { Config } from './config.ts';
import { err, ok, type Result } from './core/result.ts';

export type Listening = {
  readonly port: number;
  /** Refuses new connections, lets requests in flight end within the deadline, then closes what is left. */
  readonly drain: () => Promise<void>;
};

export type ListenOptions = Pick<Config, 'host' | 'port' | 'tls' | 'reusePort'>;

/** A slow sign-in may wait for its hash; idle connections are closed after this. Seconds. */
const idleTimeoutSeconds = 30;
/** Only to bound memory: the endpoints' own limit is far lower and answers in their words. */
const largestBodyBytes = 2 * 1024 * 1024;
const drainMilliseconds = 10_000;

/** TLS 1.2 only with forward secrecy and an authenticated cipher (RFC 9325 §4.2); TLS 1.3 has no others. */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Listens, or the sentence that says what stands against it and what mends it. */
export function listen(app: Pick<App, 'fetch'>, options: ListenOptions): Result<Listening, string> {
  const { host, port, tls } = options;
  try {
    const server = Bun.serve({
      hostname: host,
      port,
      reusePort: options.reusePort,
      idleTimeout: idleTimeoutSeconds,
      maxRequestBodySize: largestBodyBytes,
      ...(tls === null ? {} : { tls: { cert: Bun.file(tls.certificateFile), key: Bun.file(tls.keyFile), ciphers } }),
      fetch: (request, bun) => app.fetch(request, bun.requestIP(request)?.address ?? null),
      error: () => new Response('internal error\n', { status: 500, headers: { 'content-type': 'text/plain' } }),
    });
    return ok({
      port: server.port ?? port,
      async drain() {
        const deadline = Promise.withResolvers<void>();
        const timer = setTimeout(deadline.resolve, drainMilliseconds);
        await Promise.race([server.stop(), deadline.promise]);
        clearTimeout(timer);
        await server.stop(true);
      },
    });
  } catch (thrown) {
    return err(sentenceFor(thrown, options));
  }
}

function sentenceFor(thrown: unknown, { host, port, tls }: ListenOptions): string {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (code === 'EADDRINUSE') return `port ${port} of ${host} is taken; choose another or stop what listens there`;
  if (code === 'EACCES') return `port ${port} may not be opened by this user; choose one above 1023`;
  if (code === 'EADDRNOTAVAIL') return `${host} is no address of this machine; choose another to listen on`;
  if (tls !== null)
    return `cannot serve https with ${tls.certificateFile} and ${tls.keyFile}: check that both are PEM files that belong together`;
  return `cannot listen on port ${port} of ${host} (${code === '' ? 'unknown reason' : code})`;
}
