import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { bearer, initialToken, put, register, registered, remove, rpCallback, setRealm } from './registrar.ts';
import { bodyOf, claimsOf, postAs, text } from './relying_party.ts';

let provider: Provider;
let acme: string;

beforeAll(async () => {
  provider = await startProvider({
    environment: {
      LIMEN_SETTING_REGISTRATION: 'initial access token',
      LIMEN_SETTING_REGISTRATIONS_PER_HOUR: '2',
      LIMEN_TRUSTED_PROXIES: '127.0.0.1',
    },
  });
  acme = `${provider.issuer}/realms/acme`;
  await setRealm(provider, 'acme', { registration: { value: 'open', reason: 'a test of it' } });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const one = { redirect_uris: [rpCallback] };
const statusOf = async (issuer: string, document: object, headers: { readonly [name: string]: string } = {}) =>
  (await register(issuer, document, headers)).status;
const from = (address: string) => ({ 'x-forwarded-for': address });

describe('RFC 7591 §3: where an initial access token is needed', () => {
  test('without one, with a wrong one and with one of another realm: 401', async () => {
    const bare = await register(provider.issuer, one);
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).toBe(`Bearer realm="${provider.issuer}"`);
    for (const token of ['wrong', await initialToken(provider, 'acme')]) {
      const response = await register(provider.issuer, one, bearer(token));
      expect(response.status).toBe(401);
      expect(response.headers.get('www-authenticate')).toContain('error="invalid_token"');
      expect(await bodyOf(response)).toMatchObject({ error: 'invalid_token' });
    }
  });

  test('one that is good for one client registers one, however many ask at once', async () => {
    const token = await initialToken(provider, 'main');
    const statuses = await Promise.all(Array.from({ length: 8 }, () => statusOf(provider.issuer, one, bearer(token))));
    expect(statuses.toSorted()).toEqual([201, ...Array<number>(7).fill(401)]);
    expect(await statusOf(provider.issuer, one, bearer(token))).toBe(401);
  });

  test('a registration that is refused does not use it up', async () => {
    const token = await initialToken(provider, 'main');
    expect(await statusOf(provider.issuer, { redirect_uris: ['x'] }, bearer(token))).toBe(400);
    expect(await statusOf(provider.issuer, one, bearer(token))).toBe(201);
  });

  test('one without a count goes on until it expires', async () => {
    const token = await initialToken(provider, 'main', { uses: null });
    for (let turn = 0; turn < 3; turn += 1) expect(await statusOf(provider.issuer, one, bearer(token))).toBe(201);
    await provider.database.sql`UPDATE registration_tokens SET expires_at = limen_now() WHERE uses_left IS NULL`;
    expect(await statusOf(provider.issuer, one, bearer(token))).toBe(401);
  });

  test('its hash alone is kept', async () => {
    const token = await initialToken(provider, 'main');
    const rows = await provider.database.sql`SELECT row_to_json(t)::text AS row FROM registration_tokens t`;
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.map((row) => String(row['row'])).join()).not.toContain(token);
    expect(provider.log.join()).not.toContain(token);
  });

  test('its client may act for itself, and may keep that when it replaces its registration', async () => {
    const machine = { redirect_uris: [], grant_types: ['client_credentials'], scope: 'orders' };
    await setRealm(provider, 'main', { registrationScopes: { value: 'openid orders' } });
    const client = await registered(provider.issuer, machine, bearer(await initialToken(provider, 'main')));
    const tokens = await bodyOf(await postAs(client, '/token', { grant_type: 'client_credentials' }));
    expect(claimsOf(text(tokens, 'access_token'))).toMatchObject({ sub: client.clientId, scope: 'orders' });
    expect((await put(client.uri, client.token, { client_id: client.clientId, ...machine })).status).toBe(200);
  });
});

describe('RFC 7591 §5: where everyone may register', () => {
  test('an address has its share, then waits; another address has its own', async () => {
    expect(await statusOf(acme, one, from('192.0.2.1'))).toBe(201);
    expect(await statusOf(acme, { redirect_uris: ['x'] }, from('192.0.2.1'))).toBe(400);
    const limited = await register(acme, one, from('192.0.2.1'));
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get('retry-after'))).toBeWithin(1, 1801);
    expect(await bodyOf(limited)).toMatchObject({ error: 'temporarily_unavailable' });
    expect(await statusOf(acme, one, from('192.0.2.2'))).toBe(201);
  });

  test('an IPv6 address shares with its /64', async () => {
    const statuses = [];
    for (const last of [1, 2, 3]) statuses.push(await statusOf(acme, one, from(`2001:db8::${last}`)));
    expect(statuses).toEqual([201, 201, 429]);
    expect(await statusOf(acme, one, from('2001:db8:0:1::1'))).toBe(201);
  });

  test('who shows an initial access token does not wait; one that is wrong is refused all the same', async () => {
    const token = await initialToken(provider, 'acme', { uses: 5 });
    for (let turn = 0; turn < 5; turn += 1) {
      expect(await statusOf(acme, one, { ...from('192.0.2.3'), ...bearer(token) })).toBe(201);
    }
    expect(await statusOf(acme, one, { ...from('192.0.2.3'), ...bearer(token) })).toBe(401);
    expect(await statusOf(acme, one, from('192.0.2.3'))).toBe(201);
  });

  test('replacing counts too, deleting does not', async () => {
    const send = (method: string, uri: string, token: string, document: object) =>
      fetch(uri, {
        method,
        headers: { 'content-type': 'application/json', ...bearer(token), ...from('192.0.2.4') },
        body: JSON.stringify(document),
      });
    const client = await registered(acme, {}, from('192.0.2.4'));
    const document = { client_id: client.clientId, ...one };
    expect((await send('PUT', client.uri, client.token, document)).status).toBe(200);
    expect((await send('PUT', client.uri, client.token, document)).status).toBe(429);
    expect((await remove(client.uri, client.token)).status).toBe(204);
  });
});
