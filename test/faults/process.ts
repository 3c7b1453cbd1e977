import { type App, createApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/core/log.ts';
import { systemClock } from '../../src/core/time.ts';
import type { Provider } from '../provider.ts';

/** A further process of a provider: the same database and secrets, pools and caches of its own. */
export type Process = Pick<Provider, 'issuer' | 'secretOf'> & {
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>;
  readonly log: readonly string[];
  readonly readiness: App['readiness'];
  readonly stop: () => Promise<void>;
};

export type ProcessOptions = {
  readonly secrets: string;
  /** Instead of the database's own address: a proxy before it. */
  readonly databaseUrl?: string;
  readonly environment?: { readonly [name: string]: string };
  readonly onStatement?: (statement: string) => void;
};

const passwordWorker = [process.execPath, '--no-env-file', `${import.meta.dir}/../../src/main.ts`, 'password-worker'];

/** Where the provider's database is: the folder of its socket, and its name. */
export async function placeOfDatabase({ database }: Pick<Provider, 'database'>) {
  const [row] = await database.sql<{ folder: string; name: string; user: string }[]>`
    SELECT current_setting('unix_socket_directories') AS folder, current_database() AS name, current_user AS user`;
  if (row === undefined) throw new Error('the database does not say where it is');
  // A list, each quoted.
  const folder = (row.folder.split(',')[0] ?? '').trim().replaceAll('"', '');
  return { ...row, folder };
}

export const databaseUrlOf = ({ folder, name, user }: Awaited<ReturnType<typeof placeOfDatabase>>): string =>
  `postgres://${user}@${encodeURIComponent(folder)}/${name}`;

export async function startProcess(provider: Provider, options: ProcessOptions): Promise<Process> {
  const read = readConfig(
    {
      DATABASE_URL: options.databaseUrl ?? databaseUrlOf(await placeOfDatabase(provider)),
      LIMEN_SECRETS: options.secrets,
      LIMEN_PUBLIC_URL: provider.issuer,
      LIMEN_DATABASE_CONNECTIONS: '8',
      ...options.environment,
    },
    ['databaseUrl', 'secrets', 'publicUrl'],
  );
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  const log: string[] = [];
  const app = await createApp({
    config: read.value,
    clock: systemClock,
    log: createLog('debug', (line) => log.push(line), systemClock),
    passwordWorker,
    ...(options.onStatement === undefined ? {} : { onStatement: options.onStatement }),
  });
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 60,
    fetch: (request, bun) => app.fetch(request, bun.requestIP(request)?.address ?? null),
  });
  const { host } = new URL(provider.issuer);
  return {
    issuer: provider.issuer,
    secretOf: provider.secretOf,
    fetch(path, init = {}) {
      const headers = new Headers(init.headers);
      headers.set('host', host);
      return fetch(`http://127.0.0.1:${server.port}${path}`, { ...init, headers, redirect: 'manual' });
    },
    log,
    readiness: app.readiness,
    async stop() {
      await app.stop();
      await server.stop(true);
    },
  };
}
