import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { brandId, type ClientId, newId, type SessionId, type UserId } from '../../src/core/ids.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Client } from '../../src/oidc/client.ts';
import { isSubject, sectorOf, sidOf, subjectOf } from '../../src/oidc/subject.ts';
import { otherRealmId, realm, realmWith, sessionId, spa, userId, web } from './parties.ts';

const pairwiseAt = (redirectUris: readonly string[], sector?: string): Client => ({
  ...web,
  redirectUris,
  metadata: { subject_type: 'pairwise', ...(sector === undefined ? {} : { sector_identifier_uri: sector }) },
});
const pairwise = pairwiseAt(['https://rp.example/callback']);
const otherSalt = realmWith({}, { secrets: { ...realm.secrets, pairwise: new Secret(Buffer.alloc(32, 9)) } });

describe('OIDC Core §8 public', () => {
  test('a subject is the id of its user, the same for every client', () => {
    expect(subjectOf(realm, web, userId)).toBe(userId);
    expect(subjectOf(realm, spa, userId)).toBe(userId);
    expect(subjectOf(realm, { ...web, metadata: { subject_type: 'public' } }, userId)).toBe(userId);
    expect(isSubject(web, userId)).toBe(true);
  });

  test.each(['web', '', `${userId} `, userId.toUpperCase(), `urn:uuid:${userId}`])('%j can name nobody', (subject) => {
    expect(isSubject(web, subject)).toBe(false);
  });
});

describe('OIDC Core §8.1 pairwise', () => {
  const subject = subjectOf(realm, pairwise, userId);

  test('it is 256 bits, base64url, and does not show the user', () => {
    expect(subject).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(Buffer.from(subject, 'base64url').toString('hex')).not.toContain(userId.replaceAll('-', ''));
    expect(isSubject(pairwise, subject)).toBe(true);
    expect(isSubject(pairwise, userId)).toBe(false);
    expect(isSubject(web, subject)).toBe(false);
  });

  test('another user, sector, realm or salt: another subject', () => {
    const others = [
      subjectOf(realm, pairwise, newId<UserId>()),
      subjectOf(realm, pairwiseAt(['https://other.example/callback']), userId),
      subjectOf(realmWith({}, { id: otherRealmId }), pairwise, userId),
      subjectOf(otherSalt, pairwise, userId),
    ];
    expect(new Set([subject, ...others]).size).toBe(5);
  });

  test('two clients of one sector call a user the same', () => {
    const sister = { ...pairwiseAt(['https://rp.example/other']), clientId: brandId<ClientId>('sister') };
    expect(subjectOf(realm, sister, userId)).toBe(subject);
    const many = pairwiseAt(['https://a.example/cb', 'https://b.example/cb'], 'https://rp.example/sector.json');
    expect(subjectOf(realm, many, userId)).toBe(subject);
  });

  test('clients without a sector are each one of their own', () => {
    const lost = pairwiseAt(['https://a.example/cb', 'https://b.example/cb']);
    const other = { ...lost, clientId: brandId<ClientId>('other') };
    expect(subjectOf(realm, lost, userId)).not.toBe(subjectOf(realm, other, userId));
    // No host can be spelled like that fallback.
    expect(subjectOf(realm, lost, userId)).not.toBe(subjectOf(realm, pairwiseAt(['https://client/cb']), userId));
  });

  const sectors: readonly (readonly [string, readonly string[], string | undefined, string | null])[] = [
    [
      'one host, whatever its port, path and case',
      ['https://rp.example/a', 'https://RP.example:8443/b'],
      undefined,
      'rp.example',
    ],
    ['several hosts', ['https://a.example/', 'https://b.example/'], undefined, null],
    [
      'several hosts with a sector document',
      ['https://a.example/', 'https://b.example/'],
      'https://s.example/x',
      's.example',
    ],
    ['no redirect URI', [], undefined, null],
    ['loopback', ['http://127.0.0.1/cb'], undefined, null],
    ['a private-use scheme', ['com.example.app:/cb'], undefined, null],
    ['a web host beside a private-use scheme', ['https://a.example/', 'com.example.app:/cb'], undefined, null],
    ['a sector document that is not https', ['https://a.example/'], 'http://s.example/x', null],
  ];
  test.each(sectors)('the sector of %s', (_, redirectUris, stated, sector) => {
    expect(sectorOf(pairwiseAt(redirectUris, stated))).toBe(sector);
  });

  test('property: the same exactly where user and sector are the same', () => {
    const users = fc.constantFrom(userId, newId<UserId>(), newId<UserId>());
    const hosts = fc.constantFrom('a.example', 'b.example', 'a.example.b.example');
    fc.assert(
      fc.property(users, users, hosts, hosts, (user, another, host, elsewhere) => {
        const one = subjectOf(realm, pairwiseAt([`https://${host}/1`]), user);
        const two = subjectOf(realm, pairwiseAt([`https://${elsewhere}/2`]), another);
        expect(one === two).toBe(user === another && host === elsewhere);
      }),
    );
  });
});

describe('OIDC Front-Channel Logout §3 sid', () => {
  test('the same session and client: the same sid; another of either, or another realm: another', () => {
    const sids = [
      sidOf(realm, web.clientId, sessionId),
      sidOf(realm, spa.clientId, sessionId),
      sidOf(realm, web.clientId, newId<SessionId>()),
      sidOf(realmWith({}, { id: otherRealmId }), web.clientId, sessionId),
      sidOf(otherSalt, web.clientId, sessionId),
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
