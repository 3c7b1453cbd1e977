import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { brandId, newId, type RealmId, type SessionId } from '../../src/core/ids.ts';
import { logoutTokenClaims } from '../../src/oidc/logout/backchannel.ts';
import {
  type BackchannelLogout,
  browserStateOf,
  decideLogout,
  frontchannelLogoutUrls,
  type LogoutDecision,
  type LogoutFacts,
  logoutParameters,
  prepareLogout,
  sessionStateOf,
} from '../../src/oidc/logout/index.ts';
import { sidOf, subjectOf } from '../../src/oidc/subject.ts';
import { formOf, granted, realm, refused, sessionId, spa, userId, web } from './parties.ts';

const goodbye = 'https://rp.example/goodbye';
const client = { ...web, postLogoutRedirectUris: [goodbye, `${goodbye}?tenant=1`] };
const hint = { subject: userId, clientId: 'web', sid: sidOf(realm, web.clientId, sessionId) };

const plain: LogoutFacts = {
  realm,
  hint: null,
  hintClient: null,
  clientId: undefined,
  postLogoutRedirectUri: undefined,
  state: undefined,
  sessionId,
};
const decide = (facts: Partial<LogoutFacts>) => decideLogout({ ...plain, ...facts });
const hinted = { hint, hintClient: client };

describe('OIDC RP-Initiated Logout §2: whose session ends', () => {
  const table: readonly (readonly [what: string, facts: Partial<LogoutFacts>, session: LogoutDecision['session']])[] = [
    ['the hint names this session: unasked', hinted, 'sign_out'],
    ['no hint: asked', {}, 'ask'],
    ['no hint but a client_id: asked', { clientId: 'web' }, 'ask'],
    ['a hint of another session: asked', { ...hinted, sessionId: newId<SessionId>() }, 'ask'],
    ['a hint without sid: asked', { ...hinted, hint: { ...hint, sid: null } }, 'ask'],
    [
      'a hint whose sid is that of another client: asked',
      { hint: { ...hint, clientId: 'spa' }, hintClient: spa },
      'ask',
    ],
    ['a hint of a client that is gone: asked', { hint, hintClient: null }, 'ask'],
    ['nobody is signed in: nothing', { sessionId: null }, 'nothing'],
    ['nobody is signed in, with a hint: nothing', { ...hinted, sessionId: null }, 'nothing'],
  ];
  test.each(table)('%s', (_, facts, session) => {
    expect(granted(decide(facts))).toEqual({ session, returnTo: null });
  });
});

describe('OIDC RP-Initiated Logout §3: where the browser goes', () => {
  test.each([
    ['registered, with state', { state: 'a b&c' }, `${goodbye}?state=a%20b%26c`],
    ['registered, without state', {}, goodbye],
    [
      'registered with a query',
      { postLogoutRedirectUri: `${goodbye}?tenant=1`, state: 's' },
      `${goodbye}?tenant=1&state=s`,
    ],
  ])('%s', (_, facts, returnTo) => {
    expect(granted(decide({ ...hinted, postLogoutRedirectUri: goodbye, ...facts })).returnTo).toBe(returnTo);
  });

  test('also where nobody is signed in any more, and where the person must be asked first', () => {
    const there = { ...hinted, postLogoutRedirectUri: goodbye };
    expect(granted(decide({ ...there, sessionId: null }))).toEqual({ session: 'nothing', returnTo: goodbye });
    expect(granted(decide({ ...there, hint: { ...hint, sid: null } }))).toEqual({ session: 'ask', returnTo: goodbye });
  });

  test.each([
    'https://rp.example/goodbye/',
    `${goodbye}?x=1`,
    `${goodbye}?tenant=1&x=1`,
    `${goodbye}#x`,
    'https://RP.example/goodbye',
    'https://evil.example/',
    'javascript:alert(1)',
  ])('%s is not registered: refused, and nobody is signed out', (uri) => {
    expect(refused(decide({ ...hinted, postLogoutRedirectUri: uri })).parameter).toBe('post_logout_redirect_uri');
  });

  test('a redirect URI of sign-in is not one of sign-out', () => {
    const [signIn = ''] = client.redirectUris;
    expect(decide({ ...hinted, postLogoutRedirectUri: signIn }).ok).toBe(false);
  });

  test.each([
    ['no hint', {}],
    ['no hint, a client_id', { clientId: 'web' }],
    ['no hint that verified, though its client is known', { hintClient: client }],
  ])('%s: a registered URI is not followed (no redirect for a stranger)', (_, facts) => {
    expect(granted(decide({ ...facts, postLogoutRedirectUri: goodbye, state: 's' })).returnTo).toBeNull();
  });

  test('state without a URI to bring it to goes nowhere', () => {
    expect(granted(decide({ ...hinted, state: 's' })).returnTo).toBeNull();
  });
});

describe('OIDC RP-Initiated Logout §2: client_id beside the hint', () => {
  test('the same client: fine; another: refused', () => {
    expect(decide({ ...hinted, clientId: 'web' }).ok).toBe(true);
    expect(refused(decide({ ...hinted, clientId: 'spa' }))).toMatchObject({
      error: 'invalid_request',
      parameter: 'client_id',
    });
  });
});

describe('the parameters', () => {
  test('are all optional, and none may come twice', () => {
    expect(granted(logoutParameters.read(formOf({})))).toEqual({});
    expect(refused(logoutParameters.read(formOf({ state: ['a', 'b'] }))).parameter).toBe('state');
  });
});

