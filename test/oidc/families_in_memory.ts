import {
  type ClientId,
  type FamilyId,
  instantOfTimedId,
  type RealmId,
  type SessionId,
  type UserId,
} from '../../src/core/ids.ts';
import type { Instant } from '../../src/core/time.ts';
import type {
  DevicePoll,
  DeviceRedemption,
  Families,
  FamilyBirth,
  FamilyBounds,
  ProofSpent,
  ProofToSpend,
  RevocationReason,
  Rotation,
} from '../../src/oidc/ports.ts';
import type { StandardClaims } from '../../src/oidc/standard_claims.ts';
import type { Grant } from '../../src/oidc/token_family.ts';

/**
 * The `Families` port over maps: each method is one of the store's statements, condition by condition, and judges time by
 * one clock of its own, the database's. What only a test may do (set the clock, lose commits) stands beside the port.
 */

export type StoredUser = {
  readonly realmId: RealmId;
  readonly username: string;
  enabled: boolean;
  validFrom: Instant;
  readonly claims: StandardClaims;
};
export type StoredSession = { endedAt: Instant | null; readonly expiresAt: Instant };

export type StoredFamily = {
  readonly id: FamilyId;
  readonly realmId: RealmId;
  readonly grant: Grant;
  readonly offline: boolean;
  readonly generation: number;
  readonly secretHash: Uint8Array | null;
  readonly createdAt: Instant;
  readonly rotatedAt: Instant;
  readonly revokedAt: Instant | null;
  readonly senderKey: string | null;
  readonly address: string | null;
  readonly agent: string | null;
};

export type StoredDevice = {
  readonly realmId: RealmId;
  readonly codeHash: Uint8Array;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  intervalSeconds: number;
  polledAt: Instant | null;
  decision: 'pending' | 'denied' | { readonly at: Instant; readonly grant: Grant };
  readonly clientId: ClientId;
};

export type AuditEvent = {
  readonly event:
    | 'code.replayed'
    | 'token.retried'
    | 'token.reuse'
    | 'token.revoked'
    | 'token.recovered'
    | 'token.mismatch';
  readonly familyId: FamilyId;
};

export class FamiliesInMemory implements Families {
  now: Instant;
  /** Every call of the port by the name of its method. */
  readonly calls: (keyof Families)[] = [];
  readonly audited: AuditEvent[] = [];
  readonly users = new Map<UserId, StoredUser>();
  readonly sessions = new Map<SessionId, StoredSession>();
  readonly devices = new Map<FamilyId, StoredDevice>();
  readonly #rows = new Map<FamilyId, StoredFamily>();
  readonly #spentProofs = new Set<string>();
  /** What rotations overwrote, so that they can be lost. */
  readonly #former: StoredFamily[] = [];

  constructor(now: Instant) {
    this.now = now;
  }

  row(id: FamilyId): StoredFamily | null {
    return this.#rows.get(id) ?? null;
  }

  count(): number {
    return this.#rows.size;
  }

  /** A failover to a standby that had not received the last rotations. */
  loseCommits(count: number): void {
    const former = this.#former.splice(-count)[0];
    if (former !== undefined) this.#rows.set(former.id, former);
  }

  commitsThatCanBeLost(): number {
    return this.#former.length;
  }

