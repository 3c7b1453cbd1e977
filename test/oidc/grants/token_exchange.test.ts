import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { brandId, type ClientId, type FamilyId } from '../../../src/core/ids.ts';
import type { Settings } from '../../../src/core/settings.ts';
import { type AccessTokenClaims, accessTokenClaims, familyOfJti, newJti } from '../../../src/oidc/access_token.ts';
import type { Client } from '../../../src/oidc/client.ts';
import type { FamiliesInMemory } from '../families_in_memory.ts';
import {
  callback,
  granted,
  issuer,
  realm,
  realmWith,
  refused,
  second,
  spa,
  start,
  userId,
  verifier,
  withSettings,
} from '../parties.ts';
import { type Circumstances, database, newFamilyId, sealed, send } from './redeem.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
const accessToken = 'urn:ietf:params:oauth:token-type:access_token';
const orders = 'https://orders.example';
const stock = 'https://stock.example';
const gatewayApi = 'https://gateway.example';

/** Calls other services for the person whose token the single-page application sent it. */
const gateway: Client = withSettings(
  {
    ...spa,
    clientId: brandId<ClientId>('gateway'),
    class: 'confidential',
    authMethod: 'client_secret_basic',
    grantTypes: [grantType, 'client_credentials'],
    responseTypes: [],
    redirectUris: [],
    scope: ['api', 'orders', 'openid', 'offline_access'],
    resources: [orders, stock],
  },
  {
    tokenExchange: 'impersonation and delegation',
    tokenExchangeClients: 'spa worker',
    tokenExchangeAudiences: gatewayApi,
  },
);
const worker: Client = { ...gateway, clientId: brandId<ClientId>('worker') };
const allowing = (settings: Partial<Settings>): Client => withSettings(gateway, settings);

type Stage = {
  readonly families: FamiliesInMemory;
  readonly familyId: FamilyId;
  /** What the single-page application sends. */
  readonly subject: AccessTokenClaims;
  readonly tokens: Map<string, AccessTokenClaims>;
  readonly clients: Map<string, Client>;
  readonly exchange: (sent?: object, circumstances?: Circumstances) => ReturnType<typeof send>;
};

/** Ann is signed in to the single-page application, whose token `subject` names the gateway. */
async function stage(changes: Partial<AccessTokenClaims> = {}): Promise<Stage> {
  const families = database();
  const familyId = newFamilyId();
  const code = sealed({ client_id: 'spa' }, familyId);
  const redemption = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier };
  granted(await send(families, redemption, { client: spa }));
  const grant = { userId, audience: [gatewayApi, issuer], authTime: start / 1000 - 5, acr: 'pwd' };
  const scope = ['openid', 'api', 'orders', 'offline_access', 'profile'];
  const facts = { realm, client: spa, grant, scope, familyId, senderKey: null, now: start };
  const subject = { ...accessTokenClaims(facts), ...changes } as AccessTokenClaims;
  const tokens = new Map([['subject', subject]]);
  const clients = new Map([spa, gateway, worker].map((client) => [String(client.clientId), client]));
  const ports = {
    read: async (token: string) => {
      const claims = tokens.get(token);
      return claims !== undefined && claims.exp > families.now / 1000 ? claims : null;
    },
    findClient: async (clientId: string) => clients.get(clientId) ?? null,
  };
  families.calls.length = 0;
  const exchange: Stage['exchange'] = (sent = {}, circumstances = {}) =>
    send(
      families,
      { grant_type: grantType, subject_token: 'subject', subject_token_type: accessToken, ...sent },
      { client: gateway, tokens: ports, ...circumstances },
    );
  return { families, familyId, subject, tokens, clients, exchange };
}

/** A token of the client_credentials grant. */
const ownToken = (client: Client, changes: Partial<AccessTokenClaims> = {}): AccessTokenClaims => ({
  iss: issuer,
  sub: client.clientId,
  aud: gatewayApi,
  client_id: client.clientId,
  scope: 'api orders',
  jti: newJti(null),
  iat: start / 1000,
  exp: start / 1000 + 600,
  ...changes,
});

const acting = { actor_token: 'actor', actor_token_type: accessToken };
const errorOf = async (result: ReturnType<typeof send>): Promise<string> => refused(await result).error;

