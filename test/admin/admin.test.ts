import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { actionNames } from '../../src/admin/actions.ts';
import { adminRoutes } from '../../src/admin/routes.ts';
import { limen } from '../cli/terminal.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { changeClient, realmIdOf } from '../endpoints/operator.ts';
import {
  acmeOf,
  alice,
  basic,
  bob,
  bodyOf,
  fail,
  type Party,
  postAs,
  refresh,
  text,
  tokensFor,
  tokensOf,
  webOf,
} from '../endpoints/relying_party.ts';
import { type Provider, startProvider } from '../provider.ts';
import { apiOf, call, command, environmentOf, service, tokenOf } from './administrator.ts';

let provider: Provider;
/** A client that may do everything everywhere. */
let root: Party;
/** One that may do everything in acme alone. */
let ofAcme: Party;
/** One without any permission. */
let nobody: Party;

beforeAll(async () => {
  provider = await startProvider();
  root = await service(provider, 'root');
  ofAcme = await service(provider, 'of-acme');
  nobody = await service(provider, 'nobody');
  await command(provider, 'admin', 'grant', '--client', 'root', '--action', 'all', '--every-realm');
  await command(provider, 'admin', 'grant', '--client', 'of-acme', '--action', 'all', '--realm', 'acme');
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const addressOf = (path: string): string =>
  path.replace(':id', '0123456789ab').replace(':realm', 'main').replace(':key', 'codeLifetimeSeconds');
const bodyFor = (method: string): object | undefined => (method === 'PUT' ? { value: 30 } : undefined);
const settings = '/realms/main/settings';

describe('every route is behind its guard', () => {
  const rows = adminRoutes.map((route) => [`${route.method} ${route.path}`, route] as const);

  test.each(rows)('%s: without a token, one is asked for, and no error is told', async (_, { method, path }) => {
    const answer = await call(provider, method, addressOf(path), null, bodyFor(method));
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe(`Bearer realm="${provider.issuer}"`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.body).toMatchObject({ error: 'invalid_token', error_id: expect.stringMatching(/^[0-9a-f]{12}$/) });
  });

  test.each(rows)('%s: without a permission, access is denied, whatever the body', async (_, { method, path }) => {
    const token = await tokenOf(nobody);
    for (const body of method === 'PUT' ? [{ value: 30 }, '{', { nonsense: 1 }] : [undefined]) {
      const answer = await call(provider, method, addressOf(path), token, body);
      expect(answer).toMatchObject({ status: 403, body: { error: 'access_denied' } });
    }
  });

  test.each(rows)('%s: a permission for another action is none', async (name, { method, path, needs }) => {
    const other = await service(provider, `other-${name.replaceAll(/\W+/g, '-')}`.slice(0, 60));
    for (const action of actionNames.filter((candidate) => candidate !== needs)) {
      await command(provider, 'admin', 'grant', '--client', other.clientId, '--action', action, '--every-realm');
    }
    const answer = await call(provider, method, addressOf(path), await tokenOf(other), bodyFor(method));
    expect(answer.status).toBe(403);
  });

  test('an unknown address and another method are told in JSON, with an error id', async () => {
    const token = await tokenOf(root);
    expect(await call(provider, 'GET', '/nowhere', token)).toMatchObject({
      status: 404,
      body: { error_id: expect.any(String) },
    });
    const answer = await call(provider, 'POST', settings, token, {});
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET']);
  });
});

describe('whose token counts', () => {
  const refused = { status: 401, body: { error: 'invalid_token' } };
  const use = (token: string) => call(provider, 'GET', settings, token);

  test('a client’s own, for this API', async () => {
    expect((await use(await tokenOf(root))).status).toBe(200);
  });

  test('not one for the issuer', async () => {
    const answer = await use(await tokenOf(root, { resource: provider.issuer }));
    expect(answer).toMatchObject(refused);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  test('not one that another resource would take as well', async () => {
    const both = [apiOf(provider), 'https://other.example'];
    const wide = await service(provider, 'wide', { resources: both });
    await command(provider, 'admin', 'grant', '--client', 'wide', '--action', 'all', '--every-realm');
    expect((await use(await tokenOf(wide))).status).toBe(200);
    const form = new URLSearchParams({ grant_type: 'client_credentials' });
    for (const resource of both) form.append('resource', resource);
    const answer = await fetch(`${provider.issuer}/token`, {
      method: 'POST',
      headers: { authorization: basic('wide', wide.secret ?? '') },
      body: form,
    });
    const token = text(await bodyOf(answer), 'access_token');
    expect(await use(token)).toMatchObject(refused);
  });

  test('not one of another realm, whatever its audience', async () => {
    const there = await service(provider, 'root', { realmId: await realmIdOf(provider, 'acme') });
    const party = { ...there, issuer: acmeOf(provider).issuer };
    expect(await use(await tokenOf(party))).toMatchObject(refused);
  });

  test('not after the client is disabled, or everything of it ended', async () => {
    const brief = await service(provider, 'brief');
    await command(provider, 'admin', 'grant', '--client', 'brief', '--action', 'settings.read', '--realm', 'main');
    const token = await tokenOf(brief);
    expect((await use(token)).status).toBe(200);
    await changeClient(provider, 'brief', { enabled: false });
    await Bun.sleep(1200);
    expect(await use(token)).toMatchObject(refused);
    await changeClient(provider, 'brief', { enabled: true });
    await Bun.sleep(2100);
    expect((await use(token)).status).toBe(200);
    await command(provider, 'client', 'update', 'brief', '--end-everything');
    await Bun.sleep(1200);
    expect(await use(token)).toMatchObject(refused);
  });

  test('not after it expired', async () => {
    const token = await tokenOf(root);
    await provider.shiftClock(601);
    expect(await use(token)).toMatchObject(refused);
  });

  test.each([['nothing'], ['a.b.c'], ['x'.repeat(8000)]])('not %p', async (token) => {
    expect(await use(token)).toMatchObject(refused);
  });

  test('a user’s counts while the family lives, by the permissions of the user and not of the client', async () => {
    await changeClient(provider, 'demo-web', { resources: [apiOf(provider)] });
    await Bun.sleep(1200);
    const web = webOf(provider);
    const { accessToken, refreshToken } = await tokensFor(web, alice);
    expect(await use(accessToken)).toMatchObject({ status: 403 });
    await command(provider, 'admin', 'grant', '--client', 'demo-web', '--action', 'settings.read', '--every-realm');
    expect(await use(accessToken)).toMatchObject({ status: 403 });
    await command(provider, 'admin', 'grant', '--user', 'alice', '--action', 'settings.read', '--realm', 'main');
    expect((await use(accessToken)).status).toBe(200);
    const bobs = await tokensFor(web, bob);
    expect(await use(bobs.accessToken)).toMatchObject({ status: 403 });
    await command(provider, 'admin', 'revoke', '--user', 'alice', '--action', 'settings.read', '--realm', 'main');
    expect(await use(accessToken)).toMatchObject({ status: 403 });
    const next = await tokensOf(await refresh(web, refreshToken));
    await postAs(web, '/revoke', { token: next.refreshToken });
    expect(await use(next.accessToken)).toMatchObject(refused);
  });

  test('not after the user is disabled', async () => {
    const { accessToken } = await tokensFor(webOf(provider), bob);
    expect((await use(accessToken)).status).toBe(403);
    await command(provider, 'user', 'update', 'bob', '--disable');
    expect(await use(accessToken)).toMatchObject(refused);
  });
});

describe('GET /errors/{id}', () => {
  /** The id of a refusal in a realm, once it is kept. */
  async function refusalIn(party: Party): Promise<string> {
    const answer = await postAs(party, '/token', { grant_type: 'refresh_token', refresh_token: 'none' });
    const id = /error id ([0-9a-f]{12})/.exec(await answer.text())?.[1] ?? fail('no error id');
    await Bun.sleep(1300);
    return id;
  }
  const read = async (id: string, party: Party) => call(provider, 'GET', `/errors/${id}`, await tokenOf(party));

  test('explains, with rule, parameter and remedy', async () => {
    const { status, body } = await read(await refusalIn(webOf(provider)), root);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      explanations: [
        { realm: 'main', client_id: 'demo-web', error: 'invalid_grant', mend: expect.stringContaining('sign-in') },
      ],
    });
  });

  test('an operator of one realm sees its own and no other, as if there were none', async () => {
    const [main, acme] = await Promise.all([refusalIn(webOf(provider)), refusalIn(acmeOf(provider))]);
    expect((await read(acme, ofAcme)).status).toBe(200);
    expect((await read(acme, root)).status).toBe(200);
    const hidden = await read(main, ofAcme);
    const unknown = await read('0123456789ab', ofAcme);
    const without = ({ error_id: _, error_description, ...rest }: { [member: string]: unknown }) => ({
      ...rest,
      error_description,
    });
    expect([hidden.status, without({ ...hidden.body })]).toEqual([unknown.status, without({ ...unknown.body })]);
    expect(hidden.status).toBe(404);
  });

  test('what belongs to no realm is for whoever may see all', async () => {
    const { body } = await call(provider, 'GET', '/nowhere', null);
    await Bun.sleep(1300);
    const id = text(body, 'error_id');
    expect((await read(id, root)).status).toBe(200);
    expect((await read(id, ofAcme)).status).toBe(404);
  });
});

describe('realm settings', () => {
  const put = async (key: string, body: unknown, party = root, realm = 'acme') =>
    call(provider, 'PUT', `/realms/${realm}/settings/${key}`, await tokenOf(party), body);
  const remove = async (key: string, realm = 'acme') =>
    call(provider, 'DELETE', `/realms/${realm}/settings/${key}`, await tokenOf(root));
  const shown = async (realm = 'acme') => {
    const { body } = await call(provider, 'GET', `/realms/${realm}/settings`, await tokenOf(root));
    return body['settings'];
  };

  test('are shown with the layer and the reason', async () => {
    await put('lockoutThreshold', { value: 3, reason: 'the audit of May' });
    const all = await shown();
    expect(all).toMatchObject({
      lockoutThreshold: { value: 3, from: 'realm', reason: 'the audit of May', expires_at: null },
      codeLifetimeSeconds: { value: 60, from: 'default', reason: null },
    });
  });

  test('a change is in force in this process at once, and says when it is everywhere', async () => {
    expect(await put('codeLifetimeSeconds', { value: 20 })).toMatchObject({
      status: 200,
      body: { realm: 'acme', key: 'codeLifetimeSeconds', value: 20, from: 'realm', in_force_within_seconds: 10 },
    });
    expect(await shown()).toMatchObject({ codeLifetimeSeconds: { value: 20 } });
    expect(await remove('codeLifetimeSeconds')).toMatchObject({ status: 200, body: { value: 60, from: 'default' } });
  });

  test('it is audited with its maker, in the same transaction', async () => {
    const before = await provider.database
      .sql`SELECT count(*)::int AS n FROM audit_events WHERE event = 'realm.updated'`;
    await put('codeLifetimeSeconds', { value: 25 });
    await put('codeLifetimeSeconds', { value: 9999 });
    const events = await provider.database.sql`
      SELECT realm_id, address, detail FROM audit_events WHERE event = 'realm.updated' ORDER BY id DESC`;
    expect(events.length).toBe((before[0]?.['n'] ?? 0) + 1);
    expect(events[0]).toMatchObject({
      realm_id: await realmIdOf(provider, 'acme'),
      address: '127.0.0.1',
      detail: { setting: 'codeLifetimeSeconds', change: 'set', through: 'root' },
    });
  });

  test.each([
    ['out of bounds', 'codeLifetimeSeconds', { value: 9999 }, 'codeLifetimeSeconds: '],
    ['a loosening without a reason', 'implicitAndHybrid', { value: true }, 'say why with a reason'],
    ['another type', 'lockout', { value: 'off' }, 'lockout: '],
    ['an unknown member', 'lockout', { value: false, because: 'x' }, 'because: '],
    ['no value', 'lockout', {}, 'value: '],
    ['no date', 'lockout', { value: false, expires_at: '2030-13-41T00:00:00Z' }, 'expires_at: '],
  ])('%s is refused, with the fault', async (_, key, body, fault) => {
    const before = await shown();
    const answer = await put(key, body);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(JSON.stringify(answer.body['faults'])).toContain(fault);
    expect(await shown()).toEqual(before);
  });

  test('a loosening with a reason and an end is accepted', async () => {
    const reason = { value: true, reason: 'until the new client is out', expires_at: '2100-01-01T00:00:00Z' };
    expect(await put('implicitAndHybrid', reason)).toMatchObject({
      status: 200,
      body: { value: true, reason: reason.reason, expires_at: '2100-01-01T00:00:00.000Z' },
    });
    await remove('implicitAndHybrid');
  });

  test('what is no JSON is refused without repeating it', async () => {
    const answer = await call(
      provider,
      'PUT',
      '/realms/acme/settings/lockout',
      await tokenOf(root),
      '{"value": geheim',
    );
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.body)).not.toContain('geheim');
  });

  test('an unknown setting or realm is not there', async () => {
    expect((await put('nosuch', { value: 1 })).status).toBe(404);
    expect((await put('lockout', { value: true }, root, 'nosuch')).status).toBe(404);
  });

  test('an operator of one realm neither changes another nor learns whether there is one', async () => {
    expect((await put('lockoutThreshold', { value: 4 }, ofAcme)).status).toBe(200);
    const there = await put('lockoutThreshold', { value: 4 }, ofAcme, 'main');
    const nowhere = await put('lockoutThreshold', { value: 4 }, ofAcme, 'nosuch');
    expect([there.status, nowhere.status]).toEqual([403, 403]);
    expect(await shown('main')).toMatchObject({ lockoutThreshold: { from: 'default' } });
  });
});

