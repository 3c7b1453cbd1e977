import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scripts } from '../../package.json' with { type: 'json' };
import { emptyDatabase, type TestDatabase } from '../database.ts';
import { freePorts } from '../free_port.ts';
import { observe } from '../observed_process.ts';
import { survivors } from '../process_tree.ts';
import { signIn, UserAgent } from '../user_agent.ts';
import { root } from './demo_process.ts';

/** The single executable: built as `bun run build` builds it, then run from an empty folder without sources or modules. */

const limit = 60_000;
const alice = { username: 'alice', password: 'right horse, right battery' };

describe('the single executable', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limen-executable-'));
  const executable = join(folder, 'limen');
  const elsewhere = join(folder, 'elsewhere');
  let database: TestDatabase;
  let environment: { readonly [name: string]: string } = {};

  beforeAll(async () => {
    const words = scripts.build.split(' ').map((word) => (word === 'dist/limen' ? executable : word));
    expect(words.slice(0, 2)).toEqual(['bun', 'build']);
    expect(words).toContain(executable);
    const built = Bun.spawnSync([process.execPath, ...words.slice(1)], { cwd: root });
    expect([built.exitCode, built.stderr.toString()]).toEqual([0, expect.any(String)]);
    // What lies in the folder that it is started from must not configure it.
    Bun.spawnSync(['mkdir', elsewhere]);
    writeFileSync(join(elsewhere, '.env'), 'LIMEN_PORT=none\nLIMEN_NONSENSE=1\n');
    writeFileSync(join(elsewhere, 'bunfig.toml'), 'preload = ["./nothing.ts"]\n');
    database = await emptyDatabase();
    const [port] = freePorts(1);
    environment = {
      DATABASE_URL: database.url,
      LIMEN_SECRETS: (await run(['secrets', 'generate'], {})).output.trim(),
      LIMEN_PUBLIC_URL: `http://127.0.0.1:${port}`,
      LIMEN_HOST: '127.0.0.1',
      LIMEN_PORT: String(port),
    };
  }, limit);

  afterAll(async () => {
    await database.drop();
    rmSync(folder, { recursive: true });
  }, limit);

  /** One command to its end. */
  async function run(words: readonly string[], variables = environment) {
    const started = observe([executable, ...words], { folder: elsewhere, environment: variables });
    const code = await started.ends();
    return { code, output: started.output() };
  }

  test('is one file that tells its version and its commands', async () => {
    expect(statSync(executable).mode & 0o111).not.toBe(0);
    expect(await run(['--version'], {})).toEqual({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    const help = await run(['--help'], {});
    expect(help.code).toBe(0);
    for (const command of ['serve', 'migrate', 'doctor', 'realm create']) expect(help.output).toContain(command);
  });

  test(
    'migrates an empty database, makes realm, client and user, and signs in by password; SIGTERM ends it and its worker',
    async () => {
      expect(await run(['migrate'])).toMatchObject({ code: 0, output: expect.stringContaining('0001_') });
      expect(await run(['migrate'])).toEqual({ code: 0, output: 'Up to date.\n' });
      expect((await run(['realm', 'create', 'main'])).code).toBe(0);
      const redirectUri = 'http://127.0.0.1:4020/callback';
      const words = [
        'client',
        'create',
        'app',
        '--class',
        'public',
        '--redirect-uri',
        redirectUri,
        '--scope',
        'openid',
      ];
      expect(await run(words)).toMatchObject({ code: 0 });
      const made = Bun.spawnSync([executable, 'user', 'create', alice.username, '--password-stdin'], {
        cwd: elsewhere,
        env: { PATH: process.env['PATH'] ?? '', ...environment },
        stdin: Buffer.from(alice.password),
      });
      expect([made.exitCode, made.stderr.toString()]).toEqual([0, '']);

      const serving = observe([executable, 'serve'], { folder: elsewhere, environment });
      await serving.says('"event":"serving"');
      const children = serving.descendants();
      expect(children.map(({ command }) => command)).toEqual([`${executable} password-worker`]);
      const issuer = environment['LIMEN_PUBLIC_URL'] ?? '';
      const verifier = 'v'.repeat(43);
      const parameters = new URLSearchParams({
        ...{ client_id: 'app', response_type: 'code', scope: 'openid', redirect_uri: redirectUri },
        code_challenge: new Bun.CryptoHasher('sha256').update(verifier).digest('base64url'),
        code_challenge_method: 'S256',
      });
      const back = await signIn(new UserAgent(), `${issuer}/authorize?${parameters}`, alice);
      const code = back.searchParams.get('code') ?? '';
      const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier };
      const body = new URLSearchParams({ ...form, client_id: 'app' });
      expect((await fetch(`${issuer}/token`, { method: 'POST', body })).status).toBe(200);
      serving.signal('SIGTERM');
      expect(await serving.ends()).toBe(0);
      expect(await survivors(children)).toEqual([]);
    },
    limit,
  );

  test(
    'applies a file, finds nothing to do then, and exports it',
    async () => {
      writeFileSync(
        join(elsewhere, 'limen.json'),
        JSON.stringify({ version: 1, realms: [{ slug: 'more', name: 'More', users: [{ username: 'dora' }] }] }),
      );
      expect(await run(['apply', 'limen.json', '--dry-run'])).toMatchObject({
        code: 0,
        output: expect.stringContaining('create  user   more/dora'),
      });
      expect((await run(['apply', 'limen.json'])).code).toBe(0);
      expect((await run(['apply', 'limen.json'])).output).toBe('Nothing to do: 2 unchanged.\n');
      expect(JSON.parse((await run(['export', '--realm', 'more'])).output).realms[0].name).toBe('More');
      expect((await run(['explain', '0123456789ab'])).output).toContain('nothing is kept under the error id');
    },
    limit,
  );

  test('has no Postgres of its own: `demo` says so, names DATABASE_URL and leaves nothing', async () => {
    const [port, rpPort] = freePorts(2);
    const data = join(folder, 'data');
    const refused = await run(['demo', '--port', `${port}`, '--rp-port', `${rpPort}`, '--data-dir', data], {});
    expect(refused.code).toBe(1);
    expect(refused.output.trimEnd().split('\n')).toHaveLength(1);
    expect(refused.output).toContain('DATABASE_URL');
    expect(refused.output).toContain('limen serve');
    expect(existsSync(data)).toBe(false);
  });
});
