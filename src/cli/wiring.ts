import { lookup } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import type { ConfigWith, Environment } from '../config.ts';
import { KeyRing } from '../core/key_ring.ts';
import { err, ok, unreachable } from '../core/result.ts';
import type { Clock } from '../core/time.ts';
import { defaultFlow } from '../flow/default_flow.ts';
import { validateDefinition } from '../flow/definition.ts';
import { nodeTypes } from '../flow/nodes/index.ts';
import { createAuditChain } from '../store/audit_chain.ts';
import { createClients } from '../store/clients.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { createFlows } from '../store/flows.ts';
import { inspectDatabase } from '../store/inspection.ts';
import { migrate, migrationFiles } from '../store/migrations.ts';
import { createPartitions } from '../store/partitions.ts';
import { createRealms } from '../store/realms.ts';
import { createRegistrationTokens } from '../store/registration_tokens.ts';
import { createSigningKeys } from '../store/signing_keys.ts';
import { createUsers } from '../store/users.ts';
import { hashPassword } from '../workers/password/argon2id.ts';
import type { Administration, CliDeps, Terminal } from './deps.ts';

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
  const system = config.settings;
  const flows = createFlows(database);
  return {
    realms: createRealms(database, { ring, system }),
    clients: createClients(database, { system, ring }),
    users: createUsers(database),
    keys: createSigningKeys(database, ring),
    registrationTokens: createRegistrationTokens(database),
    auditChain: createAuditChain(database, ring),
    deployDefaultFlow: async (realmId) => {
      const definition = validateDefinition(defaultFlow, nodeTypes);
      if (!definition.ok) unreachable('the default flow is valid');
      const version = await flows.publish(realmId, 'browser', definition.value);
      await flows.deploy(realmId, 'browser', version.id);
    },
    hashPassword,
    close: database.close,
  };
}
