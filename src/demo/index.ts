/**
 * `limen demo`: the whole of Limen from one command, with a Postgres of its own, sample realms, and an application to sign
 * in to. Owns its data folder. No routes; it may use every room, and only the CLI uses it.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApp } from '../app.ts';
import { readConfig } from '../config.ts';
import { encodeBase64url } from '../core/base64url.ts';
import { randomBytes } from '../core/crypto.ts';
import { KeyRing } from '../core/key_ring.ts';
import { createLog } from '../core/log.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Clock } from '../core/time.ts';
import { listen } from '../server.ts';
import { openDatabase } from '../store/database.ts';
import { migrate, migrationFiles } from '../store/migrations.ts';
import { ensurePartitions } from '../store/partitions.ts';
import { claimFolder, type FolderClaim, reasonOf } from './folder_lock.ts';
import { watchLauncher } from './launcher.ts';
import { takenPort } from './ports.ts';
import { findBinaries } from './postgres/binaries.ts';
import { type RunningPostgres, startPostgres } from './postgres/index.ts';
import { startRelyingParty } from './relying_party/index.ts';
import { type DemoAccess, seed } from './seed.ts';

export type DemoOptions = {
  readonly port: number;
  readonly relyingPartyPort: number;
  readonly dataFolder: string;
  readonly clock: Clock;
  readonly passwordWorker: readonly string[];
  readonly say: (line: string) => void;
  readonly tell: (line: string) => void;
  /** Resolves when the process is told to stop. */
  readonly stopped: Promise<void>;
};

const host = 'localhost';

/** The exit code. Whatever was started is stopped again, in reverse order, whichever way it ends. */
export async function demo(options: DemoOptions): Promise<number> {
  const launcherGone = Promise.withResolvers<void>();
  const stops: Stop[] = [watchLauncher(launcherGone.resolve)];
  let isStopped = false;
  const stopped = Promise.race([options.stopped, launcherGone.promise]).then(() => {
    isStopped = true;
  });
  try {
    const started = await start(options, stops, stopped);
    const end = started.ok ? await Promise.race([stopped, started.value]) : started.error;
    if (isStopped || end === undefined) {
      options.say('Stopping');
      return 0;
    }
    options.tell(end);
    return 1;
  } finally {
    await stopAll(stops, options.tell);
  }
}

type Stop = () => Promise<unknown> | unknown;

/** One that fails keeps none of the others from running: above all Postgres must not stay behind. */
async function stopAll(stops: readonly Stop[], tell: (line: string) => void): Promise<void> {
  for (const stop of stops.toReversed()) {
    try {
      await stop();
    } catch (thrown) {
      tell(`While stopping: ${reasonOf(thrown)}`);
    }
  }
}

/** The value resolves with a sentence when the database ends by itself. */
async function start(
  options: DemoOptions,
  stops: Stop[],
  stopped: Promise<void>,
): Promise<Result<Promise<string>, string>> {
  const { port, relyingPartyPort, say, clock } = options;
  const publicUrl = `http://${host}:${port}`;
  const relyingPartyUrl = `http://${host}:${relyingPartyPort}`;
  const binaries = findBinaries();
  if (!binaries.ok) return err(binaries.error.sentence);
  const claim = claimFolder(options.dataFolder, relyingPartyUrl);
  if (!claim.ok) return err(claim.error.sentence);
  stops.push(() => claim.value.release());
  const taken = takenPort(port, '--port') ?? takenPort(relyingPartyPort, '--rp-port');
  if (taken !== null) return err(taken);
  const postgres = await startDatabase(claim.value, options, stopped);
  if (!postgres.ok) return postgres;
  stops.push(() => postgres.value.stop());
  const secrets = readOrMake(join(claim.value.folder, 'secrets'));
  const config = readConfig(
    {
      DATABASE_URL: postgres.value.url,
      LIMEN_SECRETS: secrets,
      LIMEN_PUBLIC_URL: publicUrl,
      LIMEN_HOST: host,
      LIMEN_PORT: String(port),
    },
    ['databaseUrl', 'secrets', 'publicUrl'],
  );
  if (!config.ok) return err(config.error.map(({ variable, problem }) => `${variable}: ${problem}`).join('; '));
  const prepared = await prepare(options, claim.value, postgres.value, new KeyRing(config.value.secrets), {
    publicUrl,
    relyingPartyUrl,
  });
  if (!prepared.ok) return prepared;
  const log = createLog('warn', options.tell, clock);
  const app = await createApp({ config: config.value, clock, log, passwordWorker: options.passwordWorker });
  stops.push(() => app.stop());
  const listening = listen(app, config.value);
  if (!listening.ok) return err(`${listening.error} (--port)`);
  stops.push(() => listening.value.drain());
  const relyingParty = await startDemoApplication(options, prepared.value, log);
  if (!relyingParty.ok) return relyingParty;
  stops.push(() => relyingParty.value.stop());
  announce(say, relyingParty.value.url, prepared.value, claim.value);
  return ok(postgres.value.exited.then(({ sentence }) => sentence));
}

