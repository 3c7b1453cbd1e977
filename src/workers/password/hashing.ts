import { randomToken } from '../../core/crypto.ts';
import { Secret } from '../../core/secret.ts';
import { HashPool, type PoolOptions } from './pool.ts';

export type Verification = 'match' | 'mismatch' | 'void';

/** Argon2id away from the serving process. `void` and null: no outcome (child died, signal). */
export type PasswordHashing = {
  readonly verify: (password: Secret, hash: Secret, signal: AbortSignal) => Promise<Verification>;
  readonly hash: (password: Secret, signal: AbortSignal) => Promise<Secret | null>;
  /** A hash with today's parameters that no password is known for: work to do for a name that nobody has. */
  readonly decoy: (signal: AbortSignal) => Promise<Secret | null>;
  readonly processIds: () => readonly number[];
  readonly close: () => Promise<void>;
};

/** Starts the children. */
export function startHashing(options: PoolOptions): PasswordHashing {
  const pool = new HashPool(options);
  let decoy: Secret | null = null;

  const hash = async (password: Secret, signal: AbortSignal): Promise<Secret | null> => {
    const outcome = await pool.run({ kind: 'hash', password: password.reveal() }, signal);
    return outcome.kind === 'hashed' ? new Secret(outcome.hash) : null;
  };

  return {
    hash,
    async verify(password, stored, signal) {
      const outcome = await pool.run({ kind: 'verify', password: password.reveal(), hash: stored.reveal() }, signal);
      if (outcome.kind === 'void') return 'void';
      return outcome.kind === 'verified' && outcome.matches ? 'match' : 'mismatch';
    },
    async decoy(signal) {
      decoy ??= await hash(new Secret(randomToken()), signal);
      return decoy;
    },
    processIds: () => pool.processIds(),
    close: () => pool.close(),
  };
}
