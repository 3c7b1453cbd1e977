import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomToken, sha256 } from '../../src/core/crypto.ts';
import { defaultFlow } from '../../src/flow/default_flow.ts';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';
import { limen } from './terminal.ts';

let database: TestDatabase;
let behind: Database;
const folder = mkdtempSync(join(tmpdir(), 'limen-apply-'));
const secret = randomToken();
const password = 'right horse, right battery';
let environment: { [name: string]: string };

beforeAll(async () => {
  database = await testDatabase();
  behind = openDatabase({ url: database.url, connections: 1, applicationName: 'test' });
  environment = {
    DATABASE_URL: database.url,
    LIMEN_SECRETS: randomToken(),
    LIMEN_PUBLIC_URL: 'https://id.example.com',
    SHOP_SECRET: secret,
    ALICE_PASSWORD: password,
  };
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await behind.close();
  await database.drop();
});

const file = (name: string, document: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document));
  return path;
};
const apply = (document: unknown, ...options: string[]) =>
  limen(['apply', file('limen.json', document), ...options], environment);
const show = async (...argv: string[]) => JSON.parse((await limen([...argv, '--json'], environment)).out);
const version = async (): Promise<number> => (await behind.sql`SELECT version FROM config_version`)[0]?.['version'];

const guide = readFileSync(join(import.meta.dir, '../../docs/guides/apply.md'), 'utf8');
const example = JSON.parse(/```json\n([\s\S]*?)```/.exec(guide)?.[1] ?? '');

/** The guide's document with a change to its realm, or to one of its clients. */
const realmWith = (change: object) => ({ version: 1, realms: [{ ...example.realms[0], ...change }] });
const clientWith = (clientId: string, change: object) =>
  realmWith({
    clients: example.realms[0].clients.map((client: { client_id: string }) =>
      client.client_id === clientId ? { ...client, ...change } : client,
    ),
  });

describe("the guide's example", () => {
  test('a dry run shows the plan and writes nothing', async () => {
    const before = await version();
    const { code, out } = await apply(example, '--dry-run');
    expect(out.split('\n')).toEqual([
      'create  realm  main',
      'create  client main/shop',
      'create  client main/app',
      'create  client main/legacy',
      'create  client main/reports',
      'create  user   main/alice',
      '',
      '6 to change, 0 unchanged. Nothing was written.',
    ]);
    expect(code).toBe(0);
    expect(await version()).toBe(before);
    expect((await limen(['realm', 'list'], environment)).out).toContain('limen realm create');
  });

  test('applied, all of it is there, as one change of the configuration', async () => {
    const before = await version();
    const { code, out } = await apply(example);
    expect([code, out.split('\n').at(-1)]).toEqual([0, 'Done: 6 changed, 0 unchanged.']);
    expect(await version()).toBe(before + 1);
    expect(await show('realm', 'show', 'main')).toMatchObject({
      name: 'Example Inc.',
      is_default: true,
      settings: { accessTokenLifetimeSeconds: { value: 300 } },
    });
    expect(await show('client', 'show', 'shop')).toMatchObject({
      class: 'confidential',
      client_name: 'The Shop',
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: ['https://shop.example.com/callback'],
      backchannel_logout_uri: 'https://shop.example.com/logout',
    });
    expect(await show('client', 'show', 'app')).toMatchObject({
      class: 'public',
      token_endpoint_auth_method: 'none',
      scope: 'openid profile email',
    });
    expect((await show('client', 'show', 'legacy')).effective_settings.implicitAndHybrid).toEqual({
      value: true,
      from: 'client',
      reason: 'cannot do PKCE before its next release',
      expires_at: '2030-01-31T00:00:00.000Z',
    });
    const flows = await behind.sql`SELECT purpose FROM flow_deployments`;
    expect(flows.map(({ purpose }) => purpose)).toEqual(['browser']);
  });

  test('the secret and the password are those of the environment, and are printed nowhere', async () => {
    const [client] = await behind.sql`SELECT secrets FROM clients WHERE client_id = 'shop'`;
    expect(client?.['secrets'][0].hash).toBe(sha256(secret).toString('hex'));
    const [user] = await behind.sql`SELECT password_hash FROM users WHERE username = 'alice'`;
    expect(await Bun.password.verify(password, user?.['password_hash'])).toBe(true);
    const { out, err } = await apply(example, '--json');
    expect(out + err).not.toContain(secret);
    expect(out + err).not.toContain(password);
  });

  test('applied again, there is nothing to do, and no process reloads anything', async () => {
    const before = await version();
    expect(await apply(example)).toEqual({ code: 0, out: 'Nothing to do: 6 unchanged.', err: '' });
    expect(await version()).toBe(before);
  });

  test('it also comes by the standard input', async () => {
    const ran = await limen(['apply', '-'], environment, { input: JSON.stringify(example) });
    expect(ran.out).toBe('Nothing to do: 6 unchanged.');
  });
});

