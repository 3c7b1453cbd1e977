import { asc, eq, sql } from 'drizzle-orm';
import { boolean, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { decodeBase64url } from '../core/base64url.ts';
import { randomToken } from '../core/crypto.ts';
import { brandId, newId, type RealmId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { type Override, type Overrides, resolveSettings } from '../core/overrides.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import type { Realm, RealmSecrets } from '../oidc/realm.ts';
import { databaseNow, instant, json } from './columns.ts';
import { changeConfiguration } from './config_version.ts';
import type { Database, Executor } from './database.ts';
import { conflictAs, guarded } from './fault.ts';
import { checkOverrides, fromStored, mergeOverrides, type StoredOverrides, toStored } from './overrides.ts';
import { openColumn, sealColumn } from './sealed_column.ts';
import { type SigningAlgorithm, signingAlgorithms } from './signer.ts';
import { generateRing, insertRing } from './signing_keys.ts';

export const realms = pgTable('realms', {
  id: uuid('id').primaryKey(),
  slug: text('slug').notNull(),
  name: text('name').notNull(),
  isDefault: boolean('is_default').notNull().default(false),
  settings: json<StoredOverrides>('settings').notNull().default({}),
  secretsSealed: text('secrets_sealed').notNull(),
  enabled: boolean('enabled').notNull().default(true),
  validFrom: instant('valid_from').notNull().default(0),
  createdAt: instant('created_at').notNull().default(databaseNow),
});

export type RealmRow = typeof realms.$inferSelect;

/** A realm as an operator sees it: without its secrets, and without an issuer, which only a process knows. */
export type RealmRecord = {
  readonly id: RealmId;
  readonly slug: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly overrides: Overrides;
  readonly enabled: boolean;
  readonly validFrom: Instant;
  readonly createdAt: Instant;
};

export type NewRealm = {
  readonly slug: string;
  readonly name: string;
  readonly isDefault: boolean;
  readonly overrides?: Overrides;
  /** Whose first keys it gets. */
  readonly algorithms?: readonly SigningAlgorithm[];
};

export type RealmChange = {
  readonly name?: string;
  readonly enabled?: boolean;
  /** By key; null takes an override away, keys that are not named stay. */
  readonly overrides?: { readonly [key: string]: Override | null };
};

export type RealmRefusal =
  | { readonly kind: 'slug_invalid' }
  | { readonly kind: 'slug_taken' }
  | { readonly kind: 'default_exists' }
  | { readonly kind: 'unknown_realm' }
  | { readonly kind: 'settings'; readonly faults: readonly string[] };

const slugPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
/** Whether a path segment or argument can name a realm at all. */
export const isSlug = (text: string): boolean => slugPattern.test(text);

/** Every algorithm that a client may choose has its keys from the start. */
const firstAlgorithms: readonly SigningAlgorithm[] = signingAlgorithms;

export const createRealms = (database: Database, { ring, system }: { ring: KeyRing; system: Overrides }) => {
  const { db } = database;
  const byId = db
    .select()
    .from(realms)
    .where(eq(realms.id, sql.placeholder('id')))
    .prepare('realm_by_id');
  const bySlug = db
    .select()
    .from(realms)
    .where(eq(realms.slug, sql.placeholder('slug')))
    .prepare('realm_by_slug');
  const theDefault = db.select().from(realms).where(eq(realms.isDefault, true)).prepare('realm_default');
  return guarded({
    /** A realm with random secrets and its first signing keys. */
    async create(realm: NewRealm, now: Instant): Promise<Result<RealmRecord, RealmRefusal>> {
      if (!isSlug(realm.slug)) return err({ kind: 'slug_invalid' });
      const checked = checkOverrides(realm.overrides ?? {}, 'realm', { system }, now);
      if (!checked.ok) return err({ kind: 'settings', faults: checked.error });
      const rings = await generateRing(realm.algorithms ?? firstAlgorithms);
      const created = await conflictAs(
        { realms_slug_key: 'slug_taken', realms_one_default: 'default_exists' } as const,
        () =>
          changeConfiguration(database, async (executor) => {
            const row = await insertRealm(executor, ring, realm, checked.value);
            await insertRing(executor, ring, brandId<RealmId>(row.id), rings);
            return toRecord(row);
          }),
      );
      return created.ok ? created : err({ kind: created.error });
    },

    /** All realms by slug. */
    async list(): Promise<readonly RealmRecord[]> {
      return (await db.select().from(realms).orderBy(asc(realms.slug))).map(toRecord);
    },

    async show(slug: string): Promise<RealmRecord | null> {
      const [row] = await bySlug.execute({ slug });
      return row === undefined ? null : toRecord(row);
    },

    update(slug: string, change: RealmChange, now: Instant): Promise<Result<RealmRecord, RealmRefusal>> {
      return changeConfiguration(database, async (executor) => {
        const [before] = await executor.select().from(realms).where(eq(realms.slug, slug));
        if (before === undefined) return err({ kind: 'unknown_realm' });
        const { merged, added } = mergeOverrides(fromStored(before.settings), change.overrides ?? {});
        const checked = checkOverrides(added, 'realm', { system }, now);
        if (!checked.ok) return err({ kind: 'settings', faults: checked.error });
        const [after] = await executor
          .update(realms)
          .set({
            settings: toStored(merged),
            name: change.name ?? before.name,
            enabled: change.enabled ?? before.enabled,
          })
          .where(eq(realms.id, before.id))
          .returning();
        return ok(toRecord(after ?? unreachable('the realm was read in this transaction')));
      });
    },

    /** Ends everything issued in the realm so far: one row. False: no such realm. */
    endEverything(slug: string): Promise<boolean> {
      return changeConfiguration(database, async (executor) => {
        const ended = await executor
          .update(realms)
          .set({ validFrom: databaseNow })
          .where(eq(realms.slug, slug))
          .returning({ id: realms.id });
        return ended.length > 0;
      });
    },

    /** For the configuration cache. */
    async load(which: RealmKey): Promise<RealmRow | null> {
      const [row] = await ('id' in which
        ? byId.execute(which)
        : 'slug' in which
          ? bySlug.execute(which)
          : theDefault.execute());
      return row ?? null;
    },
  });
};

export type RealmKey = { readonly id: RealmId } | { readonly slug: string } | { readonly isDefault: true };

async function insertRealm(
  executor: Executor,
  ring: KeyRing,
  realm: NewRealm,
  overrides: Overrides,
): Promise<RealmRow> {
  const id = newId<RealmId>();
  const secrets: StoredSecrets = { pairwise: randomToken(), lockout: randomToken() };
  const [row] = await executor
    .insert(realms)
    .values({
      id,
      slug: realm.slug,
      name: realm.name,
      isDefault: realm.isDefault,
      settings: toStored(overrides),
      secretsSealed: sealColumn(ring, placeOf(id), JSON.stringify(secrets)),
    })
    .returning();
  return row ?? unreachable('an insert without ON CONFLICT returns its row');
}

/** The realm as the process uses it. `publicUrl` is an origin without a trailing slash. */
export function toRealm(
  row: RealmRow,
  { ring, publicUrl, system }: { readonly ring: KeyRing; readonly publicUrl: string; readonly system: Overrides },
  now: Instant,
): Realm {
  const overrides = fromStored(row.settings);
  return {
    id: brandId<RealmId>(row.id),
    slug: row.slug,
    name: row.name,
    isDefault: row.isDefault,
    issuer: row.isDefault ? publicUrl : `${publicUrl}/realms/${row.slug}`,
    overrides,
    settings: resolveSettings({ system, realm: overrides }, now),
    secrets: openSecrets(row, ring),
    enabled: row.enabled,
    validFrom: row.validFrom,
  };
}

/** base64url, 256 bits each. */
type StoredSecrets = { readonly pairwise: string; readonly lockout: string };

const placeOf = (id: string) => ({ table: 'realms', row: id, column: 'secrets' });

function openSecrets(row: RealmRow, ring: KeyRing): RealmSecrets {
  const stored: StoredSecrets = JSON.parse(openColumn(ring, placeOf(row.id), row.secretsSealed));
  const secret = (text: string) =>
    new Secret<Uint8Array>(decodeBase64url(text) ?? unreachable('a realm secret is base64url'));
  return { pairwise: secret(stored.pairwise), lockout: secret(stored.lockout) };
}

const toRecord = (row: RealmRow): RealmRecord => ({
  id: brandId<RealmId>(row.id),
  slug: row.slug,
  name: row.name,
  isDefault: row.isDefault,
  overrides: fromStored(row.settings),
  enabled: row.enabled,
  validFrom: row.validFrom,
  createdAt: row.createdAt,
});
