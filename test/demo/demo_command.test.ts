import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { survivors } from '../process_tree.ts';
import { signIn, UserAgent } from '../user_agent.ts';
import { accessIn, type Demos, demos, type Place, root } from './demo_process.ts';

/** The command itself, as a process: what it prints and writes, and that nothing of it stays behind. */

const limit = 60_000;
const alice = { username: 'alice', password: 'alice-in-the-demo' };

/** A demo that was stopped: what most starts find. */
const first = demos();
const stopped = first.place();
beforeAll(async () => {
  const demo = first.start(stopped);
  await demo.ready();
  demo.signal('SIGTERM');
  expect(await demo.ends()).toBe(0);
}, limit);
afterAll(async () => {
  expect(await first.end()).toEqual([]);
}, limit);

let running: Demos;
beforeEach(() => {
  running = demos();
});
afterEach(async () => {
  expect(await running.end()).toEqual([]);
}, limit);

describe('a first start', () => {
  test(
    'prints one URL and the credentials, and writes demo.json for its owner alone',
    async () => {
      const place = running.place();
      const demo = running.start(place);
      await demo.ready();
      const { issuer, rp } = urlsOf(place);
      expect(demo.output().match(/https?:\/\/\S+/g)).toEqual([rp]);
      expect(demo.output()).toContain('alice / alice-in-the-demo   bob / bob-in-the-demo');
      expect(demo.output()).toContain(join(place.folder, 'demo.json'));
      expect((await fetch(rp)).status).toBe(200);

      expect(modeOf(place.folder)).toBe(0o700);
      for (const name of ['demo.json', 'secrets', 'lock', 'postgres.log']) {
        expect([name, modeOf(join(place.folder, name))]).toEqual([name, 0o600]);
      }
      const redirect_uris = [`${rp}/callback`, `${rp.replace('localhost', '127.0.0.1')}/callback`];
      const client_secret = expect.stringMatching(/^[\w-]{43}$/);
      expect(JSON.parse(readFileSync(join(place.folder, 'demo.json'), 'utf8'))).toEqual({
        issuer,
        clients: [
          { client_id: 'demo-spa', redirect_uris },
          { client_id: 'demo-web', client_secret, redirect_uris },
          { client_id: 'demo-service', client_secret, redirect_uris: [] },
        ],
        users: [alice, { username: 'bob', password: 'bob-in-the-demo' }],
        relying_party: rp,
        realms: {
          acme: {
            issuer: `${issuer}/realms/acme`,
            clients: [{ client_id: 'acme-web', client_secret, redirect_uris }],
            users: [{ username: 'carol', password: 'carol-in-the-demo' }],
          },
        },
      });
    },
    limit,
  );

  test(
    'interrupted half-way it ends in order, and the next start is a whole one',
    async () => {
      const place = running.place();
      const demo = running.start(place);
      await demo.says('Making a database');
      const deadline = performance.now() + 5_000;
      let children = demo.descendants();
      while (children.length === 0 && performance.now() < deadline) {
        await Bun.sleep(5);
        children = demo.descendants();
      }
      expect(children).not.toEqual([]);
      demo.signal('SIGINT');
      expect(await demo.ends()).toBe(0);
      expect(await survivors(children)).toEqual([]);
      const again = running.start(place);
      await again.ready();
      expect((await fetch(accessIn(place).relying_party)).status).toBe(200);
    },
    limit,
  );
});

