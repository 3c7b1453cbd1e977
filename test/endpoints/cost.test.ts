import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { randomToken } from '../../src/core/crypto.ts';
import { brandId, type RealmId } from '../../src/core/ids.ts';
import { createClients } from '../../src/store/clients.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type ProofMaker, proofMaker } from '../oidc/dpop_proof.ts';
import { type Provider, startProvider } from '../provider.ts';
import { newClient } from '../store/fixture.ts';
import { UserAgent } from '../user_agent.ts';
import { countWrites, type WriteCounter, writtenBetween } from './cost_counters.ts';
import { proofFor, userinfoProof, userinfoWith } from './dpop_party.ts';
import {
  authorizeUrl,
  callback,
  objectOf,
  type Parameters,
  pageOf,
  redirectOf,
  requestOf,
  screenOf,
  signedInAgent,
  textOf,
} from './run_browser.ts';

/** What one success costs: the table of the design. Counted on the second time, when caches and connections are warm. */

let provider: Provider;
let writes: WriteCounter;
let signAssertion: () => Promise<string>;
let key: ProofMaker;
const hour = 3600;

beforeAll(async () => {
  provider = await startProvider();
  signAssertion = await makeAssertingClient();
  key = await proofMaker();
  writes = await countWrites(provider.database);
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** `asserting` authenticates by private_key_jwt and has all grants. */
async function makeAssertingClient(): Promise<() => Promise<string>> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
  const [realm] = await provider.database.sql<{ id: string }[]>`SELECT id FROM realms WHERE is_default`;
  const realmId = brandId<RealmId>(realm?.id ?? '');
  const client = newClient(realmId, 'asserting', {
    class: 'confidential',
    authMethod: 'private_key_jwt',
    jwks: { keys: [jwk] },
    redirectUris: [callback],
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    scope: ['openid', 'profile', 'orders.read'],
    introspects: [provider.issuer],
  });
  const created = await createClients(provider.database, { system: {} }).create(
    client,
    { withSecret: false },
    Date.now(),
  );
  if (!created.ok) throw new Error(created.error.kind);
  return () =>
    new SignJWT({ jti: randomToken() })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .setIssuer('asserting')
      .setSubject('asserting')
      .setAudience(provider.issuer)
      .setIssuedAt()
      .setExpirationTime('1m')
      .sign(privateKey);
}

type Cost = { readonly roundTrips: number; readonly rows: { readonly [table: string]: number } };

async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  const before = await writes.read();
  provider.resetStatements();
  await work();
  const roundTrips = provider.statements().length;
  return { roundTrips, rows: writtenBetween(before, await writes.read()) };
}

/**
 * A form to an endpoint, by Basic as this client or with an assertion of `asserting`, and with a DPoP proof where asked for;
 * the answer must be a success.
 */
async function post(
  path: string,
  form: Parameters,
  clientId: string,
  proves: 'no key' | 'a key' = 'no key',
): Promise<{ readonly [member: string]: unknown }> {
  const asserting = clientId === 'asserting';
  const assertion = asserting
    ? {
        client_assertion: await signAssertion(),
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      }
    : {};
  const basic = asserting ? {} : { authorization: `Basic ${btoa(`${clientId}:${provider.secretOf(clientId)}`)}` };
  const proof = proves === 'a key' ? { dpop: await proofFor(key, provider, path, 'POST') } : {};
  const response = await fetch(provider.issuer + path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...basic, ...proof },
    body: new URLSearchParams({ ...form, ...assertion }).toString(),
  });
  const body = objectOf(await response.json());
  if (response.status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

const userinfo = async (token: string) => {
  const response = await fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } });
  expect(response.status).toBe(200);
  return response.json();
};

const codeForm = (back: URL) => ({
  grant_type: 'authorization_code',
  code: back.searchParams.get('code') ?? '',
  redirect_uri: callback,
});

/** A browser with consent for this client, and a code of its silent sign-in each time. */
async function codes(clientId: string) {
  const { agent } = await signedInAgent(provider, undefined, { client_id: clientId });
  return async () => redirectOf(await agent.open(authorizeUrl(provider.issuer, { client_id: clientId })));
}

