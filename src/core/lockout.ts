import { isIP } from 'node:net';
import { encodeBase64url } from './base64url.ts';
import { hmacSha256 } from './crypto.ts';
import type { RealmId, UserId } from './ids.ts';
import type { Secret } from './secret.ts';
import type { Settings } from './settings.ts';
import type { Instant } from './time.ts';

/** The rules of lockout that need no database, and the words that the store and the password workers share. */

export type LockoutPolicy = {
  readonly threshold: number;
  readonly windowSeconds: number;
  readonly durationSeconds: number;
};

/** What is counted and locked: one person (or unknown name) from one context. */
export type LockoutKey = { readonly realmId: RealmId; readonly subject: string; readonly context: string };

/** A limit on failures in fixed windows of `windowSeconds`, which no success clears. */
export type Ceiling = {
  readonly key: string;
  readonly of: 'prefix' | 'account' | 'realm';
  readonly limit: number;
  readonly windowSeconds: number;
};

/** One try at a password, from its reservation to its end as success, failure or void. */
export type LockoutAttempt = {
  readonly id: string;
  readonly key: LockoutKey;
  readonly policy: LockoutPolicy;
  readonly ceilings: readonly Ceiling[];
  /**
   * From a known device: the context where its failures count as well. What that context and the ceilings have counted does
   * not refuse it. null: from anywhere else.
   */
  readonly alsoIn: string | null;
  /** Unsettled for this long, it is void. */
  readonly lifetimeMilliseconds: number;
};

export type Reservation =
  | { readonly kind: 'reserved' }
  /** As many attempts are in flight as failures are left; a verdict will make room or lock. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'locked'; readonly remainingMilliseconds: number }
  | {
      readonly kind: 'ceiling';
      readonly of: Ceiling['of'];
      readonly key: string;
      readonly remainingMilliseconds: number;
    };

export type SettledFailure =
  | { readonly kind: 'counted'; readonly lockedMilliseconds: number | null }
  /** The attempt had become void: its outcome must not be told. */
  | { readonly kind: 'void' };

export type LockState = {
  readonly context: string;
  readonly failures: number;
  readonly lastFailureAt: Instant | null;
  readonly lockedUntil: Instant | null;
  readonly inFlight: number;
};

export type PasswordAudit = {
  readonly event: 'password.accepted' | 'password.refused' | 'lockout.started' | 'lockout.cleared';
  readonly at: Instant;
  readonly realmId: RealmId;
  readonly userId: UserId | null;
  readonly address: string | null;
  readonly agent: string | null;
  readonly detail: { readonly [name: string]: string | number | null };
};

/** How many failures an address prefix may cause across accounts, by prefix length. A /48 holds many /64 of one site. */
const prefixLimits = { '/32': 100, '/64': 100, '/48': 300 } as const;
const prefixWindowSeconds = 15 * 60;
const accountLimit = 50;
const accountWindowSeconds = 24 * 60 * 60;

export const lockoutPolicy = (settings: Settings): LockoutPolicy => ({
  threshold: settings.lockoutThreshold,
  windowSeconds: settings.lockoutWindowSeconds,
  durationSeconds: settings.lockoutDurationSeconds,
});

/**
 * What a person types, as it is compared: spellings that look alike to a person share one count. Normalized again after
 * the case is folded, because a small letter may compose where the capital does not (J and caron).
 */
export const foldIdentifier = (identifier: string): string =>
  identifier.normalize('NFKC').toLowerCase().normalize('NFKC').trim();

export const subjectOfUser = (userId: UserId): string => `user:${userId}`;

/** A pseudonym for a name that nobody has; it might be a password typed into the wrong field. */
export const subjectOfUnknownName = (key: Secret<Uint8Array>, identifier: string): string =>
  `name:${encodeBase64url(hmacSha256(key.reveal(), foldIdentifier(identifier)))}`;

/** IPv4 /32, or IPv6 /64 and the /48 around it; anything that is no address is one prefix of its own. */
export type AddressPrefixes = { readonly narrow: string; readonly wide: string | null };

export function addressPrefixes(address: string): AddressPrefixes {
  const normal = normalizeAddress(address);
  if (isIP(normal) === 4) return { narrow: `address:${normal}/32`, wide: null };
  const groups = ipv6Groups(normal);
  if (groups === null) return { narrow: 'address:unknown', wide: null };
  const prefix = (count: number): string =>
    groups
      .slice(0, count)
      .map((group) => group.toString(16))
      .join(':');
  return { narrow: `address:${prefix(4)}::/64`, wide: `address:${prefix(3)}::/48` };
}