describe('OIDC Back-Channel Logout §2.4: the logout token', () => {
  const notice = { realmId: realm.id, sessionId, clientId: web.clientId, userId };
  const telling = { ...web, metadata: { ...web.metadata, backchannel_logout_uri: 'https://rp.example/ended' } };
  const signed: { readonly algorithm: string; readonly type: string; readonly claims: object }[] = [];
  const ports: BackchannelLogout = {
    realm: async () => realm,
    client: async () => telling,
    sign: (_, algorithm, type, claims) => {
      signed.push({ algorithm, type, claims });
      return 'signed';
    },
  };

  test('has what is required, expires within two minutes, and no nonce whatever the client', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.uuid(), (at, session) => {
        const claims = logoutTokenClaims(realm, web, { userId, sessionId: brandId<SessionId>(session) }, at);
        expect(Object.keys(claims).toSorted()).toEqual(['aud', 'events', 'exp', 'iat', 'iss', 'jti', 'sid', 'sub']);
        expect(claims).toMatchObject({
          iss: realm.issuer,
          aud: web.clientId,
          sub: subjectOf(realm, web, userId),
          sid: sidOf(realm, web.clientId, brandId<SessionId>(session)),
          iat: Math.floor(at / 1000),
          exp: Math.floor(at / 1000) + 120,
          events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
        });
      }),
    );
  });

  test('never the same jti twice', () => {
    const jtis = Array.from({ length: 100 }, () => logoutTokenClaims(realm, web, notice, 0)['jti']);
    expect(new Set(jtis).size).toBe(100);
  });

  test('is typed and signed with the algorithm of the client’s ID tokens', async () => {
    const es256 = { ...telling, idTokenSignedResponseAlg: 'ES256' };
    expect(await prepareLogout({ ...ports, client: async () => es256 }, notice, 0)).toEqual({
      kind: 'ready',
      url: 'https://rp.example/ended',
      logoutToken: 'signed',
    });
    await prepareLogout(ports, notice, 0);
    expect(signed).toMatchObject([
      { algorithm: 'ES256', type: 'logout+jwt' },
      { algorithm: 'RS256', type: 'logout+jwt' },
    ]);
  });

  test.each([
    ['a realm that is gone', { realm: async () => null }],
    ['a disabled realm', { realm: async () => ({ ...realm, enabled: false }) }],
    ['a client that is gone', { client: async () => null }],
    ['a disabled client', { client: async () => ({ ...telling, enabled: false }) }],
    ['a client without an address', { client: async () => web }],
  ])('%s is not told', async (_, change) => {
    expect((await prepareLogout({ ...ports, ...change }, notice, 0)).kind).toBe('pointless');
  });
});

describe('OIDC Front-Channel Logout §2: what the browser loads', () => {
  const urlOf = (metadata: object) => frontchannelLogoutUrls(realm, [{ clientId: web.clientId, metadata }], sessionId);
  const sid = sidOf(realm, web.clientId, sessionId);
  const uri = 'https://rp.example/ended';
  const issuer = encodeURIComponent(realm.issuer);

  test.each([
    ['nothing for a client without an address', {}, []],
    ['the address as it is', { frontchannel_logout_uri: uri }, [uri]],
    [
      'with issuer and session where they are required',
      { frontchannel_logout_uri: uri, frontchannel_logout_session_required: true },
      [`${uri}?iss=${issuer}&sid=${sid}`],
    ],
    [
      'behind a query that it already has (§2)',
      { frontchannel_logout_uri: `${uri}?a=b`, frontchannel_logout_session_required: true },
      [`${uri}?a=b&iss=${issuer}&sid=${sid}`],
    ],
    ['nothing that is no web address', { frontchannel_logout_uri: 'javascript:alert(1)' }, []],
    ['nothing of another scheme', { frontchannel_logout_uri: 'com.example.app:/ended' }, []],
  ])('%s', (_, metadata, urls) => {
    expect(urlOf(metadata)).toEqual(urls);
  });
});

describe('OIDC Session Management §2: session_state', () => {
  const request = (redirectUri: string) => ({
    clientId: 'web',
    target: { redirectUri, responseMode: 'query' as const, state: null },
  });

  test('has no space, and changes with client, origin, browser state and salt', () => {
    const base = ['web', 'https://rp.example/callback', 'state', 'salt'] as const;
    const of = ([clientId, redirectUri, browserState, salt]: readonly [string, string, string, string]) =>
      sessionStateOf({ ...request(redirectUri), clientId }, browserState, salt) ?? '';
    expect(of(base)).toMatch(/^[0-9a-f]{64}\.salt$/);
    const others = [
      ['web2', base[1], base[2], base[3]],
      [base[0], 'https://rp2.example/callback', base[2], base[3]],
      [base[0], base[1], 'other', base[3]],
      [base[0], base[1], base[2], 'salt2'],
    ] as const;
    for (const other of others) expect(of(other).split('.')[0]).not.toBe(of(base).split('.')[0]);
    expect(of([base[0], 'https://rp.example/elsewhere?x=1', base[2], base[3]])).toBe(of(base));
  });

  test.each(['com.example.app:/callback', 'no url'])('%s has no origin, so there is none', (redirectUri) => {
    expect(sessionStateOf(request(redirectUri), 'state')).toBeNull();
  });

  test('the browser state tells sessions and realms apart and is not the session', () => {
    const other = brandId<SessionId>(newId());
    expect(browserStateOf(realm, sessionId)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(browserStateOf(realm, sessionId)).toBe(browserStateOf(realm, sessionId));
    expect(browserStateOf(realm, sessionId)).not.toBe(browserStateOf(realm, other));
    expect(browserStateOf({ ...realm, id: newId<RealmId>() }, sessionId)).not.toBe(browserStateOf(realm, sessionId));
  });
});
