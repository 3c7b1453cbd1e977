import { encodeBase64url } from '../../core/base64url.ts';
import { randomId } from '../../core/crypto.ts';
import {
  type AddressPrefixes,
  addressPrefixes,
  type Ceiling,
  contextOf,
  deviceContextOf,
  isPrivateAddress,
  type LockoutAttempt,
  lockoutPolicy,
  normalizeAddress,
  type PasswordAudit,
  prefixCeilings,
  type Reservation,
  subjectOfUnknownName,
  subjectOfUser,
} from '../../core/lockout.ts';
import type { Secret } from '../../core/secret.ts';
import type { Instant } from '../../core/time.ts';
import type { BucketSize } from '../../core/token_bucket.ts';
import type { Ticket } from './admission.ts';
import { hasCurrentParameters } from './argon2id.ts';
import { type Deadline, startDeadline, wait } from './deadline.ts';
import type { LockedKey } from './locked_cache.ts';
import type { PasswordAccount, PasswordUser } from './ports.ts';
import type { PasswordAttempt, PasswordVerdict, PasswordVerification, RefusalReason } from './verification.ts';

const busyRetrySeconds = 5;
const crowdedRetrySeconds = 5;
/** How often an attempt that waits for a verdict asks again, for the verdicts of other processes. */
const askAgainMilliseconds = 100;
/** For the statements after a hash that ended just in time, so that it still counts. */
const settleMilliseconds = 5_000;
/** Where not one verification could be timed. */
const usualMilliseconds = 100;

/** Of attempts that carry a device, past a prefix that has used up its failures: whoever they name is asked for again. */
const pastPrefixSize: BucketSize = { capacity: 20, refillSeconds: 60 };

const busy: PasswordVerdict = { kind: 'busy', retryAfterSeconds: busyRetrySeconds };

/** One attempt on its way: what was asked, where from, and its place in queue and time. */
type Passage = {
  readonly deps: PasswordVerification;
  readonly attempt: PasswordAttempt;
  readonly prefixes: AddressPrefixes;
  /** Of the prefixes. */
  readonly ceilings: readonly Ceiling[];
  /**
   * By the name as typed, so that a locked key is recognized without asking who it is; and by the known-device tokens that
   * came along, since only the database says whether they are that person's.
   */
  readonly lockedKey: LockedKey;
  readonly ticket: Ticket;
  /** Of the waiting: it ends when the client is gone, too. */
  readonly deadline: Deadline;
};

/** A passage whose turn has come: from here on the client has no say in whether the try counts. */
type Judgement = Passage & { readonly reserved: LockoutAttempt; readonly hashing: Deadline };

type Found = PasswordAccount | null;

/** The account that was named, and the context of the known device that it is named from; null: from anywhere else. */
type Resolved = { readonly account: Found; readonly device: string | null };

/** Admission, then reservation, then hash, then the verdict that counts. */
export async function verifyPassword(deps: PasswordVerification, attempt: PasswordAttempt): Promise<PasswordVerdict> {
  const { address, forwarded = false } = attempt.context;
  const prefixes = addressPrefixes(address);
  // A private peer that nobody declared is a proxy, and its address stands for everybody.
  const isPlace = forwarded || !isPrivateAddress(address);
  const leavePrefix = deps.prefixLimit.enter(isPlace ? prefixes.narrow : null);
  if (leavePrefix === null) return { kind: 'slow_down', retryAfterSeconds: crowdedRetrySeconds };
  const ticket = deps.admission.admit(queuePlace(prefixes));
  const deadline = startDeadline(deps.deadlineMilliseconds, attempt.signal ?? null);
  try {
    if (ticket === null) return busy;
    const ceilings = isPlace && attempt.realm.settings.lockout ? prefixCeilings(prefixes) : [];
    return await pass({
      deps,
      attempt,
      prefixes,
      ceilings,
      lockedKey: lockedKeyOf(attempt, prefixes),
      ticket,
      deadline,
    });
  } finally {
    deadline.end();
    ticket?.leave();
    leavePrefix();
  }
}

