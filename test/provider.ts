import { createApp } from '../src/app.ts';
import { readConfig } from '../src/config.ts';
import { encodeBase64url } from '../src/core/base64url.ts';
import { randomBytes } from '../src/core/crypto.ts';
import { KeyRing } from '../src/core/key_ring.ts';
import { createLog } from '../src/core/log.ts';
import { type Clock, systemClock } from '../src/core/time.ts';
import { type DemoAccess, seed } from '../src/demo/seed.ts';
import { type Database, openDatabase } from '../src/store/database.ts';
import { testDatabase } from './database.ts';

/** A whole provider on a database of its own, listening on a port of its own, with the fixtures of the demo. */
export type Provider = {
  readonly issuer: string;
  /** What it was started with, for the commands of an operator. */
  readonly environment: { readonly [name: string]: string };
  readonly access: DemoAccess;
  /** For looking behind the scenes; a pool apart from the provider's. */
  readonly database: Database;
  /** Every line of the log so far. */
  readonly log: readonly string[];
  /** Statements sent by the provider since the last `resetStatements`; those of its recurring jobs are left out. */
  readonly statements: () => readonly string[];
  readonly resetStatements: () => void;
  /** A secret of a confidential client of the default realm, or of another by its slug. */
  readonly secretOf: (clientId: string, realm?: string) => string;
  /** Stops the process's part and starts it anew on the same database and port. */
  readonly restart: () => Promise<void>;
  /** Moves the database's clock and the provider's by so many seconds, together. */
  readonly shiftClock: (seconds: number) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type ProviderOptions = {
  /** Further environment: `LIMEN_SETTING_…`, `LIMEN_TRUSTED_PROXIES`. */
  readonly environment?: { readonly [name: string]: string };
  readonly relyingPartyUrl?: string;
};

const passwordWorker = [process.execPath, '--no-env-file', `${import.meta.dir}/../src/main.ts`, 'password-worker'];

export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const { url, drop } = await testDatabase();
  const secrets = encodeBase64url(randomBytes(32));
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    fetch: () => new Response(null, { status: 503 }),
  });
  const issuer = `http://127.0.0.1:${server.port}`;
  const environment = {
    DATABASE_URL: url,
    LIMEN_SECRETS: secrets,
    LIMEN_PUBLIC_URL: issuer,
    LIMEN_DATABASE_CONNECTIONS: '8',
    ...options.environment,
  };
  const read = readConfig(environment, ['databaseUrl', 'secrets', 'publicUrl']);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const config = read.value;
  const database = openDatabase({ url, connections: 4, applicationName: 'test' });
  const lines: string[] = [];
  let statements: string[] = [];
  let shiftSeconds = 0;
  const clock: Clock = () => systemClock() + shiftSeconds * 1000;
  const log = createLog('debug', (line) => lines.push(line), clock);
  const access = await seed({
    database,
    ring: new KeyRing(config.secrets),
    publicUrl: issuer,
    relyingPartyUrl: options.relyingPartyUrl ?? 'http://127.0.0.1:4020',
    clock,
    knownSecret: () => null,
    progress: () => {},
  });
  const onStatement = (statement: string): void => {
    if (!/INSERT INTO processes|logout_deliver|limen_queue_logouts/.test(statement)) statements.push(statement);
  };
  const start = async () => {
    const app = await createApp({ config, clock, log, passwordWorker, onStatement });
    server.reload({ fetch: (request, bun) => app.fetch(request, bun.requestIP(request)?.address ?? null) });
    return app;
  };
  let app = await start();
  return {
    issuer,
    environment,
    access,
    database,
    log: lines,
    statements: () => statements,
    resetStatements: () => {
      statements = [];
    },
    secretOf(clientId, realm) {
      const clients = realm === undefined ? access.clients : access.realms[realm]?.clients;
      const secret = clients?.find(({ client_id }) => client_id === clientId)?.client_secret;
      if (secret === undefined) throw new Error(`${clientId} has no secret`);
      return secret;
    },
    async restart() {
      await app.stop();
      app = await start();
    },
    async shiftClock(seconds) {
      shiftSeconds += seconds;
      await database.sql.unsafe(`
        CREATE OR REPLACE FUNCTION limen_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
        AS 'SELECT statement_timestamp() + interval ''${shiftSeconds} seconds'''`);
      await Bun.sleep(1100);
    },
    async stop() {
      await app.stop();
      await server.stop(true);
      await database.close();
      await drop();
    },
  };
}
