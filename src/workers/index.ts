/**
 * Work beside requests: jobs that every process runs, a file each, listed where `app.ts` starts them, and the password
 * worker. Owns timers and child processes. Must not know SQL, HTTP or pages: what a job does is handed to it as ports.
 */
export { createAuditChaining } from './chain_audit.ts';
export { createCleanup } from './cleanup.ts';
export { createHeartbeat, largestClockDifference } from './heartbeat.ts';
export { type RunningJobs, startJobs } from './job.ts';
export { createLogoutDelivery, type PostForm } from './logout_delivery.ts';
export { createKeyRotation } from './rotate_keys.ts';
