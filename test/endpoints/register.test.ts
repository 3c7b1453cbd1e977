import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as client from 'openid-client';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { bearer, put, read, realmIdOf, register, registered, remove, rpCallback, setRealm } from './registrar.ts';
import {
  acmeOf,
  alice,
  authorize,
  authorizeUrl,
  bodyOf,
  carol,
  codeOf,
  post,
  postAs,
  redeem,
  refresh,
  text,
  tokensFor,
  userinfo,
  webOf,
} from './relying_party.ts';

let provider: Provider;
let acme: string;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_SETTING_REGISTRATION: 'open' } });
  acme = `${provider.issuer}/realms/acme`;
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const refused = async (response: Promise<Response>) => {
  const { status, headers } = await response;
  const { error, error_description } = await bodyOf(await response);
  return { status, error, description: String(error_description), challenge: headers.get('www-authenticate') };
};

const auditOf = async (clientId: string): Promise<readonly string[]> => {
  const rows = await provider.database.sql`SELECT event FROM audit_events WHERE client_id = ${clientId} ORDER BY id`;
  return rows.map((row) => String(row['event']));
};

describe('RFC 7591 §3: a registration', () => {
  test('answers 201 with id, secret, access to itself and everything that is in force', async () => {
    const response = await register(provider.issuer, {
      redirect_uris: [rpCallback],
      client_name: 'Shop',
      'client_name#de': 'Laden',
      contacts: ['dev@rp.example'],
      logo_uri: null,
      favourite_colour: 'green',
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const document = await bodyOf(response);
    const clientId = text(document, 'client_id');
    expect(document).toEqual({
      client_id: clientId,
      client_id_issued_at: expect.any(Number),
      client_secret: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      client_secret_expires_at: 0,
      registration_access_token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      registration_client_uri: `${provider.issuer}/register/${clientId}`,
      client_name: 'Shop',
      contacts: ['dev@rp.example'],
      redirect_uris: [rpCallback],
      grant_types: ['authorization_code'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_basic',
      scope: 'openid profile email address phone offline_access',
      subject_type: 'public',
      id_token_signed_response_alg: 'RS256',
      require_auth_time: false,
      application_type: 'web',
    });
    expect(Math.abs(Number(document['client_id_issued_at']) - Date.now() / 1000)).toBeLessThan(60);
  });

  test('the client signs people in at once', async () => {
    const party = await registered(provider.issuer, { grant_types: ['authorization_code', 'refresh_token'] });
    const tokens = await tokensFor(party, alice, { scope: 'openid profile' });
    expect(await bodyOf(await userinfo(party, tokens.accessToken))).toMatchObject({ name: 'Alice Adler' });
  });

  test('a public client gets no secret and needs PKCE', async () => {
    const party = await registered(provider.issuer, { token_endpoint_auth_method: 'none' });
    expect(party.secret).toBeNull();
    expect(party.document).not.toHaveProperty('client_secret_expires_at');
    const back = await authorize({ ...party, secret: 'none, so no challenge is sent' }, alice).catch(String);
    expect(back instanceof URL ? back.searchParams.get('error') : back).toBe('invalid_request');
    expect((await redeem(party, codeOf(await authorize(party, alice)))).status).toBe(200);
  });

  test('RFC 9449 §5.2: one that gets bound tokens only is asked for a proof', async () => {
    const party = await registered(provider.issuer, { dpop_bound_access_tokens: true });
    expect(party.document['dpop_bound_access_tokens']).toBe(true);
    const response = await postAs(party, '/token', { grant_type: 'authorization_code', code: 'x' });
    expect({ status: response.status, error: (await bodyOf(response))['error'] }).toEqual({
      status: 400,
      error: 'invalid_dpop_proof',
    });
  });

  test('neither secret nor registration access token is kept', async () => {
    const { clientId, secret, token } = await registered(provider.issuer);
    const [row] = await provider.database
      .sql`SELECT row_to_json(c)::text AS row FROM clients c WHERE client_id = ${clientId}`;
    expect(String(row?.['row'])).not.toContain(secret ?? '');
    expect(String(row?.['row'])).not.toContain(token);
    expect(provider.log.join()).not.toContain(token);
    expect(provider.log.join()).not.toContain(secret ?? '');
  });

  test('it is told in the audit log and, with the rule that classified it, in the log', async () => {
    const { clientId } = await registered(provider.issuer);
    expect(await auditOf(clientId)).toEqual(['client.registered']);
    const line = provider.log.find((entry) => entry.includes('client.registered') && entry.includes(clientId));
    expect(JSON.parse(line ?? '{}')).toMatchObject({
      class: 'confidential',
      rule: expect.stringContaining('client_secret_basic'),
    });
  });

  test('scopes beyond those of the setting are left out, and the answer says so', async () => {
    const { document } = await registered(provider.issuer, { scope: 'openid admin email' });
    expect(document['scope']).toBe('openid email');
  });

  test('OIDC Registration §2 initiate_login_uri comes back, also when it is read', async () => {
    const members = { initiate_login_uri: 'https://rp.example/start' };
    const { document, uri, token } = await registered(provider.issuer, members);
    expect(document).toMatchObject(members);
    expect(await bodyOf(await read(uri, token))).toMatchObject(members);
  });

  test('each realm has its own clients', async () => {
    const party = await registered(acme);
    expect(party.uri).toStartWith(`${acme}/register/`);
    expect((await fetch(authorizeUrl({ ...party, issuer: provider.issuer }))).status).toBe(400);
    expect((await redeem(party, codeOf(await authorize(party, carol)))).status).toBe(200);
  });

  const bad: readonly (readonly [what: string, members: object, error: string, names: string])[] = [
    [
      'a fragment in a redirect URI',
      { redirect_uris: ['https://rp.example/#x'] },
      'invalid_redirect_uri',
      'redirect_uris',
    ],
    ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri', 'redirect_uris'],
    ['plain http elsewhere', { redirect_uris: ['http://rp.example/'] }, 'invalid_redirect_uri', 'redirect_uris'],
    ['redirect_uris that are no list', { redirect_uris: rpCallback }, 'invalid_redirect_uri', 'redirect_uris'],
    [
      'initiate_login_uri by http',
      { initiate_login_uri: 'http://rp.example/' },
      'invalid_client_metadata',
      'initiate_login_uri',
    ],
    [
      'a software statement',
      { software_statement: 'e30.e30.' },
      'unapproved_software_statement',
      'software statements',
    ],
    [
      'an encrypted ID token',
      { id_token_encrypted_response_alg: 'RSA-OAEP-999' },
      'invalid_client_metadata',
      'id_token_encrypted_response_alg',
    ],
    [
      'an unsigned ID token',
      { id_token_signed_response_alg: 'none' },
      'invalid_client_metadata',
      'id_token_signed_response_alg',
    ],
    ['a response type that is off', { response_types: ['id_token'] }, 'invalid_client_metadata', 'response_types'],
    ['an unknown grant', { grant_types: ['authorization_code', 'password'] }, 'invalid_client_metadata', 'grant_types'],
    [
      "a grant without anyone's consent",
      { grant_types: ['client_credentials'] },
      'invalid_client_metadata',
      'grant_types',
    ],
    [
      'an unknown method',
      { token_endpoint_auth_method: 'tls_client_auth' },
      'invalid_client_metadata',
      'token_endpoint_auth_method',
    ],
    [
      'pairwise without a sector',
      { subject_type: 'pairwise', redirect_uris: ['https://a.example/', 'https://b.example/'] },
      'invalid_client_metadata',
      'sector_identifier_uri',
    ],
    [
      'a sector document that cannot be had',
      { sector_identifier_uri: 'https://127.0.0.1:1/' },
      'invalid_client_metadata',
      'sector_identifier_uri',
    ],
  ];
  test.each(bad)('%s is refused and named', async (_, members, error, names) => {
    const answer = await refused(register(provider.issuer, { redirect_uris: [rpCallback], ...members }));
    expect(answer).toMatchObject({ status: 400, error });
    expect(answer.description).toContain(names);
    expect(answer.description).toMatch(/^[ !#-[\]-~]+$/);
  });

  test('a body that is no JSON object is refused', async () => {
    const send = (contentType: string, body: string) =>
      refused(fetch(`${provider.issuer}/register`, { method: 'POST', headers: { 'content-type': contentType }, body }));
    expect(await send('application/x-www-form-urlencoded', 'redirect_uris=x')).toMatchObject({ status: 415 });
    expect(await send('application/json', '{')).toMatchObject({ status: 400, error: 'invalid_request' });
    expect(await send('application/json', '[]')).toMatchObject({ status: 400, error: 'invalid_request' });
    expect(await send('application/json', `{"client_name":"${'x'.repeat(70_000)}"}`)).toMatchObject({ status: 413 });
    expect((await fetch(`${provider.issuer}/register`)).status).toBe(405);
  });
});

test('openid-client registers, and goes on with what it got', async () => {
  const members = {
    redirect_uris: [rpCallback],
    client_name: 'By a library',
    token_endpoint_auth_method: 'client_secret_post',
  };
  const execute = [client.allowInsecureRequests];
  const configuration = await client.dynamicClientRegistration(new URL(provider.issuer), members, undefined, {
    execute,
  });
  const { client_id, client_secret } = configuration.clientMetadata();
  const party = {
    issuer: provider.issuer,
    clientId: client_id,
    secret: client_secret ?? null,
    redirectUri: rpCallback,
  };
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier);
  const back = await authorize(party, alice, { code_challenge, code_challenge_method: 'S256' });
  const tokens = await client.authorizationCodeGrant(configuration, back, { pkceCodeVerifier });
  expect(tokens.claims()?.aud).toBe(client_id);
});

describe('RFC 7592 §2.1, §2.2: the client reads and replaces its registration', () => {
  test('it reads what it registered, with the token that it showed and without the secret', async () => {
    const { uri, token, document } = await registered(provider.issuer, { client_name: 'Shop' });
    const response = await read(uri, token);
    expect(response.status).toBe(200);
    const { client_secret: _, client_secret_expires_at: __, ...rest } = document;
    expect(await bodyOf(response)).toEqual(rest);
  });

  test("a wrong token, none, another client's, one of another realm, a client of an operator's: 401", async () => {
    const mine = await registered(provider.issuer);
    const other = await registered(provider.issuer);
    const elsewhere = `${acme}/register/${mine.clientId}`;
    const operators = `${provider.issuer}/register/demo-web`;
    for (const [uri, token] of [
      [mine.uri, other.token],
      [mine.uri, 'x'],
      [elsewhere, mine.token],
      [operators, mine.token],
    ] as const) {
      for (const attempt of [read(uri, token), put(uri, token, { client_id: mine.clientId }), remove(uri, token)]) {
        expect(await refused(attempt)).toMatchObject({
          status: 401,
          error: 'invalid_token',
          challenge: expect.stringContaining('error="invalid_token"'),
        });
      }
    }
    const bare = await fetch(mine.uri);
    expect(bare.status).toBe(401);
    expect(bare.headers.get('www-authenticate')).not.toContain('error=');
    expect((await read(mine.uri, mine.token)).status).toBe(200);
  });

  test('a replacement is in force at once, and what it leaves out is gone', async () => {
    const party = await registered(provider.issuer, { client_name: 'Before', policy_uri: 'https://rp.example/policy' });
    const moved = 'https://rp.example/moved';
    const document = {
      client_id: party.clientId,
      client_secret: party.secret,
      redirect_uris: [moved],
      client_name: 'After',
    };
    const response = await put(party.uri, party.token, document);
    expect(response.status).toBe(200);
    const answer = await bodyOf(response);
    expect(answer).toMatchObject({ ...document, client_secret_expires_at: 0 });
    expect(answer).not.toHaveProperty('policy_uri');
    expect((await new UserAgent().fetch(authorizeUrl(party))).status).toBe(400);
    expect(
      (await redeem({ ...party, redirectUri: moved }, codeOf(await authorize({ ...party, redirectUri: moved }, alice))))
        .status,
    ).toBe(200);
    expect(await auditOf(party.clientId)).toContain('client.reregistered');
  });

  test.each([
    ['no client_id', { client_id: undefined }, 'client_id'],
    ['another client_id', { client_id: 'demo-web' }, 'client_id'],
    ['a secret that is not its own', { client_secret: 'x'.repeat(43) }, 'client_secret'],
    ['a registration access token', { registration_access_token: 'x' }, 'registration_access_token'],
    ['a time of issue', { client_id_issued_at: 1 }, 'client_id_issued_at'],
    ['what could not be registered', { initiate_login_uri: 'http://x.example/' }, 'initiate_login_uri'],
    ['a grant that needs a voucher', { grant_types: ['client_credentials'] }, 'grant_types'],
  ])('%s: 400, and nothing changes', async (_, change, names) => {
    const { clientId, uri, token } = await registered(provider.issuer, { client_name: 'Before' });
    const document = { client_id: clientId, redirect_uris: [rpCallback], client_name: 'After', ...change };
    const answer = await refused(put(uri, token, document));
    expect(answer).toMatchObject({ status: 400, error: 'invalid_client_metadata' });
    expect(answer.description).toContain(names);
    expect(await bodyOf(await read(uri, token))).toMatchObject({ client_name: 'Before' });
  });

  test('a client that becomes public loses its secret and everything issued; back again it gets a new one', async () => {
    const party = await registered(provider.issuer, { grant_types: ['authorization_code', 'refresh_token'] });
    const tokens = await tokensFor(party, alice);
    const document = { client_id: party.clientId, redirect_uris: [rpCallback] };
    const open = await bodyOf(await put(party.uri, party.token, { ...document, token_endpoint_auth_method: 'none' }));
    expect(open).not.toHaveProperty('client_secret');
    expect((await userinfo(party, tokens.accessToken)).status).toBe(401);
    const closed = await bodyOf(await put(party.uri, party.token, document));
    expect(text(closed, 'client_secret')).not.toBe(party.secret);
    expect((await redeem(party, 'x')).status).toBe(401);
    const again = { ...party, secret: text(closed, 'client_secret') };
    expect((await redeem(again, codeOf(await authorize(again, alice)))).status).toBe(200);
  });

  test('what an operator added stays', async () => {
    const { clientId, uri, token } = await registered(provider.issuer);
    await provider.database
      .sql`UPDATE clients SET scope = '{openid,orders}', introspects = '{https://api.example}' WHERE client_id = ${clientId}`;
    const answer = await bodyOf(await put(uri, token, { client_id: clientId, redirect_uris: [rpCallback] }));
    expect(answer['scope']).toBe('openid orders');
    const [row] = await provider.database.sql`SELECT introspects FROM clients WHERE client_id = ${clientId}`;
    expect(row?.['introspects']).toEqual(['https://api.example']);
  });

  test('a client that an operator disabled can neither read nor change itself', async () => {
    const { clientId, uri, token } = await registered(provider.issuer);
    await provider.database.sql`UPDATE clients SET enabled = false WHERE client_id = ${clientId}`;
    expect((await read(uri, token)).status).toBe(401);
    expect((await remove(uri, token)).status).toBe(401);
  });
});

describe('RFC 7592 §2.3: a client that deletes itself takes everything with it', () => {
  test("204; code, refresh token, access token, consent and registration are dead, and nobody else's", async () => {
    const party = await registered(provider.issuer, { grant_types: ['authorization_code', 'refresh_token'] });
    const bystander = await registered(provider.issuer, { grant_types: ['authorization_code', 'refresh_token'] });
    const tokens = await tokensFor(party, alice);
    const theirs = await tokensFor(bystander, alice);
    const code = codeOf(await authorize(party, alice));
    const introspect = async (token: string) => bodyOf(await postAs(webOf(provider), '/introspect', { token }));
    expect(await introspect(tokens.accessToken)).toMatchObject({ active: true });

    const response = await remove(party.uri, party.token);
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');

    expect((await userinfo(party, tokens.accessToken)).status).toBe(401);
    expect(await introspect(tokens.accessToken)).toEqual({ active: false });
    expect(await refused(refresh(party, tokens.refreshToken))).toMatchObject({ status: 401, error: 'invalid_client' });
    expect(await refused(redeem(party, code))).toMatchObject({ status: 401, error: 'invalid_client' });
    expect((await new UserAgent().fetch(authorizeUrl(party))).status).toBe(400);
    expect((await read(party.uri, party.token)).status).toBe(401);
    expect((await remove(party.uri, party.token)).status).toBe(401);
    const consents = await provider.database.sql`SELECT 1 FROM consents WHERE client_id = ${party.clientId}`;
    expect(consents).toHaveLength(0);
    expect(await auditOf(party.clientId)).toContain('client.deregistered');

    expect((await userinfo(bystander, theirs.accessToken)).status).toBe(200);
    expect((await refresh(bystander, theirs.refreshToken)).status).toBe(200);
  });

  test('by the token of a client of another realm: 401, and it lives on', async () => {
    const party = await registered(acme, { grant_types: ['authorization_code', 'refresh_token'] });
    const foreign = await registered(provider.issuer);
    const tokens = await tokensFor(party, carol);
    expect((await remove(party.uri, foreign.token)).status).toBe(401);
    expect((await remove(`${provider.issuer}/register/${party.clientId}`, party.token)).status).toBe(401);
    expect((await refresh(party, tokens.refreshToken)).status).toBe(200);
  });
});

describe('the setting registration', () => {
  test('off, the default: nothing is listed and nothing is there, also for clients from before', async () => {
    const party = await registered(acme);
    await setRealm(provider, 'acme', { registration: { value: 'off' } });
    const listed = await bodyOf(await fetch(`${acme}/.well-known/openid-configuration`));
    expect(listed).not.toHaveProperty('registration_endpoint');
    expect(await refused(register(acme, { redirect_uris: [rpCallback] }))).toMatchObject({ status: 404 });
    expect((await read(party.uri, party.token)).status).toBe(404);
    expect((await remove(party.uri, party.token)).status).toBe(404);
    expect((await redeem(party, codeOf(await authorize(party, carol)))).status).toBe(200);
    expect((await redeem(acmeOf(provider), codeOf(await authorize(acmeOf(provider), carol)))).status).toBe(200);
  });

  test('open in one realm says nothing of another', async () => {
    const listed = await bodyOf(await fetch(`${provider.issuer}/.well-known/openid-configuration`));
    expect(listed).toMatchObject({
      registration_endpoint: `${provider.issuer}/register`,
      subject_types_supported: ['public', 'pairwise'],
    });
    expect((await register(provider.issuer, { redirect_uris: [rpCallback] })).status).toBe(201);
  });
});

test('a token of the wrong kind opens nothing: initial tokens do not manage, registration tokens do not register', async () => {
  const party = await registered(provider.issuer);
  expect(await refused(register(provider.issuer, { redirect_uris: [rpCallback] }, bearer(party.token)))).toMatchObject({
    status: 401,
    error: 'invalid_token',
  });
  const realmId = await realmIdOf(provider, 'main');
  const rows = await provider.database.sql`SELECT 1 FROM registration_tokens WHERE realm_id = ${realmId}`;
  expect(rows).toHaveLength(0);
  expect(
    (await post(`${provider.issuer}/token`, { grant_type: 'client_credentials' }, bearer(party.token))).status,
  ).toBe(401);
});
