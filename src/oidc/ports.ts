/** What the protocol needs from outside. `store/` implements it over Postgres; tests implement it in memory. */
import type { ClientId, FamilyId, RealmId, SessionId, UserId } from '../core/ids.ts';
import type { Instant } from '../core/time.ts';
import type { Client } from './client.ts';
import type { Realm } from './realm.ts';
import type { StandardClaims } from './standard_claims.ts';
import type { FamilyRow, Grant, ReuseClass } from './token_family.ts';

/** Who presented something, for the audit log. */
export type Presenter = { readonly address: string | null; readonly agent: string | null };

export type FamilyBirth = {
  readonly familyId: FamilyId;
  readonly realmId: RealmId;
  readonly grant: Grant;
  /** Lives on when the SSO session ends. */
  readonly offline: boolean;
  /** null: no refresh token. */
  readonly secretHash: Uint8Array | null;
  readonly codeIssuedAt: Instant;
  readonly codeExpiresAt: Instant;
  /** The family of the token that was returned beside the code: a replay of the code ends it too. */
  readonly frontFamilyId: FamilyId | null;
  /** The thumbprint of the one key that may refresh (RFC 9449 §5); null: whoever has the token, and is the client. */
  readonly senderKey: string | null;
  readonly presenter: Presenter;
  /** Spent by the same statement; with one that was spent before, nothing else happens. */
  readonly proofs: readonly ProofToSpend[];
};

/**
 * `replayed`: the family existed; it is revoked now. `ended`: code expired, user or session gone; nothing was consumed.
 * `proof_spent`: a proof, of this kind, had been spent before.
 */
export type Redemption =
  | { readonly kind: 'redeemed'; readonly userClaims: StandardClaims }
  | { readonly kind: 'replayed' }
  | { readonly kind: 'ended' }
  | ProofSpent;

export type ProofSpent = { readonly kind: 'proof_spent'; readonly proof: ProofToSpend['kind'] };

/** A poll of the device grant (RFC 8628 §3.4): if the person has approved, it opens the family. */
export type DevicePoll = {
  readonly familyId: FamilyId;
  readonly realmId: RealmId;
  readonly clientId: ClientId;
  readonly codeHash: Uint8Array;
  /** Devices that asked before this are refused (`countsFrom`). */
  readonly countsFrom: Instant;
  /** null: no refresh token. */
  readonly secretHash: Uint8Array | null;
  /** The key that the refresh token is bound to (RFC 9449 §5); null: none. */
  readonly senderKey: string | null;
  readonly presenter: Presenter;
};

/** `hurried`: too soon, and the interval has grown. `ended`: no such code, redeemed before, user or session gone. */
export type DeviceRedemption =
  | ({ readonly kind: 'redeemed' } & RotatedGrant)
  | { readonly kind: 'pending' | 'hurried' | 'denied' | 'expired' | 'ended' };

/** What a person decided about a device that waits (RFC 8628 §3.3), with what the tokens will say of how they signed in. */
export type DeviceDecision = {
  readonly familyId: FamilyId;
  readonly clientId: ClientId;
  readonly userId: UserId | null;
  /** null: it is denied. */
  readonly approval: {
    readonly sessionId: SessionId;
    readonly authTime: number;
    readonly acr: string | null;
    readonly amr: readonly string[];
  } | null;
};

export type Rotation = {
  readonly familyId: FamilyId;
  readonly realmId: RealmId;
  readonly clientId: ClientId;
  readonly generation: number;
  readonly secretHash: Uint8Array;
  /** The same generation and hash where the client does not rotate. */
  readonly next: { readonly generation: number; readonly secretHash: Uint8Array };
  /** RFC 6749 §6, RFC 8707 §2.2: what the request narrows to must be within the grant; null: it does not narrow. */
  readonly narrowing: Narrowing;
  readonly bounds: FamilyBounds;
  /** The thumbprint of the key that was proved; a family that is bound to a key turns for no other. */
  readonly senderKey: string | null;
  readonly presenter: Presenter;
  /** Spent by the same statement; with one that was spent before, nothing else happens. */
  readonly proofs: readonly ProofToSpend[];
};

/** What the client's policy and state say of how long a family lives. */
export type FamilyBounds = {
  readonly idleSeconds: number;
  /** Families made before this are dead: the later of the client's cut and its realm's (`countsFrom`). */
  readonly clientValidFrom: Instant;
};

