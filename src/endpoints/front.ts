import { randomToken } from '../core/crypto.ts';
import type { Log } from '../core/log.ts';

/**
 * What stands before the router: the Host check, the path as it was sent, the client's address, and the last word on
 * every failure. The router never sees a request that this file has not understood.
 */
export type Peer = {
  /** Without the `::ffff:` of IPv4 on a dual-stack socket. */
  readonly address: string;
  /** true: a trusted proxy vouched for the address. */
  readonly forwarded: boolean;
  readonly errorId: string;
};

export type FrontOptions = {
  readonly publicUrl: string;
  readonly isTrustedProxy: (address: string) => boolean;
  readonly log: Log;
  /** Routes the request; what it throws becomes an opaque answer. */
  readonly route: (request: Request, peer: Peer) => Promise<Response>;
  /** The answer to what was thrown: 503 for what passes, else 500. */
  readonly onFailure: (thrown: unknown, request: Request, errorId: string) => Response;
};

export type Front = (request: Request, socketAddress: string | null) => Promise<Response>;

export function createFront({ publicUrl, isTrustedProxy, log, route, onFailure }: FrontOptions): Front {
  const origin = new URL(publicUrl);
  const isHttps = origin.protocol === 'https:';
  return async (request, socketAddress) => {
    const errorId = newErrorId();
    const peer = peerOf(request, socketAddress, isTrustedProxy, errorId);
    const response = await answer(request, peer);
    return withSecurityHeaders(response, isHttps);
  };

  async function answer(request: Request, peer: Peer): Promise<Response> {
    if (hostOf(request, peer.forwarded) !== origin.host) return misdirected();
    if (!isPlainPath(request.url)) return new Response('Not found\n', { status: 404, headers: plain });
    try {
      return await route(request, peer);
    } catch (thrown) {
      log.error('request.failed', { errorId: peer.errorId, method: request.method, thrown: asError(thrown) });
      return onFailure(thrown, request, peer.errorId);
    }
  }
}

const plain = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };

const newErrorId = (): string => randomToken().slice(0, 12);

/** RFC 9110 §15.5.20: this server answers for the configured host only, whatever else points at it. */
const misdirected = (): Response =>
  new Response('This host name is not served here. The address in LIMEN_PUBLIC_URL is the only one.\n', {
    status: 421,
    headers: plain,
  });

/** A proxy in front may have changed Host; it then says the original in X-Forwarded-Host. */
function hostOf(request: Request, forwarded: boolean): string | null {
  const told = forwarded ? request.headers.get('x-forwarded-host') : null;
  return (told ?? request.headers.get('host'))?.toLowerCase() ?? null;
}

/** Encoded slashes, backslashes and NUL name no path of ours; a router that decodes them would find one. */
function isPlainPath(url: string): boolean {
  const path = url.split('?', 1)[0] ?? '';
  return !/%2f|%5c|%00|\\|%(?![0-9a-f]{2})/i.test(path);
}

/** The right-most address that no trusted proxy of ours wrote (X-Forwarded-For); from anyone else it is ignored. */
function peerOf(
  request: Request,
  socketAddress: string | null,
  isTrustedProxy: (address: string) => boolean,
  errorId: string,
): Peer {
  const direct = withoutMapping(socketAddress ?? 'unknown');
  if (!isTrustedProxy(direct)) return { address: direct, forwarded: false, errorId };
  const chain = (request.headers.get('x-forwarded-for') ?? '').split(',').map((part) => withoutMapping(part.trim()));
  const client = chain.findLast((address) => address !== '' && !isTrustedProxy(address));
  return { address: client ?? direct, forwarded: client !== undefined, errorId };
}

const withoutMapping = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error('something that is no error was thrown');

function withSecurityHeaders(response: Response, isHttps: boolean): Response {
  const { headers } = response;
  headers.set('x-content-type-options', 'nosniff');
  // `no-referrer` would make browsers send `Origin: null` with our own forms.
  headers.set('referrer-policy', 'same-origin');
  if (isHttps) headers.set('strict-transport-security', 'max-age=63072000; includeSubDomains');
  return response;
}