describe('what is there', () => {
  test('a change names the members, never their values', async () => {
    const changed = clientWith('shop', { client_name: 'Another', redirect_uris: ['https://new.example.com/callback'] });
    const { out } = await apply(changed);
    expect(out.split('\n')[0]).toBe('change  client main/shop: client_name, redirect_uris');
    expect((await show('client', 'show', 'shop')).redirect_uris).toEqual(['https://new.example.com/callback']);
    await apply(example);
  });

  test('a client member that is left out takes its default; its secret stays', async () => {
    const bare = { client_id: 'shop', class: 'confidential', redirect_uris: ['https://shop.example.com/callback'] };
    const { out } = await apply(realmWith({ clients: [bare] }));
    expect(out).toMatch(/^change {2}client main\/shop: client_name, .*backchannel_logout_uri/m);
    expect(await show('client', 'show', 'shop')).toMatchObject({
      client_name: 'shop',
      grant_types: ['authorization_code'],
    });
    const [client] = await behind.sql`SELECT secrets FROM clients WHERE client_id = 'shop'`;
    expect(client?.['secrets'][0].hash).toBe(sha256(secret).toString('hex'));
    await apply(example);
  });

  test('realm members that are left out stay; settings are the whole list', async () => {
    await apply({ version: 1, realms: [{ slug: 'main' }] });
    expect((await show('realm', 'show', 'main')).settings).toHaveProperty('accessTokenLifetimeSeconds');
    const { out } = await apply({ version: 1, realms: [{ slug: 'main', settings: { codeLifetimeSeconds: 30 } }] });
    expect(out).toContain('change  realm  main: settings');
    expect((await show('realm', 'show', 'main')).settings).toEqual({ codeLifetimeSeconds: { value: 30 } });
    await apply(example);
  });

  test('two secrets are valid while rotating, then the old one is gone', async () => {
    const next = randomToken();
    const hashes = async () =>
      (await behind.sql`SELECT secrets FROM clients WHERE client_id = 'shop'`)[0]?.['secrets'].map(
        ({ hash }: { hash: string }) => hash,
      );
    const both = [next, secret].map((text) => sha256(text).toString('hex'));
    const rotating = { client_secret: undefined, client_secret_sha256: both };
    expect((await apply(clientWith('shop', rotating))).out).toContain('change  client main/shop: client_secret');
    expect(await hashes()).toEqual(both);
    expect((await apply(clientWith('shop', rotating))).out).toStartWith('Nothing to do');
    await apply(clientWith('shop', { client_secret: next }));
    expect(await hashes()).toEqual(both.slice(0, 1));
    await apply(example);
  });

  test('a password that somebody has is never replaced', async () => {
    const [before] = await behind.sql`SELECT password_hash FROM users WHERE username = 'alice'`;
    const ran = await limen(['apply', file('limen.json', example)], {
      ...environment,
      ALICE_PASSWORD: 'quite another one',
    });
    expect(ran.out).toStartWith('Nothing to do');
    const [after] = await behind.sql`SELECT password_hash FROM users WHERE username = 'alice'`;
    expect(after).toEqual(before);
  });

  test('a client that changes its class loses what was issued to it', async () => {
    const cut = async () =>
      (await behind.sql`SELECT valid_from FROM clients WHERE client_id = 'app'`)[0]?.['valid_from'];
    const before = await cut();
    await apply(
      clientWith('app', { class: 'confidential', client_secret: secret, redirect_uris: ['https://a.example/cb'] }),
    );
    expect(await cut()).toBeGreaterThan(before);
    await apply(example);
    expect((await show('client', 'show', 'app')).client_secrets).toEqual([]);
  });

  test('what the file leaves out is disabled with --prune, and only then', async () => {
    const fewer = realmWith({ clients: example.realms[0].clients.slice(1) });
    expect((await apply(fewer)).out).toStartWith('Nothing to do');
    expect((await apply(fewer, '--prune')).out).toContain('disable client main/shop');
    expect(await show('client', 'show', 'shop')).toMatchObject({ enabled: false });
    expect((await apply(fewer, '--prune')).out).toStartWith('Nothing to do');
    expect((await apply(example)).out).toContain('change  client main/shop: enabled');
  });

  test('a client that registered itself is not pruned', async () => {
    await behind.sql`UPDATE clients SET registration_token_hash = '\\x01' WHERE client_id = 'app'`;
    const fewer = realmWith({
      clients: example.realms[0].clients.filter((c: { client_id: string }) => c.client_id !== 'app'),
    });
    expect((await apply(fewer, '--prune')).out).toStartWith('Nothing to do');
  });
});

