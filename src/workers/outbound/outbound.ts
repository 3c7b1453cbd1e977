import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { version } from '../../../package.json' with { type: 'json' };
import type { Log } from '../../core/log.ts';

import { startDeadline } from '../password/deadline.ts';
import { connect } from './connect.ts';
import { exchange, type Message, type Reply } from './exchange.ts';
import { createRules, defaultLimits, type OutboundLimits, type OutboundPolicy } from './policy.ts';
import { type Failed, failed, faultCode, type OutboundResult, type Refused } from './result.ts';
import type { Target } from './target.ts';
import { createTrust } from './trust.ts';
import { Turns } from './turns.ts';

type CallOptions = {
  /** The `Accept` header. */
  readonly accept: string;
  /** Sent in addition, and never to another origin after a redirect. Throws for those that are ours to set. */
  readonly headers?: { readonly [name: string]: string };
  /** true: the protocol allows http for this URL. Otherwise http is for loopback with the loopback switch on. */
  readonly plainHttp?: boolean;
};

export type GetOptions = CallOptions & {
  readonly redirects?: 0 | 1 | 2 | 3;
  /** Where a document of its kind is smaller than what the limits allow. */
  readonly bodyBytes?: number;
};
export type PostOptions = CallOptions & { readonly contentType: string };

export type Outbound = {
  /** Any status is an answer, except a redirect beyond `redirects`, which fails as `redirect`. Never throws. */
  readonly get: (url: string, options: GetOptions) => Promise<OutboundResult>;
  /** Sent at most once, and never again to where a redirect points. */
  readonly post: (url: string, body: string | Uint8Array, options: PostOptions) => Promise<OutboundResult>;
};