/** One site has a /48 and could come from as many /64 as it likes, so these share one line (see the prefix ceilings). */
const queuePlace = ({ narrow, wide }: AddressPrefixes): string => wide ?? narrow;

const lockedKeyOf = ({ realm, username, context }: PasswordAttempt, prefixes: AddressPrefixes): LockedKey => ({
  realmId: realm.id,
  name: subjectOfUnknownName(realm.secrets.lockout, username),
  context: contextOf(realm.settings, prefixes) + carriedBy(context),
});

/** '' for a browser that carries none. */
const carriedBy = ({ deviceHashes = [] }: PasswordAttempt['context']): string =>
  deviceHashes
    .map((hash) => `\n${encodeBase64url(hash)}`)
    .sort()
    .join('');

async function pass(passage: Passage): Promise<PasswordVerdict> {
  const { deps, ticket, deadline } = passage;
  const crowded = takePastPrefix(passage);
  if (crowded !== null) return refuseUntried(passage, crowded);
  for (;;) {
    const untried = knownRefusal(passage);
    if (untried !== null) return refuseUntried(passage, untried);
    if (!ticket.hasTurn) {
      if (!(await ticket.turn(deadline.signal))) return busy;
      // Meanwhile another attempt may have found the lock.
      continue;
    }
    const resolved = await resolve(passage);
    const found = resolved.account;
    const reserved = toReserve(passage, resolved);
    const reservation = await reserve(passage, reserved);
    if (reservation.kind === 'reserved') return judge(passage, found, reserved);
    if (reservation.kind !== 'wait') return refuseByDatabase(passage, found, reserved, reservation);
    ticket.giveBack();
    await deps.verdicts.next(reserved.key, askAgainMilliseconds, deadline.signal);
  }
}

/** The devices are asked for whoever was named, so that the time tells nothing of the name. */
async function resolve({ deps, attempt }: Passage): Promise<Resolved> {
  const { realm, username, context } = attempt;
  const { deviceHashes = [] } = context;
  const account = await deps.users.findForPassword(realm.id, username);
  const devices = deviceHashes.length === 0 ? [] : await deps.devices.find(realm.id, deviceHashes);
  const known = devices.find(({ userId }) => userId === account?.userId);
  return { account, device: known === undefined ? null : deviceContextOf(realm.settings, known.id) };
}

/** A name that nobody has counts and locks like any other. */
function toReserve(
  { deps, attempt, prefixes, ceilings }: Passage,
  { account: found, device }: Resolved,
): LockoutAttempt {
  const { realm, username } = attempt;
  const place = contextOf(realm.settings, prefixes);
  const subject = found === null ? subjectOfUnknownName(realm.secrets.lockout, username) : subjectOfUser(found.userId);
  return {
    id: randomId(),
    key: { realmId: realm.id, subject, context: device ?? place },
    alsoIn: device === null ? null : place,
    policy: lockoutPolicy(realm.settings),
    // Not `accountCeiling`: while there is no mailed link, a day's ceiling would let anybody lock out for the day whoever
    // is away from their known devices (docs/decisions/0003-lockout-rows.md).
    ceilings,
    lifetimeMilliseconds: deps.deadlineMilliseconds + settleMilliseconds,
  };
}

const reserve = ({ deps, attempt }: Passage, reserved: LockoutAttempt): Promise<Reservation> =>
  attempt.realm.settings.lockout ? deps.lockouts.reserve(reserved) : Promise.resolve({ kind: 'reserved' });

/**
 * Hash and verdict, under a deadline of their own: if the client could end them by going away, it could guess without
 * being counted.
 */
