import { and, eq, gt, isNotNull, isNull, lt, or, sql } from 'drizzle-orm';
import type { ClientId, RealmId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import type { Birth, RegisteredClient, Registrations, Replacement, WithSecret } from '../oidc/registration/ports.ts';
import type { Audit } from './audit.ts';
import { isKeptSealed, kept, newSecret, type StoredSecret, toStoredSecret, withoutSealed } from './client_secrets.ts';
import { clients, isClientId, mutable, toRecord } from './clients.ts';
import { databaseNow, secondsFromNow } from './columns.ts';
import { changeConfiguration } from './config_version.ts';
import { consents } from './consents.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';
import { registrationTokens } from './registration_tokens.ts';

/** Of one realm: clients that nobody has allowed anything yet, where everyone may register. */
const mostUnused = 10_000;
const unusedLifetimeSeconds = 30 * 24 * 60 * 60;

type Key = { readonly realmId: RealmId; readonly clientId: string; readonly registrationTokenHash: Uint8Array };

/** Clients that registered themselves (RFC 7591, RFC 7592); those of an operator's are never touched here. */
export const createRegistrations = (database: Database, audit: Audit, ring: KeyRing): Registrations & Cleanup => {
  const { db } = database;
  return guarded({
    async isInitialToken(realmId: RealmId, hash: Uint8Array): Promise<boolean> {
      const found = await db
        .select({ id: registrationTokens.id })
        .from(registrationTokens)
        .where(isUsable(realmId, hash));
      return found.length > 0;
    },

    /**
     * Does not raise the configuration's version: the id is new, so no process can hold anything about it, not even that
     * it is absent, and whoever registers could otherwise empty every cache at will.
     */
    register(birth: Birth, now: Instant): Promise<Result<WithSecret, 'token_spent' | 'too_many_unused'>> {
      return database.transaction(async (executor) => {
        const { realmId, initialTokenHash } = birth;
        if (initialTokenHash !== null && !(await spend(executor, realmId, initialTokenHash))) return err('token_spent');
        if (initialTokenHash === null && (await hasManyUnused(executor, realmId))) return err('too_many_unused');
        const secret = birth.withSecret ? secretFor(birth, ring, now) : null;
        const client = await insert(executor, birth, secret?.stored ?? []);
        const detail = {
          class: client.class,
          rule: birth.rule,
          by: initialTokenHash === null ? 'anyone' : 'initial access token',
        };
        await audit.record({ event: 'client.registered', ...told(birth), detail }, executor);
        return ok({ client, secret: secret?.secret ?? null });
      });
    },

    async find(realmId: RealmId, clientId: string): Promise<RegisteredClient | null> {
      const [row] = isClientId(clientId)
        ? await db
            .select()
            .from(clients)
            .where(and(eq(clients.realmId, realmId), eq(clients.clientId, clientId)))
        : [];
      return row === undefined ? null : toRegistered(row);
    },

    replace(replacement: Replacement, now: Instant): Promise<WithSecret | null> {
      return changeConfiguration(database, async (executor) => {
        const { registered, endsEverything } = replacement;
        const secret = replacement.secret === 'new' ? secretFor(replacement, ring, now) : null;
        const [row] = await executor
          .update(clients)
          .set({
            ...mutable(registered),
            ...secretsAfter(replacement, secret?.stored ?? []),
            ...(endsEverything ? { validFrom: databaseNow } : {}),
          })
          .where(isStill(replacement))
          .returning();
        if (row === undefined) return null;
        await audit.record({ event: 'client.reregistered', ...told(replacement) }, executor);
        const client = toRegistered(row);
        return client === null ? null : { client, secret: secret?.secret ?? null };
      });
    },

    remove(key: Pick<Birth, 'realmId' | 'clientId' | 'registrationTokenHash' | 'presenter'>): Promise<boolean> {
      return changeConfiguration(database, async (executor) => {
        const gone = await executor.delete(clients).where(isStill(key)).returning({ clientId: clients.clientId });
        if (gone.length === 0) return false;
        await executor
          .delete(consents)
          .where(and(eq(consents.realmId, key.realmId), eq(consents.clientId, key.clientId)));
        await audit.record({ event: 'client.deregistered', ...told(key) }, executor);
        return true;
      });
    },

    /** One batch of clients that nobody used in thirty days, and of initial access tokens that are over. */
    async forgetUnused(most: number): Promise<number> {
      const spent = await db
        .delete(registrationTokens)
        .where(or(lt(registrationTokens.expiresAt, databaseNow), eq(registrationTokens.usesLeft, 0)))
        .returning({ id: registrationTokens.id });
      const due = lt(clients.unusedSince, secondsFromNow(-unusedLifetimeSeconds));
      const found = await db.select({ clientId: clients.clientId }).from(clients).where(due).limit(1);
      if (found.length === 0) return spent.length;
      return changeConfiguration(database, async (executor) => {
        const batch = executor
          .select({ realmId: clients.realmId, clientId: clients.clientId })
          .from(clients)
          .where(due)
          .limit(most);
        const gone = await executor
          .delete(clients)
          .where(sql`(${clients.realmId}, ${clients.clientId}) IN ${batch}`)
          .returning({ clientId: clients.clientId });
        return spent.length + gone.length;
      });
    },
  });
};

type Cleanup = { readonly forgetUnused: (most: number) => Promise<number> };

const isUsable = (realmId: RealmId, hash: Uint8Array) =>
  and(
    eq(registrationTokens.realmId, realmId),
    eq(registrationTokens.tokenHash, hash),
    or(isNull(registrationTokens.usesLeft), gt(registrationTokens.usesLeft, 0)),
    or(isNull(registrationTokens.expiresAt), gt(registrationTokens.expiresAt, databaseNow)),
  );

/** The condition is judged again when another transaction held the row, so a token's last use is given out once. */
async function spend(executor: Executor, realmId: RealmId, hash: Uint8Array): Promise<boolean> {
  const spent = await executor
    .update(registrationTokens)
    .set({ usesLeft: sql`${registrationTokens.usesLeft} - 1` })
    .where(isUsable(realmId, hash))
    .returning({ id: registrationTokens.id });
  return spent.length > 0;
}

/** Those that come at the same moment may pass together; the bound is against filling the database. */
async function hasManyUnused(executor: Executor, realmId: RealmId): Promise<boolean> {
  const [last] = await executor
    .select({ clientId: clients.clientId })
    .from(clients)
    .where(and(eq(clients.realmId, realmId), isNotNull(clients.unusedSince)))
    .limit(1)
    .offset(mostUnused - 1);
  return last !== undefined;
}

async function insert(executor: Executor, birth: Birth, secrets: readonly StoredSecret[]): Promise<RegisteredClient> {
  const { realmId, clientId, registered, registrationTokenHash, initialTokenHash } = birth;
  const [row] = await executor
    .insert(clients)
    .values({
      ...registered,
      redirectUris: [...registered.redirectUris],
      postLogoutRedirectUris: [...registered.postLogoutRedirectUris],
      grantTypes: [...registered.grantTypes],
      responseTypes: [...registered.responseTypes],
      scope: [...registered.scope],
      realmId,
      clientId,
      secrets,
      registrationTokenHash,
      unusedSince: initialTokenHash === null ? databaseNow : null,
    })
    .returning();
  return (
    toRegistered(row ?? unreachable('an insert without ON CONFLICT returns its row')) ??
    unreachable('it was given a token')
  );
}

function secretFor(
  { realmId, clientId, registered: { authMethod } }: Pick<Birth, 'realmId' | 'clientId' | 'registered'>,
  ring: KeyRing,
  now: Instant,
): { readonly secret: Secret; readonly stored: readonly StoredSecret[] } {
  const secret = newSecret(authMethod);
  return { secret, stored: [toStoredSecret(kept(secret, { realmId, clientId, authMethod, ring }, now))] };
}

/** The secrets column as a replacement leaves it; nothing: as it is. */
function secretsAfter({ secret, registered }: Replacement, made: readonly StoredSecret[]) {
  if (secret !== 'keep') return { secrets: made };
  return isKeptSealed(registered.authMethod) ? {} : { secrets: withoutSealed(clients.secrets) };
}

/** Still this token's: it was looked at before, and may have gone or been disabled since. */
const isStill = ({ realmId, clientId, registrationTokenHash }: Key) =>
  and(
    eq(clients.realmId, realmId),
    eq(clients.clientId, clientId),
    eq(clients.registrationTokenHash, registrationTokenHash),
    eq(clients.enabled, true),
  );

const toRegistered = (row: typeof clients.$inferSelect): RegisteredClient | null =>
  row.registrationTokenHash === null ? null : { ...toRecord(row), registrationTokenHash: row.registrationTokenHash };

const told = ({
  realmId,
  clientId,
  presenter,
}: Pick<Birth, 'realmId' | 'clientId' | 'presenter'>): {
  readonly realmId: RealmId;
  readonly clientId: ClientId;
  readonly address: string | null;
  readonly agent: string | null;
} => ({ realmId, clientId, ...presenter });
