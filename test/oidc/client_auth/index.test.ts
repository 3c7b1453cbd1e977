import { describe, expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { SignJWT, UnsecuredJWT } from 'jose';
import { classOfAuthMethod, clientAuthMethodNames } from '../../../src/oidc/client_auth/index.ts';
import type { ShownCredentials } from '../../../src/oidc/client_auth/method.ts';
import { granted, refused, spa, start, web } from '../parties.ts';
import { authenticate, basic } from './authenticate.ts';

const confidential = {
  ...web,
  secrets: [{ hash: createHash('sha256').update('s').digest(), createdAt: start, expiresAt: null }],
};
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const assertion = new UnsecuredJWT({ sub: 'web' }).encode();
const macAssertion = await new SignJWT({ sub: 'web' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32));

const shownBy: { readonly [method: string]: Partial<ShownCredentials> } = {
  none: { client_id: 'web' },
  client_secret_basic: { authorization: basic('web', 's') },
  client_secret_post: { client_id: 'web', client_secret: 's' },
  client_secret_jwt: { client_assertion: macAssertion, client_assertion_type: assertionType },
  private_key_jwt: { client_assertion: assertion, client_assertion_type: assertionType },
};

describe('RFC 6749 §2.3: one method', () => {
  test('every method of the registry is shown here', () => {
    expect(Object.keys(shownBy).toSorted()).toEqual([...clientAuthMethodNames].toSorted());
  });

  const pairs = clientAuthMethodNames
    .filter((name) => name !== 'none')
    .flatMap((first, index, all) => all.slice(index + 1).map((other) => [first, other] as const))
    // One parameter holds the assertion of either.
    .filter((pair) => !pair.every((name) => shownBy[name]?.client_assertion !== undefined));

  test.each(pairs)('%s and %s at once: invalid_request, though each were right', async (first, other) => {
    const asked: unknown[] = [];
    const shown = { ...shownBy[first], ...shownBy[other] };
    expect(refused(await authenticate(shown, { ...confidential, authMethod: first }, { asked })).error).toBe(
      'invalid_request',
    );
    expect(asked).toEqual([]);
  });

  const mismatches = clientAuthMethodNames.flatMap((shown) =>
    clientAuthMethodNames
      .filter((registered) => registered !== shown)
      .map((registered) => [shown, registered] as const),
  );

  test.each(mismatches)('%s by a client registered for %s: invalid_client', async (shown, registered) => {
    const registeredClass = classOfAuthMethod(registered) ?? 'public';
    const client = { ...confidential, authMethod: registered, class: registeredClass };
    expect(refused(await authenticate(shownBy[shown] ?? {}, client)).error).toBe('invalid_client');
  });

  test('nothing shown at all: invalid_client', async () => {
    expect(refused(await authenticate({}, spa)).error).toBe('invalid_client');
  });
});

describe('RFC 6749 §2.1: the class', () => {
  test('a public client only names itself', async () => {
    expect(granted(await authenticate({ client_id: 'spa' }, spa))).toEqual({ client: spa, proof: null });
  });

  test.each([
    ['none', 'confidential'],
    ['client_secret_basic', 'public'],
    ['client_secret_post', 'public'],
  ] as const)('%s of a %s client contradicts itself and never passes', async (authMethod, clientClass) => {
    const client = { ...confidential, authMethod, class: clientClass };
    expect(refused(await authenticate(shownBy[authMethod] ?? {}, client)).error).toBe('invalid_client');
  });

  test('unknown, disabled and wrong look the same', async () => {
    const refusals = [
      await authenticate({ authorization: basic('nobody', 's') }, confidential),
      await authenticate({ authorization: basic('web', 's') }, { ...confidential, enabled: false }),
    ].map(refused);
    expect(refusals.map(({ error, description }) => ({ error, description }))).toEqual(
      Array.from({ length: 2 }, () => ({ error: 'invalid_client', description: 'client authentication failed' })),
    );
    expect(refused(await authenticate({ authorization: basic('web', 'x') }, confidential)).description).toBe(
      'client authentication failed',
    );
    expect((await authenticate({ client_id: 'spa' }, { ...spa, enabled: false })).ok).toBe(false);
  });
});

describe('RFC 6749 Appendix A.1: what cannot be a client id asks nobody', () => {
  test.each(['a\u0000b', 'a\nb', 'ä', 'x'.repeat(256), '\ufffd'])('%j', async (clientId) => {
    const asked: unknown[] = [];
    expect(refused(await authenticate({ authorization: basic(clientId, 's') }, confidential, { asked })).error).toBe(
      'invalid_client',
    );
    expect(
      refused(await authenticate({ client_id: clientId, client_secret: 's' }, confidential, { asked })).error,
    ).toBe('invalid_client');
    expect(asked).toEqual([]);
  });

  test.each([[5], [['web']], [{ toString: 'web' }], [null], [true], ['a\u0000b']])(
    'sub %j of an assertion',
    async (sub) => {
      const asked: unknown[] = [];
      const payload = Buffer.from(JSON.stringify({ sub })).toString('base64url');
      const shown = { client_assertion: `eyJhbGciOiJFUzI1NiJ9.${payload}.AA`, client_assertion_type: assertionType };
      const client = { ...confidential, authMethod: 'private_key_jwt' };
      expect(refused(await authenticate(shown, client, { asked })).error).toBe('invalid_client');
      expect(asked).toEqual([]);
    },
  );
});

describe('RFC 7521 §4.2: assertion and type come together', () => {
  test.each([
    { client_id: 'web', client_assertion_type: assertionType },
    { client_id: 'web', client_assertion: assertion },
    {
      client_id: 'web',
      client_assertion: assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
    },
    { client_id: 'spa', client_assertion_type: assertionType },
  ])('%j is invalid_client', async (shown) => {
    for (const client of [{ ...confidential, authMethod: 'private_key_jwt' }, spa]) {
      expect(refused(await authenticate(shown, client)).error).toBe('invalid_client');
    }
  });
});
