import { randomId } from '../core/crypto.ts';
import { type Refusal, refusal } from '../oidc/errors.ts';
import { type RefusedRequest, type RequestLog, refuse } from './refused.ts';

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
  readonly log: RequestLog;
  /** Paths that answer under any Host: probes come by address. Nothing there depends on the name. */
  readonly anyHost: ReadonlySet<string>;
  /** Routes the request; what it throws becomes an opaque answer. */
  readonly route: (request: Request, peer: Peer) => Promise<Response>;
  /** The answer to a path that can be none of ours. */
  readonly onNotFound: (request: Request, peer: Peer) => Response;
  /** The answer to what was thrown: 503 for what passes, else 500. */
  readonly onFailure: (thrown: unknown, request: Request, peer: Peer) => Response;
};

export type Front = (request: Request, socketAddress: string | null) => Promise<Response>;

export function createFront(options: FrontOptions): Front {
  const { publicUrl, isTrustedProxy, log, anyHost, route, onNotFound, onFailure } = options;
  const origin = new URL(publicUrl);
  const isHttps = origin.protocol === 'https:';
  return async (request, socketAddress) => {
    const peer = peerOf(request, socketAddress, isTrustedProxy);
    return withSecurityHeaders(await answer(request, peer), isHttps);
  };

  async function answer(request: Request, peer: Peer): Promise<Response> {
    const misaddressed = checkHost(hostOf(request, peer.forwarded), origin);
    if (misaddressed !== null && !anyHost.has(pathOf(request.url))) {
      return refuse(log, refusedBy(peer, request), misaddressed.refusal, { status: misaddressed.status });
    }
    if (!isPlainPath(request.url)) return onNotFound(request, peer);
    try {
      return await route(request, peer);
    } catch (thrown) {
      return onFailure(thrown, request, peer);
    }
  }
}

export const refusedBy = ({ errorId, address }: Peer, { url }: { readonly url: string }): RefusedRequest => ({
  errorId,
  address,
  path: loggedPath(url),
  realm: null,
});

/** Words only: whatever has digits may be a handle, a token or a secret that was pasted into the path. */
const loggedPath = (url: string): string =>
  pathOf(url)
    .split('/')
    .map((segment) => (/^[a-z._-]{0,32}$/i.test(segment) ? segment : '...'))
    .slice(0, mostLoggedSegments)
    .join('/');

const mostLoggedSegments = 8;

const pathOf = (url: string): string => {
  const path = url.slice(url.indexOf('/', url.indexOf('://') + 3));
  return path.split('?', 1)[0] ?? '';
};

type HostFault = { readonly status: 400 | 421; readonly refusal: Refusal };

/** RFC 9112 §3.2: a Host that can be none. */
const malformedHost: HostFault = {
  status: 400,
  refusal: refusal('invalid_request', 'the Host header is not one host', 'RFC 9112 §3.2'),
};

/** RFC 9110 §15.5.20: this server answers for the configured host only, whatever else points at it. */
const misdirected: HostFault = {
  status: 421,
  refusal: refusal(
    'invalid_request',
    'this host name is not served here; the address in LIMEN_PUBLIC_URL is the only one',
    'RFC 9110 §15.5.20',
  ),
};

const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$/;

function checkHost(host: string | null, { protocol, host: served }: URL): HostFault | null {
  if (host === served) return null;
  if (host === null) return misdirected;
  if (!hostPattern.test(host)) return malformedHost;
  // RFC 9110 §4.2.3: naming the scheme's own port says nothing new.
  const withoutDefaultPort = host.replace(protocol === 'https:' ? /:443$/ : /:80$/, '');
  return withoutDefaultPort === served ? null : misdirected;
}

/** A proxy in front may have changed Host; it then says the original in X-Forwarded-Host. */
function hostOf(request: Request, forwarded: boolean): string | null {
  const told = forwarded ? request.headers.get('x-forwarded-host') : null;
  return (told ?? request.headers.get('host'))?.toLowerCase() ?? null;
}

/** No path of ours needs an escape: one that is sent would only be a second spelling, or a slash that a router decodes. */
function isPlainPath(url: string): boolean {
  return /^https?:\/\//.test(url) && !/[%\\#]/.test(pathOf(url));
}

/** Every request gets one, though few need it: the last 48 bits of a UUID cost next to nothing. */
const newErrorId = (): string => randomId().slice(24);

/** The right-most address that no trusted proxy of ours wrote (X-Forwarded-For); from anyone else it is ignored. */
function peerOf(request: Request, socketAddress: string | null, isTrustedProxy: (address: string) => boolean): Peer {
  const errorId = newErrorId();
  const direct = withoutMapping(socketAddress ?? 'unknown');
  if (!isTrustedProxy(direct)) return { address: direct, forwarded: false, errorId };
  const chain = (request.headers.get('x-forwarded-for') ?? '').split(',').map((part) => withoutMapping(part.trim()));
  const client = chain.findLast((address) => address !== '' && !isTrustedProxy(address));
  return { address: client ?? direct, forwarded: client !== undefined, errorId };
}

const withoutMapping = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');

function withSecurityHeaders(response: Response, isHttps: boolean): Response {
  const { headers } = response;
  headers.set('x-content-type-options', 'nosniff');
  // `no-referrer` would make browsers send `Origin: null` with our own forms.
  headers.set('referrer-policy', 'same-origin');
  if (isHttps) headers.set('strict-transport-security', 'max-age=63072000; includeSubDomains');
  return response;
}
