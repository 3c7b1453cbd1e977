import { sql } from 'drizzle-orm';
import { pgTable, primaryKey } from 'drizzle-orm/pg-core';
import { sha256 } from '../core/crypto.ts';
import type { ProofToSpend } from '../oidc/ports.ts';
import { bytea, instant } from './columns.ts';
import type { Database } from './database.ts';
import { guarded } from './fault.ts';

/**
 * The key is (hash, the proof's own end): the end is signed into the proof, so whoever presents it again meets the same
 * partition and the same row. After its end a proof is refused unread, so its partition can go.
 */
export const seenProofs = pgTable(
  'seen_proofs',
  { key: bytea('key').notNull(), at: instant('at').notNull() },
  (table) => [primaryKey({ columns: [table.key, table.at] })],
);

export const createSeenProofs = (database: Database) => {
  const insert = database.db
    .insert(seenProofs)
    .values({ key: sql.placeholder('key'), at: sql.placeholder('at') })
    .onConflictDoNothing()
    .returning({ at: seenProofs.at })
    .prepare('seen_proof_spend');
  return guarded({
    /** True the first time, for one caller in the whole cluster. */
    async spend(proof: ProofToSpend): Promise<boolean> {
      const spent = await insert.execute({ key: proofKey(proof), at: proof.expiresAt });
      return spent.length > 0;
    },
  });
};

/** JSON keeps the parts apart whatever is in them. */
export const proofKey = ({ kind, realmId, owner, jti }: ProofToSpend): Buffer =>
  sha256(JSON.stringify([kind, realmId, owner, jti]));
