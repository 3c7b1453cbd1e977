import { describe, expect, test } from 'bun:test';
import { readRunRequest } from '../../src/endpoints/interaction/destination.ts';

/** What runs keep of where they end, as this and other versions of the server wrote it. */
const ofClient = {
  clientId: 'app',
  target: { redirectUri: 'https://client.example/callback', responseMode: 'query', state: null },
  responseType: 'code',
  scope: ['openid'],
  audience: ['https://id.example.com'],
  nonce: null,
  codeChallenge: null,
  prompt: [],
  maxAgeSeconds: null,
  claims: { userinfo: [], idToken: [], subject: null, acr: { values: [], essential: false } },
  acr: { values: [], essential: false },
  subject: null,
  loginHint: null,
  uiLocales: [],
  receivedAt: 1_700_000_000_000,
};

describe('the request of a run', () => {
  test('of a client is what it was before runs could end elsewhere', () => {
    expect<unknown>(readRunRequest(ofClient)).toEqual(ofClient);
  });

  test('for the account page says whether somebody must sign in again', () => {
    for (const again of [null, { userId: 'u', username: 'alice' }]) {
      expect(readRunRequest({ kind: 'account', again })).toEqual({ kind: 'account', again });
    }
  });

  test.each([
    [{ kind: 'account' }],
    [{ kind: 'account', again: 'alice' }],
    [{ kind: 'account', again: { userId: 'u' } }],
    [{ kind: 'another', again: null }],
    [{}],
    [null],
    ['account'],
  ])('%j is none', (document) => {
    expect(readRunRequest(document)).toBeNull();
  });
});