  async redeem(birth: FamilyBirth) {
    this.calls.push('redeem');
    const spent = this.#spend(birth.proofs);
    if (spent !== null) return spent;
    const { familyId, realmId } = birth;
    if (this.#insert(birth)) return { kind: 'redeemed', userClaims: this.#askedUserClaims(birth.grant) } as const;
    const replayed = this.#revoke(familyId, realmId, null, 'code.replayed');
    if (replayed && birth.frontFamilyId !== null) this.#revoke(birth.frontFamilyId, realmId, null, 'code.replayed');
    return { kind: replayed ? 'replayed' : 'ended' } as const;
  }

  async redeemDevice({ familyId, realmId, clientId, codeHash, ...poll }: DevicePoll): Promise<DeviceRedemption> {
    this.calls.push('redeemDevice');
    const device = this.devices.get(familyId);
    const isIts =
      device?.realmId === realmId && device.clientId === clientId && Buffer.from(device.codeHash).equals(codeHash);
    if (device === undefined || !isIts || device.createdAt < poll.countsFrom) return { kind: 'ended' };
    const { decision, polledAt, expiresAt } = device;
    const isHurried = polledAt !== null && this.now < polledAt + device.intervalSeconds * 1000 - 500;
    device.polledAt = this.now;
    device.intervalSeconds += isHurried ? 5 : 0;
    if (expiresAt <= this.now) return { kind: 'expired' };
    if (decision === 'denied') return { kind: 'denied' };
    if (decision === 'pending') return { kind: isHurried ? 'hurried' : 'pending' };
    const { grant, at } = decision;
    const times = { codeIssuedAt: at, codeExpiresAt: expiresAt };
    const offline = grant.scope.includes('offline_access');
    return this.#insert({ familyId, realmId, grant, offline, frontFamilyId: null, proofs: [], ...poll, ...times })
      ? { kind: 'redeemed', grant, userClaims: this.#askedUserClaims(grant) }
      : { kind: 'ended' };
  }

  #insert({ familyId, realmId, grant, presenter, ...birth }: FamilyBirth): boolean {
    const user = grant.userId === null ? undefined : this.users.get(grant.userId);
    const mayInsert =
      user !== undefined &&
      user.realmId === realmId &&
      user.enabled &&
      user.validFrom <= birth.codeIssuedAt &&
      this.now < birth.codeExpiresAt &&
      this.#sessionLives(grant.sessionId);
    if (!mayInsert || this.#rows.has(familyId)) return false;
    this.#rows.set(familyId, {
      id: familyId,
      realmId,
      grant,
      offline: birth.offline,
      generation: 0,
      secretHash: birth.secretHash,
      createdAt: birth.codeIssuedAt,
      rotatedAt: this.now,
      revokedAt: null,
      senderKey: birth.senderKey,
      ...presenter,
    });
    return true;
  }

  async openFront(birth: FamilyBirth) {
    const known = this.row(birth.familyId);
    return known === null ? (await this.redeem(birth)).kind === 'redeemed' : known.revokedAt === null;
  }

  async rotate(rotation: Rotation): ReturnType<Families['rotate']> {
    this.calls.push('rotate');
    return this.#spend(rotation.proofs) ?? this.#update(rotation);
  }

  async recover(rotation: Rotation) {
    this.calls.push('recover');
    const recovered = this.#update(rotation);
    if (recovered !== null) this.audited.push({ event: 'token.recovered', familyId: rotation.familyId });
    return recovered;
  }

  async read(familyId: FamilyId, realmId: RealmId, bounds: FamilyBounds) {
    this.calls.push('read');
    const row = this.#rows.get(familyId);
    if (row === undefined || row.realmId !== realmId) return null;
    return {
      generation: row.generation,
      secretHash: row.secretHash,
      clientId: row.grant.clientId,
      revoked: row.revokedAt !== null,
      alive: this.#alive(row, bounds),
      secondsSinceRotation: (this.now - row.rotatedAt) / 1000,
      senderKey: row.senderKey,
      address: row.address,
      agent: row.agent,
      grant: row.grant,
      userClaims: this.#askedUserClaims(row.grant),
    };
  }

