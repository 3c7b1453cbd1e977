import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { exportJWK, generateKeyPair } from 'jose';
import { randomToken } from '../../src/core/crypto.ts';
import { ok } from '../../src/core/result.ts';
import { databaseTimeoutMilliseconds, type TestDatabase, testDatabase } from '../database.ts';
import { limen } from './terminal.ts';

let database: TestDatabase;
let environment: { readonly [name: string]: string };
let keys: string;

beforeAll(async () => {
  database = await testDatabase();
  environment = {
    DATABASE_URL: database.url,
    LIMEN_SECRETS: randomToken(),
    LIMEN_PUBLIC_URL: 'https://id.example.com',
  };
  const { publicKey } = await generateKeyPair('ECDH-ES', { extractable: true });
  keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'enc', use: 'enc' }] });
  await limen(['realm', 'create', 'main'], environment);
}, databaseTimeoutMilliseconds);

afterAll(() => database.drop());

const run = (...words: string[]) => limen(['client', ...words], environment, {}, { readFile: async () => ok(keys) });
const json = async (...words: string[]) => {
  const { code, out, err } = await run(...words, '--json');
  if (code !== 0) throw new Error(err);
  return JSON.parse(out);
};
const callback = ['--redirect-uri', 'https://rp.example/callback'];
const confidential = ['--class', 'confidential', ...callback];

describe('a client whose responses are encrypted', () => {
  test('by keys from a file', async () => {
    const made = await json(
      ...['create', 'enc', ...confidential, '--jwks-file', 'keys.json', '--id-token-encryption-alg', 'ECDH-ES'],
      ...[
        '--userinfo-alg',
        'ES256',
        '--userinfo-encryption-alg',
        'ECDH-ES+A256KW',
        '--userinfo-encryption-enc',
        'A256GCM',
      ],
      ...['--introspection-alg', 'ES256', '--introspection-encryption-alg', 'ECDH-ES'],
    );
    expect(made).toMatchObject({
      id_token_encrypted_response_alg: 'ECDH-ES',
      userinfo_signed_response_alg: 'ES256',
      userinfo_encrypted_response_alg: 'ECDH-ES+A256KW',
      userinfo_encrypted_response_enc: 'A256GCM',
      introspection_signed_response_alg: 'ES256',
      introspection_encrypted_response_alg: 'ECDH-ES',
    });
  });

  test('by keys that it publishes, which take the place of those of a file', async () => {
    const moved = await json('update', 'enc', '--jwks-uri', 'https://rp.example/jwks');
    expect(moved).toMatchObject({ jwks: null, jwks_uri: 'https://rp.example/jwks' });
  });

  test('no longer, once its members are taken away', async () => {
    const plain = await json(
      ...[
        'update',
        'enc',
        '--unset',
        'id_token_encrypted_response_alg',
        '--unset',
        'introspection_encrypted_response_alg',
      ],
    );
    expect(plain).not.toHaveProperty('id_token_encrypted_response_alg');
    expect(plain).toMatchObject({ userinfo_encrypted_response_alg: 'ECDH-ES+A256KW' });
  });

  test.each([
    [['--id-token-encryption-alg', 'ECDH-ES'], 'id_token_encrypted_response_alg: needs public keys'],
    [
      ['--id-token-encryption-alg', 'RSA-OAEP-256', '--jwks-file', 'keys.json'],
      'id_token_encrypted_response_alg: needs a key in jwks that RSA-OAEP-256 can encrypt to',
    ],
    [['--id-token-encryption-alg', 'dir', '--jwks-file', 'keys.json'], 'is symmetric'],
    [['--id-token-encryption-alg', 'RSA1_5', '--jwks-file', 'keys.json'], 'must be one of RSA-OAEP-256'],
    [['--userinfo-encryption-enc', 'A256GCM'], 'userinfo_encrypted_response_enc: says nothing without'],
    [['--userinfo-alg', 'HS256'], 'userinfo_signed_response_alg: must be one of'],
  ])('%j is refused', async (words, sentence) => {
    const ran = await run('create', 'refused', ...confidential, ...words);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(sentence);
  });

  test('what is not registered cannot be taken away', async () => {
    const ran = await run('update', 'enc', '--unset', 'logo_uri');
    expect(ran).toMatchObject({ code: 1, err: '--unset logo_uri: the client has no such metadata' });
  });
});

describe('client_secret_jwt', () => {
  test('gets a secret, which is shown this once', async () => {
    const made = await json('create', 'mac', ...callback, '--auth-method', 'client_secret_jwt');
    expect(made).toMatchObject({ class: 'confidential', token_endpoint_auth_method: 'client_secret_jwt' });
    expect(made.client_secret).toMatch(/^[A-Za-z0-9_-]{64}$/);
    const shown = await run('show', 'mac', '--json');
    expect(shown.out).not.toContain(made.client_secret);
    expect(shown.out).not.toContain('sealed');
    expect((await json('update', 'mac', '--new-secret')).client_secret).toMatch(/^[A-Za-z0-9_-]{64}$/);
  });

  test('a client that turns to it needs a new one', async () => {
    await json('create', 'turning', ...confidential);
    const refused = await run('update', 'turning', '--auth-method', 'client_secret_jwt');
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('add --new-secret');
    const turned = await json('update', 'turning', '--auth-method', 'client_secret_jwt', '--new-secret');
    expect(turned.client_secret).toMatch(/^[A-Za-z0-9_-]{64}$/);
  });

  test('an algorithm of another method is refused', async () => {
    const words = ['--auth-method', 'client_secret_jwt', '--auth-signing-alg', 'ES256'];
    expect((await run('create', 'wrong', ...callback, ...words)).err).toContain('HS256, HS384, HS512');
  });
});
