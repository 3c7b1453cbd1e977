import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type JWTPayload, SignJWT } from 'jose';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { claimsOfClient, good, invalidClient, now, outcome, present as presentTo } from './client_assertion.ts';
import { newEncryptionKey, publishKeys } from './encryption_key.ts';
import { bearer, initialToken, put, type Registered, read, registered, rpCallback, setRealm } from './registrar.ts';
import { alice, authorize, bodyOf, codeOf, type Parameters, post, text } from './relying_party.ts';

let provider: Provider;
let party: Registered;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_OUTBOUND_LOOPBACK: 'true' } });
  await setRealm(provider, 'main', {
    registration: { value: 'initial access token', reason: 'test' },
    registrationScopes: { value: 'openid reports', reason: 'test' },
  });
  party = await machine();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const members = {
  redirect_uris: [],
  grant_types: ['client_credentials'],
  response_types: [],
  scope: 'reports',
};

const machine = async (more: object = {}): Promise<Registered> =>
  registered(
    provider.issuer,
    { ...members, token_endpoint_auth_method: 'client_secret_jwt', ...more },
    bearer(await initialToken(provider, 'main')),
  );

function assertionOf(
  { clientId, secret }: Pick<Registered, 'clientId' | 'secret'>,
  more: JWTPayload = {},
  alg = 'HS256',
): Promise<string> {
  const claims = { ...claimsOfClient(clientId, provider.issuer), ...more };
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(Buffer.from(secret ?? ''));
}

const present = (assertion: string, path = '/token', fields: Parameters = {}) =>
  presentTo(provider.issuer, assertion, path, fields);

describe('OIDC Core §9: client_secret_jwt', () => {
  test('registered by itself: a secret that every algorithm takes, and it authenticates', async () => {
    expect(party.secret).toMatch(/^[A-Za-z0-9_-]{64}$/);
    for (const alg of ['HS256', 'HS384', 'HS512']) {
      expect(await outcome(await present(await assertionOf(party, {}, alg)))).toEqual(good);
    }
  });

  test('of the database alone nobody learns the secret', async () => {
    const [row] = await provider.database.sql`
      SELECT clients::text AS row, secrets -> 0 ->> 'hash' AS hash FROM clients WHERE client_id = ${party.clientId}`;
    expect(row?.['row']).not.toContain(party.secret ?? '');
    const forged = await assertionOf({ ...party, secret: String(row?.['hash']) });
    expect(await outcome(await present(forged))).toEqual(invalidClient);
  });

  test('an assertion counts once, at every endpoint; of 20 at once one is taken', async () => {
    const assertion = await assertionOf(party);
    expect(await outcome(await present(assertion))).toEqual(good);
    for (const path of ['/token', '/introspect', '/revoke']) {
      expect(await outcome(await present(assertion, path, { token: 'x' }))).toEqual(invalidClient);
    }
    const raced = await assertionOf(party);
    const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await present(raced)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  });

  test('for somebody else, late, under another secret: refused', async () => {
    const other = await machine();
    const refused = [
      await assertionOf(party, { aud: 'https://else.example' }),
      await assertionOf(party, { exp: now() - 300 }),
      await assertionOf({ ...party, secret: other.secret }),
    ];
    for (const assertion of refused) expect(await outcome(await present(assertion))).toEqual(invalidClient);
  });

  test('the secret itself, in the header or in the body, is not its method', async () => {
    const { clientId: client_id, secret } = party;
    const body = { grant_type: 'client_credentials', client_id, client_secret: secret ?? '' };
    expect(await outcome(await post(`${provider.issuer}/token`, body))).toEqual(invalidClient);
  });

  test('only with the algorithm that it registered', async () => {
    const strict = await machine({ token_endpoint_auth_signing_alg: 'HS512' });
    expect(await outcome(await present(await assertionOf(strict, {}, 'HS512')))).toEqual(good);
    expect(await outcome(await present(await assertionOf(strict, {}, 'HS256')))).toEqual(invalidClient);
  });

  test('an algorithm of the other method cannot be registered', async () => {
    const registering = machine({ token_endpoint_auth_signing_alg: 'ES256' });
    await expect(registering).rejects.toThrow('token_endpoint_auth_signing_alg must be one of HS256');
  });

  test('it goes on after a restart: nothing is kept in the process', async () => {
    await provider.restart();
    expect(await outcome(await present(await assertionOf(party)))).toEqual(good);
  });
});