describe('RFC 8693 §2: a good exchange', () => {
  test('the same person, for another resource, in the name of who asked', async () => {
    const { exchange, familyId, subject, families } = await stage();
    const issue = granted(await exchange({ resource: orders, scope: 'orders' }));
    expect(issue).toMatchObject({
      grant: {
        clientId: 'gateway',
        userId,
        scope: ['orders'],
        audience: [orders],
        authTime: start / 1000 - 5,
        acr: 'pwd',
      },
      scope: ['orders'],
      familyId,
      refreshToken: null,
      exchanged: { subject: subject.sub, subjectClientId: 'spa', expiresAt: subject.exp, issuedTokenType: accessToken },
    });
    expect(issue.exchanged?.act).toBeUndefined();
    expect(families.calls).toEqual(['readLive']);
    const claims = accessTokenClaims({ ...issue, senderKey: null, realm, client: gateway, now: start + 100 * second });
    expect(claims).toMatchObject({ sub: userId, client_id: 'gateway', aud: orders, exp: subject.exp });
    expect(familyOfJti(claims.jti)).toBe(familyId);
    expect(claims.jti).not.toBe(subject.jti);
  });

  test('claims that were asked for by name were for the other client', async () => {
    const { exchange } = await stage();
    expect(granted(await exchange()).grant.claims).toEqual({ userinfo: [], idToken: [] });
  });

  test.each([
    ['the type jwt is an access token too', { subject_token_type: 'urn:ietf:params:oauth:token-type:jwt' }],
    ['an access token asked for by name', { requested_token_type: accessToken }],
  ])('%s', async (_, sent) => {
    granted(await (await stage()).exchange(sent));
  });

  test('nothing asked: what both have, without offline_access, for the default resource', async () => {
    const { exchange } = await stage();
    expect(granted(await exchange()).scope).toEqual(['openid', 'api', 'orders']);
    const { clients, exchange: again } = await stage({ scope: 'api profile' });
    expect(clients.size).toBe(3);
    expect(granted(await again())).toMatchObject({ scope: ['api'], grant: { audience: [orders] } });
  });

  test('several targets, by resource and by audience', async () => {
    const { exchange } = await stage();
    const issue = granted(await exchange({ resource: orders, audience: [stock, issuer], scope: 'api' }));
    expect(issue.grant.audience).toEqual([orders, stock, issuer]);
  });

  test('of a client that acts for itself: no family, no query', async () => {
    const { exchange, tokens, families } = await stage();
    tokens.set('subject', ownToken(worker));
    expect(granted(await exchange())).toMatchObject({
      grant: { userId: null, clientId: 'gateway' },
      familyId: null,
      exchanged: { subject: 'worker' },
    });
    expect(families.calls).toEqual([]);
  });

  test('its own token, where it is named itself, whatever the audience', async () => {
    const client = allowing({ tokenExchangeClients: 'gateway', tokenExchangeAudiences: '' });
    const { exchange, tokens } = await stage();
    tokens.set('subject', ownToken(gateway, { aud: orders }));
    expect(granted(await exchange({ scope: 'orders', resource: stock }, { client })).grant.audience).toEqual([stock]);
  });
});