describe('a token', () => {
  test('by client_credentials with a secret: no round trip, no row', async () => {
    const work = () => post('/token', { grant_type: 'client_credentials' }, 'demo-service');
    await work();
    expect(await costOf(work)).toEqual({ roundTrips: 0, rows: {} });
  });

  test('by client_credentials with an assertion: one round trip, one row', async () => {
    const form = { grant_type: 'client_credentials', scope: 'orders.read' };
    await post('/token', form, 'asserting');
    expect(await costOf(() => post('/token', form, 'asserting'))).toEqual({ roundTrips: 1, rows: { seen_proofs: 1 } });
  });

  test('by a code: one round trip, one row', async () => {
    const next = await codes('demo-web');
    await post('/token', codeForm(await next()), 'demo-web');
    const back = await next();
    const cost = await costOf(() => post('/token', codeForm(back), 'demo-web'));
    expect(cost).toEqual({ roundTrips: 1, rows: { token_families: 1 } });
  });

  test('by a refresh token: one round trip, one row, each time', async () => {
    const next = await codes('demo-web');
    let { refresh_token } = await post('/token', codeForm(await next()), 'demo-web');
    for (let time = 0; time < 5; time += 1) {
      const cost = await costOf(async () => {
        const form = { grant_type: 'refresh_token', refresh_token: String(refresh_token) };
        refresh_token = (await post('/token', form, 'demo-web'))['refresh_token'];
      });
      expect(cost).toEqual({ roundTrips: 1, rows: { token_families: 1 } });
    }
  });

  test('by a refresh token again, after a lost answer: two round trips, no row', async () => {
    const next = await codes('demo-web');
    const issued = await post('/token', codeForm(await next()), 'demo-web');
    const form = { grant_type: 'refresh_token', refresh_token: textOf(issued, 'refresh_token') };
    await post('/token', form, 'demo-web');
    expect(await costOf(() => post('/token', form, 'demo-web'))).toEqual({ roundTrips: 2, rows: {} });
  });

  test('by a code or a refresh token with an assertion: a row more', async () => {
    const next = await codes('asserting');
    await post('/token', codeForm(await next()), 'asserting');
    const back = await next();
    let token = '';
    const redeemed = await costOf(async () => {
      token = textOf(await post('/token', codeForm(back), 'asserting'), 'refresh_token');
    });
    expect(redeemed.rows).toEqual({ seen_proofs: 1, token_families: 1 });
    const form = { grant_type: 'refresh_token', refresh_token: token };
    const refreshed = await costOf(() => post('/token', form, 'asserting'));
    expect(refreshed.rows).toEqual({ seen_proofs: 1, token_families: 1 });
    expect([redeemed.roundTrips, refreshed.roundTrips]).toEqual([1, 1]);
  });

  test('by client_credentials with DPoP: one round trip, one row; with an assertion too: a row more', async () => {
    const form = { grant_type: 'client_credentials', scope: 'orders.read' };
    const proofs = { 'demo-service': 1, asserting: 2 };
    for (const [clientId, seen_proofs] of Object.entries(proofs)) {
      const work = () => post('/token', form, clientId, 'a key');
      expect((await work())['token_type']).toBe('DPoP');
      expect(await costOf(work)).toEqual({ roundTrips: 1, rows: { seen_proofs } });
    }
  });

  test('by a code or a refresh token with DPoP: one round trip, two rows; with an assertion too: three', async () => {
    const proofs = { 'demo-web': 1, asserting: 2 };
    for (const [clientId, seen_proofs] of Object.entries(proofs)) {
      const next = await codes(clientId);
      await post('/token', codeForm(await next()), clientId, 'a key');
      const back = await next();
      let token = '';
      const redeemed = await costOf(async () => {
        token = textOf(await post('/token', codeForm(back), clientId, 'a key'), 'refresh_token');
      });
      const form = { grant_type: 'refresh_token', refresh_token: token };
      const refreshed = await costOf(() => post('/token', form, clientId, 'a key'));
      const cost = { roundTrips: 1, rows: { seen_proofs, token_families: 1 } };
      expect([redeemed, refreshed]).toEqual([cost, cost]);
    }
  });

  test('that is refused before the database is asked costs it nothing', async () => {
    const next = await codes('demo-web');
    const code = (await next()).searchParams.get('code') ?? '';
    const forms: readonly Parameters[] = [
      { grant_type: 'authorization_code', code, redirect_uri: 'http://127.0.0.1:4020/elsewhere' },
      { grant_type: 'authorization_code', code: `${code.slice(0, -4)}AAAA`, redirect_uri: callback },
      { grant_type: 'refresh_token', refresh_token: 'A'.repeat(98) },
      { grant_type: 'refresh_token', refresh_token: 'nonsense' },
      { grant_type: 'client_credentials' },
    ];
    for (const form of forms) {
      const cost = await costOf(async () => {
        expect(post('/token', form, 'demo-web')).rejects.toThrow('error');
        await post('/token', form, 'demo-web').catch(() => {});
      });
      expect(cost).toEqual({ roundTrips: 0, rows: {} });
    }
  });
});

