import { and, asc, eq, isNotNull, isNull, sql } from 'drizzle-orm';
import { boolean, integer, type PgUpdateSetSource, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { JWK } from 'jose';
import { brandId, type ClientId, type RealmId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { namesIn } from '../core/name_list.ts';
import { type Layers, type Overrides, resolveSettings } from '../core/overrides.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import type { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import type { Client, ClientClass, ClientMetadata, ClientSecretHash } from '../oidc/client.ts';
import {
  fromStoredSecret,
  isKeptSealed,
  kept,
  newSecret,
  outgoing,
  type StoredSecret,
  toStoredSecret,
  withoutSealed,
} from './client_secrets.ts';
import { bytea, databaseNow, instant, json } from './columns.ts';
import { changeConfiguration } from './config_version.ts';
import type { Executor, Transactional } from './database.ts';
import { conflictAs, guarded } from './fault.ts';
import { checkOverrides, fromStored, type StoredOverrides, toStored } from './overrides.ts';
import { realms } from './realms.ts';

export const clients = pgTable('clients', {
  realmId: uuid('realm_id').notNull(),
  clientId: text('client_id').notNull(),
  class: text('class').$type<ClientClass>().notNull(),
  name: text('name').notNull(),
  authMethod: text('token_endpoint_auth_method').notNull(),
  secrets: json<readonly StoredSecret[]>('secrets').notNull().default([]),
  jwks: json<{ readonly keys: readonly JWK[] }>('jwks'),
  redirectUris: text('redirect_uris').array().notNull().default([]),
  postLogoutRedirectUris: text('post_logout_redirect_uris').array().notNull().default([]),
  grantTypes: text('grant_types').array().notNull(),
  responseTypes: text('response_types').array().notNull(),
  scope: text('scope').array().notNull(),
  resources: text('resources').array().notNull().default([]),
  introspects: text('introspects').array().notNull().default([]),
  idTokenSignedResponseAlg: text('id_token_signed_response_alg'),
  defaultMaxAgeSeconds: integer('default_max_age'),
  requireAuthTime: boolean('require_auth_time').notNull().default(false),
  consent: text('consent').$type<Client['consent']>().notNull().default('remembered'),
  settings: json<StoredOverrides>('settings').notNull().default({}),
  metadata: json<ClientMetadata>('metadata').notNull().default({}),
  enabled: boolean('enabled').notNull().default(true),
  validFrom: instant('valid_from').notNull().default(0),
  createdAt: instant('created_at').notNull().default(databaseNow),
  registrationTokenHash: bytea('registration_token_hash'),
  unusedSince: instant('unused_since'),
});

/** A client as stored: its effective settings depend on its realm and the time (`toClient`). */
export type ClientRecord = Omit<Client, 'settings' | 'introduced'> & {
  readonly createdAt: Instant;
  readonly isSelfRegistered: boolean;
};

/** What `checkClient` (oidc/client_class.ts) has passed; the store does not know the rules of the classes. */
export type NewClient = Omit<Client, 'settings' | 'secrets' | 'enabled' | 'validFrom' | 'introduced'>;

export type ClientChange = Partial<Omit<NewClient, 'realmId' | 'clientId'> & { readonly enabled: boolean }>;

export type ClientRefusal =
  | { readonly kind: 'client_id_invalid' }
  | { readonly kind: 'client_id_taken' }
  | { readonly kind: 'unknown_realm' }
  | { readonly kind: 'unknown_client' }
  | { readonly kind: 'settings'; readonly faults: readonly string[] };

/** RFC 6749 Appendix A.1: visible ASCII, here without the space, and of a bounded length. */
const clientIdPattern = /^[\x21-\x7e]{1,255}$/;
/** Whether a parameter can name a client at all; what cannot is unknown without asking the database. */
export const isClientId = (text: string): boolean => clientIdPattern.test(text);

/** `ring`: seals secrets that must be read again; without it no client of such a method can be given one. */
export type ClientParts = { readonly system: Overrides; readonly ring?: KeyRing };

/** Somebody has allowed it something: it is kept, however it came here. */
export async function clientIsUsed(executor: Executor, realmId: RealmId, clientId: ClientId): Promise<void> {
  await executor
    .update(clients)
    .set({ unusedSince: null })
    .where(and(eq(clients.realmId, realmId), eq(clients.clientId, clientId), isNotNull(clients.unusedSince)))
    .prepare('client_used')
    .execute();
}

export const createClients = (database: Transactional, { system, ring }: ClientParts) => {
  const { db } = database;
  const byId = db
    .select()
    .from(clients)
    .where(and(eq(clients.realmId, sql.placeholder('realmId')), eq(clients.clientId, sql.placeholder('clientId'))))
    .prepare('client_by_id');

  const find = async (realmId: RealmId, clientId: string): Promise<ClientRecord | null> => {
    const [row] = isClientId(clientId) ? await byId.execute({ realmId, clientId }) : [];
    return row === undefined ? null : toRecord(row);
  };

  return guarded({
    /** `withSecret`: also makes a secret, which is shown this once. `secretHashes`: of such as others chose or made. */
    async create(
      client: NewClient,
      {
        withSecret,
        secretHashes = [],
      }: { readonly withSecret: boolean; readonly secretHashes?: readonly Uint8Array[] },
      now: Instant,
    ): Promise<Result<{ readonly client: ClientRecord; readonly secret: Secret | null }, ClientRefusal>> {
      if (!isClientId(client.clientId)) return err({ kind: 'client_id_invalid' });
      const secret = withSecret ? newSecret(client.authMethod) : null;
      const given = secretHashes.map((hash) => ({ hash, createdAt: now, expiresAt: null }));
      const secrets = secret === null ? given : [kept(secret, { ...client, ring }, now), ...given];
      const created = await conflictAs({ clients_pkey: 'client_id_taken' } as const, () =>
        changeConfiguration(database, async (executor) => {
          const checked = await checkAgainstRealm(executor, client.realmId, client.overrides, system, now);
          return checked.ok ? ok(await insertClient(executor, client, secrets)) : checked;
        }),
      );
      if (!created.ok) return err({ kind: created.error });
      return created.value.ok ? ok({ client: created.value.value, secret }) : created.value;
    },

    /** A realm's clients by client_id. */
    async list(realmId: RealmId): Promise<readonly ClientRecord[]> {
      const rows = await db.select().from(clients).where(eq(clients.realmId, realmId)).orderBy(asc(clients.clientId));
      return rows.map(toRecord);
    },

    show: find,

    /** `decide` sees the client as it is and gives what is to change, or refuses; nobody else writes meanwhile. */
    update<Refusal>(
      realmId: RealmId,
      clientId: string,
      decide: (current: ClientRecord) => Result<ClientChange, Refusal>,
      now: Instant,
    ): Promise<Result<ClientRecord, Refusal | ClientRefusal>> {
      return changeConfiguration(database, async (executor) => {
        const current = await readRecord(executor, realmId, clientId);
        if (current === null) return err({ kind: 'unknown_client' });
        const decided = decide(current);
        if (!decided.ok) return decided;
        const { overrides, ...columns } = decided.value;
        const checked = await checkAgainstRealm(executor, realmId, overrides ?? {}, system, now);
        if (!checked.ok) return checked;
        const set = { ...mutable(columns), ...(overrides === undefined ? {} : { settings: toStored(overrides) }) };
        if (Object.keys(set).length === 0) return ok(current);
        const isFreed = isKeptSealed(current.authMethod) && !isKeptSealed(columns.authMethod ?? current.authMethod);
        const unsealed = isFreed ? { secrets: withoutSealed(clients.secrets) } : {};
        // A client that an operator has changed is one that somebody wants.
        return ok(await writeClient(executor, realmId, clientId, { ...set, ...unsealed, unusedSince: null }));
      });
    },

    /**
     * A new secret, shown this once. The newest of the former ones stays valid for `overlapSeconds`, older ones end now.
     * Null: no such client.
     */
    rotateSecret(
      realmId: RealmId,
      clientId: string,
      { overlapSeconds }: { readonly overlapSeconds: number },
      now: Instant,
    ): Promise<Secret | null> {
      return changeConfiguration(database, async (executor) => {
        const current = await readRecord(executor, realmId, clientId);
        if (current === null) return null;
        const secret = newSecret(current.authMethod);
        const secrets = [kept(secret, { ...current, ring }, now), ...outgoing(current.secrets, overlapSeconds, now)];
        await writeClient(executor, realmId, clientId, { secrets: secrets.map(toStoredSecret) });
        return secret;
      });
    },

    /** From now on these are its secrets, and no others. Null: no such client. */
    setSecrets(
      realmId: RealmId,
      clientId: string,
      hashes: readonly Uint8Array[],
      now: Instant,
    ): Promise<ClientRecord | null> {
      return changeConfiguration(database, async (executor) => {
        if ((await readRecord(executor, realmId, clientId)) === null) return null;
        const secrets = hashes.map((hash) => toStoredSecret({ hash, createdAt: now, expiresAt: null }));
        return writeClient(executor, realmId, clientId, { secrets });
      });
    },

    /** The client_ids that operators made in a realm, and not the clients themselves (RFC 7591). */
    async listOwn(realmId: RealmId): Promise<readonly string[]> {
      const own = and(eq(clients.realmId, realmId), isNull(clients.registrationTokenHash));
      const rows = await db.select({ id: clients.clientId }).from(clients).where(own).orderBy(asc(clients.clientId));
      return rows.map(({ id }) => id);
    },

    /** Ends everything issued to the client so far: one row. False: no such client. */
    endEverything(realmId: RealmId, clientId: string): Promise<boolean> {
      return changeConfiguration(database, async (executor) => {
        const ended = await executor
          .update(clients)
          .set({ validFrom: databaseNow })
          .where(isThe(realmId, clientId))
          .returning({ clientId: clients.clientId });
        return ended.length > 0;
      });
    },
  });
};

/** The client with the policies in force. */
export const toClient = (
  { createdAt: _, isSelfRegistered, ...record }: ClientRecord,
  layers: Omit<Layers, 'client'>,
  now: Instant,
): Client => {
  const settings = resolveSettings({ ...layers, client: record.overrides }, now);
  const introduced = { resources: namesIn(settings.registrationResources), host: null };
  return { ...record, settings, ...(isSelfRegistered ? { introduced } : {}) };
};

export const isThe = (realmId: RealmId, clientId: string) =>
  and(eq(clients.realmId, realmId), eq(clients.clientId, clientId));

async function readRecord(executor: Executor, realmId: RealmId, clientId: string): Promise<ClientRecord | null> {
  const [row] = isClientId(clientId) ? await executor.select().from(clients).where(isThe(realmId, clientId)) : [];
  return row === undefined ? null : toRecord(row);
}

async function writeClient(
  executor: Executor,
  realmId: RealmId,
  clientId: string,
  set: PgUpdateSetSource<typeof clients>,
): Promise<ClientRecord> {
  const [row] = await executor.update(clients).set(set).where(isThe(realmId, clientId)).returning();
  return toRecord(row ?? unreachable('the client was read in this transaction'));
}

/** Overrides are judged against what the realm has now; also finds a realm that is not there. */
async function checkAgainstRealm(
  executor: Executor,
  realmId: RealmId,
  overrides: Overrides,
  system: Overrides,
  now: Instant,
): Promise<Result<Overrides, ClientRefusal>> {
  const [realm] = await executor.select({ settings: realms.settings }).from(realms).where(eq(realms.id, realmId));
  if (realm === undefined) return err({ kind: 'unknown_realm' });
  const checked = checkOverrides(overrides, 'client', { system, realm: fromStored(realm.settings) }, now);
  return checked.ok ? checked : err({ kind: 'settings', faults: checked.error });
}

async function insertClient(
  executor: Executor,
  { overrides, ...client }: NewClient,
  secrets: readonly ClientSecretHash[],
): Promise<ClientRecord> {
  const [row] = await executor
    .insert(clients)
    .values({
      ...mutable(client),
      ...requiredLists(client),
      realmId: client.realmId,
      clientId: client.clientId,
      class: client.class,
      name: client.name,
      authMethod: client.authMethod,
      settings: toStored(overrides),
      secrets: secrets.map(toStoredSecret),
    })
    .returning();
  return toRecord(row ?? unreachable('an insert without ON CONFLICT returns its row'));
}

type Lists =
  | 'redirectUris'
  | 'postLogoutRedirectUris'
  | 'grantTypes'
  | 'responseTypes'
  | 'scope'
  | 'resources'
  | 'introspects';

export const requiredLists = (client: Pick<Client, 'grantTypes' | 'responseTypes' | 'scope'>) => ({
  grantTypes: [...client.grantTypes],
  responseTypes: [...client.responseTypes],
  scope: [...client.scope],
});

/** Drizzle wants arrays that it could write to. */
export function mutable<Columns extends Partial<Pick<Client, Lists>>>(
  columns: Columns,
): Omit<Columns, Lists> & { [List in Lists]?: string[] } {
  const { redirectUris, postLogoutRedirectUris, grantTypes, responseTypes, scope, resources, introspects, ...rest } =
    columns;
  const lists = { redirectUris, postLogoutRedirectUris, grantTypes, responseTypes, scope, resources, introspects };
  const given = Object.entries(lists).flatMap(([name, list]) =>
    list === undefined ? [] : [[name, [...list]] as const],
  );
  return { ...rest, ...Object.fromEntries(given) };
}

export const toRecord = ({
  settings,
  secrets,
  registrationTokenHash,
  unusedSince: _,
  ...row
}: typeof clients.$inferSelect): ClientRecord => ({
  ...row,
  isSelfRegistered: registrationTokenHash !== null,
  realmId: brandId<RealmId>(row.realmId),
  clientId: brandId<ClientId>(row.clientId),
  secrets: secrets.map(fromStoredSecret),
  overrides: fromStored(settings),
});
