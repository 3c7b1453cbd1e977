import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeBase64url } from '../../src/core/base64url.ts';
import { randomBytes } from '../../src/core/crypto.ts';
import { databaseTimeoutMilliseconds, emptyDatabase } from '../database.ts';
import { freePorts } from '../free_port.ts';
import { type ObservedProcess, observe } from '../observed_process.ts';
import { survivors } from '../process_tree.ts';
import { selfSignedCertificate } from '../self_signed_certificate.ts';
import { signIn, UserAgent } from '../user_agent.ts';
import { root } from './demo_process.ts';
import { type Installation, install } from './installation.ts';

/** `limen serve` as a process: what it refuses and in which words, TLS, proxies, and how it ends. */

const limit = 60_000;
const alice = { username: 'alice', password: 'alice-in-the-demo' };

const running: ObservedProcess[] = [];
afterEach(async () => {
  for (const started of running) started.signal('SIGKILL');
  const left = await survivors(running.splice(0).flatMap((started) => started.seen()));
  expect(left).toEqual([]);
}, limit);

function limen(command: string, environment: { readonly [name: string]: string } = {}): ObservedProcess {
  const started = observe([process.execPath, '--no-env-file', 'src/main.ts', command], { folder: root, environment });
  running.push(started);
  return started;
}

async function serve(environment: { readonly [name: string]: string }): Promise<ObservedProcess> {
  const serving = limen('serve', environment);
  await serving.says('"event":"serving"');
  serving.descendants();
  return serving;
}

const linesOf = ({ output }: ObservedProcess): readonly string[] => output().trimEnd().split('\n');

describe('what serve refuses', () => {
  test('without anything: every missing variable at once, and how to have it', async () => {
    const refused = limen('serve', { LIMEN_PROT: '8080' });
    expect(await refused.ends()).toBe(2);
    expect(linesOf(refused).map((line) => line.split(':')[0])).toEqual([
      'LIMEN_PROT',
      'DATABASE_URL',
      'LIMEN_SECRETS',
      'LIMEN_PUBLIC_URL',
    ]);
    expect(refused.output()).toContain('did you mean LIMEN_PORT?');
    expect(refused.output()).toContain('limen secrets generate');
  });

  const elsewhere = { LIMEN_SECRETS: encodeBase64url(randomBytes(32)), LIMEN_PUBLIC_URL: 'http://localhost:8080' };

  test('no database there: one line that names the variable and not its password', async () => {
    const [port] = freePorts(1);
    const url = `postgres://limen:hidden-password@127.0.0.1:${port}/limen`;
    const refused = limen('serve', { ...elsewhere, DATABASE_URL: url });
    expect(await refused.ends()).toBe(1);
    expect(linesOf(refused)).toEqual([expect.stringMatching(/^DATABASE_URL: .*ECONNREFUSED.*limen doctor/)]);
    expect(refused.output()).not.toContain('hidden-password');
  });

  test(
    'a database without a schema: one line that names `limen migrate`; after that it serves',
    async () => {
      const { url, drop } = await emptyDatabase();
      const [port = 0] = freePorts(1);
      const publicUrl = `http://127.0.0.1:${port}`;
      const environment = { ...elsewhere, DATABASE_URL: url, LIMEN_PUBLIC_URL: publicUrl, LIMEN_PORT: String(port) };
      const refused = limen('serve', environment);
      expect(await refused.ends()).toBe(1);
      expect(linesOf(refused)).toEqual([expect.stringMatching(/^DATABASE_URL: .*`limen migrate`$/)]);
      expect(await limen('migrate', { DATABASE_URL: url }).ends()).toBe(0);
      const serving = await serve(environment);
      expect((await fetch(`${publicUrl}/readyz`)).status).toBe(200);
      serving.signal('SIGTERM');
      expect(await serving.ends()).toBe(0);
      await drop();
    },
    limit,
  );
});