describe('its end', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    '%s stops everything, Postgres included, with exit code 0; the data stays',
    async (signal) => {
      const place = running.placeAt(stopped.folder);
      const demo = running.start(place);
      await demo.ready();
      const children = demo.descendants();
      expect(children.some(({ command }) => command.includes('postgres'))).toBe(true);
      expect(children.some(({ command }) => command.includes('password-worker'))).toBe(true);
      demo.signal(signal);
      // The terminal and the launcher may both pass it on.
      demo.signal(signal);
      expect(await demo.ends()).toBe(0);
      expect(demo.output()).toEndWith('Stopping\n');
      expect(await survivors(children)).toEqual([]);
      expect(existsSync(join(place.folder, 'lock'))).toBe(false);
      expect(existsSync(join(place.folder, 'postgres', 'postmaster.pid'))).toBe(false);
      expect(existsSync(join(place.folder, 'postgres', 'PG_VERSION'))).toBe(true);
    },
    limit,
  );

  test(
    'Postgres ended by somebody else: it says so and ends with exit code 1',
    async () => {
      const place = running.placeAt(stopped.folder);
      const demo = running.start(place);
      await demo.ready();
      const children = demo.descendants();
      process.kill(postmasterOf(place), 'SIGINT');
      expect(await demo.ends()).toBe(1);
      expect(demo.output()).toContain('Postgres ended by itself');
      expect(await survivors(children)).toEqual([]);
    },
    limit,
  );

  test(
    'KILL: the next start finds users, clients, keys and tokens as they were',
    async () => {
      const place = running.placeAt(stopped.folder);
      const first = running.start(place);
      await first.ready();
      const before = accessIn(place);
      const jwks = await (await fetch(`${before.issuer}/jwks`)).text();
      await createUser(place, 'dora', 'dora-in-this-test');
      const refreshToken = await refreshTokenFor(place, alice);
      first.signal('SIGKILL');
      await first.ends();

      const second = running.start(place);
      await second.ready();
      expect(second.output()).toContain('Recovering the database');
      expect(accessIn(place)).toEqual(before);
      expect(await (await fetch(`${before.issuer}/jwks`)).text()).toBe(jwks);
      expect((await token(place, { grant_type: 'refresh_token', refresh_token: refreshToken })).status).toBe(200);
      expect(await refreshTokenFor(place, { username: 'dora', password: 'dora-in-this-test' })).toBeString();
      const service = before.clients.find(({ client_id }) => client_id === 'demo-service');
      const secret = { client_id: 'demo-service', client_secret: service?.client_secret ?? '' };
      const basic = await token(place, { grant_type: 'client_credentials', scope: 'orders.read' }, secret);
      expect(basic.status).toBe(200);
    },
    limit,
  );
});

describe('what stands against a start', () => {
  test(
    'another demo in the same folder: says where that one runs, and lets it be',
    async () => {
      const place = running.placeAt(stopped.folder);
      const first = running.start(place);
      await first.ready();
      const second = running.start(running.placeAt(place.folder));
      expect(await second.ends()).toBe(1);
      expect(second.output()).toContain(`at ${urlsOf(place).rp} (process ${first.pid})`);
      expect((await fetch(`${urlsOf(place).issuer}/readyz`)).status).toBe(200);
    },
    limit,
  );

  const ports = ['port', 'rpPort'] as const;
  const addresses = ['127.0.0.1', '::1', '0.0.0.0'].filter((address) => canListenAt(address));
  test.each(ports.flatMap((port) => addresses.map((address) => [port, address] as const)))(
    'a taken %s at %s: says which and with what to choose another, having started nothing',
    async (name, address) => {
      const place = running.place();
      const other = Bun.serve({ hostname: address, port: place[name], fetch: () => new Response() });
      try {
        const demo = running.start(place);
        expect(await demo.ends()).toBe(1);
        expect(demo.output()).toBe(
          `port ${place[name]} of localhost is taken; choose another with ${
            name === 'port' ? '--port' : '--rp-port'
          }, or stop what listens there\n`,
        );
        expect(existsSync(join(place.folder, 'postgres'))).toBe(false);
        expect(existsSync(join(place.folder, 'lock'))).toBe(false);
      } finally {
        await other.stop(true);
      }
    },
    limit,
  );

  test(
    'a proxy in the environment is not asked for the way to itself',
    async () => {
      const place = running.placeAt(stopped.folder);
      const nobodyThere = 'http://127.0.0.1:9';
      const environment = { HTTP_PROXY: nobodyThere, http_proxy: nobodyThere, HTTPS_PROXY: nobodyThere };
      const demo = running.start(place, { environment });
      await demo.ready();
      const agent = new UserAgent();
      const home = await agent.page(urlsOf(place).rp);
      const response = await agent.submit({ ...home, url: `${urlsOf(place).rp}/sign-in` }, {});
      expect(response.status).toBe(303);
      expect(response.headers.get('location')).toStartWith(`${urlsOf(place).issuer}/authorize?`);
    },
    limit,
  );
});

