/**
 * The store room: everything that is in Postgres, a file per domain with its table on top and its queries below.
 * Owns drizzle-orm, the driver and the signing keys; nothing else in `src/` sees SQL, a row or a private key.
 * Shape: `createX(database, …)` prepares the hot queries once and returns the domain's functions. Every query names its
 * realm; every configuration write raises `config_version`; every failure of the database is a `DatabaseFault`.
 * Must not know HTTP, pages, or why a rule is a rule: it imports core, and types of oidc and flow.
 */
export {
  type Audit,
  type AuditEvent,
  type AuditEventName,
  auditEvents,
  createAudit,
  isAuditEventName,
} from './audit.ts';
export { type ClientRecord, createClients, type NewClient } from './clients.ts';
export { createConfigVersion } from './config_version.ts';
export { ConfigurationCache } from './configuration.ts';
export { createConsents } from './consents.ts';
export { type Database, type Executor, openDatabase } from './database.ts';
export { DatabaseFault } from './fault.ts';
export { createFlows, type FlowVersion } from './flows.ts';
export { createPartitions } from './partitions.ts';
export { createProcesses } from './processes.ts';
export { createRealms, type RealmRecord } from './realms.ts';
export { createSeenProofs } from './seen_proofs.ts';
export type { Signer } from './signer.ts';
export { createSigningKeys, type SigningKeyRecord } from './signing_keys.ts';
export { createSsoSessions, type FoundSession } from './sso_sessions.ts';
export { createUsers, type UserRecord } from './users.ts';