describe('what is asked about a token', () => {
  test('userinfo: one round trip, no row', async () => {
    const next = await codes('demo-web');
    const token = textOf(await post('/token', codeForm(await next()), 'demo-web'), 'access_token');
    await userinfo(token);
    expect(await costOf(() => userinfo(token))).toEqual({ roundTrips: 1, rows: {} });
  });

  test('userinfo with DPoP: one round trip, one row', async () => {
    const next = await codes('demo-web');
    const issued = await post('/token', codeForm(await next()), 'demo-web', 'a key');
    const party = { ...provider, clientId: 'demo-web', secret: null, redirectUri: callback };
    const token = textOf(issued, 'access_token');
    const work = async () =>
      expect((await userinfoWith(party, token, userinfoProof(key, party, token))).status).toBe(200);
    await work();
    expect(await costOf(work)).toEqual({ roundTrips: 1, rows: { seen_proofs: 1 } });
  });

  test('introspection of an access and of a refresh token: one round trip, no row', async () => {
    const next = await codes('demo-web');
    const issued = await post('/token', codeForm(await next()), 'demo-web');
    for (const member of ['access_token', 'refresh_token']) {
      const work = async () => {
        const answer = await post('/introspect', { token: textOf(issued, member) }, 'demo-web');
        expect(answer['active']).toBe(true);
      };
      await work();
      expect(await costOf(work)).toEqual({ roundTrips: 1, rows: {} });
    }
  });

  test('introspection of a token without a family: no round trip', async () => {
    const { access_token } = await post('/token', { grant_type: 'client_credentials' }, 'demo-service');
    const work = () => post('/introspect', { token: String(access_token) }, 'demo-service');
    expect(await work()).toMatchObject({ active: true });
    expect(await costOf(work)).toEqual({ roundTrips: 0, rows: {} });
  });

  test('discovery and JWKS: no round trip', async () => {
    const work = () =>
      Promise.all(['/.well-known/openid-configuration', '/jwks'].map((path) => fetch(provider.issuer + path)));
    await work();
    expect(await costOf(work)).toEqual({ roundTrips: 0, rows: {} });
  });
});

describe('/authorize', () => {
  test('anonymous, with the page it leads to, a reload and a name typed: no row, and no round trip until then', async () => {
    const agent = new UserAgent();
    const url = authorizeUrl(provider.issuer);
    await agent.open(url);
    const cost = await costOf(async () => {
      const page = pageOf(await new UserAgent().open(url));
      expect(screenOf(await agent.page(page.url))).toBe('identifier');
    });
    expect(cost).toEqual({ roundTrips: 0, rows: {} });
    const typed = await costOf(async () => {
      const page = pageOf(await agent.answer(await agent.page(url), { username: 'alice' }));
      expect(screenOf(page)).toBe('password');
    });
    // One look whether the run has become a row meanwhile.
    expect(typed).toEqual({ roundTrips: 1, rows: {} });
  });

  test('with prompt=none and without a session: no round trip', async () => {
    const work = () => new UserAgent().open(authorizeUrl(provider.issuer, { prompt: 'none' }));
    await work();
    expect(await costOf(work)).toEqual({ roundTrips: 0, rows: {} });
  });

  test('signed in, consent remembered: one round trip, no row; by POST the same', async () => {
    const { agent } = await signedInAgent(provider);
    const url = authorizeUrl(provider.issuer);
    const silent = async () => {
      const back = redirectOf(await agent.open(url));
      expect(back.searchParams.get('code')).not.toBeNull();
    };
    await silent();
    expect(await costOf(silent)).toEqual({ roundTrips: 1, rows: {} });
    const posted = async () => {
      const response = await fetch(`${provider.issuer}/authorize`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams(requestOf()).toString(),
      });
      const back = redirectOf(await agent.open(response.headers.get('location') ?? ''));
      expect(back.searchParams.get('code')).not.toBeNull();
    };
    await posted();
    expect(await costOf(posted)).toEqual({ roundTrips: 1, rows: {} });
  });

  test('the session is touched at most once per tenth of its idle time', async () => {
    const { agent } = await signedInAgent(provider);
    const silent = () => agent.open(authorizeUrl(provider.issuer));
    await provider.shiftClock(2 * hour);
    await silent();
    expect(await costOf(silent)).toEqual({ roundTrips: 1, rows: {} });
    await provider.shiftClock(hour / 2);
    expect(await costOf(silent)).toEqual({ roundTrips: 2, rows: { sso_sessions: 1 } });
    expect(await costOf(silent)).toEqual({ roundTrips: 1, rows: {} });
    await provider.shiftClock(2 * hour);
    expect(await costOf(silent)).toEqual({ roundTrips: 1, rows: {} });
  }, 15_000);

  test('a whole sign-in writes what it must and no more', async () => {
    await signedInAgent(provider);
    const { rows } = await costOf(() => signedInAgent(provider));
    // The reservation and its success; the run, the session, the browser's being known; one event each of the password and
    // the session.
    expect(rows).toEqual({ lockouts: 2, audit_events: 2, auth_sessions: 1, sso_sessions: 1, known_devices: 1 });
  });
});