describe('where secrets come from', () => {
  test('a file beside the document, without its last line break; a password also as its hash', async () => {
    const fromFile = randomToken();
    writeFileSync(join(folder, 'secret.txt'), `${fromFile}\n`);
    writeFileSync(join(folder, 'password.txt'), 'left horse, left battery\r\n');
    const hash = await Bun.password.hash('by its hash', { algorithm: 'argon2id', memoryCost: 8192, timeCost: 2 });
    const document = realmWith({
      clients: [{ client_id: 'filed', client_secret: { file: 'secret.txt' }, redirect_uris: ['https://f.example/cb'] }],
      users: [
        { username: 'filed', password: { file: 'password.txt' } },
        { username: 'hashed', password: { hash } },
      ],
    });
    expect((await apply(document)).code).toBe(0);
    const [client] = await behind.sql`SELECT secrets FROM clients WHERE client_id = 'filed'`;
    expect(client?.['secrets'][0].hash).toBe(sha256(fromFile).toString('hex'));
    const rows = await behind.sql`SELECT username, password_hash FROM users WHERE username IN ('filed', 'hashed')`;
    const hashOf = (name: string) => rows.find(({ username }) => username === name)?.['password_hash'];
    expect(await Bun.password.verify('left horse, left battery', hashOf('filed'))).toBe(true);
    expect(hashOf('hashed')).toBe(hash);
  });

  test('a password that is too short is refused as on the command line', async () => {
    writeFileSync(join(folder, 'short.txt'), 'short');
    const { err } = await apply(realmWith({ users: [{ username: 'eve', password: { file: 'short.txt' } }] }));
    expect(err).toContain('realms[0].users[0].password: the password has fewer than 8 characters');
  });
});

test('two at the same time: one makes it, the other finds nothing to do', async () => {
  const document = { version: 1, realms: [{ slug: 'twice', users: [{ username: 'u' }] }] };
  const path = file('twice.json', document);
  const ran = await Promise.all([1, 2].map(() => limen(['apply', path], environment)));
  expect(ran.map(({ out }) => out.split('\n').at(-1)).toSorted()).toEqual([
    'Done: 2 changed, 0 unchanged.',
    'Nothing to do: 2 unchanged.',
  ]);
});

