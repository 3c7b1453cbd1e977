/**
 * The store room: everything that is in Postgres, a file per domain with its table on top and its queries below.
 * Owns drizzle-orm, the driver and the signing keys; nothing else in `src/` sees SQL, a row or a private key.
 * Shape: `createX(database, …)` prepares the hot queries once and returns the domain's functions; the composition root
 * calls it. Every query names its realm; every configuration write raises `config_version` in its own transaction
 * (`config_version.ts`); every failure of the database is a `DatabaseFault` (`fault.ts`), without SQL or parameters.
 * Has no routes. Must not know HTTP, pages, or why a rule is a rule: it imports core, and types of oidc and flow.
 */
export {};
