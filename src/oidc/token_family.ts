import { equalConstantTime } from '../core/crypto.ts';
import type { ClientId, SessionId, UserId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { descendsFromRow, heirHeldBy, type RefreshToken } from './refresh_token.ts';
import type { StandardClaims } from './standard_claims.ts';

/** What tokens of a family say: fixed when the grant was made. */
export type Grant = {
  readonly clientId: ClientId;
  /** null: the client acts for itself. */
  readonly userId: UserId | null;
  readonly sessionId: SessionId | null;
  readonly scope: readonly string[];
  readonly audience: readonly string[];
  readonly authTime: number | null;
  readonly acr: string | null;
  readonly amr: readonly string[];
  readonly claims: { readonly userinfo: readonly string[]; readonly idToken: readonly string[] };
};

/** The row as the second statement reads it, with every window already judged by the database's clock. */
export type FamilyRow = {
  readonly generation: number;
  readonly secretHash: Uint8Array | null;
  readonly clientId: ClientId;
  readonly revoked: boolean;
  /** Not idle, not past its absolute end, user and session alive. */
  readonly alive: boolean;
  readonly secondsSinceRotation: number;
  /** The thumbprint of the one key that may refresh; null: it is bound to none. */
  readonly senderKey: string | null;
  readonly address: string | null;
  readonly agent: string | null;
  readonly grant: Grant;
  readonly userClaims: StandardClaims;
};

/** What to make of a refresh token that the rotating statement did not accept. */
export type Verdict =
  /** The parent again: the same heir, a new access token, nothing written. */
  | { readonly kind: 'retry'; readonly heir: RefreshToken }
  /** The database lost commits: adopt the token by compare-and-set. */
  | { readonly kind: 'recover'; readonly from: { readonly generation: number; readonly secretHash: Uint8Array } }
  /** Older than the parent, or the parent too late: the family dies. */
  | { readonly kind: 'reuse'; readonly classification: ReuseClass; readonly generationGap: number }
  /** Revoked, idle, expired, user or session gone; or another client's. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'other_client' }
  /** Bound to a key that was not proved: whoever holds the token alone can neither use nor end it (RFC 9449 §5). */
  | { readonly kind: 'other_key' }
  /** The current token: what kept it from rotating is not the token. */
  | { readonly kind: 'current' }
  | { readonly kind: 'mismatch' };

export type ReuseClass = 'retry' | 'parallel tab' | 'stale copy' | 'likely theft';

export type Presentation = {
  readonly clientId: ClientId;
  /** The client authenticated. */
  readonly assured: boolean;
  /** The thumbprint of the key that it proved. */
  readonly senderKey: string | null;
  readonly leewaySeconds: number;
  readonly address: string | null;
  readonly agent: string | null;
};

/** Design: the table of presented tokens; RFC 9700 §4.14.2. Pure: row and presentation in, verdict out. */
export function classifyRefresh(
  ring: KeyRing,
  token: RefreshToken,
  row: FamilyRow | null,
  presented: Presentation,
): Verdict {
  if (row === null) return { kind: 'ended' };
  if (row.clientId !== presented.clientId) return { kind: 'other_client' };
  if (row.secretHash === null || row.revoked || !row.alive) return { kind: 'ended' };
  if (row.senderKey !== null && row.senderKey !== presented.senderKey) return { kind: 'other_key' };
  const gap = row.generation - token.generation;
  if (gap === 0) {
    return equalConstantTime(row.secretHash, token.secretHash) ? { kind: 'current' } : { kind: 'mismatch' };
  }
  if (gap < 0) {
    const held = { generation: row.generation, secretHash: row.secretHash };
    return descendsFromRow(ring, token, held) ? { kind: 'recover', from: held } : { kind: 'mismatch' };
  }
  if (gap === 1) {
    const heir = heirHeldBy(ring, token, row.secretHash);
    if (heir === null) return { kind: 'mismatch' };
    const assured = presented.assured || row.senderKey !== null;
    if (assured || row.secondsSinceRotation <= presented.leewaySeconds) return { kind: 'retry', heir };
  }
  return { kind: 'reuse', classification: classifyReuse(gap, row, presented), generationGap: gap };
}

/** For the person who reads the audit log. It decides nothing. */
function classifyReuse(gap: number, row: FamilyRow, presented: Presentation): ReuseClass {
  const sameAgent = row.agent === presented.agent;
  const sameAddress = row.address === presented.address;
  if (!sameAgent) return 'likely theft';
  if (gap === 1 && sameAddress)
    return row.secondsSinceRotation <= 10 * presented.leewaySeconds ? 'retry' : 'stale copy';
  if (sameAddress) return row.secondsSinceRotation <= presented.leewaySeconds ? 'parallel tab' : 'stale copy';
  return 'likely theft';
}