describe('flows', () => {
  const flowWith = (change: object) => realmWith({ flows: { browser: { ...defaultFlow, ...change } } });
  const versions = async () =>
    (
      await behind.sql`SELECT version, definition FROM flow_deployments JOIN flow_versions v ON v.id = version_id
                  JOIN realms r ON r.id = v.realm_id WHERE slug = 'main'`
    )[0];
  const { session: _, ...withoutSession } = defaultFlow.nodes;

  test('the one that is deployed is no change; another becomes a version and is deployed', async () => {
    expect((await apply(flowWith({}))).out).toStartWith('Nothing to do');
    const { out } = await apply(flowWith({ start: 'identifier', nodes: withoutSession }));
    expect(out).toContain('change  realm  main: flows.browser');
    expect(await versions()).toMatchObject({ version: 2, definition: { start: 'identifier' } });
    expect((await apply(flowWith({ start: 'identifier', nodes: withoutSession }))).out).toStartWith('Nothing to do');
    expect((await apply(example)).out).toStartWith('Nothing to do');
  });

  test('one that is no flow is refused with every fault, and nothing is published', async () => {
    const { code, err } = await apply(
      flowWith({ start: 'nowhere', nodes: { ...defaultFlow.nodes, odd: { type: 'odd', config: {}, on: {} } } }),
    );
    expect(code).toBe(1);
    expect(err).toContain('realms[0] (main): flows.browser: The start "nowhere" does not exist');
    expect(err).toContain('flows.browser: Node "odd" has the unknown type "odd"');
    expect(await versions()).toMatchObject({ version: 2 });
  });
});

describe('limen export', () => {
  test('what it writes is what is there, so applying it changes nothing', async () => {
    await apply(example);
    const exported = await limen(['export', '--users'], environment);
    expect(exported.code).toBe(0);
    expect(exported.out).not.toContain('argon2id');
    const { realms } = JSON.parse(exported.out);
    expect(realms[0].clients.map(({ client_id }: { client_id: string }) => client_id)).toContain('shop');
    expect(await apply(exported.out)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Nothing to do: \d+ unchanged/),
    });
    expect((await limen(['export', '--realm', 'maim'], environment)).err).toContain('did you mean main?');
  });
});

