import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomToken } from '../../src/core/crypto.ts';
import { openDatabase } from '../../src/store/database.ts';
import { signingAlgorithms } from '../../src/store/signer.ts';
import { databaseTimeoutMilliseconds, emptyDatabase, type TestDatabase } from '../database.ts';
import { limen, type Typing } from './terminal.ts';

let database: TestDatabase;
let environment: { [name: string]: string };
const folder = mkdtempSync(join(tmpdir(), 'limen-cli-'));

beforeAll(async () => {
  database = await emptyDatabase();
  environment = {
    DATABASE_URL: database.url,
    LIMEN_SECRETS: randomToken(),
    LIMEN_PUBLIC_URL: 'https://id.example.com',
  };
}, databaseTimeoutMilliseconds);

afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

const run = (...argv: string[]) => limen(argv, environment);
const runTyping = (typing: Typing, ...argv: string[]) => limen(argv, environment, typing);
const json = async (...argv: string[]) => {
  const { code, out, err } = await run(...argv, '--json');
  if (code !== 0) throw new Error(err);
  return JSON.parse(out);
};

describe('an empty database', () => {
  test('commands say to migrate, and doctor says what is missing', async () => {
    const ran = await run('realm', 'list');
    expect(ran).toEqual({ code: 1, out: '', err: 'the database schema is not up to date; run `limen migrate`' });
    const doctor = await run('doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.out).toMatch(/fail {2}schema +\d+ to apply, from 0001_/);
  });

  test('migrate brings it up to date, with partitions, once', async () => {
    const first = await json('migrate');
    expect(first.applied).toContain('0001_foundation.sql');
    expect(first.partitions.length).toBeGreaterThan(5);
    expect(await json('migrate')).toEqual({ applied: [], ahead: [], partitions: [] });
    expect((await run('migrate')).out).toBe('Up to date.');
  });

  test('then doctor finds the database in order', async () => {
    const findings: { subject: string; state: string }[] = JSON.parse((await run('doctor', '--json')).out);
    const states = findings.filter(({ subject }) => ['database', 'clock', 'schema', 'partitions'].includes(subject));
    expect(states.map(({ subject, state }) => [subject, state])).toEqual([
      ['database', 'ok'],
      ['clock', 'ok'],
      ['schema', 'ok'],
      ['partitions', 'ok'],
    ]);
  });

  test('without a realm, commands say how to make one', async () => {
    expect((await run('realm', 'list')).out).toContain('limen realm create');
    expect((await run('user', 'list')).err).toContain('there is no default realm');
  });
});

describe('realms', () => {
  test('the first is the default realm, whose issuer is the public URL', async () => {
    const realm = await json('realm', 'create', 'main', '--name', 'Example Inc.');
    expect(realm).toMatchObject({ slug: 'main', is_default: true, issuer: 'https://id.example.com', enabled: true });
  });

  test('it has signing keys and a deployed flow', async () => {
    const keys: { algorithm: string; state: string }[] = await json('keys', 'list');
    const wanted = signingAlgorithms.flatMap((algorithm) => [`${algorithm} active`, `${algorithm} next`]);
    expect(keys.map(({ algorithm, state }) => `${algorithm} ${state}`).toSorted()).toEqual(wanted.toSorted());
    const { sql, close } = openDatabase({ url: database.url, connections: 1, applicationName: 'test' });
    const rows = await sql`SELECT purpose, flow, version FROM flow_deployments JOIN flow_versions ON id = version_id`;
    await close();
    expect(rows.map((row) => ({ ...row }))).toEqual([{ purpose: 'browser', flow: 'browser', version: 1 }]);
  });

  test('any other has its own below it', async () => {
    const realm = await json('realm', 'create', 'acme', '--setting', 'lockoutThreshold=3');
    expect(realm).toMatchObject({ is_default: false, issuer: 'https://id.example.com/realms/acme', name: 'acme' });
    expect(realm.settings).toEqual({ lockoutThreshold: { value: 3 } });
    expect((await run('realm', 'list')).out.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'slug',
      'acme',
      'main',
    ]);
  });

  test.each([
    [['realm', 'create', 'main'], 'there is a realm with this slug already'],
    [
      ['realm', 'create', 'Bad_Slug'],
      'a slug is 1 to 63 characters out of a-z 0-9 -, and neither begins nor ends with -',
    ],
    [['realm', 'create', 'third', '--default'], 'there is a default realm already'],
    [
      ['realm', 'create', 'third', '--setting', 'lockoutTreshold=3'],
      'there is no setting "lockoutTreshold"; did you mean lockoutThreshold?',
    ],
    [
      ['realm', 'create', 'third', '--setting', 'lockoutThreshold=0'],
      'lockoutThreshold is a whole number from 1 to 100; got "0"',
    ],
    [['realm', 'create', 'third', '--setting', 'lockout'], '--setting takes <key>=<value>; got "lockout"'],
    [['realm', 'update', 'nosuch', '--disable'], 'there is no such realm'],
    [['realm', 'update', 'acme', '--disable', '--enable'], '--enable and --disable contradict each other'],
    [['realm', 'show', 'acne'], 'there is no realm "acne"; did you mean acme?'],
    [['client', 'list', '--realm', 'nosuch'], 'there is no realm "nosuch"'],
  ])('%j is refused', async (argv, line) => {
    expect(await run(...argv)).toEqual({ code: 1, out: '', err: line });
  });

  test('update changes what is named and leaves the rest', async () => {
    await json('realm', 'update', 'acme', '--setting', 'codeLifetimeSeconds=20', '--disable');
    const shown = await json('realm', 'show', 'acme');
    expect(shown).toMatchObject({ enabled: false, name: 'acme' });
    expect(shown.settings).toEqual({ lockoutThreshold: { value: 3 }, codeLifetimeSeconds: { value: 20 } });
    const after = await json('realm', 'update', 'acme', '--setting', 'lockoutThreshold=', '--enable', '--name', 'ACME');
    expect(after).toMatchObject({ enabled: true, name: 'ACME', settings: { codeLifetimeSeconds: { value: 20 } } });
  });

  test('show says where each setting comes from', async () => {
    const system = { ...environment, LIMEN_SETTING_LOCKOUT_THRESHOLD: '7' };
    const { out } = await limen(['realm', 'show', 'acme', '--json'], system);
    const { effective_settings: effective } = JSON.parse(out);
    expect(effective.codeLifetimeSeconds).toMatchObject({ value: 20, from: 'realm' });
    expect(effective.lockoutThreshold).toMatchObject({ value: 7, from: 'system' });
    expect(effective.rotation).toMatchObject({ value: 'always', from: 'default' });
  });

  test('a loosening needs a reason, and keeps it', async () => {
    const strict = { ...environment, LIMEN_SETTING_PKCE: 'required for all' };
    const loosen = ['realm', 'update', 'acme', '--setting', 'pkce=required for public'];
    const refused = await limen(loosen, strict);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('say why with a reason');
    expect((await limen([...loosen, '--reason', 'old client'], strict)).code).toBe(0);
    const { out } = await limen(['realm', 'show', 'acme'], strict);
    expect(out).toMatch(/pkce +required for public +realm +old client/);
    await run('realm', 'update', 'acme', '--setting', 'pkce=');
  });
});