describe('with a database', () => {
  let place: Installation;
  beforeAll(async () => {
    place = await install();
  }, databaseTimeoutMilliseconds);
  afterAll(() => place.remove());

  test(
    'a taken port: one line with the port, and no child stays behind',
    async () => {
      const other = Bun.serve({ hostname: '127.0.0.1', port: place.port, fetch: () => new Response() });
      const refused = limen('serve', place.environment);
      expect(await refused.ends()).toBe(1);
      expect(linesOf(refused)).toEqual([expect.stringContaining(`port ${place.port} of 127.0.0.1 is taken`)]);
      await other.stop(true);
    },
    limit,
  );

  test(
    'a key ring that the database was not sealed with: one line that names LIMEN_SECRETS',
    async () => {
      const refused = limen('serve', { ...place.environment, LIMEN_SECRETS: encodeBase64url(randomBytes(32)) });
      expect(await refused.ends()).toBe(1);
      expect(linesOf(refused)).toEqual([expect.stringMatching(/^LIMEN_SECRETS: .*limen doctor/)]);
    },
    limit,
  );

  test(
    'two processes share a port where both are told to, and one sign-in may go through either',
    async () => {
      const environment = { ...place.environment, LIMEN_REUSE_PORT: 'true' };
      const both = [await serve(environment), await serve(environment)];
      const back = await signIn(new UserAgent({ connection: 'close' }), authorizeUrl(place.access.issuer), alice);
      expect(back.searchParams.get('code')).not.toBeNull();
      for (const serving of both) serving.signal('SIGTERM');
      expect(await Promise.all(both.map(({ ends }) => ends()))).toEqual([0, 0]);
    },
    limit,
  );

  test(
    'SIGTERM drains: a request under way is answered, nobody new is let in, then everything ends with exit code 0',
    async () => {
      const serving = await serve(place.environment);
      const children = serving.descendants();
      expect(children.some(({ command }) => command.includes('password-worker'))).toBe(true);
      const body = 'grant_type=client_credentials';
      const half = await send(
        place.port,
        [
          'POST /token HTTP/1.1',
          `Host: 127.0.0.1:${place.port}`,
          'Content-Type: application/x-www-form-urlencoded',
          `Authorization: Basic ${basicOf(place, 'demo-service')}`,
          `Content-Length: ${body.length}`,
          '',
          body.slice(0, 10),
        ].join('\r\n'),
      );
      await fetch(`${place.access.issuer}/livez`);
      serving.signal('SIGTERM');
      await serving.says('"event":"draining"');
      const refused = await fetch(`${place.access.issuer}/livez`, { keepalive: false }).then(
        ({ status }) => status,
        () => 'refused',
      );
      expect(refused).toBe('refused');
      half.socket.write(body.slice(10));
      expect(await half.answer).toStartWith('HTTP/1.1 200 OK');
      expect(await serving.ends()).toBe(0);
      expect(serving.output()).toContain('"event":"stopped"');
      expect(await survivors(children)).toEqual([]);
    },
    limit,
  );

  test(
    'forwarded headers of anyone but a declared proxy are ignored',
    async () => {
      const serving = await serve(place.environment);
      const agent = new UserAgent({ 'x-forwarded-for': '198.51.100.7' });
      await signIn(agent, authorizeUrl(place.access.issuer), alice);
      expect(await addressOfLastSession(place)).toBe('127.0.0.1');
      const host = { 'x-forwarded-host': `127.0.0.1:${place.port}`, host: 'id.example.test' };
      expect((await fetch(`${place.access.issuer}/jwks`, { headers: host })).status).toBe(421);
      serving.signal('SIGTERM');
      await serving.ends();
    },
    limit,
  );
});

const endpoints = [
  ['GET', '/authorize?client_id=demo-web'],
  ['GET', '/run/AAAA'],
  ['GET', '/logout'],
  ['GET', '/userinfo'],
  ['POST', '/token'],
  ['POST', '/introspect'],
  ['POST', '/revoke'],
] as const;

test(
  'whatever breaks inside, every endpoint answers with an error id that the log explains, and with nothing of the cause',
  async () => {
    const place = await install();
    const serving = await serve(place.environment);
    // Needed by every endpoint, and not read before the first request.
    await place.database.sql.unsafe('ALTER TABLE signing_keys RENAME TO lost');
    for (const [method, path] of endpoints) {
      const form = { body: 'client_id=a', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
      const response = await fetch(place.access.issuer + path, { method, ...(method === 'POST' ? form : {}) });
      const text = await response.text();
      expect([path, response.status]).toEqual([path, 500]);
      expect([path, text]).toEqual([path, expect.not.stringMatching(/relation|signing_keys|database|42P01|\bat /)]);
      const errorId = /error id ([\w-]+)/.exec(text)?.[1];
      expect([path, errorId]).toEqual([path, expect.any(String)]);
      await serving.says(`"errorId":"${errorId}"`);
    }
    await place.database.sql.unsafe('ALTER TABLE lost RENAME TO signing_keys');
    serving.signal('SIGTERM');
    expect(await serving.ends()).toBe(0);
    await place.remove();
  },
  databaseTimeoutMilliseconds,
);

test(
  'behind a declared proxy that ends TLS: https issuer, __Host- cookies, HSTS, and the browser’s own address',
  async () => {
    const place = await install(() => 'https://id.example.test');
    const serving = await serve({ ...place.environment, LIMEN_TRUSTED_PROXIES: '127.0.0.0/8' });
    const agent = new ProxiedAgent(place.port);
    const back = await signIn(agent, authorizeUrl('https://id.example.test'), alice);
    expect(back.searchParams.get('iss')).toBe('https://id.example.test');
    expect(await addressOfLastSession(place)).toBe('203.0.113.9');
    expectSecureCookies(agent.setCookies);
    expect(agent.hsts).toBe('max-age=63072000; includeSubDomains');
    serving.signal('SIGTERM');
    expect(await serving.ends()).toBe(0);
    await place.remove();
  },
  databaseTimeoutMilliseconds,
);

describe('with certificate files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'limen-tls-'));
  const { certificate, key } = selfSignedCertificate(new Date());
  const files = { LIMEN_TLS_CERT_FILE: join(folder, 'certificate.pem'), LIMEN_TLS_KEY_FILE: join(folder, 'key.pem') };
  let place: Installation;
  beforeAll(async () => {
    writeFileSync(files.LIMEN_TLS_CERT_FILE, certificate);
    writeFileSync(files.LIMEN_TLS_KEY_FILE, key);
    place = await install((port) => `https://localhost:${port}`);
  }, databaseTimeoutMilliseconds);
  afterAll(async () => {
    await place.remove();
    rmSync(folder, { recursive: true });
  });

  test(
    'serves https with them, sets __Host- cookies and HSTS, and speaks no plain http',
    async () => {
      const serving = await serve({ ...place.environment, ...files });
      const agent = new SecureAgent(certificate);
      const back = await signIn(agent, authorizeUrl(place.access.issuer), alice);
      expect(back.searchParams.get('iss')).toBe(`https://localhost:${place.port}`);
      expectSecureCookies(agent.setCookies);
      expect(agent.hsts).toBe('max-age=63072000; includeSubDomains');
      const plain = await fetch(`http://localhost:${place.port}/jwks`).then(
        ({ status }) => status,
        () => 'refused',
      );
      expect(plain).not.toBe(200);
      serving.signal('SIGTERM');
      expect(await serving.ends()).toBe(0);
    },
    limit,
  );

  test(
    'a key of another certificate, or a file that is not there: one line that names the files',
    async () => {
      writeFileSync(join(folder, 'other.pem'), selfSignedCertificate(new Date()).key);
      for (const name of ['other.pem', 'missing.pem']) {
        const refused = limen('serve', { ...place.environment, ...files, LIMEN_TLS_KEY_FILE: join(folder, name) });
        expect(await refused.ends()).toBe(1);
        expect(linesOf(refused)).toEqual([expect.stringContaining(join(folder, name))]);
      }
    },
    limit,
  );
});