describe('refused', () => {
  const refusals: readonly (readonly [string, unknown, string])[] = [
    ['comments', '{ "version": 1 // no\n}', 'the document is not JSON (RFC 8259; no comments, no trailing commas): '],
    [
      'a member twice',
      '{\n"version": 1, "realms": [], "ver\\u0073ion": 2\n}',
      'line 2: the member version is there already',
    ],
    ['another version', { version: 2, realms: [] }, 'version: must be 1'],
    [
      'a misspelled member',
      clientWith('shop', { redirect_uri: 'https://x.example' }),
      'realms[0].clients[0].redirect_uri: there is no such member; did you mean redirect_uris?',
    ],
    [
      'a form that is wrong',
      clientWith('shop', { consent: 'often' }),
      'realms[0].clients[0].consent: must be remembered, always or never',
    ],
    [
      'a password in clear',
      realmWith({ users: [{ username: 'bob', password: 'hunter2 hunter2' }] }),
      'realms[0].users[0].password: must be {"environment": "<name>"}',
    ],
    [
      'a claim that does not exist',
      realmWith({ users: [{ username: 'bob', claims: { emails: 'b@example.com' } }] }),
      'realms[0].users[0].claims.emails: there is no such member; did you mean email?',
    ],
    [
      'a secret that can be guessed',
      clientWith('shop', { client_secret: 'correct-horse-battery-staple' }),
      'realms[0].clients[0].client_secret: looks like less than 128 bits of chance',
    ],
    [
      'a secret that is not there',
      clientWith('shop', { client_secret: { environment: 'NOWHERE' } }),
      'realms[0].clients[0].client_secret: the environment variable NOWHERE is not set',
    ],
    [
      'a file that is not there',
      clientWith('shop', { client_secret: { file: 'nowhere.txt' } }),
      'realms[0].clients[0].client_secret: the file nowhere.txt cannot be read (ENOENT)',
    ],
    [
      'a new client without its secret',
      realmWith({ clients: [{ client_id: 'fresh', redirect_uris: ['https://f.example/cb'] }] }),
      'realms[0] (main).clients[0] (fresh): client_secret: is missing',
    ],
    [
      'a secret of a client that cannot keep one',
      clientWith('app', { client_secret: { environment: 'SHOP_SECRET' } }),
      'realms[0] (main).clients[1] (app): client_secret: this client does not authenticate with a secret',
    ],
    [
      'a rule of the class',
      clientWith('app', { token_endpoint_auth_method: 'client_secret_basic' }),
      'realms[0] (main).clients[1] (app): token_endpoint_auth_method: client_secret_basic contradicts a public client',
    ],
    [
      'what is not served here',
      clientWith('shop', { userinfo_signed_response_alg: 'HS999' }),
      'realms[0] (main).clients[0] (shop): userinfo_signed_response_alg: must be one of ',
    ],
    [
      'a loosening without a reason',
      clientWith('shop', { settings: { implicitAndHybrid: true } }),
      'realms[0] (main).clients[0] (shop): implicitAndHybrid: true is weaker than false; say why with a reason',
    ],
    [
      'an unknown setting',
      realmWith({ settings: { lockout_threshold: 3 } }),
      'realms[0] (main): there is no setting "lockout_threshold"',
    ],
    [
      'two clients of one id',
      realmWith({ clients: [{ client_id: 'a' }, { client_id: 'a' }] }),
      'realms[0].clients[1].client_id: this client is there already',
    ],
    [
      'another default realm',
      realmWith({ default: false }),
      'realms[0] (main): default: is true, and which realm is the default realm cannot be changed',
    ],
    [
      'a name that is taken',
      realmWith({
        users: [{ username: 'alice', claims: example.realms[0].users[0].claims }, { username: 'alice@example.com' }],
      }),
      'realms[0] (main).users[1] (alice@example.com): somebody in this realm already has this username',
    ],
  ];

  test.each(refusals)('%s', async (_, document, line) => {
    const before = await version();
    const { code, out, err } = await apply(document);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(line);
    expect(await version()).toBe(before);
  });

  test('all at once, and nothing of the rest is written', async () => {
    const { code, err } = await apply({
      version: 1,
      realms: [
        {
          slug: 'main',
          name: 'Must not be written',
          settings: { lockoutThreshold: 0 },
          clients: [
            { client_id: 'one', class: 'public', redirect_uris: ['http://evil.example/cb'] },
            { client_id: 'two', token_endpoint_auth_method: 'private_key_jwt', grant_types: ['client_credentials'] },
            { client_id: 'three', class: 'public', redirect_uris: ['https://three.example/cb'] },
          ],
          users: [{ username: '\u0007' }],
        },
      ],
    });
    expect(code).toBe(1);
    for (const part of ['(main): lockoutThreshold', '(one): redirect_uris', '(two): jwks', 'users[0] '])
      expect(err).toContain(part);
    expect((await show('realm', 'show', 'main')).name).toBe('Example Inc.');
    expect((await limen(['client', 'show', 'three'], environment)).code).toBe(1);
  });

  test('a file that cannot be read', async () => {
    const ran = await limen(['apply', join(folder, 'none.json')], environment);
    expect(ran).toEqual({ code: 1, out: '', err: `${join(folder, 'none.json')} cannot be read (ENOENT)` });
  });
});