  async endForReuse({ familyId, realmId, row, reaction }: Parameters<Families['endForReuse']>[0]) {
    this.calls.push('endForReuse');
    if (!this.#markRevoked(familyId, realmId)) return;
    const { userId, sessionId } = row.grant;
    const user = userId === null ? undefined : this.users.get(userId);
    const session = sessionId === null ? undefined : this.sessions.get(sessionId);
    if (reaction === 'user' && user !== undefined) user.validFrom = this.now;
    if (reaction === 'session' && session !== undefined) session.endedAt ??= this.now;
    this.audited.push({ event: 'token.reuse', familyId });
  }

  async noteRetry(familyId: FamilyId) {
    this.calls.push('noteRetry');
    this.audited.push({ event: 'token.retried', familyId });
  }

  async noteMismatch(familyId: FamilyId) {
    this.calls.push('noteMismatch');
    this.audited.push({ event: 'token.mismatch', familyId });
  }

  async revoke(familyId: FamilyId, realmId: RealmId, clientId: ClientId, _reason: RevocationReason) {
    this.calls.push('revoke');
    return this.#revoke(familyId, realmId, clientId, 'token.revoked');
  }

  async readLive(familyId: FamilyId, realmId: RealmId) {
    this.calls.push('readLive');
    const row = this.#rows.get(familyId);
    const forever: FamilyBounds = { idleSeconds: Number.POSITIVE_INFINITY, clientValidFrom: 0 };
    if (row === undefined || row.realmId !== realmId || row.revokedAt !== null || !this.#alive(row, forever))
      return null;
    const { clientId, userId, sessionId, scope, claims } = row.grant;
    const user = userId === null ? undefined : this.users.get(userId);
    return {
      createdAt: row.createdAt,
      clientId,
      userId,
      sessionId,
      generation: row.generation,
      hasRefreshToken: row.secretHash !== null,
      scope,
      claims,
      userClaims: user?.claims ?? {},
      username: user?.username ?? null,
    };
  }

  async readLiveSpending(familyId: FamilyId, realmId: RealmId, proof: ProofToSpend) {
    return this.#spend([proof]) ?? this.readLive(familyId, realmId);
  }

  #update({ familyId, realmId, clientId, generation, secretHash, next, bounds, presenter, ...rotation }: Rotation) {
    const row = this.#rows.get(familyId);
    const matches =
      row !== undefined &&
      row.realmId === realmId &&
      row.grant.clientId === clientId &&
      row.generation === generation &&
      row.secretHash !== null &&
      Buffer.from(row.secretHash).equals(secretHash) &&
      row.revokedAt === null &&
      (row.senderKey === null || row.senderKey === rotation.senderKey) &&
      this.#alive(row, bounds) &&
      contains(row.grant.scope, rotation.narrowing.scope) &&
      contains(row.grant.audience, rotation.narrowing.audience);
    if (!matches) return null;
    this.#former.push(row);
    this.#rows.set(familyId, { ...row, ...next, rotatedAt: this.now, ...presenter });
    return { grant: row.grant, userClaims: this.#askedUserClaims(row.grant) };
  }

  #spend(proofs: readonly ProofToSpend[]): ProofSpent | null {
    const keyOf = ({ kind, owner, jti }: ProofToSpend): string => JSON.stringify([kind, owner, jti]);
    const [spent] = proofs.filter((proof) => this.#spentProofs.has(keyOf(proof))).map(({ kind }) => kind);
    for (const proof of proofs) this.#spentProofs.add(keyOf(proof));
    return spent === undefined ? null : { kind: 'proof_spent', proof: spent };
  }

  #alive(row: StoredFamily, { idleSeconds, clientValidFrom }: FamilyBounds): boolean {
    const user = row.grant.userId === null ? null : this.users.get(row.grant.userId);
    return (
      row.rotatedAt > this.now - idleSeconds * 1000 &&
      row.createdAt >= clientValidFrom &&
      instantOfTimedId(row.id) > this.now &&
      (user === null || (user?.enabled === true && user.validFrom <= row.createdAt)) &&
      (row.offline || this.#sessionLives(row.grant.sessionId))
    );
  }

  #sessionLives(sessionId: SessionId | null): boolean {
    if (sessionId === null) return true;
    const session = this.sessions.get(sessionId);
    return session !== undefined && session.endedAt === null && session.expiresAt > this.now;
  }

  #askedUserClaims({ claims, userId }: Grant): StandardClaims {
    const user = userId === null ? undefined : this.users.get(userId);
    return claims.idToken.length > 0 ? (user?.claims ?? {}) : {};
  }

  #markRevoked(familyId: FamilyId, realmId: RealmId): boolean {
    const row = this.#rows.get(familyId);
    if (row === undefined || row.realmId !== realmId || row.revokedAt !== null) return false;
    this.#rows.set(familyId, { ...row, revokedAt: this.now });
    // Revocations wait for the standby: what they overwrote cannot come back.
    this.#former.length = 0;
    return true;
  }

  #revoke(familyId: FamilyId, realmId: RealmId, clientId: ClientId | null, event: AuditEvent['event']): boolean {
    const row = this.#rows.get(familyId);
    if (row === undefined || row.realmId !== realmId) return false;
    if (clientId !== null && row.grant.clientId !== clientId) return false;
    if (this.#markRevoked(familyId, realmId)) this.audited.push({ event, familyId });
    return true;
  }
}

/** Postgres `@>` on arrays; null: the statement does not ask. */
const contains = (all: readonly string[], some: readonly string[] | null): boolean =>
  some === null || some.every((one) => all.includes(one));
