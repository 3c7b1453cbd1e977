import { and, asc, eq, inArray, lt, sql } from 'drizzle-orm';
import { pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { JWK } from 'jose';
import { newId, type RealmId } from '../core/ids.ts';
import type { KeyRing } from '../core/key_ring.ts';
import { err, ok, type Result } from '../core/result.ts';
import { settings } from '../core/settings.ts';
import type { Instant } from '../core/time.ts';
import { databaseNow, instant, json } from './columns.ts';
import { changeConfiguration } from './config_version.ts';
import type { Database, Executor } from './database.ts';
import { guarded } from './fault.ts';
import { type ColumnPlace, openColumn, sealColumn } from './sealed_column.ts';
import { createSigner, generateSigningKey, type KeyPair, type Signer, type SigningAlgorithm } from './signer.ts';

/** `next`: published, signs nothing. `retired`: private half destroyed, still verifies. `revoked`: neither. */
export type SigningKeyState = 'next' | 'active' | 'retired' | 'revoked';

export const signingKeys = pgTable('signing_keys', {
  id: uuid('id').primaryKey(),
  realmId: uuid('realm_id').notNull(),
  algorithm: text('algorithm').$type<SigningAlgorithm>().notNull(),
  state: text('state').$type<SigningKeyState>().notNull(),
  publicJwk: json<JWK & { readonly kid: string }>('public_jwk').notNull(),
  privateSealed: text('private_sealed'),
  publishedAt: instant('published_at').notNull(),
  activatedAt: instant('activated_at'),
  retiredAt: instant('retired_at'),
});

/** What an operator may see of a key. */
export type SigningKeyRecord = {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly state: SigningKeyState;
  readonly publishedAt: Instant;
  readonly activatedAt: Instant | null;
  readonly retiredAt: Instant | null;
};

/** A realm's keys as the configuration cache holds them. */
export type RealmKeys = {
  /** The active key of each algorithm. */
  readonly signers: ReadonlyMap<SigningAlgorithm, Signer>;
  /** next, active and retired public halves (RFC 7517 §5). */
  readonly jwks: { readonly keys: readonly JWK[] };
};

/** How long relying parties may keep a JWKS (its max-age), and how long a process may hold old configuration (design §9). */
export const jwksMaxAgeSeconds = 300;
export const configurationStalenessSeconds = 10;
export const publishedBeforeUseSeconds = jwksMaxAgeSeconds + configurationStalenessSeconds;

export type RotationRefusal =
  /** The next key was not published long enough for everyone to know it; `force` overrides. */
  | { readonly kind: 'too_soon'; readonly retryAfterSeconds: number }
  /** The realm has no keys of this algorithm. */
  | { readonly kind: 'no_keys' };

const publishedStates = ['next', 'active', 'retired'] as const;

export const createSigningKeys = (database: Database, ring: KeyRing) => {
  const published = database.db
    .select()
    .from(signingKeys)
    .where(and(eq(signingKeys.realmId, sql.placeholder('realmId')), inArray(signingKeys.state, [...publishedStates])))
    .orderBy(asc(signingKeys.publishedAt), asc(signingKeys.id))
    .prepare('signing_keys_published');
  const list = async (realmId: RealmId): Promise<readonly SigningKeyRecord[]> => {
    const rows = await database.db
      .select()
      .from(signingKeys)
      .where(eq(signingKeys.realmId, realmId))
      .orderBy(asc(signingKeys.publishedAt), asc(signingKeys.id));
    return rows.map(toRecord);
  };

  return guarded({
    /** Signers and public keys of a realm; throws a `SealedColumnFault` where the ring cannot open a private half. */
    async load(realmId: RealmId): Promise<RealmKeys> {
      const rows = await published.execute({ realmId });
      const signers = rows.flatMap((row) => signerOf(row, ring));
      return {
        signers: new Map(signers.map((signer) => [signer.algorithm, signer])),
        jwks: { keys: rows.map((row) => row.publicJwk) },
      };
    },

    /** All keys of a realm, revoked ones too, oldest first. */
    list,

    /** Adds a further algorithm to a realm: its first active key and the next one. No change where it has them. */
    async add(realmId: RealmId, algorithm: SigningAlgorithm): Promise<void> {
      const pairs = await generateRing([algorithm]);
      await changeConfiguration(database, async (executor) => {
        const [present] = await keysOf(executor, realmId, algorithm, 'active');
        if (present === undefined) await insertRing(executor, ring, realmId, pairs);
      });
    },

    /** Promotes the next key, retires the active one and publishes a new next. */
    async rotate(
      realmId: RealmId,
      algorithm: SigningAlgorithm,
      { force = false }: { readonly force?: boolean } = {},
    ): Promise<Result<{ readonly activeKid: string; readonly nextKid: string }, RotationRefusal>> {
      const pair = await generateSigningKey(algorithm);
      return changeConfiguration(database, async (executor) => {
        const [next] = await keysOf(executor, realmId, algorithm, 'next');
        if (next === undefined) return err({ kind: 'no_keys' });
        const waitSeconds = force ? 0 : Math.ceil(publishedBeforeUseSeconds - next.ageSeconds);
        if (waitSeconds > 0) return err({ kind: 'too_soon', retryAfterSeconds: waitSeconds });
        await retireActive(executor, realmId, algorithm);
        await promote(executor, next.id);
        const nextKid = await insertKey(executor, ring, realmId, { algorithm, pair, state: 'next' });
        return ok({ activeKid: next.publicJwk.kid, nextKid });
      });
    },

    /**
     * Removes a key from the JWKS at once and destroys its private half: what it signed no longer verifies. An active key
     * gives way to the next one without waiting. False: the realm has no such key.
     */
    async revoke(realmId: RealmId, kid: string): Promise<boolean> {
      const [known] = (await list(realmId)).filter((key) => key.kid === kid && key.state !== 'revoked');
      if (known === undefined) return false;
      const pair = await generateSigningKey(known.algorithm);
      return changeConfiguration(database, (executor) => revokeKey(executor, ring, realmId, kid, pair));
    },

    /** Algorithms whose active key has signed since before this instant. */
    async due(realmId: RealmId, activatedBefore: Instant): Promise<readonly SigningAlgorithm[]> {
      const old = await database.db
        .select({ algorithm: signingKeys.algorithm })
        .from(signingKeys)
        .where(
          and(
            eq(signingKeys.realmId, realmId),
            eq(signingKeys.state, 'active'),
            lt(signingKeys.activatedAt, activatedBefore),
          ),
        );
      return old.map(({ algorithm }) => algorithm);
    },

    /** Deletes retired and revoked keys that no token or hint of a living session can name; gives how many. */
    async forgetOld(): Promise<number> {
      const keepSeconds = settings.sessionAbsoluteLifetimeSeconds.schema.maximum ?? 0;
      const old = and(
        inArray(signingKeys.state, ['retired', 'revoked']),
        lt(signingKeys.retiredAt, sql`limen_now() - make_interval(secs => ${keepSeconds})`),
      );
      return changeConfiguration(database, async (executor) => {
        const gone = await executor.delete(signingKeys).where(old).returning({ id: signingKeys.id });
        return gone.length;
      });
    },
  });
};

export type RingPairs = readonly {
  readonly algorithm: SigningAlgorithm;
  readonly pairs: readonly [KeyPair, KeyPair];
}[];

/** Pairs for the first active and the next key of each algorithm; slow for RSA, so made before the transaction. */
export const generateRing = (algorithms: readonly SigningAlgorithm[]): Promise<RingPairs> =>
  Promise.all(
    algorithms.map(async (algorithm) => ({
      algorithm,
      pairs: [await generateSigningKey(algorithm), await generateSigningKey(algorithm)] as const,
    })),
  );

/** Within the transaction that makes a realm: its first keys sign at once, nobody can hold an older JWKS of it. */
export async function insertRing(executor: Executor, ring: KeyRing, realmId: RealmId, rings: RingPairs): Promise<void> {
  for (const { algorithm, pairs } of rings) {
    await insertKey(executor, ring, realmId, { algorithm, pair: pairs[0], state: 'active' });
    await insertKey(executor, ring, realmId, { algorithm, pair: pairs[1], state: 'next' });
  }
}

async function insertKey(
  executor: Executor,
  ring: KeyRing,
  realmId: RealmId,
  key: { readonly algorithm: SigningAlgorithm; readonly pair: KeyPair; readonly state: 'active' | 'next' },
): Promise<string> {
  const id = newId();
  const kid = key.pair.publicJwk.kid ?? '';
  await executor.insert(signingKeys).values({
    id,
    realmId,
    algorithm: key.algorithm,
    state: key.state,
    publicJwk: { ...key.pair.publicJwk, kid },
    privateSealed: sealColumn(ring, placeOf(id), JSON.stringify(key.pair.privateJwk)),
    publishedAt: databaseNow,
    activatedAt: key.state === 'active' ? databaseNow : null,
  });
  return kid;
}

const keysOf = (executor: Executor, realmId: RealmId, algorithm: SigningAlgorithm, state: SigningKeyState) =>
  executor
    .select({
      id: signingKeys.id,
      publicJwk: signingKeys.publicJwk,
      ageSeconds: sql<number>`extract(epoch FROM limen_now() - ${signingKeys.publishedAt})::float8`,
    })
    .from(signingKeys)
    .where(and(eq(signingKeys.realmId, realmId), eq(signingKeys.algorithm, algorithm), eq(signingKeys.state, state)));

const retireActive = (executor: Executor, realmId: RealmId, algorithm: SigningAlgorithm) =>
  executor
    .update(signingKeys)
    .set({ state: 'retired', retiredAt: databaseNow, privateSealed: null })
    .where(
      and(eq(signingKeys.realmId, realmId), eq(signingKeys.algorithm, algorithm), eq(signingKeys.state, 'active')),
    );

const promote = (executor: Executor, id: string) =>
  executor.update(signingKeys).set({ state: 'active', activatedAt: databaseNow }).where(eq(signingKeys.id, id));

async function revokeKey(
  executor: Executor,
  ring: KeyRing,
  realmId: RealmId,
  kid: string,
  pair: KeyPair,
): Promise<boolean> {
  const ofRealm = eq(signingKeys.realmId, realmId);
  const named = and(ofRealm, sql`${signingKeys.publicJwk} ->> 'kid' = ${kid}`);
  const [before] = await executor
    .select({ id: signingKeys.id, state: signingKeys.state, algorithm: signingKeys.algorithm })
    .from(signingKeys)
    .where(named);
  if (before === undefined || before.state === 'revoked') return false;
  const { algorithm, state } = before;
  await executor
    .update(signingKeys)
    .set({ state: 'revoked', retiredAt: databaseNow, privateSealed: null })
    .where(eq(signingKeys.id, before.id));
  if (state === 'retired') return true;
  const [next] = state === 'active' ? await keysOf(executor, realmId, algorithm, 'next') : [];
  if (next !== undefined) await promote(executor, next.id);
  await insertKey(executor, ring, realmId, { algorithm, pair, state: 'next' });
  return true;
}

type Row = typeof signingKeys.$inferSelect;

const placeOf = (id: string): ColumnPlace => ({ table: 'signing_keys', row: id, column: 'private_sealed' });

function signerOf(row: Row, ring: KeyRing): readonly Signer[] {
  if (row.state !== 'active' || row.privateSealed === null) return [];
  const privateJwk: JWK = JSON.parse(openColumn(ring, placeOf(row.id), row.privateSealed));
  return [createSigner(row.algorithm, row.publicJwk.kid, privateJwk)];
}

const toRecord = (row: Row): SigningKeyRecord => ({
  kid: row.publicJwk.kid,
  algorithm: row.algorithm,
  state: row.state,
  publishedAt: row.publishedAt,
  activatedAt: row.activatedAt,
  retiredAt: row.retiredAt,
});
