import { sha256 } from '../core/crypto.ts';
import { unreachable } from '../core/result.ts';
import type { ProofToSpend } from '../oidc/ports.ts';
import type { Database } from './database.ts';
import { guarded } from './fault.ts';
import { fragment, statement } from './statement.ts';

export type Proving = { readonly proofs: readonly ProofToSpend[] };

/**
 * Spends proofs, as the first members of a WITH. The key is (hash, the proof's own end): the end follows from what is signed
 * into the proof, so whoever presents it again meets the same partition and the same row. After its end a proof is refused
 * unread, so its partition can go. In one order, so that two requests with the same two proofs cannot wait for each other.
 */
export const spendingOf = fragment<Proving>`
  shown AS (
    SELECT decode(key, 'hex') AS key, at::timestamptz AS at, kind
    FROM unnest(${({ proofs }) => proofs.map((proof) => proofKey(proof).toString('hex'))}::text[],
                ${({ proofs }) => proofs.map(({ expiresAt }) => new Date(expiresAt).toISOString())}::text[],
                ${({ proofs }) => proofs.map(({ kind }) => kind)}::text[])
         AS proof (key, at, kind)
  ), spent AS (
    INSERT INTO seen_proofs (key, at) SELECT key, at FROM shown ORDER BY key ON CONFLICT DO NOTHING RETURNING key
  )`;

/** Whether each proof was spent for the first time. */
export const allFresh = '(SELECT count(*) FROM spent) = (SELECT count(*) FROM shown)';

/** The kind of a proof that had been spent before; null: there is none. */
export const spentBefore = '(SELECT min(kind) FROM shown WHERE key NOT IN (SELECT key FROM spent))';
export type SpentBefore = { readonly spent_before: ProofToSpend['kind'] | null };

const spendAlone = statement<Proving, SpentBefore>`WITH ${spendingOf} SELECT ${spentBefore} AS spent_before`;

export const createSeenProofs = ({ sql }: Database) => {
  const spendAll = async (proofs: readonly ProofToSpend[]): Promise<ProofToSpend['kind'] | null> => {
    const [row] = await spendAlone(sql, { proofs });
    return row === undefined ? unreachable('the statement always gives one row') : row.spent_before;
  };
  return guarded({
    spendAll,
    /** True the first time, for one caller in the whole cluster. */
    spend: async (proof: ProofToSpend): Promise<boolean> => (await spendAll([proof])) === null,
  });
};

/** JSON keeps the parts apart whatever is in them. */
const proofKey = ({ kind, realmId, owner, jti }: ProofToSpend): Buffer =>
  sha256(JSON.stringify([kind, realmId, owner, jti]));