export type OutboundPorts = {
  readonly log: Log;
  /** All addresses of a name; rejects or gives none where it has none. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
};

const resolveName = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true, order: 'verbatim' })).map(({ address }) => address);

type Request = Message & { readonly plainHttp: boolean; readonly redirects: number; readonly bodyBytes: number };

/** Throws where `extraCertificates` cannot be read; `certificatesFault` tells it beforehand. */
export function createOutbound(policy: OutboundPolicy, { log, resolve = resolveName }: OutboundPorts): Outbound {
  const limits: OutboundLimits = { ...defaultLimits, ...policy.limits };
  const rules = createRules(policy);
  const trust = createTrust(policy.extraCertificates);
  const turns = new Turns(limits);

  const addressesOf = async (target: Target, signal: AbortSignal): Promise<readonly string[] | Failed> => {
    if (isIP(target.host) !== 0) return [target.host];
    const found = await before(resolve(target.host), signal).catch((thrown: unknown) =>
      failed('dns', faultCode(thrown)),
    );
    if (found === 'aborted') return failed('timeout', 'no address within the deadline');
    return 'kind' in found || found.length > 0 ? found : failed('dns', 'no address');
  };

  /** One hop: looks the name up once, checks every address, and connects to what was checked. */
  const reach = async (target: Target, request: Request, signal: AbortSignal): Promise<Reply | Failed | Refused> => {
    const found = await addressesOf(target, signal);
    if ('kind' in found) return found;
    const addresses = rules.addresses(target, found, request.plainHttp);
    if (!addresses.ok) {
      const { rule, reason, address, addressKind } = addresses.error;
      log.warn('outbound.denied', { origin: target.origin, address, addressKind });
      return { kind: 'refused', rule, reason };
    }
    const socket = await connect(target, addresses.value, trust, signal);
    const bodyBytes = Math.min(limits.bodyBytes, request.bodyBytes);
    return 'kind' in socket ? socket : exchange(socket, target, request, { ...limits, bodyBytes }, signal);
  };

  const inTurn = async (target: Target, request: Request, signal: AbortSignal): Promise<Reply | Failed | Refused> => {
    const turn = await turns.take(target.host, signal);
    if (turn === 'full') return failed('busy', 'too many requests are waiting');
    if (turn === 'late') return failed('timeout', 'no turn within the deadline');
    try {
      return await reach(target, request, signal);
    } finally {
      turns.giveBack(target.host);
    }
  };

  const follow = async (url: string, request: Request, signal: AbortSignal): Promise<OutboundResult> => {
    const target = rules.target(url, request.plainHttp);
    if (!target.ok) return { kind: 'refused', ...target.error };
    const reply = await inTurn(target.value, request, signal);
    if ('kind' in reply) return reply;
    if (!redirectStatuses.has(reply.status)) return { kind: 'answered', ...reply, url: target.value.url };
    const next = nextHop(target.value, reply, request);
    return 'kind' in next ? next : follow(next.url, next.request, signal);
  };

  const send = async (url: string, request: Request): Promise<OutboundResult> => {
    const deadline = startDeadline(limits.deadlineMilliseconds, null);
    try {
      const result = await follow(url, request, deadline.signal);
      if (result.kind !== 'answered') {
        const { kind, ...outcome } = result;
        // Never the path or the query: they can carry what opens a webhook.
        log.warn(`outbound.${kind}`, { origin: originOf(url), method: request.method, ...outcome });
      }
      return result;
    } finally {
      deadline.end();
    }
  };

  return {
    get: (url, { redirects = 0, bodyBytes = limits.bodyBytes, ...options }) =>
      send(url, {
        method: 'GET',
        headers: headersFor(options),
        body: null,
        redirects,
        plainHttp: isPlain(options),
        bodyBytes,
      }),
    post: (url, body, options) =>
      send(url, {
        method: 'POST',
        headers: { ...headersFor(options), 'content-type': checkedValue('content-type', options.contentType) },
        body: typeof body === 'string' ? Buffer.from(body) : body,
        redirects: 0,
        plainHttp: isPlain(options),
        bodyBytes: limits.bodyBytes,
      }),
  };
}

const isPlain = ({ plainHttp = false }: CallOptions): boolean => plainHttp;

const originOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).origin : null);

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function nextHop(
  from: Target,
  { status, headers }: Reply,
  request: Request,
): { readonly url: string; readonly request: Request } | Failed | Refused {
  const location = headers.get('location');
  if (request.redirects === 0) return failed('redirect', `status ${status}`);
  if (location === undefined || !URL.canParse(location, from.url)) return failed('redirect', 'leads nowhere');
  const url = new URL(location, from.url);
  if (from.scheme === 'https' && url.protocol !== 'https:') {
    return { kind: 'refused', rule: 'downgrade', reason: 'The URL redirects from https to something else.' };
  }
  const headersThere = url.origin === from.origin ? request.headers : commonHeaders(request.headers['accept'] ?? '*/*');
  // As it was sent, not as parsed: an odd spelling of a host must be seen.
  const next = /^[a-z][a-z0-9+.-]*:/i.test(location) ? location : url.href;
  return { url: next, request: { ...request, redirects: request.redirects - 1, headers: headersThere } };
}

const commonHeaders = (accept: string): { readonly [name: string]: string } => ({
  'user-agent': `Limen/${version}`,
  accept: checkedValue('accept', accept),
  'accept-encoding': 'identity',
});

/** Ours to set, or part of how the message is framed. */
const ownHeaders: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'user-agent',
]);

function headersFor({ accept, headers = {} }: CallOptions): { readonly [name: string]: string } {
  const extra = Object.entries(headers).map(([written, value]) => {
    const name = written.toLowerCase();
    if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) || ownHeaders.has(name))
      throw new Error(`no header of a call: ${name}`);
    return [name, checkedValue(name, value)] as const;
  });
  return { ...Object.fromEntries(extra), ...commonHeaders(accept) };
}

function checkedValue(name: string, value: string): string {
  if (!/^[\t -~]*$/.test(value)) throw new Error(`the value of ${name} is no header value`);
  return value;
}

/** What the promise gives, unless the signal comes first. */
function before<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value | 'aborted'> {
  return new Promise((resolve, reject) => {
    const abort = (): void => resolve('aborted');
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