describe('RFC 7592 §2.2: a registration is replaced', () => {
  const replaced = async ({ uri, token, clientId }: Registered, more: object) => {
    const response = await put(uri, token, { client_id: clientId, ...members, ...more });
    expect(response.status).toBe(200);
    return bodyOf(response);
  };

  test('what stays client_secret_jwt keeps its secret', async () => {
    const own = await machine();
    const body = await replaced(own, { token_endpoint_auth_method: 'client_secret_jwt', client_name: 'Renamed' });
    expect(body).not.toHaveProperty('client_secret');
    expect(await outcome(await present(await assertionOf(own)))).toEqual(good);
  });

  test('what becomes it gets a new secret, for of the former one there is the hash alone', async () => {
    const own = await machine({ token_endpoint_auth_method: 'client_secret_basic' });
    const body = await replaced(own, { token_endpoint_auth_method: 'client_secret_jwt' });
    const secret = text(body, 'client_secret');
    expect(secret).not.toBe(own.secret ?? '');
    expect(await outcome(await present(await assertionOf({ ...own, secret })))).toEqual(good);
    expect(await outcome(await present(await assertionOf(own)))).toEqual(invalidClient);
  });

  test('what is it no longer keeps the hash alone', async () => {
    const own = await machine();
    await replaced(own, { token_endpoint_auth_method: 'client_secret_post' });
    const [row] = await provider.database.sql`SELECT secrets FROM clients WHERE client_id = ${own.clientId}`;
    expect(JSON.stringify(row)).not.toContain('sealed');
    const body = { grant_type: 'client_credentials', client_id: own.clientId, client_secret: own.secret ?? '' };
    expect(await outcome(await post(`${provider.issuer}/token`, body))).toEqual(good);
    expect(await outcome(await present(await assertionOf(own)))).toEqual(invalidClient);
  });

  test('a GET shows no secret', async () => {
    const body = await bodyOf(await read(party.uri, party.token));
    expect(body).toMatchObject({ token_endpoint_auth_method: 'client_secret_jwt' });
    expect(JSON.stringify(body)).not.toMatch(/client_secret"|sealed/);
  });
});

test('a sealed secret that no key opens is an outage, told by its place and not by its value', async () => {
  const own = await machine();
  await provider.database.sql`
    UPDATE clients SET secrets = jsonb_set(secrets, '{0,sealed}', to_jsonb(
      (SELECT secrets -> 0 ->> 'sealed' FROM clients WHERE client_id = ${party.clientId})))
    WHERE client_id = ${own.clientId}`;
  const before = provider.log.length;
  const response = await present(await assertionOf(own));
  expect(response.status).toBe(500);
  expect(await bodyOf(response)).toMatchObject({ error: 'server_error' });
  const line = provider.log.slice(before).join('\n');
  expect(line).toContain('clients:');
  expect(line).not.toContain(own.secret ?? '');
});

test('discovery lists the method and its algorithms', async () => {
  const document = await bodyOf(await fetch(`${provider.issuer}/.well-known/openid-configuration`));
  for (const endpoint of ['token_endpoint', 'introspection_endpoint', 'revocation_endpoint']) {
    expect(document[`${endpoint}_auth_methods_supported`]).toContain('client_secret_jwt');
    expect(document[`${endpoint}_auth_signing_alg_values_supported`]).toEqual(
      expect.arrayContaining(['ES256', 'HS256', 'HS384', 'HS512']),
    );
  }
});

test('where the client’s keys cannot be had neither its code nor its assertion is spent', async () => {
  const site = publishKeys();
  const own = await machine({
    redirect_uris: [rpCallback],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    scope: 'openid',
    jwks_uri: site.url,
    id_token_encrypted_response_alg: 'ECDH-ES',
  });
  const code = codeOf(await authorize(own, alice));
  const assertion = await assertionOf(own);
  const redeem = () =>
    present(assertion, '/token', { grant_type: 'authorization_code', code, redirect_uri: rpCallback });
  expect(await outcome(await redeem())).toEqual({ status: 503, error: 'temporarily_unavailable' });
  site.publish((await newEncryptionKey()).jwk);
  await provider.shiftClock(11);
  const { id_token } = await bodyOf(await redeem());
  expect(String(id_token).split('.')).toHaveLength(5);
  expect(await outcome(await redeem())).toEqual(invalidClient);
  site.stop();
});
