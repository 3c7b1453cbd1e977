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

const ofDevice = {
  kind: 'device' as const,
  clientId: 'television',
  familyId: '01900000-0000-7000-8000-00000000a11c',
  userCode: 'BCDF-GHJK',
  scope: ['openid'],
  audience: ['https://id.example.com'],
  address: null,
  agent: null,
  uiLocales: [],
  receivedAt: 1_700_000_000_000,
  expiresAt: 1_700_000_600_000,
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

  test('for a device names it, what it asks for and what the person is to recognise', () => {
    for (const address of [null, '203.0.113.7']) {
      expect(readRunRequest({ ...ofDevice, address })).toEqual({ ...ofDevice, address });
    }
  });

  test.each([
    [{ kind: 'account' }],
    [{ ...ofDevice, audience: undefined }],
    [{ ...ofDevice, kind: 'account' }],
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
