import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import type { ConfigWith, Environment } from '../config.ts';
import type { RealmId } from '../core/ids.ts';
import { KeyRing } from '../core/key_ring.ts';
import type { Overrides } from '../core/overrides.ts';
import { err, ok, unreachable } from '../core/result.ts';
import { type Clock, systemClock } from '../core/time.ts';
import { defaultFlow } from '../flow/default_flow.ts';
import { validateDefinition } from '../flow/definition.ts';
import { nodeTypes } from '../flow/nodes/index.ts';
import { createAdminPermissions } from '../store/admin_permissions.ts';
import { createAuditChain } from '../store/audit_chain.ts';
import { createClients } from '../store/clients.ts';
import { changeConfigurationAtOnce } from '../store/config_version.ts';
import { type Database, openDatabase, type Transactional } from '../store/database.ts';
import { createFlows } from '../store/flows.ts';
import { inspectDatabase } from '../store/inspection.ts';
import { migrate, migrationFiles } from '../store/migrations.ts';
import { createPartitions } from '../store/partitions.ts';
import { createRealms, generateFirstKeys } from '../store/realms.ts';
import { createRefusals } from '../store/refusals.ts';
import { createRegistrationTokens } from '../store/registration_tokens.ts';
import { createSigningKeys } from '../store/signing_keys.ts';
import { createUsers } from '../store/users.ts';
import { hashPassword } from '../workers/password/argon2id.ts';
import { sameJson } from './apply/plan.ts';
import type { Administration, ChangeAtOnce, CliDeps, Terminal } from './deps.ts';

/** What the process itself brings: everything else is made here. */
export type ProcessDeps = Pick<CliDeps, 'serve' | 'demo'> & {
  readonly environment: Environment;
  readonly terminal: Terminal;
  readonly version: string;
  readonly now: Clock;
};

/** The dependencies of `runCli` on the real database, resolver and file system. */
export const wireCli = (own: ProcessDeps): CliDeps => ({
  ...own,
  migrate: (config, progress) => migrateDatabase(config, progress, own.now),
  openAdministration,
  inspectDatabase: async (config) => {
    const database = open(config);
    try {
      return await inspectDatabase(database, own.now);
    } finally {
      await database.close();
    }
  },
  resolveHost: async (hostname) => {
    const found = await lookup(hostname, { all: true }).catch(() => []);
    return [...new Set(found.map(({ address }) => address))];
  },
  readFile: (path) =>
    readFile(path, 'utf8').then(ok, (thrown: unknown) =>
      err(thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unreadable'),
    ),
});

/** A command needs no pool: two, so that a query inside a transaction's callback cannot wait for itself. */
const open = (config: ConfigWith<'databaseUrl'>): Database =>
  openDatabase({ url: config.databaseUrl, connections: 2, applicationName: 'limen cli' });

const migrateDatabase = async (
  config: ConfigWith<'databaseUrl'>,
  progress: (sentence: string) => void,
  now: Clock,
): ReturnType<CliDeps['migrate']> => {
  const database = open(config);
  try {
    const migrated = await migrate(database.sql, migrationFiles(), progress);
    if (!migrated.ok) return err(migrated.error.sentence);
    return ok({ ...migrated.value, partitions: await createPartitions(database).ensure(now()) });
  } finally {
    await database.close();
  }
};

function openAdministration(config: ConfigWith<'databaseUrl' | 'secrets'>): Administration {
  const database = open(config);
  const ring = new KeyRing(config.secrets);
  const made = { ring, system: config.settings };
  return {
    ...changing(database, made),
    keys: createSigningKeys(database, ring),
    permissions: createAdminPermissions(database),
    refusals: createRefusals(database),
    registrationTokens: createRegistrationTokens(database),
    auditChain: createAuditChain(database, ring, systemClock),
    hashPassword,
    generateFirstKeys,
    atOnce: (work) => changeConfigurationAtOnce(database, (joined) => work(changing(joined, made))),
    close: database.close,
  };
}

function changing(database: Transactional, made: { readonly ring: KeyRing; readonly system: Overrides }): ChangeAtOnce {
  const flows = createFlows(database);
  return {
    realms: createRealms(database, made),
    clients: createClients(database, made),
    users: createUsers(database),
    async deployDefaultFlow(realmId) {
      const deployed = await deployFlow(flows, realmId, 'browser', defaultFlow);
      if (!deployed.ok) unreachable('the default flow is valid');
    },
    deployFlow: (realmId, purpose, draft) => deployFlow(flows, realmId, purpose, draft),
  };
}

async function deployFlow(
  flows: ReturnType<typeof createFlows>,
  realmId: RealmId,
  purpose: string,
  draft: unknown,
): ReturnType<Administration['deployFlow']> {
  const definition = validateDefinition(draft, nodeTypes);
  if (!definition.ok) return err(definition.error.map(({ sentence }) => sentence));
  const before = await flows.loadDeployed(realmId, purpose);
  if (before !== null && sameJson(before.definition, definition.value)) return ok('unchanged');
  const version = await flows.publish(realmId, purpose, definition.value);
  await flows.deploy(realmId, purpose, version.id);
  return ok('deployed');
}
