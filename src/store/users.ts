import { and, asc, eq, gt, inArray, ne, or, sql } from 'drizzle-orm';
import { boolean, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import { brandId, newId, type RealmId, type UserId } from '../core/ids.ts';
import { foldIdentifier } from '../core/lockout.ts';
import { err, ok, type Result, unreachable } from '../core/result.ts';
import { Secret } from '../core/secret.ts';
import type { Instant } from '../core/time.ts';
import type { UserState } from '../flow/run.ts';
import type { StandardClaims } from '../oidc/standard_claims.ts';
import { databaseNow, instant, json } from './columns.ts';
import type { Executor, Transactional } from './database.ts';
import { conflictAs, guarded } from './fault.ts';

export const users = pgTable('users', {
  id: uuid('id').primaryKey(),
  realmId: uuid('realm_id').notNull(),
  username: text('username').notNull(),
  usernameKey: text('username_key').notNull(),
  emailKey: text('email_key'),
  passwordHash: text('password_hash'),
  claims: json<StandardClaims>('claims').notNull().default({}),
  enabled: boolean('enabled').notNull().default(true),
  validFrom: instant('valid_from').notNull().default(0),
  passwordSetAt: instant('password_set_at').notNull().default(0),
  createdAt: instant('created_at').notNull().default(databaseNow),
  updatedAt: instant('updated_at').notNull().default(databaseNow),
});

/** A user as an operator sees one. */
export type UserRecord = {
  readonly id: UserId;
  readonly realmId: RealmId;
  readonly username: string;
  readonly claims: StandardClaims;
  readonly hasPassword: boolean;
  readonly enabled: boolean;
  /** Families, codes, sessions and evidence from before this instant are dead. */
  readonly validFrom: Instant;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
};

export type NewUser = {
  readonly realmId: RealmId;
  readonly username: string;
  readonly claims?: StandardClaims;
  /** In PHC form. */
  readonly passwordHash?: Secret;
  readonly enabled?: boolean;
};

export type UserChange = {
  readonly username?: string;
  /** All of them: claims that are not named are removed. */
  readonly claims?: StandardClaims;
  readonly enabled?: boolean;
};

export type UserRefusal = 'username_invalid' | 'username_taken' | 'email_taken' | 'unknown_realm' | 'unknown_user';

/** What the password node needs of an account, whatever its state. */
export type PasswordAccount = {
  readonly userId: UserId;
  readonly username: string;
  /** null: has no password. */
  readonly passwordHash: Secret | null;
  readonly enabled: boolean;
  readonly validFrom: Instant;
};

const usernamePattern = /^[^\p{C}]{1,255}$/u;

const takenBy = {
  users_realm_id_username_key_key: 'username_taken',
  users_by_email: 'email_taken',
  users_realm_id_fkey: 'unknown_realm',
} as const;

export const createUsers = (database: Transactional) => {
  const { db } = database;
  const forPassword = prepareForPassword(database);
  const state = prepareState(database);
  return guarded({
    /** A username and an e-mail address name one person: neither may be the other of somebody else. */
    async create(user: NewUser): Promise<Result<UserRecord, UserRefusal>> {
      const names = namesOf(user.username, user.claims ?? {});
      if (names === null) return err('username_invalid');
      const created = await conflictAs(takenBy, () =>
        database.transaction(async (executor): Promise<Result<UserRecord, UserRefusal>> => {
          const taken = await findTaken(executor, user.realmId, names, null);
          return taken === null ? ok(await insertUser(executor, user, names)) : err(taken);
        }),
      );
      return created.ok ? created.value : created;
    },

    /** A page of a realm's users by username, after the one given. */
    async list(
      realmId: RealmId,
      { after = '', limit }: { readonly after?: string; readonly limit: number },
    ): Promise<readonly UserRecord[]> {
      const rows = await db
        .select()
        .from(users)
        .where(and(eq(users.realmId, realmId), gt(users.usernameKey, foldIdentifier(after))))
        .orderBy(asc(users.usernameKey))
        .limit(limit);
      return rows.map(toRecord);
    },

    async show(realmId: RealmId, which: { userId: UserId } | { username: string }): Promise<UserRecord | null> {
      const named =
        'userId' in which ? eq(users.id, which.userId) : eq(users.usernameKey, foldIdentifier(which.username));
      const [row] = await db
        .select()
        .from(users)
        .where(and(eq(users.realmId, realmId), named));
      return row === undefined ? null : toRecord(row);
    },

    async update(realmId: RealmId, userId: UserId, change: UserChange): Promise<Result<UserRecord, UserRefusal>> {
      const updated = await conflictAs(takenBy, () =>
        database.transaction((executor) => updateUser(executor, realmId, userId, change)),
      );
      return updated.ok ? updated.value : updated;
    },

    /** `identifier`: as typed; a username, or the e-mail address of an account. One round trip. */
    async findForPassword(realmId: RealmId, identifier: string): Promise<PasswordAccount | null> {
      const key = foldIdentifier(identifier);
      // Postgres has no text with NUL in it, so nobody has such a name.
      const [row] = key === '' || key.includes('\0') ? [] : await forPassword.execute({ realmId, key });
      if (row === undefined) return null;
      const passwordHash = row.passwordHash === null ? null : new Secret(row.passwordHash);
      return { ...row, userId: brandId<UserId>(row.userId), passwordHash };
    },

    /** The person as the database has it now; null: gone. */
    async readState(realmId: RealmId, userId: UserId): Promise<UserState | null> {
      const [row] = await state.execute({ realmId, userId });
      return row === undefined ? null : { ...row, userId: brandId<UserId>(row.userId) };
    },

    /**
     * Ends the user's known devices. `signOutEverywhere`: everything that was issued or proved before is dead. False: no
     * such user.
     */
    setPassword(
      realmId: RealmId,
      userId: UserId,
      passwordHash: Secret,
      { signOutEverywhere }: { readonly signOutEverywhere: boolean },
    ): Promise<boolean> {
      return write(db, realmId, userId, {
        passwordHash: passwordHash.reveal(),
        passwordSetAt: databaseNow,
        ...(signOutEverywhere ? { validFrom: databaseNow } : {}),
      });
    },

    /** The same password under newer parameters; null hashes and later changes are left alone. */
    async rehash(realmId: RealmId, userId: UserId, before: Secret, after: Secret): Promise<boolean> {
      const changed = await db
        .update(users)
        .set({ passwordHash: after.reveal() })
        .where(and(isThe(realmId, userId), eq(users.passwordHash, before.reveal())))
        .returning({ id: users.id });
      return changed.length > 0;
    },

    /** One row; races with nothing, because every use reads it. False: no such user. */
    signOutEverywhere(realmId: RealmId, userId: UserId, executor: Executor = db): Promise<boolean> {
      return write(executor, realmId, userId, { validFrom: databaseNow });
    },
  });
};

const isThe = (realmId: RealmId, userId: UserId) => and(eq(users.realmId, realmId), eq(users.id, userId));

/** An address finds the account whose e-mail it is before one that merely is called so. */
const prepareForPassword = ({ db }: Transactional) =>
  db
    .select({
      userId: users.id,
      username: users.username,
      passwordHash: users.passwordHash,
      enabled: users.enabled,
      validFrom: users.validFrom,
    })
    .from(users)
    .where(
      and(
        eq(users.realmId, sql.placeholder('realmId')),
        or(eq(users.usernameKey, sql.placeholder('key')), eq(users.emailKey, sql.placeholder('key'))),
      ),
    )
    .orderBy(sql`${users.emailKey} IS NOT DISTINCT FROM ${sql.placeholder('key')} DESC`)
    .limit(1)
    .prepare('user_for_password');

const prepareState = ({ db }: Transactional) =>
  db
    .select({ userId: users.id, username: users.username, enabled: users.enabled, validFrom: users.validFrom })
    .from(users)
    .where(and(eq(users.realmId, sql.placeholder('realmId')), eq(users.id, sql.placeholder('userId'))))
    .prepare('user_state');

type Names = { readonly username: string; readonly usernameKey: string; readonly emailKey: string | null };

function namesOf(typed: string, claims: StandardClaims): Names | null {
  const username = typed.trim();
  const usernameKey = foldIdentifier(username);
  if (!usernamePattern.test(username) || usernameKey === '') return null;
  return { username, usernameKey, emailKey: claims.email === undefined ? null : foldIdentifier(claims.email) };
}

/** The constraints decide between two at the same moment; this also compares names with addresses. */
async function findTaken(
  executor: Executor,
  realmId: RealmId,
  { usernameKey, emailKey }: Names,
  self: UserId | null,
): Promise<'username_taken' | 'email_taken' | null> {
  const keys = emailKey === null ? [usernameKey] : [usernameKey, emailKey];
  const others = await executor
    .select({ usernameKey: users.usernameKey, emailKey: users.emailKey })
    .from(users)
    .where(
      and(
        eq(users.realmId, realmId),
        or(inArray(users.usernameKey, keys), inArray(users.emailKey, keys)),
        self === null ? undefined : ne(users.id, self),
      ),
    );
  const has = (key: string) => others.some((other) => other.usernameKey === key || other.emailKey === key);
  if (has(usernameKey)) return 'username_taken';
  return emailKey !== null && has(emailKey) ? 'email_taken' : null;
}

async function insertUser(executor: Executor, user: NewUser, names: Names): Promise<UserRecord> {
  const [row] = await executor
    .insert(users)
    .values({
      id: newId<UserId>(),
      realmId: user.realmId,
      ...names,
      passwordHash: user.passwordHash?.reveal() ?? null,
      claims: user.claims ?? {},
      enabled: user.enabled ?? true,
    })
    .returning();
  return toRecord(row ?? unreachable('an insert without ON CONFLICT returns its row'));
}

async function updateUser(
  executor: Executor,
  realmId: RealmId,
  userId: UserId,
  change: UserChange,
): Promise<Result<UserRecord, UserRefusal>> {
  const [before] = await executor.select().from(users).where(isThe(realmId, userId)).for('update');
  if (before === undefined) return err('unknown_user');
  const claims = change.claims ?? before.claims;
  const names = namesOf(change.username ?? before.username, claims);
  if (names === null) return err('username_invalid');
  const taken = await findTaken(executor, realmId, names, userId);
  if (taken !== null) return err(taken);
  const [after] = await executor
    .update(users)
    .set({ ...names, claims, enabled: change.enabled ?? before.enabled, updatedAt: databaseNow })
    .where(isThe(realmId, userId))
    .returning();
  return ok(toRecord(after ?? unreachable('the user is locked by this transaction')));
}

async function write(
  executor: Executor,
  realmId: RealmId,
  userId: UserId,
  set: {
    readonly passwordHash?: string;
    readonly passwordSetAt?: typeof databaseNow;
    readonly validFrom?: typeof databaseNow;
  },
): Promise<boolean> {
  const changed = await executor
    .update(users)
    .set({ ...set, updatedAt: databaseNow })
    .where(isThe(realmId, userId))
    .returning({ id: users.id });
  return changed.length > 0;
}

const toRecord = (row: typeof users.$inferSelect): UserRecord => ({
  id: brandId<UserId>(row.id),
  realmId: brandId<RealmId>(row.realmId),
  username: row.username,
  claims: row.claims,
  hasPassword: row.passwordHash !== null,
  enabled: row.enabled,
  validFrom: row.validFrom,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
});