describe('limen admin', () => {
  test('list shows who may do what, where', async () => {
    const rows = JSON.parse(await command(provider, 'admin', 'list', '--json'));
    expect(rows).toContainEqual(
      expect.objectContaining({ holder: 'client root', action: 'errors.read', realm: 'every realm' }),
    );
    expect(rows).toContainEqual(
      expect.objectContaining({ holder: 'client of-acme', action: 'settings.write', realm: 'acme' }),
    );
  });

  test('what is granted twice is one grant; what was not granted cannot be revoked', async () => {
    const grant = ['admin', 'grant', '--user', 'alice', '--action', 'errors.read', '--every-realm'];
    expect(await command(provider, ...grant)).toContain('may errors.read in every realm');
    expect(await command(provider, ...grant)).toContain('could already');
    const revoke = await limen(
      ['admin', 'revoke', '--user', 'alice', '--action', 'errors.read', '--realm', 'main'],
      environmentOf(provider),
    );
    expect(revoke).toMatchObject({ code: 1, err: expect.stringContaining('no such grant') });
  });

  test.each([
    [['--user', 'alice', '--every-realm'], 'say what with --action'],
    [['--user', 'alice', '--action', 'errors.red', '--every-realm'], 'there is no action "errors.red"'],
    [['--user', 'alice', '--action', 'all'], 'say where'],
    [['--user', 'alice', '--action', 'all', '--realm', 'main', '--every-realm'], 'say where'],
    [['--action', 'all', '--every-realm'], 'say who'],
    [['--user', 'alice', '--client', 'root', '--action', 'all', '--every-realm'], 'say who'],
    [['--user', 'carol', '--action', 'all', '--every-realm'], 'no such user'],
    [['--client', 'demo-spa', '--action', 'all', '--every-realm'], 'a public client has no tokens of its own'],
  ])('grant %j is refused', async (words, line) => {
    expect((await limen(['admin', 'grant', ...words], environmentOf(provider))).err).toContain(line);
  });
});

test('the OpenAPI document lists every route with its permission', async () => {
  const { body } = await call(provider, 'GET', '/openapi.json', null);
  expect(body['openapi']).toBe('3.1.0');
  const described = JSON.stringify(body['paths']);
  for (const { path, needs } of adminRoutes) {
    expect(described).toContain(path.replaceAll(/:(\w+)/g, '{$1}'));
    expect(described).toContain(needs);
  }
});