describe('RFC 8693 §4.1: act', () => {
  test('delegation names who acts, and ends with the shorter of both tokens', async () => {
    const { exchange, tokens, subject } = await stage();
    tokens.set('actor', ownToken(gateway, { exp: subject.exp - 300 }));
    expect(granted(await exchange(acting)).exchanged).toMatchObject({
      act: { sub: 'gateway' },
      expiresAt: subject.exp - 300,
    });
  });

  test('the current actor is outside, who acted before inside', async () => {
    const { exchange, tokens } = await stage({ act: { sub: 'edge', act: { sub: 'first' } } });
    tokens.set('actor', ownToken(gateway));
    const act = { sub: 'gateway', act: { sub: 'edge', act: { sub: 'first' } } };
    const issue = granted(await exchange(acting));
    expect(issue.exchanged?.act).toEqual(act);
    expect(accessTokenClaims({ ...issue, senderKey: null, realm, client: gateway, now: start })).toMatchObject({
      sub: userId,
      act,
    });
  });

  test('impersonation does not wash off who acted before', async () => {
    const { exchange } = await stage({ act: { sub: 'edge' } });
    expect(granted(await exchange()).exchanged?.act).toEqual({ sub: 'edge' });
  });

  test('a chain has an end', async () => {
    const chain = (length: number): NonNullable<AccessTokenClaims['act']> =>
      length === 1 ? { sub: 'a' } : { sub: 'a', act: chain(length - 1) };
    for (const [before, isGood] of [
      [4, true],
      [5, false],
    ] as const) {
      const { exchange, tokens } = await stage({ act: chain(before) });
      tokens.set('actor', ownToken(gateway));
      expect((await exchange(acting)).ok).toBe(isGood);
    }
  });

  test('a person acts by the token of a sign-in to the very client that asks', async () => {
    const { exchange, tokens, families, subject } = await stage();
    const familyId = newFamilyId();
    const client = { ...gateway, grantTypes: [grantType, 'authorization_code'] };
    const redemption = { grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier };
    granted(await send(families, { ...redemption, code: sealed({ client_id: 'gateway' }, familyId) }, { client }));
    tokens.set('actor', { ...subject, client_id: 'gateway', jti: newJti(familyId) });
    families.calls.length = 0;
    expect(granted(await exchange(acting)).exchanged?.act).toEqual({ sub: userId });
    expect(families.calls).toEqual(['readLive', 'readLive']);
    await families.revoke(familyId, realm.id, gateway.clientId, 'revoked by operator');
    expect(await errorOf(exchange(acting))).toBe('invalid_request');
  });

  test.each<[string, AccessTokenClaims]>([
    ['of another client', ownToken(worker)],
    ['expired', ownToken(gateway, { exp: start / 1000 })],
    ['that was exchanged itself: who would act?', ownToken(gateway, { act: { sub: 'worker' } })],
    ['that speaks of another client, by an exchange', ownToken(gateway, { sub: 'worker' })],
  ])('an actor token %s: refused', async (_, actor) => {
    const { exchange, tokens } = await stage();
    tokens.set('actor', actor);
    expect(refused(await exchange(acting))).toMatchObject({ error: 'invalid_request', parameter: 'actor_token' });
  });
});

describe('RFC 9449 §7.1: a token that is bound to a key', () => {
  const cnf = { jkt: 'thumbprint' };
  const client = allowing({ tokenExchangeClients: 'gateway spa' });
  const keys: readonly (readonly [string, { readonly senderKey?: string }, boolean])[] = [
    ['with a proof by that key', { senderKey: 'thumbprint' }, true],
    ['with a proof by another key', { senderKey: 'another' }, false],
    ['without a proof', {}, false],
  ];

  test.each(keys)('of the client’s own, as the subject token, %s: %p, %p', async (_, shown, isGood) => {
    const { exchange, tokens, families } = await stage();
    tokens.set('subject', ownToken(gateway, { cnf }));
    const result = await exchange({}, { client, ...shown });
    expect(families.calls).toEqual([]);
    if (isGood) return granted(result);
    const refusal = { error: 'invalid_request', parameter: 'subject_token', rule: 'RFC 9449 §7.1' };
    return expect(refused(result)).toMatchObject(refusal);
  });

  test.each(keys)('as the actor token, %s: %p, %p', async (_, shown, isGood) => {
    const { exchange, tokens } = await stage();
    tokens.set('actor', ownToken(gateway, { cnf }));
    const result = await exchange(acting, shown);
    if (isGood) return expect(granted(result).exchanged?.act).toEqual({ sub: 'gateway' });
    const refusal = { error: 'invalid_request', parameter: 'actor_token', rule: 'RFC 9449 §7.1' };
    return expect(refused(result)).toMatchObject(refusal);
  });

  test('in a way that is not known here: refused, whatever is proved', async () => {
    const { exchange, tokens } = await stage();
    tokens.set('subject', ownToken(gateway, { cnf: {} }));
    for (const shown of [{}, { senderKey: 'thumbprint' }]) {
      expect(await errorOf(exchange({}, { client, ...shown }))).toBe('invalid_request');
    }
  });

  test('of another client: the policy says whose tokens are exchanged, and the key is not the gateway’s', async () => {
    const { exchange } = await stage({ cnf });
    granted(await exchange());
    granted(await exchange({}, { senderKey: 'the gateway’s own' }));
  });
});

