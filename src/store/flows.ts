import { and, desc, eq, max, sql } from 'drizzle-orm';
import { integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { brandId, newId, type RealmId } from '../core/ids.ts';
import { unreachable } from '../core/result.ts';
import type { Instant } from '../core/time.ts';
import type { Definition } from '../flow/definition.ts';
import { databaseNow, instant, json } from './columns.ts';
import { changeConfiguration } from './config_version.ts';
import type { Executor, Transactional } from './database.ts';
import { guarded } from './fault.ts';

export const flowVersions = pgTable('flow_versions', {
  id: uuid('id').primaryKey(),
  realmId: uuid('realm_id').notNull(),
  flow: text('flow').notNull(),
  version: integer('version').notNull(),
  definition: json<Definition>('definition').notNull(),
  publishedAt: instant('published_at').notNull().default(databaseNow),
  recalledAt: instant('recalled_at'),
});

export const flowDeployments = pgTable(
  'flow_deployments',
  {
    realmId: uuid('realm_id').notNull(),
    purpose: text('purpose').notNull(),
    versionId: uuid('version_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.realmId, table.purpose] })],
);

/** Immutable, save for its recall. Only a validated definition is published, so what is loaded is one. */
export type FlowVersion = {
  readonly id: string;
  readonly realmId: RealmId;
  readonly flow: string;
  readonly version: number;
  readonly definition: Definition;
  readonly publishedAt: Instant;
  /** Its runs restart on the deployed version. */
  readonly recalledAt: Instant | null;
};

export const createFlows = (database: Transactional) => {
  const { db } = database;
  const byId = db
    .select()
    .from(flowVersions)
    .where(and(eq(flowVersions.realmId, sql.placeholder('realmId')), eq(flowVersions.id, sql.placeholder('id'))))
    .prepare('flow_version_by_id');
  const deployed = db
    .select({ version: flowVersions })
    .from(flowDeployments)
    .innerJoin(
      flowVersions,
      and(eq(flowVersions.id, flowDeployments.versionId), eq(flowVersions.realmId, flowDeployments.realmId)),
    )
    .where(
      and(
        eq(flowDeployments.realmId, sql.placeholder('realmId')),
        eq(flowDeployments.purpose, sql.placeholder('purpose')),
      ),
    )
    .prepare('flow_version_deployed');

  return guarded({
    /** The next version of a realm's flow. Configuration writes are one at a time, so numbers have no gaps or doubles. */
    publish(realmId: RealmId, flow: string, definition: Definition): Promise<FlowVersion> {
      return changeConfiguration(database, (executor) => insertVersion(executor, realmId, flow, definition));
    },

    /** Points the purpose at a version; rollback is deploying an older one. False: the realm has no such version. */
    deploy(realmId: RealmId, purpose: string, versionId: string): Promise<boolean> {
      return changeConfiguration(database, async (executor) => {
        const [version] = await executor
          .select({ id: flowVersions.id })
          .from(flowVersions)
          .where(and(eq(flowVersions.realmId, realmId), eq(flowVersions.id, versionId)));
        if (version === undefined) return false;
        await executor
          .insert(flowDeployments)
          .values({ realmId, purpose, versionId })
          .onConflictDoUpdate({ target: [flowDeployments.realmId, flowDeployments.purpose], set: { versionId } });
        return true;
      });
    },

    /** Marks a version so that its runs restart on the deployed one. False: no such version, or recalled before. */
    recall(realmId: RealmId, versionId: string): Promise<boolean> {
      return changeConfiguration(database, async (executor) => {
        const recalled = await executor
          .update(flowVersions)
          .set({ recalledAt: databaseNow })
          .where(
            and(
              eq(flowVersions.realmId, realmId),
              eq(flowVersions.id, versionId),
              sql`${flowVersions.recalledAt} IS NULL`,
            ),
          )
          .returning({ id: flowVersions.id });
        return recalled.length > 0;
      });
    },

    /** A realm's versions of a flow, newest first. */
    async list(realmId: RealmId, flow: string): Promise<readonly FlowVersion[]> {
      const rows = await db
        .select()
        .from(flowVersions)
        .where(and(eq(flowVersions.realmId, realmId), eq(flowVersions.flow, flow)))
        .orderBy(desc(flowVersions.version));
      return rows.map(toVersion);
    },

    /** For the configuration cache. */
    async load(realmId: RealmId, versionId: string): Promise<FlowVersion | null> {
      const [row] = await byId.execute({ realmId, id: versionId });
      return row === undefined ? null : toVersion(row);
    },

    /** For the configuration cache. */
    async loadDeployed(realmId: RealmId, purpose: string): Promise<FlowVersion | null> {
      const [row] = await deployed.execute({ realmId, purpose });
      return row === undefined ? null : toVersion(row.version);
    },
  });
};

async function insertVersion(
  executor: Executor,
  realmId: RealmId,
  flow: string,
  definition: Definition,
): Promise<FlowVersion> {
  const [newest] = await executor
    .select({ version: max(flowVersions.version) })
    .from(flowVersions)
    .where(and(eq(flowVersions.realmId, realmId), eq(flowVersions.flow, flow)));
  const version = (newest?.version ?? 0) + 1;
  const [row] = await executor
    .insert(flowVersions)
    .values({ id: newId(), realmId, flow, version, definition })
    .returning();
  return toVersion(row ?? unreachable('an insert without ON CONFLICT returns its row'));
}

const toVersion = (row: typeof flowVersions.$inferSelect): FlowVersion => ({
  ...row,
  realmId: brandId<RealmId>(row.realmId),
});