/** The context of an attempt without a known device: the setting decides whether places are told apart. */
export const contextOf = (settings: Settings, prefixes: AddressPrefixes): string =>
  settings.lockoutScope === 'account' ? 'account' : prefixes.narrow;

/** The context of a known device; null where the account is locked as a whole. */
export const deviceContextOf = (settings: Settings, deviceId: string): string | null =>
  settings.lockoutScope === 'account' ? null : `device:${deviceId}`;

/**
 * Against slow guessing from ever new addresses. Not enforced yet: as long as a person away from their known devices has
 * no way past it (a mailed link), fifty wrong passwords would lock them out for a day (docs/decisions/0003-lockout-rows.md).
 */
export const accountCeiling = (subject: string): Ceiling => ({
  key: subject,
  of: 'account',
  limit: accountLimit,
  windowSeconds: accountWindowSeconds,
});

export function prefixCeilings({ narrow, wide }: AddressPrefixes): readonly Ceiling[] {
  const ceiling = (key: string, limit: number): Ceiling => ({
    key,
    of: 'prefix',
    limit,
    windowSeconds: prefixWindowSeconds,
  });
  const narrowLimit = wide === null ? prefixLimits['/32'] : prefixLimits['/64'];
  return wide === null
    ? [ceiling(narrow, narrowLimit)]
    : [ceiling(narrow, narrowLimit), ceiling(wide, prefixLimits['/48'])];
}

/**
 * RFC 8628 §5.1: wrong user codes of devices, counted apart from passwords. null: the address says nothing of the place, and
 * the realm's ceiling alone applies.
 */
export const deviceCodeCeilings = (prefixes: AddressPrefixes | null): readonly Ceiling[] => [
  ...(prefixes === null ? [] : prefixCeilings(prefixes)).map(({ key, limit, ...ceiling }) => ({
    ...ceiling,
    key: `device code ${key}`,
    limit: limit / deviceCodeShare,
  })),
  { key: 'device codes of the realm', of: 'realm', limit: deviceCodeRealmLimit, windowSeconds: prefixWindowSeconds },
];

/** From wherever they come: at this pace it takes some three months to hit one of a thousand codes that always wait. */
const deviceCodeRealmLimit = 3000;

/** Nobody mistypes a code as often as a crowd does its passwords: 20 for an address, 60 for a /48. */
const deviceCodeShare = 5;

const privateIpv4 = [
  /^10\./,
  /^127\./,
  /^169\.254\./,
  /^192\.168\./,
  /^172\.(1[6-9]|2\d|3[01])\./,
  /^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./,
];

/** Loopback, link-local, RFC 1918, RFC 6598 and RFC 4193 addresses: unless forwarded, a proxy that nobody declared. */
export function isPrivateAddress(address: string): boolean {
  const normal = normalizeAddress(address);
  if (isIP(normal) === 4) return privateIpv4.some((range) => range.test(normal));
  const groups = ipv6Groups(normal);
  if (groups === null) return false;
  const [first = 0] = groups;
  const isLoopback = groups.every((group, index) => group === (index === 7 ? 1 : 0));
  return isLoopback || (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
}

/** An IPv4 address in IPv6 clothes (`::ffff:192.0.2.1`, `::ffff:c000:201`) as IPv4; no zone, no brackets. */
export function normalizeAddress(address: string): string {
  const bare = address.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '');
  const groups = ipv6Groups(bare);
  if (groups === null) return bare;
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return bare.toLowerCase();
  const [high = 0, low = 0] = groups.slice(6);
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

/** The eight groups of an IPv6 address, or null for anything else (RFC 4291 §2.2). */
function ipv6Groups(address: string): readonly number[] | null {
  if (isIP(address) !== 6) return null;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text = dotted === null ? address : `${dotted[1]}${pairOfOctets(dotted, 2)}:${pairOfOctets(dotted, 4)}`;
  const [head = '', tail] = text.split('::');
  const left = parseGroups(head);
  if (tail === undefined) return left;
  const right = parseGroups(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

const pairOfOctets = (match: RegExpExecArray, at: number): string =>
  (Number(match[at]) * 256 + Number(match[at + 1])).toString(16);

const parseGroups = (text: string): number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