describe('clients', () => {
  const callback = 'https://shop.example.com/callback';

  test('a confidential one gets a secret, shown this once', async () => {
    const made = await json('client', 'create', 'shop', '--class', 'confidential', '--redirect-uri', callback);
    expect(made).toMatchObject({
      client_id: 'shop',
      class: 'confidential',
      class_rule: 'stated',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: [callback],
      scope: 'openid profile email',
    });
    expect(made.client_secret).toMatch(/^[\w-]{43}$/);
    const shown = await run('client', 'show', 'shop', '--json');
    expect(shown.out).not.toContain(made.client_secret);
    expect(JSON.parse(shown.out).client_secrets).toHaveLength(1);
  });

  test('a public one has none', async () => {
    const made = await json(
      'client',
      'create',
      'app',
      '--class',
      'public',
      '--redirect-uri',
      'com.example.app:/callback',
    );
    expect(made).toMatchObject({ class: 'public', token_endpoint_auth_method: 'none', client_secrets: [] });
    expect(made.client_secret).toBeUndefined();
  });

  test('without redirect URI it is a service', async () => {
    const made = await json('client', 'create', 'reports', '--class', 'confidential', '--scope', 'reports.read');
    expect(made).toMatchObject({ grant_types: ['client_credentials'], response_types: [], scope: 'reports.read' });
  });

  test('without a stated class it is classified by its method, and the rule is shown', async () => {
    const { code, out } = await run(
      'client',
      'create',
      'imported',
      '--auth-method',
      'none',
      '--redirect-uri',
      callback,
    );
    expect(code).toBe(0);
    expect(out).toContain('public (token_endpoint_auth_method is none, so nothing keeps a secret: public)');
  });

  test('private_key_jwt takes a file of public keys, and gets no secret', async () => {
    const path = join(folder, 'jwks.json');
    writeFileSync(path, JSON.stringify({ keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y' }] }));
    const argv = ['client', 'create', 'signed', '--class', 'confidential', '--auth-method', 'private_key_jwt'];
    const made = await json(...argv, '--jwks-file', path);
    expect(made.jwks.keys).toHaveLength(1);
    expect(made.client_secret).toBeUndefined();
  });

  test.each([
    [['a'], /^say --class public .* or --class confidential/],
    [
      ['a', '--class', 'public', '--auth-method', 'client_secret_basic', '--redirect-uri', callback],
      /^token_endpoint_auth_method: client_secret_basic contradicts a public client/,
    ],
    [
      ['a', '--class', 'confidential', '--auth-method', 'none', '--redirect-uri', callback],
      /contradicts a confidential client/,
    ],
    [['a', '--class', 'public'], /^redirect_uris: /],
    [
      ['a', '--class', 'public', '--redirect-uri', 'http://x.example/'],
      /^redirect_uris: "http:\/\/x\.example\/" must be/,
    ],
    [
      ['a', '--class', 'public', '--redirect-uri', callback, '--grant', 'client_credentials'],
      /client_credentials is not for a public client/,
    ],
    [['a', '--class', 'public', '--redirect-uri', callback, '--setting', 'rotation=never'], /^settings\.rotation: /],
    [['a', '--class', 'confidential', '--setting', 'lockout=false'], /can be set for a realm only/],
    [['a', '--class', 'confidential', '--auth-method', 'private_key_jwt'], /^jwks: /],
    [['a', '--class', 'confidential', '--jwks-file', '/nowhere'], /^--jwks-file \/nowhere cannot be read \(ENOENT\)$/],
    [['shop', '--class', 'confidential'], /^there is a client with this client_id/],
    [['a b', '--class', 'confidential'], /^client_id: /],
    [['0190aaaa-0000-7000-8000-000000000001', '--class', 'confidential'], /^client_id: /],
  ])('client create %j is refused', async (argv, line) => {
    const ran = await run('client', 'create', ...argv);
    expect({ code: ran.code, out: ran.out }).toEqual({ code: 1, out: '' });
    expect(ran.err).toMatch(line);
  });

  test('dpop_bound_access_tokens is said, shown and taken back', async () => {
    const said = await json('client', 'update', 'shop', '--dpop-bound-access-tokens', 'true');
    expect(said.dpop_bound_access_tokens).toBe(true);
    expect((await run('client', 'show', 'shop')).out).toMatch(/bound tokens only: +yes/);
    const back = await json('client', 'update', 'shop', '--dpop-bound-access-tokens', 'false');
    expect(back.dpop_bound_access_tokens).toBe(false);
    const weaker = await run('client', 'update', 'shop', '--setting', 'dpop=off');
    expect(weaker.err).toContain('dpop: "off" is weaker than "allowed"');
  });

  test('a device needs no redirect URI, and its grant may come with refresh tokens (RFC 8628)', async () => {
    const grant = 'urn:ietf:params:oauth:grant-type:device_code';
    const grants = ['--grant', grant, '--grant', 'refresh_token'];
    expect(await json('client', 'create', 'tv', '--class', 'public', ...grants)).toMatchObject({
      grant_types: [grant, 'refresh_token'],
      response_types: [],
      redirect_uris: [],
      scope: 'openid profile email',
    });
  });

  test('all faults of a registration are told at once', async () => {
    const { err } = await run(
      'client',
      'create',
      'a b',
      '--class',
      'public',
      '--auth-method',
      'x',
      '--grant',
      'password',
    );
    expect(err.split('\n').map((line) => line.split(':')[0])).toEqual(
      expect.arrayContaining(['client_id', 'token_endpoint_auth_method', 'grant_types']),
    );
  });

  test('update checks the client as it would be, and changes only what is named', async () => {
    const refused = await run('client', 'update', 'app', '--grant', 'client_credentials');
    expect(refused.err).toContain('client_credentials is not for a public client');
    const before = await json('client', 'show', 'shop');
    const after = await json(
      'client',
      'update',
      'shop',
      '--name',
      'The Shop',
      '--setting',
      'rotation=never',
      '--reason',
      'one process',
    );
    expect(after).toEqual({
      ...before,
      effective_settings: undefined,
      client_name: 'The Shop',
      settings: { rotation: { value: 'never', reason: 'one process' } },
    });
    expect((await run('client', 'show', 'shop')).out).toMatch(/rotation +never +client +one process/);
  });

  test('a new secret leaves the former one valid for a while, and a public client has none', async () => {
    const { client_secret: secret } = await json('client', 'update', 'shop', '--new-secret', '--overlap', '3600');
    expect(secret).toMatch(/^[\w-]{43}$/);
    const { client_secrets: secrets } = await json('client', 'show', 'shop');
    expect(secrets.map((each: { expires_at: string | null }) => each.expires_at === null).toSorted()).toEqual([
      false,
      true,
    ]);
    expect((await run('client', 'update', 'app', '--new-secret')).err).toBe(
      'this client does not authenticate with a secret',
    );
  });

  test('clients of a realm are not those of another', async () => {
    expect((await json('client', 'list')).length).toBeGreaterThan(3);
    expect(await json('client', 'list', '--realm', 'acme')).toEqual([]);
    expect((await run('client', 'show', 'shop', '--realm', 'acme')).err).toBe('there is no such client in this realm');
  });
});

describe('users', () => {
  const password = 'correct horse battery';

  test('one is made with claims and a password from the standard input', async () => {
    const argv = ['user', 'create', 'alice', '--password-stdin', '--email', 'alice@example.com', '--email-verified'];
    const more = ['--claim', 'given_name=Alice', '--claim', 'address={"locality":"Oslo"}', '--json'];
    const { code, out } = await runTyping({ input: `${password}\n` }, ...argv, ...more);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      username: 'alice',
      enabled: true,
      has_password: true,
      claims: {
        email: 'alice@example.com',
        email_verified: true,
        given_name: 'Alice',
        address: { locality: 'Oslo' },
      },
    });
    expect(out).not.toContain(password);
  });

  test('the password is stored as Argon2id, without the line end', async () => {
    const { sql, close } = openDatabase({ url: database.url, connections: 1, applicationName: 'test' });
    const [row] = await sql<{ password_hash: string }[]>`SELECT password_hash FROM users WHERE username = 'alice'`;
    await close();
    expect(row?.password_hash).toStartWith('$argon2id$');
    expect(await Bun.password.verify(password, row?.password_hash ?? '')).toBe(true);
  });

  test('or it is asked for twice', async () => {
    const made = await runTyping({ typed: [password, password] }, 'user', 'create', 'bob', '--json');
    expect(JSON.parse(made.out)).toMatchObject({ username: 'bob', has_password: true });
    const differing = await runTyping({ typed: [password, 'another one'] }, 'user', 'create', 'carol');
    expect(differing).toEqual({ code: 1, out: '', err: 'the two passwords differ' });
  });

  test.each([
    [['user', 'create', 'carol'], '', 'there is no terminal to ask on; give the password with --password-stdin'],
    [['user', 'create', 'carol', '--password-stdin'], 'short', 'the password has fewer than 8 characters'],
    [
      ['user', 'create', 'carol', '--password-stdin', '--no-password'],
      '',
      '--no-password and --password-stdin contradict each other',
    ],
    [
      ['user', 'create', 'ALICE', '--no-password'],
      '',
      'somebody in this realm already has this username, as username or as e-mail address',
    ],
    [
      ['user', 'create', 'carol', '--no-password', '--email', 'Alice@Example.com'],
      '',
      'somebody in this realm already has this e-mail address, as e-mail address or as username',
    ],
    [['user', 'create', 'carol', '--no-password', '--email', 'nonsense'], '', 'the claim email cannot be "nonsense"'],
    [
      ['user', 'create', 'carol', '--no-password', '--claim', 'birthday=1990-01-01'],
      '',
      'there is no standard claim "birthday"; did you mean birthdate?',
    ],
    [
      ['user', 'create', 'carol', '--no-password', '--claim', 'birthdate=soon'],
      '',
      'the claim birthdate cannot be "soon"',
    ],
    [['user', 'show', 'nobody'], '', 'there is no such user in this realm'],
    [['user', 'list', '--limit', '0'], '', '--limit is a number from 1 to 1000'],
  ])('%j is refused', async (argv, input, line) => {
    expect(await runTyping({ input }, ...argv)).toEqual({ code: 1, out: '', err: line });
  });

  test('another address is one that nobody has verified, and an empty claim goes', async () => {
    const changed = await json('user', 'update', 'alice', '--email', 'a@example.com', '--claim', 'given_name=');
    expect(changed.claims).toEqual({ email: 'a@example.com', address: { locality: 'Oslo' } });
  });

  test('signing out everywhere moves what counts, and so does a new password', async () => {
    const { sql, close } = openDatabase({ url: database.url, connections: 1, applicationName: 'test' });
    const validFrom = async () => {
      const [row] = await sql<{ at: number }[]>`SELECT valid_from AS at FROM users WHERE username = 'bob'`;
      return row?.at ?? Number.NaN;
    };
    expect(await validFrom()).toBe(0);
    await run('user', 'update', 'bob', '--sign-out-everywhere');
    const first = await validFrom();
    await runTyping({ input: 'another password' }, 'user', 'update', 'bob', '--password-stdin');
    const second = await validFrom();
    await close();
    expect(first).toBeGreaterThan(0);
    expect(second).toBeGreaterThan(first);
  });

  test('are shown by name or id, listed by page, and switched off', async () => {
    const { id } = await json('user', 'show', 'alice');
    expect((await json('user', 'update', id, '--disable')).enabled).toBe(false);
    expect((await json('user', 'list', '--limit', '1')).map((user: { username: string }) => user.username)).toEqual([
      'alice',
    ]);
    const rest = await json('user', 'list', '--after', 'alice');
    expect(rest.map((user: { username: string }) => user.username)).toEqual(['bob']);
    expect((await run('user', 'list', '--realm', 'acme')).out).toBe('No user here.');
  });
});

describe('signing keys', () => {
  test('rotating too soon is refused, and done with --force', async () => {
    const before: { kid: string; state: string; algorithm: string }[] = await json('keys', 'list');
    const refused = await run('keys', 'rotate', '--algorithm', 'ES256');
    expect(refused.err).toMatch(/^the next ES256 key is not known to everyone yet; try again in \d+ s, or --force$/);
    const next = before.find((key) => key.state === 'next' && key.algorithm === 'ES256');
    const rotated = await json('keys', 'rotate', '--algorithm', 'ES256', '--force');
    expect(rotated.active_kid).toBe(next?.kid);
    const after: { kid: string; state: string }[] = await json('keys', 'list');
    expect(after.find((key) => key.kid === rotated.next_kid)?.state).toBe('next');
    expect(after.filter((key) => key.state === 'retired')).toHaveLength(1);
  });

  test('another secret is told as such, by doctor too', async () => {
    const other = { ...environment, LIMEN_SECRETS: randomToken() };
    const { code, out } = await limen(['doctor'], other);
    expect(code).toBe(1);
    expect(out).toMatch(/fail {2}secrets +the database holds what entry [0-9a-f]{8} sealed/);
  });
});

describe('a database that cannot be used', () => {
  test.each([['postgres://limen@127.0.0.1:1/limen', /^the database cannot be used \(\w+\); `limen doctor` says why$/]])(
    '%s is one line',
    async (url, line) => {
      const ran = await limen(['realm', 'list'], { ...environment, DATABASE_URL: url });
      expect(ran.code).toBe(1);
      expect(ran.err).toMatch(line);
      const doctor = await limen(['doctor'], { ...environment, DATABASE_URL: url });
      expect(doctor.out).toMatch(/fail {2}database +nothing listens there \(ECONNREFUSED\)/);
    },
  );

  test('another name is said to be missing', async () => {
    const ran = await limen(['doctor'], {
      ...environment,
      DATABASE_URL: database.url.replace(/\/test_\w+/, '/nosuch'),
    });
    expect(ran.out).toContain('there is no such database (3D000)');
  });
});
