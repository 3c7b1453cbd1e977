import { describe, expect, test } from 'bun:test';
import { brandId, type ClientId, newId, type SessionId } from '../../src/core/ids.ts';
import { Secret } from '../../src/core/secret.ts';
import { sidOf, subjectOf, userOfSubject } from '../../src/oidc/subject.ts';
import { otherRealmId, realm, realmWith, sessionId, spa, userId, web } from './parties.ts';

describe('OIDC Core §8', () => {
  test('a subject names its user back', () => {
    expect(userOfSubject(subjectOf(userId))).toBe(userId);
  });

  test.each(['web', '', `${userId} `, userId.toUpperCase(), `urn:uuid:${userId}`])('%j names nobody', (subject) => {
    expect(userOfSubject(subject)).toBeNull();
  });
});

describe('OIDC Front-Channel Logout §3 sid', () => {
  test('the same session and client: the same sid; another of either, or another realm: another', () => {
    const sids = [
      sidOf(realm, web.clientId, sessionId),
      sidOf(realm, spa.clientId, sessionId),
      sidOf(realm, web.clientId, newId<SessionId>()),
      sidOf(realmWith({}, { id: otherRealmId }), web.clientId, sessionId),
      sidOf(
        realmWith({}, { secrets: { ...realm.secrets, pairwise: new Secret(Buffer.alloc(32, 9)) } }),
        web.clientId,
        sessionId,
      ),
    ];
    expect(new Set(sids).size).toBe(sids.length);
    expect(sidOf(realm, web.clientId, sessionId)).toBe(sids[0] ?? '');
  });

  test('it does not show the session id', () => {
    const sid = sidOf(realm, web.clientId, sessionId);
    expect(Buffer.from(sid, 'base64url').toString('hex')).not.toBe(sessionId.replaceAll('-', ''));
    expect(sid).toMatch(/^[A-Za-z0-9_-]{22}$/);
  });

  test('a client id cannot be chosen so that it runs into the session id', () => {
    const odd = brandId<ClientId>(`web\n${sessionId}`);
    expect(sidOf(realm, odd, sessionId)).not.toBe(sidOf(realm, web.clientId, sessionId));
  });
});
