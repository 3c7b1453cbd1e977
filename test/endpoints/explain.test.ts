import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomToken } from '../../src/core/crypto.ts';
import { limen } from '../cli/terminal.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { authorizeUrl, postAs, webOf } from './relying_party.ts';
import { signedInAgent } from './run_browser.ts';

/** An id that a client or a person was told leads back to rule, setting and remedy. */

let provider: Provider;
const guess = 'a-guess-that-must-not-be-kept';

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const command = (...argv: string[]) =>
  limen(argv, { DATABASE_URL: provider.databaseUrl, LIMEN_SECRETS: randomToken() });
const explained = (errorId: string, ...options: string[]) => command('explain', errorId, ...options);

/** Written within a second of the answer. */
async function explanationOf(errorId: string) {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    const { code, out } = await explained(errorId, '--json');
    if (code === 0) return JSON.parse(out)[0];
    await Bun.sleep(100);
  }
  throw new Error(`nothing is known of ${errorId}`);
}

const idIn = (text: string): string =>
  /error id (?:<[^>]*>)?([0-9a-f]{12})|id="error_id">([0-9a-f]{12})/.exec(text)?.slice(1).find(Boolean) ?? text;
const token = (form: { [name: string]: string }) =>
  fetch(`${provider.issuer}/token`, { method: 'POST', body: new URLSearchParams(form) });

describe('limen explain', () => {
  test('a missing code_challenge: the setting, its layer and its reason', async () => {
    const strict = ['--setting', 'pkce=required for all', '--reason', 'the audit of May'];
    await command('realm', 'update', 'main', ...strict);
    await Bun.sleep(1200);
    const url = new URL(authorizeUrl(webOf(provider)));
    url.searchParams.delete('code_challenge');
    url.searchParams.delete('code_challenge_method');
    const answer = await fetch(url, { redirect: 'manual' });
    const back = new URL(answer.headers.get('location') ?? '').searchParams;
    const told = await explanationOf(idIn(back.get('error_description') ?? ''));
    expect(told).toMatchObject({
      kind: 'refusal',
      realm: 'main',
      client_id: 'demo-web',
      endpoint: '/authorize',
      error: 'invalid_request',
      parameter: 'code_challenge',
      rule: 'RFC 7636 §4.4.1',
      rule_link: 'https://www.rfc-editor.org/rfc/rfc7636#section-4.4.1',
      settings: [{ key: 'pkce', value: 'required for all', from: 'realm', reason: 'the audit of May' }],
    });
    expect(Date.parse(told.at)).toBeWithin(Date.now() - 20_000, Date.now() + 1);
    await command('realm', 'update', 'main', '--setting', 'pkce=');
  });

  test('a redirect_uri that is not registered: those that are, and how to register it', async () => {
    const answer = await fetch(authorizeUrl(webOf(provider), { redirect_uri: 'https://evil.example/callback' }));
    const told = await explanationOf(idIn(await answer.text()));
    expect(told).toMatchObject({ client_id: 'demo-web', parameter: 'redirect_uri', rule: 'RFC 6749 §3.1.2.3' });
    expect(told.registered.redirect_uris).toContain('http://127.0.0.1:4020/callback');
    expect(told.mend).toContain('--redirect-uri');
    const { out } = await explained(told.error_id);
    expect(out).toContain('To mend it: Register the redirect_uri exactly');
    expect(out).not.toContain('evil.example');
  });

  test('a wrong secret: how the client authenticates, and nothing of what was sent', async () => {
    const wrong = { ...webOf(provider), secret: guess };
    const answer = await postAs(wrong, '/token', { grant_type: 'authorization_code' });
    const told = await explanationOf(idIn(await answer.text()));
    expect(told).toMatchObject({ endpoint: '/token', error: 'invalid_client', client_id: 'demo-web' });
    expect(told.registered).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic', valid_secrets: '1' });
    expect(told.mend).toContain('--new-secret');
    const rows = await provider.database.sql`SELECT * FROM refusals`;
    expect(rows.length).toBeGreaterThan(0);
    for (const secret of [guess, 'evil.example']) expect(JSON.stringify(rows)).not.toContain(secret);
  });

  test('a right secret by another method than the registered one: which that is', async () => {
    const { clientId, secret } = webOf(provider);
    const form = { grant_type: 'authorization_code', client_id: clientId, client_secret: secret ?? '' };
    const told = await explanationOf(idIn(await (await token(form)).text()));
    expect(told).toMatchObject({ client_id: 'demo-web', rule: 'RFC 6749 §2.3' });
    expect(told.registered).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic' });
    expect(told.mend).toContain('another method');
  });

  test('an id that no client has is not kept', async () => {
    const form = { grant_type: 'authorization_code', client_id: guess, client_secret: guess };
    const told = await explanationOf(idIn(await (await token(form)).text()));
    expect(told).toMatchObject({ client_id: null, error: 'invalid_client' });
  });

  test('an address where nothing is belongs to no realm', async () => {
    const answer = await fetch(`${provider.issuer}/nowhere`);
    const told = await explanationOf(idIn(await answer.text()));
    expect(told).toMatchObject({ realm: null, client_id: null, endpoint: '/nowhere', rule: 'RFC 9110 §15.5.5' });
  });

  test('a failure is kept as one, without a word of what was thrown', async () => {
    const { agent } = await signedInAgent(provider);
    await provider.database.sql`ALTER TABLE sso_sessions RENAME TO hidden_sessions`;
    const answer = await agent.fetch(authorizeUrl(webOf(provider)));
    await provider.database.sql`ALTER TABLE hidden_sessions RENAME TO sso_sessions`;
    expect(answer.status).toBe(500);
    const told = await explanationOf(idIn(await answer.text()));
    expect(told).toMatchObject({
      kind: 'fault',
      error: 'server_error',
      rule: null,
      description: null,
      client_id: null,
    });
    expect(told.mend).toContain('request.failed');
  });
});

describe('an id that is not known', () => {
  test('says what it may be', async () => {
    const { code, out, err } = await explained('0123456789ab');
    expect([code, out]).toEqual([1, '']);
    for (const part of ['older than 7 days', 'another deployment', 'refusals.dropped', 'up to a second']) {
      expect(err).toContain(part);
    }
  });

  test('or that it is none', async () => {
    expect((await explained('not-an-id')).err).toContain('an error id is 12 characters');
  });

  test('a process that stops writes what it still holds', async () => {
    const answer = await token({ grant_type: 'password' });
    const errorId = idIn(await answer.text());
    await provider.restart();
    expect((await explained(errorId)).code).toBe(0);
  });
});

test(
  'a deployment that keeps none of it writes nothing, and says so',
  async () => {
    const other = await startProvider({ environment: { LIMEN_REFUSAL_DAYS: '0' } });
    await fetch(`${other.issuer}/nowhere`);
    await Bun.sleep(1300);
    const rows = await other.database.sql`SELECT 1 FROM refusals`;
    const environment = { DATABASE_URL: other.databaseUrl, LIMEN_SECRETS: randomToken(), LIMEN_REFUSAL_DAYS: '0' };
    const { err } = await limen(['explain', '0123456789ab'], environment);
    await other.stop();
    expect(rows).toHaveLength(0);
    expect(err).toContain('LIMEN_REFUSAL_DAYS is 0');
  },
  databaseTimeoutMilliseconds,
);
