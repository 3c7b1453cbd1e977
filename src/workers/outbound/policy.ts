import { err, ok, type Result } from '../../core/result.ts';
import {
  type AddressKind,
  type AddressRange,
  addressBehindNat64,
  addressBytes,
  addressKind,
  rangeMatcher,
} from './address.ts';
import { type Refusal, readTarget, refuse, type Target } from './target.ts';

export type OutboundLimits = {
  /** For one request as a whole: waiting its turn, names, connecting, redirects, body. */
  readonly deadlineMilliseconds: number;
  /** Of the body as sent, and again as decoded. */
  readonly bodyBytes: number;
  /** Of all headers of an answer. */
  readonly headerBytes: number;
  readonly atOnce: number;
  readonly atOncePerHost: number;
  /** Requests that may wait for a turn; one more fails as `busy`. */
  readonly waiting: number;
};

export const defaultLimits: OutboundLimits = {
  deadlineMilliseconds: 5000,
  bodyBytes: 256 * 1024,
  headerBytes: 16 * 1024,
  atOnce: 32,
  atOncePerHost: 4,
  waiting: 64,
};

/** What the operator decided. Everything else that is not public is denied. */
export type OutboundPolicy = {
  /** `idp.corp.example`, or `*.corp.example` for all names below it. */
  readonly allowHosts: readonly string[];
  readonly allowRanges: readonly AddressRange[];
  readonly loopback: boolean;
  /** PEM: authorities trusted beside the public ones. */
  readonly extraCertificates: string | null;
  readonly limits?: Partial<OutboundLimits>;
};

/** What can make an exception for an address of a kind. Nothing does for those without an entry. */
type Lift = 'always' | 'loopback switch' | 'host' | 'range';

const lifts: { readonly [Kind in AddressKind]: readonly Lift[] } = {
  public: ['always'],
  loopback: ['loopback switch'],
  private: ['host', 'range'],
  shared: ['host', 'range'],
  benchmark: ['host', 'range'],
  link_local: ['range'],
  documentation: ['range'],
  translated: [],
  metadata: [],
  multicast: [],
  reserved: [],
};

export type Rules = {
  /** Before the name is looked up. `plainHttp`: this caller takes http from anywhere. */
  readonly target: (url: string, plainHttp: boolean) => Result<Target, Refusal>;
  /** After: every address of the name must pass. */
  readonly addresses: (
    target: Target,
    addresses: readonly string[],
    plainHttp: boolean,
  ) => Result<readonly string[], DeniedAddress>;
};

/** `address` and `addressKind` are for the log alone. */
export type DeniedAddress = Refusal & { readonly address: string; readonly addressKind: AddressKind | 'no address' };

export function createRules(policy: OutboundPolicy): Rules {
  const isNamed = hostMatcher(policy.allowHosts);
  const allowed = policy.allowRanges.map(rangeMatcher);
  const isInRange = (address: string): boolean => allowed.some((contains) => contains(address));

  const isPermitted = (address: string, host: string): boolean => {
    const kind = addressKind(address);
    if (kind === null) return false;
    const behind = addressBehindNat64(address);
    if (behind !== null) return isInRange(address) && isPermitted(behind, host);
    const holds: { readonly [By in Lift]: () => boolean } = {
      always: () => true,
      'loopback switch': () => policy.loopback,
      host: () => isNamed(host),
      range: () => isInRange(address),
    };
    return lifts[kind].some((by) => holds[by]());
  };

  return {
    target(url, plainHttp) {
      const target = readTarget(url, isNamed);
      if (!target.ok || target.value.scheme === 'https' || plainHttp || policy.loopback) return target;
      return refuse('plain_http', 'The URL is not https.');
    },
    addresses(target, addresses, plainHttp) {
      const denied = addresses.find((address) => !isPermitted(address, target.host));
      if (denied !== undefined) return err(deny(target, denied));
      const outside = addresses.find((address) => addressKind(address) !== 'loopback');
      if (target.scheme === 'http' && !plainHttp && outside !== undefined) {
        return err({ ...describe(outside), rule: 'plain_http', reason: 'The URL is not https.' });
      }
      return ok(addresses);
    },
  };
}

const describe = (address: string) => ({ address, addressKind: addressKind(address) ?? ('no address' as const) });

const deny = ({ host }: Target, address: string): DeniedAddress => ({
  ...describe(address),
  rule: 'address',
  reason: `The host ${host} is not on the public internet, and the operator has not allowed it.`,
});

function hostMatcher(hosts: readonly string[]): (host: string) => boolean {
  const exact = new Set(hosts);
  const endings = hosts.filter((host) => host.startsWith('*.')).map((host) => host.slice(1));
  return (host) => exact.has(host) || endings.some((ending) => host.endsWith(ending) && addressBytes(host) === null);
}
