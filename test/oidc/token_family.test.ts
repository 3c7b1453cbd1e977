import { describe, expect, test } from 'bun:test';
import { brandId, type ClientId } from '../../src/core/ids.ts';
import { firstRefreshToken, heirOf } from '../../src/oidc/refresh_token.ts';
import { classifyRefresh, type FamilyRow, type Presentation } from '../../src/oidc/token_family.ts';
import { familyId, issuer, ring, ringOf, sessionId, userId, web } from './parties.ts';

const first = firstRefreshToken(familyId);
const second = heirOf(ring, first);
const third = heirOf(ring, second);

const row: FamilyRow = {
  generation: 2,
  secretHash: third.secretHash,
  clientId: web.clientId,
  revoked: false,
  alive: true,
  secondsSinceRotation: 10,
  senderKey: null,
  address: '192.0.2.1',
  agent: 'Firefox',
  grant: {
    clientId: web.clientId,
    userId,
    sessionId,
    scope: ['openid'],
    audience: [issuer],
    authTime: null,
    acr: null,
    amr: [],
    claims: { userinfo: [], idToken: [] },
  },
  userClaims: {},
};
const presented: Presentation = {
  clientId: web.clientId,
  assured: false,
  senderKey: null,
  leewaySeconds: 30,
  address: '192.0.2.1',
  agent: 'Firefox',
};
const classify = (token: typeof first, changes: Partial<FamilyRow> = {}, by: Partial<Presentation> = {}) =>
  classifyRefresh(ring, token, { ...row, ...changes }, { ...presented, ...by });

describe('the table of presented tokens', () => {
  test('no row: ended', () => {
    expect(classifyRefresh(ring, third, null, presented)).toEqual({ kind: 'ended' });
  });

  test('bound to a key that was not proved: neither usable nor to be ended, whatever its generation', () => {
    for (const token of [first, second, third]) {
      for (const senderKey of [null, 'another']) {
        expect(classify(token, { senderKey: 'key' }, { senderKey })).toEqual({ kind: 'other_key' });
      }
      expect(classify(token, { senderKey: 'key', revoked: true })).toEqual({ kind: 'ended' });
    }
    expect(classify(third, { senderKey: 'key' }, { senderKey: 'key' })).toEqual({ kind: 'current' });
  });

  test('the parent with the key that the family is bound to: a retry at any time', () => {
    const late = { senderKey: 'key', secondsSinceRotation: 1e6 };
    expect(classify(second, late, { senderKey: 'key' })).toMatchObject({ kind: 'retry' });
    expect(classify(second, { ...late, senderKey: null }, { senderKey: 'key' })).toMatchObject({ kind: 'reuse' });
  });

  test('the current token: what kept it from rotating is not the token', () => {
    expect(classify(third)).toEqual({ kind: 'current' });
  });

  test('the parent within the leeway: the heir that the row holds', () => {
    const verdict = classify(second, { secondsSinceRotation: 30 });
    expect(verdict).toMatchObject({ kind: 'retry', heir: { generation: 2, secretHash: third.secretHash } });
  });

  test('the parent after the leeway: reuse, unless the client is assured', () => {
    const late = { secondsSinceRotation: 30.001 };
    expect(classify(second, late)).toMatchObject({ kind: 'reuse', generationGap: 1 });
    expect(classify(second, late, { assured: true }).kind).toBe('retry');
  });

  test('older than the parent: reuse, also of an assured client and within the leeway', () => {
    for (const assured of [false, true]) {
      expect(classify(first, { secondsSinceRotation: 0 }, { assured })).toMatchObject({
        kind: 'reuse',
        generationGap: 2,
      });
    }
  });

  test('ahead of the row and descending from it: recover', () => {
    const held = { generation: 0, secretHash: first.secretHash };
    expect(classify(third, held)).toEqual({ kind: 'recover', from: held });
  });

  test('a secret that fits nothing, of any generation: mismatch', () => {
    const stranger = firstRefreshToken(familyId);
    for (const generation of [1, 2, 3, 20]) expect(classify({ ...stranger, generation })).toEqual({ kind: 'mismatch' });
  });

  test('a parent whose heir was made under an entry that is gone: mismatch, never reuse', () => {
    expect(classifyRefresh(ringOf(9), second, row, presented)).toEqual({ kind: 'mismatch' });
  });

  test.each([{ revoked: true }, { alive: false }, { secretHash: null }])(
    '%j: ended, whatever is presented',
    (changes) => {
      for (const token of [first, second, third, heirOf(ring, third)]) {
        expect(classify(token, changes)).toEqual({ kind: 'ended' });
      }
    },
  );

  test('another client: told apart before all else, so that it can end nothing', () => {
    const by = { clientId: brandId<ClientId>('other') };
    for (const token of [first, second, third]) {
      expect(classify(token, {}, by)).toEqual({ kind: 'other_client' });
      expect(classify(token, { revoked: true }, by)).toEqual({ kind: 'other_client' });
    }
  });
});

describe('what the audit log calls a reuse', () => {
  const elsewhere = { address: '198.51.100.7' };
  test.each([
    ['retry', second, 31, {}],
    ['retry', second, 300, {}],
    ['stale copy', second, 301, {}],
    ['parallel tab', first, 30, {}],
    ['stale copy', first, 31, {}],
    ['likely theft', second, 31, elsewhere],
    ['likely theft', first, 1, elsewhere],
    ['likely theft', first, 1, { agent: 'curl' }],
    ['likely theft', second, 31, { agent: null }],
  ] as const)('%s', (classification, token, secondsSinceRotation, by) => {
    expect(classify(token, { secondsSinceRotation }, by)).toMatchObject({ kind: 'reuse', classification });
  });
});