describe('off until allowed', () => {
  test.each<[Settings['tokenExchange'], object, string | null]>([
    ['off', {}, 'unauthorized_client'],
    ['off', acting, 'unauthorized_client'],
    ['impersonation', {}, null],
    ['impersonation', acting, 'unauthorized_client'],
    ['delegation', acting, null],
    ['delegation', {}, 'invalid_request'],
    ['impersonation and delegation', {}, null],
    ['impersonation and delegation', acting, null],
  ])('%s, %j: %p', async (tokenExchange, sent, error) => {
    const { exchange, tokens } = await stage();
    tokens.set('actor', ownToken(gateway));
    const result = await exchange(sent, { client: allowing({ tokenExchange }) });
    expect(result.ok ? null : result.error.error).toBe(error as never);
  });

  test('without the grant, or as a public client: unauthorized_client, whatever the settings say', async () => {
    const { exchange } = await stage();
    const withoutGrant = { ...gateway, grantTypes: ['client_credentials'] };
    const publicOne: Client = { ...gateway, class: 'public', authMethod: 'none' };
    for (const client of [withoutGrant, publicOne]) {
      expect(await errorOf(exchange({}, { client }))).toBe('unauthorized_client');
    }
  });

  test('no setting allows anything by default', async () => {
    const { exchange } = await stage();
    const client = { ...gateway, settings: realmWith({}).settings };
    expect(await errorOf(exchange({}, { client }))).toBe('unauthorized_client');
    const named = withSettings(client, { tokenExchange: 'impersonation' });
    expect(await errorOf(exchange({}, { client: named }))).toBe('invalid_request');
  });
});

describe('RFC 8693 §2.2.2: a subject token that is not to be exchanged', () => {
  test('by policy: a client or an audience that is not named, its own too; it costs no query', async () => {
    const { exchange, families, tokens } = await stage();
    tokens.set('own', ownToken(gateway));
    const attempts = [
      exchange({}, { client: allowing({ tokenExchangeClients: 'worker spa2' }) }),
      exchange({}, { client: allowing({ tokenExchangeAudiences: 'https://other.example' }) }),
      exchange({ subject_token: 'own' }),
    ];
    for (const result of attempts) {
      expect(refused(await result)).toMatchObject({ error: 'invalid_request', parameter: 'subject_token' });
    }
    expect(families.calls).toEqual([]);
  });

  test('unknown, expired', async () => {
    const { exchange, families } = await stage();
    expect(await errorOf(exchange({ subject_token: 'noise' }))).toBe('invalid_request');
    families.now = start + 600 * second;
    expect(await errorOf(exchange())).toBe('invalid_request');
  });

  const changeUsers = (changes: object) => (staged: Stage) => {
    for (const user of staged.families.users.values()) Object.assign(user, changes);
  };
  const endSessions = (staged: Stage) => {
    for (const session of staged.families.sessions.values()) session.endedAt = start;
  };
  const revoke = ({ families, familyId }: Stage) =>
    families.revoke(familyId, realm.id, spa.clientId, 'revoked by client');
  test.each<readonly [string, (stage: Stage) => unknown]>([
    ['its family is revoked', revoke],
    ['its person is disabled', changeUsers({ enabled: false })],
    ['its person signed out everywhere', changeUsers({ validFrom: start + 1 })],
    ['its session ended', endSessions],
    ['its client is gone', ({ clients }) => clients.delete('spa')],
    ['its client was cut', ({ clients }) => clients.set('spa', { ...spa, validFrom: start + 1 })],
  ])('%s', async (_, kill) => {
    const staged = await stage();
    granted(await staged.exchange());
    await kill(staged);
    expect(refused(await staged.exchange())).toMatchObject({ error: 'invalid_request', rule: 'RFC 8693 §2.2.2' });
  });

  test('of a client without family: its client is gone, or was cut', async () => {
    const { exchange, tokens, clients } = await stage();
    tokens.set('subject', ownToken(worker));
    clients.set('worker', { ...worker, validFrom: start + 2 * second });
    expect(await errorOf(exchange())).toBe('invalid_request');
    clients.delete('worker');
    expect(await errorOf(exchange())).toBe('invalid_request');
  });

  test('OIDC Core §8.1: a person whom the two clients do not call the same', async () => {
    const { exchange, clients } = await stage();
    const pairwise = { metadata: { subject_type: 'pairwise' as const } };
    clients.set('spa', { ...spa, ...pairwise });
    expect(refused(await exchange())).toMatchObject({ error: 'invalid_request', rule: 'OIDC Core §8.1' });
    const client = { ...gateway, ...pairwise, redirectUris: ['https://elsewhere.example/callback'] };
    expect(await errorOf(exchange({}, { client }))).toBe('invalid_request');
    granted(await exchange({}, { client: { ...client, redirectUris: [callback] } }));
  });
});

