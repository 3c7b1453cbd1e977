/** What is measured: Limen and its peers, each as a process of its own that answers at `/token`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes, sha256 } from '../src/core/crypto.ts';
import { brandId, type FamilyId, newTimedId } from '../src/core/ids.ts';
import { systemClock, toNumericDate } from '../src/core/time.ts';
import { sealCode } from '../src/oidc/authorization_code.ts';
import { generateSigningKey } from '../src/store/signer.ts';
import { type BenchDatabase, startDatabase } from './database.ts';
import { refreshTokenOf } from './load/callers.ts';
import type { Observed } from './load/wrk.ts';
import { basic, codeChallenge, codeVerifier, makeParties, type Parties } from './parties.ts';
import type { PeerSettings } from './peers/settings.ts';
import { freePort, projectFolder, type RunningServer, startServer } from './server.ts';

export type SideName =
  | 'limen'
  | 'limen executable'
  | 'peer on node'
  | 'peer on bun'
  | 'bare elysia'
  | 'scratch plain'
  | 'scratch product';

export type Side = {
  readonly name: SideName;
  readonly origin: string;
  readonly server: RunningServer;
  readonly observed: Observed;
  /** Codes that nobody has redeemed; they are valid for a minute. */
  readonly codes: (count: number) => Promise<readonly string[]>;
  /** The current refresh tokens of as many new families. */
  readonly families: (count: number) => Promise<readonly string[]>;
};

export type Bench = {
  readonly database: BenchDatabase;
  readonly parties: Parties;
  /** For what a run needs as files; removed at the end. */
  readonly folder: string;
  readonly start: (name: SideName) => Promise<Side>;
  readonly stop: () => Promise<void>;
};