function authorizeUrl(issuer: string): string {
  const parameters = { client_id: 'demo-web', response_type: 'code', scope: 'openid', state: 'a state' };
  return `${issuer}/authorize?${new URLSearchParams({ ...parameters, redirect_uri: 'http://127.0.0.1:4020/callback' })}`;
}

function basicOf({ access }: Installation, clientId: string): string {
  const secret = access.clients.find(({ client_id }) => client_id === clientId)?.client_secret ?? '';
  return btoa(`${clientId}:${secret}`);
}

async function addressOfLastSession({ database }: Installation): Promise<unknown> {
  const [row] = await database.sql`SELECT address FROM sso_sessions ORDER BY created_at DESC LIMIT 1`;
  return row?.['address'];
}

function expectSecureCookies(lines: readonly string[]): void {
  const set = lines.filter((line) => !line.includes('Max-Age=0'));
  expect(set.length).toBeGreaterThanOrEqual(2);
  const known =
    /^__Host-limen\.main\.device=[\w-]{65}(\.[\w-]{65})*; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=\d+$/;
  const session = /^__Host-limen\.main\.(session|browser)=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/;
  for (const line of set) expect(line).toMatch(line.includes('.device=') ? known : session);
}

/** Sends the beginning of a request and leaves the connection open. */
async function send(
  port: number,
  text: string,
): Promise<{ readonly socket: Socket; readonly answer: Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port });
  const { promise: answer, resolve } = Promise.withResolvers<string>();
  socket.on('data', (chunk) => resolve(chunk.toString('latin1')));
  socket.on('close', () => resolve('closed without an answer'));
  socket.on('error', () => resolve('broken off'));
  await new Promise<void>((written) => socket.write(text, () => written()));
  // The server has to have read it before it is told to stop.
  await Bun.sleep(200);
  return { socket, answer };
}

/** Remembers what a browser would have been told about cookies and transport. */
class WatchingAgent extends UserAgent {
  readonly setCookies: string[] = [];
  hsts: string | null = null;

  override async fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const response = await super.fetch(url, init);
    this.setCookies.push(...response.headers.getSetCookie());
    this.hsts = response.headers.get('strict-transport-security');
    return response;
  }
}

/** A browser at 203.0.113.9, behind a proxy on this machine that says so and passes the Host on. */
class ProxiedAgent extends WatchingAgent {
  readonly #port: number;

  constructor(port: number) {
    super({ 'x-forwarded-for': '203.0.113.66, 203.0.113.9', 'x-forwarded-proto': 'https' });
    this.#port = port;
  }

  override fetch(url: string, init: RequestInit = {}): Promise<Response> {
    const { host, pathname, search } = new URL(url);
    const headers = new Headers(init.headers);
    headers.set('host', host);
    return super.fetch(`http://127.0.0.1:${this.#port}${pathname}${search}`, { ...init, headers });
  }
}

/** Trusts one certificate, as a browser would a known authority. */
class SecureAgent extends WatchingAgent {
  readonly #certificate: string;

  constructor(certificate: string) {
    super();
    this.#certificate = certificate;
  }

  override fetch(url: string, init: BunFetchRequestInit = {}): Promise<Response> {
    const trusting: BunFetchRequestInit = { ...init, tls: { ca: this.#certificate } };
    return super.fetch(url, trusting);
  }
}