async function startDatabase(
  claim: FolderClaim,
  { say }: DemoOptions,
  stopped: Promise<void>,
): Promise<Result<RunningPostgres, string>> {
  const interrupt = new AbortController();
  void stopped.then(() => interrupt.abort());
  const started = await startPostgres({ claim, progress: say, signal: interrupt.signal });
  return started.ok ? started : err(started.error.sentence);
}

async function prepare(
  { say, clock }: DemoOptions,
  { folder }: FolderClaim,
  postgres: RunningPostgres,
  ring: KeyRing,
  urls: { readonly publicUrl: string; readonly relyingPartyUrl: string },
): Promise<Result<DemoAccess, string>> {
  const database = openDatabase({ url: postgres.url, connections: 2, applicationName: 'limen demo' });
  try {
    const migrated = await migrate(database.sql, migrationFiles(), say);
    if (!migrated.ok) return err(migrated.error.sentence);
    await ensurePartitions(database.sql, clock());
    const file = join(folder, 'demo.json');
    const access = await seed({ database, ring, ...urls, clock, knownSecret: secretsIn(file), progress: say });
    writePrivately(file, `${JSON.stringify(access, null, 2)}\n`);
    return ok(access);
  } finally {
    await database.close();
  }
}

function startDemoApplication(
  { relyingPartyPort }: DemoOptions,
  access: DemoAccess,
  log: ReturnType<typeof createLog>,
): ReturnType<typeof startRelyingParty> {
  const [web] = access.clients.filter(({ client_id }) => client_id === 'demo-web');
  return startRelyingParty({
    port: relyingPartyPort,
    hostname: host,
    issuer: access.issuer,
    client: web ?? { client_id: 'demo-web' },
    publicClient: { client_id: 'demo-spa' },
    users: access.users,
    // A proxy of the environment (HTTP_PROXY) would be asked for this machine's own loopback address.
    fetch: (url, { body, ...init }) => fetch(url, { ...init, body: body ?? null, proxy: false }),
    onBug: (bug) => log.error('relying_party.failed', { bug }),
  });
}

/** One URL: everything else there is to reach is behind it or in the file. */
function announce(say: (line: string) => void, url: string, { users }: DemoAccess, { folder }: FolderClaim): void {
  const credentials = users.map(({ username, password }) => `${username} / ${password}`).join('   ');
  say('');
  say(`  Open           ${url}`);
  say(`  Sign in as     ${credentials}`);
  say(`  For scripts    ${join(folder, 'demo.json')}`);
  say('');
  say('  Ctrl-C stops it; the data stays for the next start.');
}

/** A ring of one master secret, made at the first start and kept beside the database that it opens. */
function readOrMake(file: string): string {
  if (!existsSync(file)) writePrivately(file, encodeBase64url(randomBytes(32)));
  return readFileSync(file, 'utf8').trim();
}

function writePrivately(file: string, content: string): void {
  writeFileSync(file, content, { mode: 0o600 });
  chmodSync(file, 0o600);
}

/** Client secrets are stored as hashes: what an earlier start wrote down is all there is. */
function secretsIn(file: string): (issuer: string, clientId: string) => string | null {
  const secrets = new Map<string, string>();
  if (existsSync(file)) {
    const written: unknown = JSON.parse(readFileSync(file, 'utf8'), (_, value: unknown) => {
      if (hasSecret(value)) secrets.set(value.client_id, value.client_secret);
      return value;
    });
    void written;
  }
  return (_, clientId) => secrets.get(clientId) ?? null;
}

const hasSecret = (value: unknown): value is { readonly client_id: string; readonly client_secret: string } =>
  typeof value === 'object' &&
  value !== null &&
  'client_id' in value &&
  'client_secret' in value &&
  typeof value.client_id === 'string' &&
  typeof value.client_secret === 'string';