export type Narrowing = { readonly scope: readonly string[] | null; readonly audience: readonly string[] | null };

/** A grant with what its ID token was asked to say of the user. */
export type RotatedGrant = { readonly grant: Grant; readonly userClaims: StandardClaims };

export type RevocationReason = 'refresh token reuse' | 'revoked by client' | 'revoked by operator';

export type Families = {
  /** One INSERT is the gate. */
  redeem(birth: FamilyBirth): Promise<Redemption>;
  /** One UPDATE paces the poll; where the person has approved, one INSERT is the gate. */
  redeemDevice(poll: DevicePoll): Promise<DeviceRedemption>;
  /** A family for a token from the authorization endpoint; a repeat finds it there. False: user or session gone. */
  openFront(birth: FamilyBirth): Promise<boolean>;
  /** One UPDATE carries every precondition; null: it matched no row, though its proofs are spent. */
  rotate(rotation: Rotation): Promise<RotatedGrant | ProofSpent | null>;
  /** The second statement, after `rotate` gave null. */
  read(familyId: FamilyId, realmId: RealmId, bounds: FamilyBounds): Promise<FamilyRow | null>;
  /** Steps a row forward that lost commits; audited. */
  recover(rotation: Rotation): Promise<RotatedGrant | null>;
  /** Ends the family and what the policy adds, with its audit event, in one transaction. */
  endForReuse(reuse: Reuse): Promise<void>;
  /** Notes a parent that came again from elsewhere than its heir was given to. */
  noteRetry(familyId: FamilyId, realmId: RealmId, row: FamilyRow, presenter: Presenter): Promise<void>;
  /** Notes a token that fits no row; nothing else changes. */
  noteMismatch(familyId: FamilyId, realmId: RealmId, clientId: ClientId, presenter: Presenter): Promise<void>;
  /** RFC 7009: true if the client had such a family. */
  revoke(familyId: FamilyId, realmId: RealmId, clientId: ClientId, reason: RevocationReason): Promise<boolean>;
  /** Userinfo and introspection: family, user and session in one statement; null: no longer alive. */
  readLive(familyId: FamilyId, realmId: RealmId): Promise<LiveFamily | null>;
  /** The same by a statement that spends the proof which the token was shown with. */
  readLiveSpending(familyId: FamilyId, realmId: RealmId, proof: ProofToSpend): Promise<LiveFamily | ProofSpent | null>;
};

export type Reuse = {
  readonly familyId: FamilyId;
  readonly realmId: RealmId;
  readonly row: FamilyRow;
  readonly classification: ReuseClass;
  readonly generationGap: number;
  readonly presentedGeneration: number;
  readonly reaction: 'family' | 'session' | 'user';
  readonly presenter: Presenter;
};

export type LiveFamily = {
  readonly createdAt: Instant;
  readonly clientId: ClientId;
  readonly userId: UserId | null;
  readonly sessionId: SessionId | null;
  readonly generation: number;
  readonly hasRefreshToken: boolean;
  readonly scope: readonly string[];
  readonly claims: Grant['claims'];
  readonly userClaims: StandardClaims;
  readonly username: string | null;
};

/** Single use of an assertion's or proof's `jti`: true the first time. */
export type SpendProof = (proof: ProofToSpend) => Promise<boolean>;
/** Several in one statement; null: all for the first time, else the kind of one that was spent before. */
export type SpendProofs = (proofs: readonly ProofToSpend[]) => Promise<ProofToSpend['kind'] | null>;
export type ProofToSpend = {
  readonly kind: 'client assertion' | 'dpop';
  readonly realmId: RealmId;
  /** The client, or the thumbprint of the key, so that two owners may use the same jti. */
  readonly owner: string;
  readonly jti: string;
  /** Follows from the proof's own signed time, and is part of what makes it unique: no setting makes it another proof. */
  readonly expiresAt: Instant;
};

/** A compact JWS with the realm's active key of this algorithm. */
export type SignToken = (
  realm: Realm,
  algorithm: string,
  type: 'JWT' | 'at+jwt',
  claims: { readonly [name: string]: unknown },
) => string | Promise<string>;

export type FindClient = (realm: Realm, clientId: string) => Promise<Client | null>;