async function judge(passage: Passage, found: Found, reserved: LockoutAttempt): Promise<PasswordVerdict> {
  const { deps, attempt, ticket } = passage;
  const hashing = startDeadline(deps.deadlineMilliseconds, null);
  const judgement: Judgement = { ...passage, reserved, hashing };
  try {
    const stored = found?.passwordHash ?? (await deps.hashing.decoy(hashing.signal));
    const outcome = stored === null ? 'void' : await deps.hashing.verify(attempt.password, stored, hashing.signal);
    ticket.giveBack();
    if (outcome === 'void') return await giveUp(judgement);
    if (found === null) return await refuse(judgement, null, 'unknown');
    if (found.passwordHash === null) return await refuse(judgement, found, 'no_password');
    if (outcome === 'mismatch') return await refuse(judgement, found, 'wrong');
    // Counted like a wrong one, or the lock would tell which password is right.
    if (!found.enabled) return await refuse(judgement, found, 'disabled');
    return await accept(judgement, found, found.passwordHash);
  } finally {
    hashing.end();
    deps.verdicts.announce(reserved.key);
  }
}

/** The child died or got stuck: nothing is known of the password, to anybody. */
async function giveUp({ deps, attempt, reserved }: Judgement): Promise<PasswordVerdict> {
  if (attempt.realm.settings.lockout) await deps.lockouts.release(reserved);
  return busy;
}

async function accept(judgement: Judgement, user: PasswordUser, passwordHash: Secret): Promise<PasswordVerdict> {
  const { deps, attempt, deadline, reserved } = judgement;
  const event = auditOf(judgement, user, reserved, 'password.accepted', {});
  if (!attempt.realm.settings.lockout) await deps.lockouts.record(event);
  else if ((await deps.lockouts.succeed(reserved, event)) === 'void') return busy;
  deps.durations.record(deadline.elapsedMilliseconds());
  if (!hasCurrentParameters(passwordHash)) await rehash(judgement, user, passwordHash);
  const { userId, username, enabled, validFrom } = user;
  return { kind: 'accepted', user: { userId, username, enabled, validFrom } };
}

/** Only while the password is at hand; where there is no time, at the next sign-in. */
async function rehash({ deps, attempt, hashing }: Judgement, user: PasswordUser, old: Secret): Promise<void> {
  const hash = await deps.hashing.hash(attempt.password, hashing.signal);
  if (hash !== null) await deps.users.rehash(attempt.realm.id, user.userId, old, hash);
}

async function refuse(
  judgement: Judgement,
  user: PasswordUser | null,
  reason: RefusalReason,
): Promise<PasswordVerdict> {
  const { deps, attempt, deadline, reserved } = judgement;
  const event = auditOf(judgement, user, reserved, 'password.refused', { reason });
  if (attempt.realm.settings.lockout) {
    const settled = await deps.lockouts.fail(reserved, event);
    if (settled.kind === 'void') return busy;
    if (settled.lockedMilliseconds !== null) remember(judgement, judgement.lockedKey, settled.lockedMilliseconds);
  } else {
    await deps.lockouts.record(event);
  }
  deps.durations.record(deadline.elapsedMilliseconds());
  return { kind: 'refused', reason };
}

/** No hash is computed: the account is locked, or the prefix has used up its failures. */
type Untried = { readonly of: Ceiling['of']; readonly remainingMilliseconds: number };

async function refuseByDatabase(
  passage: Passage,
  found: Found,
  reserved: LockoutAttempt,
  refusal: Exclude<Reservation, { kind: 'reserved' | 'wait' }>,
): Promise<PasswordVerdict> {
  const { remainingMilliseconds } = refusal;
  const isCeiling = refusal.kind === 'ceiling';
  // Should the account's ceiling be among those asked for (see `toReserve`), it looks like a lock.
  const of = isCeiling ? refusal.of : 'account';
  if (isCeiling && of === 'prefix') {
    remember(passage, prefixKey(passage, refusal.key), remainingMilliseconds);
    remember(passage, plainPrefixKey(passage, refusal.key), remainingMilliseconds);
  } else {
    remember(passage, passage.lockedKey, remainingMilliseconds);
  }
  passage.ticket.leave();
  const reason = isCeiling ? `${of}_ceiling` : 'locked';
  const event = auditOf(passage, found, reserved, 'password.refused', { reason });
  await passage.deps.lockouts.record(event);
  return refuseUntried(passage, { of, remainingMilliseconds });
}

