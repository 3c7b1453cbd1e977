import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Client } from '../../../src/oidc/client.ts';
import { granted, refused, second, start, web } from '../parties.ts';
import { authenticate, basic } from './authenticate.ts';

const hashOf = (secret: string, expiresAt: number | null = null) => ({
  hash: createHash('sha256').update(secret).digest(),
  createdAt: start,
  expiresAt,
});
const withSecrets = (...secrets: Client['secrets']): Client => ({ ...web, secrets });
const post = (client: Client): Client => ({ ...client, authMethod: 'client_secret_post' });
const secrets = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 });

describe('RFC 6749 §2.3.1 client_secret_basic', () => {
  test('property: any id and secret pass in their form-encoded spelling, whatever characters they hold', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        const result = await authenticate({ authorization: basic('web', secret) }, withSecrets(hashOf(secret)));
        expect(granted(result)).toMatchObject({ client: { clientId: 'web' }, proof: null });
      }),
    );
  });

  test('property: another secret never does', async () => {
    await fc.assert(
      fc.asyncProperty(secrets, secrets, async (secret, other) => {
        fc.pre(secret !== other);
        const result = await authenticate({ authorization: basic('web', other) }, withSecrets(hashOf(secret)));
        expect(refused(result).error).toBe('invalid_client');
      }),
    );
  });

  test('the colon, plus and percent sign of a secret come encoded: %3A, %2B or a plus for a space, %25', async () => {
    const client = withSecrets(hashOf('a:b+c d%e'));
    const header = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;
    expect((await authenticate({ authorization: header('web:a%3Ab%2Bc+d%25e') }, client)).ok).toBe(true);
    expect((await authenticate({ authorization: header('web:a:b%2Bc%20d%25e') }, client)).ok).toBe(true);
    expect((await authenticate({ authorization: header('web:a:b+c d%e') }, client)).ok).toBe(false);
  });

  test('the scheme is read in any case', async () => {
    const authorization = basic('web', 's').replace('Basic', 'bAsIc');
    expect((await authenticate({ authorization }, withSecrets(hashOf('s')))).ok).toBe(true);
  });

  test.each([
    'Basic',
    'Basic ',
    'Basic !!!',
    `Basic ${Buffer.from('web').toString('base64')}`,
    `Basic ${Buffer.from(':s').toString('base64')}`,
    `Basic ${Buffer.from('web:%').toString('base64')}`,
    `Basic ${Buffer.from('web:%ff').toString('base64')}`,
    `Basic ${Buffer.from('web:s').toString('base64')} x`,
    `Basic  ${Buffer.from('web:s').toString('base64')}, Basic x`,
    'Bearer abc',
    'Negotiate abc',
    '',
  ])('%j is invalid_client', async (authorization) => {
    expect(refused(await authenticate({ authorization }, withSecrets(hashOf('s')))).error).toBe('invalid_client');
  });

  test('the client_id in the body may repeat the one that authenticates, not name another', async () => {
    const client = withSecrets(hashOf('s'));
    const authorization = basic('web', 's');
    expect((await authenticate({ authorization, client_id: 'web' }, client)).ok).toBe(true);
    expect(refused(await authenticate({ authorization, client_id: 'spa' }, client)).error).toBe('invalid_client');
  });
});

describe('RFC 6749 §2.3.1 client_secret_post', () => {
  test('id and secret in the body', async () => {
    const client = post(withSecrets(hashOf('s')));
    expect((await authenticate({ client_id: 'web', client_secret: 's' }, client)).ok).toBe(true);
    expect(refused(await authenticate({ client_id: 'web', client_secret: 't' }, client)).error).toBe('invalid_client');
    expect(refused(await authenticate({ client_secret: 's' }, client)).error).toBe('invalid_client');
    expect(refused(await authenticate({ client_id: 'web' }, client)).error).toBe('invalid_client');
  });
});

describe('secrets while rotating', () => {
  const rotating = withSecrets(hashOf('new'), hashOf('old', start + second));

  test.each([
    ['new', start, true],
    ['old', start, true],
    ['old', start + second - 1, true],
    ['old', start + second, false],
    ['new', start + second, true],
    ['older', start, false],
  ])('%s at %d: %p', async (secret, now, passes) => {
    expect((await authenticate({ authorization: basic('web', secret) }, rotating, { now })).ok).toBe(passes);
  });

  test('the hash itself is no secret, and a client without any has none that passes', async () => {
    const hash = hashOf('s').hash.toString('hex');
    expect((await authenticate({ authorization: basic('web', hash) }, withSecrets(hashOf('s')))).ok).toBe(false);
    expect((await authenticate({ authorization: basic('web', '') }, withSecrets())).ok).toBe(false);
  });
});