const isRoot = process.geteuid?.() === 0;
const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
/** The program starts others of its kind, so its folder must be open to them as well, and not only its start. */
const startsItself = `process.exit(Bun.spawnSync([process.execPath, ${JSON.stringify(join(root, 'src/main.ts'))}, '--version']).exitCode)`;
const othersMayRun = isRoot && Bun.spawnSync([...nobody, process.execPath, '-e', startsItself], { cwd: '/' }).success;
if (isRoot && !othersMayRun) {
  process.stderr.write(
    '\n!!! SKIPPED: the demo as a normal user: other accounts cannot read this folder, or cannot start bun\n\n',
  );
}

test.skipIf(!othersMayRun)(
  'as a normal user without a home',
  async () => {
    const place = running.place();
    // The private folder above is root's: nobody gets one of his own below the temporary folder.
    const made = Bun.spawnSync([...nobody, 'mktemp', '-d'])
      .stdout.toString()
      .trim();
    const theirs = { ...place, folder: join(made, 'data') };
    try {
      const demo = running.start(theirs, { command: [...nobody, process.execPath, 'src/main.ts', 'demo'] });
      await demo.ready();
      const children = demo.descendants();
      expect(statSync(theirs.folder).uid).toBe(65534);
      expect((await fetch(urlsOf(theirs).rp)).status).toBe(200);
      demo.signal('SIGTERM');
      expect(await demo.ends()).toBe(0);
      expect(await survivors(children)).toEqual([]);
    } finally {
      Bun.spawnSync(['rm', '-r', made]);
    }
  },
  limit,
);

const modeOf = (path: string): number => statSync(path).mode & 0o777;

const urlsOf = ({ port, rpPort }: Place) => ({ issuer: `http://localhost:${port}`, rp: `http://localhost:${rpPort}` });

const postmasterOf = ({ folder }: Place): number =>
  Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'latin1').split('\n')[0]);

/** A machine without IPv6 has no `::1`. */
function canListenAt(hostname: string): boolean {
  try {
    void Bun.serve({ hostname, port: 0, fetch: () => new Response() }).stop(true);
    return true;
  } catch {
    return false;
  }
}

/** By the command line, against the database of the demo. */
async function createUser({ folder }: Place, username: string, password: string): Promise<void> {
  const socketFolder = readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'latin1').split('\n')[4] ?? '';
  const child = Bun.spawn([process.execPath, 'src/main.ts', 'user', 'create', username, '--password-stdin'], {
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: `postgres://postgres@${encodeURIComponent(`${socketFolder}/`)},/limen`,
      LIMEN_SECRETS: readFileSync(join(folder, 'secrets'), 'utf8'),
    },
    stdin: new Blob([password]),
  });
  expect(await child.exited).toBe(0);
}

const verifier = 'v'.repeat(43);
const challenge = new Bun.CryptoHasher('sha256').update(verifier).digest('base64url');

/** A whole sign-in at demo-spa. */
async function refreshTokenFor(place: Place, user: { username: string; password: string }): Promise<string> {
  const redirect_uri = `${urlsOf(place).rp}/callback`;
  const parameters = new URLSearchParams({
    ...{ client_id: 'demo-spa', response_type: 'code', scope: 'openid offline_access', redirect_uri },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
  });
  const back = await signIn(new UserAgent(), `${urlsOf(place).issuer}/authorize?${parameters}`, user);
  const code = back.searchParams.get('code') ?? '';
  const form = { grant_type: 'authorization_code', code, redirect_uri, code_verifier: verifier };
  const answer: unknown = await (await token(place, form)).json();
  if (typeof answer !== 'object' || answer === null || !('refresh_token' in answer)) {
    throw new Error(`no refresh token: ${JSON.stringify(answer)}`);
  }
  return String(answer.refresh_token);
}

function token(
  place: Place,
  form: { readonly [name: string]: string },
  client: { readonly client_id: string; readonly client_secret?: string } = { client_id: 'demo-spa' },
): Promise<Response> {
  const { client_id, client_secret } = client;
  const basic = client_secret === undefined ? {} : { authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}` };
  const body = new URLSearchParams(client_secret === undefined ? { ...form, client_id } : form);
  return fetch(`${urlsOf(place).issuer}/token`, { method: 'POST', headers: basic, body });
}