describe('RFC 8693 §2.1, §2.2.2: what is asked for', () => {
  test.each<[object, string, string]>([
    [{ subject_token: undefined }, 'invalid_request', 'subject_token'],
    [{ subject_token_type: undefined }, 'invalid_request', 'subject_token_type'],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request', 'subject_token_type'],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request', 'subject_token_type'],
    [{ subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' }, 'invalid_request', 'subject_token_type'],
    [
      { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
      'invalid_request',
      'requested_token_type',
    ],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:id_token' }, 'invalid_request', 'requested_token_type'],
    [{ actor_token_type: accessToken }, 'invalid_request', 'actor_token_type'],
    [{ actor_token: 'actor' }, 'invalid_request', 'actor_token_type'],
    [
      { ...acting, actor_token_type: 'urn:ietf:params:oauth:token-type:id_token' },
      'invalid_request',
      'actor_token_type',
    ],
    [{ subject_token: ['subject', 'subject'] }, 'invalid_request', 'subject_token'],
    [{ scope: 'orders admin' }, 'invalid_scope', 'scope'],
    [{ scope: 'profile' }, 'invalid_scope', 'scope'],
    [{ scope: 'offline_access' }, 'invalid_scope', 'scope'],
    [{ scope: ' ' }, 'invalid_scope', 'scope'],
    [{ resource: 'https://stranger.example' }, 'invalid_target', 'resource'],
    [{ audience: 'https://stranger.example' }, 'invalid_target', 'resource'],
    [{ resource: [orders, 'https://stranger.example'] }, 'invalid_target', 'resource'],
  ])('%j: %s', async (sent, error, parameter) => {
    const { exchange } = await stage();
    expect<object>(refused(await exchange(sent))).toMatchObject({ error, parameter });
  });

  test('nothing in common', async () => {
    expect(await errorOf((await stage({ scope: 'profile' })).exchange())).toBe('invalid_scope');
  });

  const scopes = ['openid', 'api', 'orders', 'profile', 'offline_access', 'admin'];
  test('property: never wider than the token and the client, never longer, never for a target that is not allowed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.subarray(scopes, { minLength: 1 }),
        fc.subarray(scopes),
        fc.option(fc.subarray(scopes, { minLength: 1 })),
        fc.array(fc.constantFrom(orders, stock, issuer, gatewayApi), { maxLength: 3 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 30, max: 1000 }),
        async (held, registered, asked, resource, left, accessTokenLifetimeSeconds) => {
          const { exchange, subject } = await stage({ scope: held.join(' '), exp: start / 1000 + left });
          const client = { ...allowing({ accessTokenLifetimeSeconds }), scope: registered };
          const result = await exchange({ resource, scope: asked?.join(' ') }, { client });
          const most = held.filter((name) => registered.includes(name) && name !== 'offline_access');
          const isWithin = most.length > 0 && (asked ?? most).every((name) => most.includes(name));
          expect(result.ok).toBe(isWithin && !resource.includes(gatewayApi));
          if (!result.ok) return;
          const claims = accessTokenClaims({ ...result.value, senderKey: null, realm, client, now: start });
          expect(claims.scope.split(' ').every((name) => most.includes(name))).toBe(true);
          expect(claims.exp).toBeLessThanOrEqual(subject.exp);
          expect(claims.exp).toBeLessThanOrEqual(claims.iat + accessTokenLifetimeSeconds);
          expect([claims.aud].flat().every((name) => [orders, stock, issuer].includes(name ?? ''))).toBe(true);
        },
      ),
    );
  });
});
