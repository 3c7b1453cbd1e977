import type { FamilyId } from '../../core/ids.ts';
import type { KeyRing } from '../../core/key_ring.ts';
import type { Result } from '../../core/result.ts';
import type { Instant } from '../../core/time.ts';
import type { AccessTokenClaims, Exchanged } from '../access_token.ts';
import type { Client } from '../client.ts';
import { refuseClient } from '../client_auth/method.ts';
import { spentProof } from '../dpop.ts';
import { type Refusal, refusal } from '../errors.ts';
import type { Form } from '../parameters.ts';
import type { Families, Presenter, ProofToSpend } from '../ports.ts';
import type { Realm } from '../realm.ts';
import type { RefreshToken } from '../refresh_token.ts';
import type { StandardClaims } from '../standard_claims.ts';
import type { Grant } from '../token_family.ts';

/** What every grant is given: the client is authenticated and may use the grant. */
export type GrantFacts = {
  readonly realm: Realm;
  readonly client: Client;
  readonly form: Form;
  readonly ring: KeyRing;
  readonly now: Instant;
  readonly presenter: Presenter;
  /** The thumbprint of the key that a DPoP proof showed; null: there was none. */
  readonly senderKey: string | null;
  /** What the client proved itself with and may not prove itself with again. */
  readonly proofs: readonly ProofToSpend[];
  readonly tokens: TokenPorts;
};

/** For the grant that takes access tokens of ours: what tells them, and the clients that they were issued to. */
export type TokenPorts = {
  /** null: not one of this realm's, or expired. */
  readonly read: (token: string) => Promise<AccessTokenClaims | null>;
  /** null: unknown or disabled. */
  readonly findClient: (clientId: string) => Promise<Client | null>;
};

/** What the token response is made of. */
export type Issue = {
  readonly grant: Grant;
  /** The scope of this access token, which a refresh may have narrowed. */
  readonly scope: readonly string[];
  readonly familyId: FamilyId | null;
  readonly refreshToken: RefreshToken | null;
  readonly nonce: string | null;
  readonly userClaims: StandardClaims;
  /** Of the grant that exchanges tokens only; its response has no ID token (RFC 8693 §2.2.1). */
  readonly exchanged?: Exchanged;
};

/** Redeems what `check` let pass: the only part that touches the database. */
export type Redeem = (families: Families) => Promise<Result<Issue, Refusal>>;

/**
 * A grant type: one file, one line in `index.ts`. `check` decides all that can be decided without the database, so that
 * nothing is consumed by a request that would be refused anyway.
 */
export type GrantType = {
  readonly type: string;
  readonly forClass: readonly Client['class'][];
  /** A person signs in for it, so that refresh tokens can come of it. */
  readonly signsIn?: true;
  /** The statement that redeems spends `proofs` too; for any other grant they are spent before it redeems. */
  readonly spendsProofs?: true;
  /** true: what it issues never has an ID token. */
  readonly givesNoIdToken?: true;
  readonly check: (facts: GrantFacts) => Result<Redeem, Refusal>;
};

/** RFC 6749 §5.2. One description per grant for all that an attacker might probe. */
export const invalidGrant = (description: string, rule: string): Refusal => refusal('invalid_grant', description, rule);

/** RFC 7523 §3, RFC 9449 §11.1: each is told in the terms of what it proved. */
const refusalOfSpent: { readonly [Kind in ProofToSpend['kind']]: Refusal } = {
  'client assertion': refuseClient('RFC 7523 §3'),
  dpop: spentProof,
};

export const refuseSpent = (kind: ProofToSpend['kind']): Refusal => refusalOfSpent[kind];

/**
 * RFC 9449 §5: the refresh tokens of a public client are bound to its key. A confidential client proves itself anyway, and
 * may change its key.
 */
export const refreshKeyOf = ({ client, senderKey }: Pick<GrantFacts, 'client' | 'senderKey'>): string | null =>
  client.class === 'public' ? senderKey : null;