/** One database and one set of clients and users for all sides; a side is started when it is asked for. */
export async function openBench({
  profileFolder = null,
}: {
  readonly profileFolder?: string | null;
} = {}): Promise<Bench> {
  const folder = mkdtempSync(join(tmpdir(), 'limen-bench-peers-'));
  const database = await startDatabase(systemClock());
  const limenPort = await freePort();
  const parties = await makeParties(database.database, `http://127.0.0.1:${limenPort}`);
  const { privateJwk: signingKey } = await generateSigningKey('ES256');
  const started: RunningServer[] = [];
  const context: Context = { database, parties, signingKey, folder, limenPort, profileFolder };
  return {
    database,
    parties,
    folder,
    async start(name) {
      const side = await starters[name](context);
      started.push(side.server);
      return side;
    },
    async stop() {
      for (const server of started) await server.stop();
      await database.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type Context = {
  readonly database: BenchDatabase;
  readonly parties: Parties;
  readonly signingKey: PeerSettings['signingKey'];
  readonly folder: string;
  readonly limenPort: number;
  readonly profileFolder: string | null;
};

/** The default of `LIMEN_DATABASE_CONNECTIONS`, less the part that Limen keeps for sign-ins. */
const tokenConnections = 12;

const starters: { readonly [Name in SideName]: (context: Context) => Promise<Side> } = {
  limen: (context) => startLimen(context, fromSource(context)),
  'limen executable': (context) => startLimen(context, executable(context)),
  'peer on node': (context) => startPeer(context, 'peer on node', 'node', 'node_oidc_provider.mjs'),
  'peer on bun': (context) => startPeer(context, 'peer on bun', process.execPath, 'node_oidc_provider.mjs'),
  'bare elysia': (context) => startPeer(context, 'bare elysia', process.execPath, 'bare_elysia.ts'),
  'scratch plain': (context) => startPeer(context, 'scratch plain', process.execPath, 'scratch.ts', 'plain'),
  'scratch product': (context) => startPeer(context, 'scratch product', process.execPath, 'scratch.ts', 'product'),
};

function fromSource({ profileFolder }: Context): readonly string[] {
  const profile = profileFolder === null ? [] : ['--cpu-prof', '--cpu-prof-md', `--cpu-prof-dir=${profileFolder}`];
  return [process.execPath, '--no-env-file', ...profile, 'src/main.ts'];
}

/** What the container image runs. */
function executable({ folder }: Context): readonly string[] {
  const file = join(folder, 'limen');
  const build = ['run', '--silent', 'build', '--outfile', file];
  const built = Bun.spawnSync([process.execPath, ...build], { cwd: projectFolder });
  if (built.exitCode !== 0) throw new Error(`the executable cannot be built: ${built.stderr}`);
  return [file];
}

async function startLimen(context: Context, program: readonly string[]): Promise<Side> {
  const { database, parties, limenPort } = context;
  const server = await startServer({
    command: [...program, 'serve'],
    environment: {
      DATABASE_URL: database.url,
      LIMEN_SECRETS: parties.secrets,
      LIMEN_PUBLIC_URL: parties.issuer,
      LIMEN_HOST: '127.0.0.1',
      LIMEN_PORT: String(limenPort),
      LIMEN_LOG_LEVEL: 'warn',
    },
    probe: `${parties.issuer}/.well-known/openid-configuration`,
  });
  const codes = async (count: number): Promise<readonly string[]> => sealCodes(parties, count);
  return {
    name: 'limen',
    origin: parties.issuer,
    server,
    observed: { serverPid: server.pid, databasePid: database.pid },
    codes,
    families: async (count) => redeem(parties.issuer, parties, await codes(count)),
  };
}

const familyMilliseconds = 30 * 24 * 60 * 60 * 1000;

/** What a run that succeeded seals (endpoints/interaction/completion.ts), without the run. */
function sealCodes({ ring, realmId, web, users, issuer }: Parties, count: number): readonly string[] {
  const now = systemClock();
  return Array.from({ length: count }, (_, index) => {
    const user = users[index % users.length];
    if (user === undefined) throw new Error('there are no users');
    return sealCode(ring, realmId, {
      familyId: newTimedId<FamilyId>(now + familyMilliseconds),
      content: {
        client_id: web.clientId,
        user_id: user.userId,
        session_id: user.sessionId,
        redirect_uri: web.redirectUri,
        scope: web.scope.split(' '),
        audience: [issuer],
        nonce: 'a nonce of the client',
        code_challenge: codeChallenge,
        auth_time: toNumericDate(now),
        acr: 'urn:limen:acr:password',
        amr: ['pwd'],
        claims: { userinfo: [], id_token: [] },
        front_family_id: null,
        issued_at: now,
        expires_at: now + 60_000,
      },
    });
  });
}

/** What follows the code in the body of a token request. */
export const codeSuffix = (redirectUri: string): string =>
  `&${new URLSearchParams({ redirect_uri: redirectUri, code_verifier: codeVerifier })}`;

async function redeem(origin: string, { web }: Parties, codes: readonly string[]): Promise<readonly string[]> {
  const tokens: string[] = [];
  for (const code of codes) {
    const response = await fetch(`${origin}/token`, {
      method: 'POST',
      headers: { authorization: basic(web), 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=authorization_code&code=${code}${codeSuffix(web.redirectUri)}`,
    });
    tokens.push(refreshTokenOf(await response.json()));
  }
  return tokens;
}

async function startPeer(
  { database, parties, signingKey, folder }: Context,
  name: SideName,
  program: string,
  file: string,
  table: 'plain' | 'product' | null = null,
): Promise<Side> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const settings: PeerSettings = {
    port,
    issuer: origin,
    signingKey,
    service: parties.service,
    web: { ...parties.web, codeChallenge },
    databaseUrl: database.url,
    databaseConnections: tokenConnections,
  };
  const path = join(folder, `${name}.json`);
  writeFileSync(path, JSON.stringify(settings), { mode: 0o600 });
  const server = await startServer({
    command: [program, join('bench', 'peers', file), path, ...(table === null ? [] : [table])],
    probe: `${origin}${file.endsWith('.mjs') ? '/jwks' : '/livez'}`,
  });
  const codes = async (count: number): Promise<readonly string[]> => {
    const response = await fetch(`${origin}/bench/codes/${count}`);
    const answer = await response.text();
    if (!response.ok) throw new Error(answer);
    return answer.split('\n');
  };
  return {
    name,
    origin,
    server,
    observed: { serverPid: server.pid, databasePid: table === null ? null : database.pid },
    codes,
    families: async (count) =>
      table === null
        ? redeem(origin, parties, await codes(count))
        : makeScratchFamilies(table, { database, parties }, count),
  };
}

/** Rows as a redemption would have made them, and the tokens that `peers/scratch.ts` takes. */
async function makeScratchFamilies(
  table: 'plain' | 'product',
  { database, parties }: Pick<Context, 'database' | 'parties'>,
  count: number,
): Promise<readonly string[]> {
  const { sql } = database.database;
  if (table === 'plain') {
    await sql`
      CREATE TABLE IF NOT EXISTS bench_families (
        id uuid PRIMARY KEY, user_id uuid, session_id uuid, generation integer NOT NULL, secret_hash bytea NOT NULL,
        scope text NOT NULL, rotated_at timestamptz NOT NULL, revoked_at timestamptz
      ) WITH (fillfactor = 70)`;
  }
  const tokens: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const user = parties.users[index % parties.users.length];
    const id = brandId<FamilyId>(newTimedId(systemClock() + familyMilliseconds));
    const secret = randomBytes(32);
    const row = { id, user_id: user?.userId ?? null, session_id: user?.sessionId ?? null, generation: 0 };
    const shared = { ...row, secret_hash: sha256(secret), scope: parties.web.scope, rotated_at: new Date() };
    const { realmId, web } = parties;
    const whole = {
      ...shared,
      realm_id: realmId,
      client_id: web.clientId,
      audience: [parties.issuer],
      created_at: new Date(),
    };
    await (table === 'plain'
      ? sql`INSERT INTO bench_families ${sql(shared)}`
      : sql`INSERT INTO token_families ${sql(whole)}`);
    tokens.push(`${id}.0.${secret.toString('base64url')}`);
  }
  return tokens;
}
