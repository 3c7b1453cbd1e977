import { sql as query } from 'drizzle-orm';
import { brandId, newId, type RealmId, type UserId } from '../core/ids.ts';
import { clearlyAfterPasswordSeconds, deviceLifetimeSeconds, mostDevicesOfUser } from '../core/known_device.ts';
import type { Instant } from '../core/time.ts';
import type { Database, Executor, Sql } from './database.ts';
import { guarded } from './fault.ts';

/**
 * Browsers that are known to a person (drizzle/0006_account.sql, core/known_device.ts). A device counts while it has not
 * lapsed and the password by which it became known is still the one: a change of it is one row in `users`, and races with
 * no sign-in that is under way.
 */
export type FoundDevice = { readonly id: string; readonly userId: UserId; readonly tokenHash: Uint8Array };

export type DeviceChange = {
  /** `new`: a token that was just made; `known`: one that the browser had. */
  readonly kind: 'new' | 'known';
  readonly tokenHash: Uint8Array;
  /** When the password was given. */
  readonly provedAt: Instant;
};

export type DeviceOwner = {
  readonly realmId: RealmId;
  readonly userId: UserId;
  readonly address: string | null;
  readonly agent: string | null;
};

type DeviceColumns = { readonly id: string; readonly user_id: string; readonly token_hash: Uint8Array };

/** From when on a proof is certainly one by the password that the user `u` has. */
const provedFrom = `(u.password_set_at + interval '${clearlyAfterPasswordSeconds} seconds')`;

/** The device `d` of the user `u`, while it counts. */
export const countingDevice = `d.expires_at > limen_now() AND d.proved_at >= ${provedFrom}`;

export const createKnownDevices = ({ sql }: Database) =>
  guarded({
    /** Those of the tokens that count, whoever's they are: the same work whether or not anybody in particular is asked for. */
    async find(realmId: RealmId, tokenHashes: readonly Uint8Array[]): Promise<readonly FoundDevice[]> {
      const rows = await sql<DeviceColumns[]>`
        SELECT d.id, d.user_id, d.token_hash FROM known_devices d JOIN users u ON u.id = d.user_id
        WHERE d.realm_id = ${realmId}::uuid AND d.token_hash = ANY (${oneOf(sql, tokenHashes)})
          AND ${sql.unsafe(countingDevice)}`;
      return rows.map(({ id, user_id, token_hash }) => ({
        id,
        userId: brandId<UserId>(user_id),
        tokenHash: token_hash,
      }));
    },

    /** Deletes a batch of lapsed ones, in all realms; gives how many. */
    async removeExpired(limit: number): Promise<number> {
      const gone = await sql`
        DELETE FROM known_devices WHERE id IN (
          SELECT id FROM known_devices WHERE expires_at < limen_now() ORDER BY expires_at LIMIT ${limit})`;
      return gone.count;
    },
  });

/** An array for `= ANY`. The driver has no codec for arrays of bytes. */
export const oneOf = (sql: Sql, hashes: readonly Uint8Array[]) =>
  sql`ARRAY(SELECT decode(hash, 'hex') FROM unnest(${hashes.map((hash) => Buffer.from(hash).toString('hex'))}::text[]) AS hash)`;

/** Part of a completing run. A device that ended meanwhile stays ended, and a password that was changed makes none. */
export async function keepDevice(
  executor: Executor,
  { realmId, userId, address, agent }: DeviceOwner,
  { kind, tokenHash, provedAt }: DeviceChange,
): Promise<void> {
  const expiresAt = query`limen_now() + make_interval(secs => ${deviceLifetimeSeconds}::integer)`;
  if (kind === 'known') {
    await executor.execute(query`
      UPDATE known_devices d SET proved_at = ${provedAt}::timestamptz, expires_at = ${expiresAt},
        address = ${address}, agent = ${agent}
      FROM users u
      WHERE d.token_hash = ${tokenHash}::bytea AND d.realm_id = ${realmId}::uuid AND d.user_id = ${userId}::uuid
        AND u.id = d.user_id AND ${provedAt}::timestamptz >= ${query.raw(provedFrom)} AND ${query.raw(countingDevice)}`);
    return;
  }
  const made = await executor.execute(query`
    INSERT INTO known_devices (id, realm_id, user_id, token_hash, created_at, proved_at, expires_at, address, agent)
    SELECT ${newId()}::uuid, u.realm_id, u.id, ${tokenHash}::bytea, limen_now(), ${provedAt}::timestamptz, ${expiresAt},
      ${address}, ${agent}
    FROM users u
    WHERE u.id = ${userId}::uuid AND u.realm_id = ${realmId}::uuid
      AND ${provedAt}::timestamptz >= ${query.raw(provedFrom)}
    RETURNING id`);
  if (made.length === 0) return;
  await executor.execute(query`
    DELETE FROM known_devices WHERE id IN (
      SELECT id FROM known_devices WHERE user_id = ${userId}::uuid AND realm_id = ${realmId}::uuid
      ORDER BY proved_at DESC OFFSET ${mostDevicesOfUser}::integer FOR UPDATE SKIP LOCKED)`);
}
