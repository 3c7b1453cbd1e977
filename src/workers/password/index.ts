/**
 * Sign-in by password: owns the hashing children, the queue before them and the way of one attempt through admission,
 * reservation, hash and verdict. No routes. Must not know pages, flows, SQL or HTTP: it answers with a closed union, and
 * asks users and counters through `ports.ts`.
 */
export { hashPassword } from './argon2id.ts';
export { runPasswordWorker } from './child.ts';
export { type PasswordHashing, startHashing } from './hashing.ts';
export type { LockoutCounters, PasswordAccount, PasswordRealm, PasswordUser, PasswordUsers } from './ports.ts';
export {
  createPasswordVerification,
  type PasswordAttempt,
  type PasswordVerdict,
  type PasswordVerification,
  type RefusalReason,
} from './verification.ts';
export { verifyPassword } from './verify_password.ts';
