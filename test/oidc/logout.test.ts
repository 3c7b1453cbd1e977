import { describe, expect, test } from 'bun:test';
import { newId, type SessionId } from '../../src/core/ids.ts';
import { decideLogout, type LogoutDecision, type LogoutFacts, logoutParameters } from '../../src/oidc/logout.ts';
import { sidOf } from '../../src/oidc/subject.ts';
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