/** A prefix is told at once: that says nothing of accounts. A locked account takes as long as a real verification. */
async function refuseUntried(passage: Passage, { of, remainingMilliseconds }: Untried): Promise<PasswordVerdict> {
  const { deps, ticket, deadline } = passage;
  ticket.leave();
  if (of === 'prefix') return { kind: 'slow_down', retryAfterSeconds: Math.ceil(remainingMilliseconds / 1000) };
  const usual = deps.durations.draw() ?? usualMilliseconds;
  await wait(Math.max(0, usual - deadline.elapsedMilliseconds()), deadline.signal);
  return { kind: 'refused', reason: 'locked' };
}

/** What the database said a moment ago, prefix first. */
function knownRefusal(passage: Passage): Untried | null {
  const { deps, ceilings, lockedKey } = passage;
  const now = nowOf(passage);
  for (const { key } of ceilings) {
    const remainingMilliseconds = deps.locked.remainingMilliseconds(prefixKey(passage, key), now);
    if (remainingMilliseconds > 0) return { of: 'prefix', remainingMilliseconds };
  }
  const remainingMilliseconds = deps.locked.remainingMilliseconds(lockedKey, now);
  return remainingMilliseconds > 0 ? { of: 'account', remainingMilliseconds } : null;
}

/**
 * A device may be let past its prefix, which only the database can say. Without a bound on how often it is asked, one device
 * of one's own would make up for the memory of the prefix: each name that nobody has tried yet would be a query and a row.
 */
function takePastPrefix(passage: Passage): Untried | null {
  const { deps, attempt, ceilings } = passage;
  if (carriedBy(attempt.context) === '') return null;
  const now = nowOf(passage);
  for (const { key } of ceilings) {
    if (deps.locked.remainingMilliseconds(plainPrefixKey(passage, key), now) === 0) continue;
    const waitSeconds = deps.pastPrefix.take(`${attempt.realm.id} ${key}`, pastPrefixSize, now);
    if (waitSeconds > 0) return { of: 'prefix', remainingMilliseconds: waitSeconds * 1000 };
  }
  return null;
}

const remember = (passage: Passage, key: LockedKey, remainingMilliseconds: number): void =>
  passage.deps.locked.remember(key, remainingMilliseconds, nowOf(passage));

/** A browser that carries devices may be let through for one name and not for another. */
function prefixKey({ attempt, lockedKey }: Passage, prefix: string): LockedKey {
  const carried = carriedBy(attempt.context);
  if (carried === '') return plainPrefixKey({ attempt }, prefix);
  // Never the name alone: a prefix and the account's context there may be the same text.
  return { realmId: attempt.realm.id, name: `prefix of ${lockedKey.name}`, context: prefix + carried };
}

/** Of every browser that carries no device. */
const plainPrefixKey = ({ attempt }: Pick<Passage, 'attempt'>, prefix: string): LockedKey => ({
  realmId: attempt.realm.id,
  name: '',
  context: prefix,
});

const nowOf = ({ attempt, deadline }: Passage): Instant => Math.floor(attempt.now + deadline.elapsedMilliseconds());

const auditOf = (
  passage: Passage,
  user: PasswordUser | null,
  { key }: LockoutAttempt,
  event: PasswordAudit['event'],
  detail: PasswordAudit['detail'],
): PasswordAudit => ({
  event,
  at: nowOf(passage),
  realmId: passage.attempt.realm.id,
  userId: user?.userId ?? null,
  address: normalizeAddress(passage.attempt.context.address),
  agent: passage.attempt.context.agent ?? null,
  detail: { subject: key.subject, context: key.context, ...detail },
});
