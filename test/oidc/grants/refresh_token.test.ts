import { describe, expect, test } from 'bun:test';
import { brandId, type ClientId } from '../../../src/core/ids.ts';
import type { Client } from '../../../src/oidc/client.ts';
import { encodeRefreshToken, type RefreshToken } from '../../../src/oidc/refresh_token.ts';
import type { FamiliesInMemory } from '../families_in_memory.ts';
import {
  callback,
  granted,
  issuer,
  otherRealmId,
  realmId,
  realmWith,
  refused,
  ring,
  ringOf,
  second,
  sessionId,
  spa,
  start,
  userId,
  verifier,
  web,
  withSettings,
} from '../parties.ts';
import { ann, type Circumstances, database, monthSeconds, newFamilyId, proofOf, sealed, send } from './redeem.ts';

const api = 'https://api.example';
const mail = 'https://mail.example';
const grantOfAnn = { scope: ['openid', 'api', 'mail'], audience: [api, mail, issuer] };

/** A family of Ann's and its first refresh token. */
async function born(client: Client = web, content: object = grantOfAnn) {
  const families = database();
  const familyId = newFamilyId();
  const code = sealed({ client_id: client.clientId, ...content }, familyId);
  const sent = { grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier, code };
  const { refreshToken } = granted(await send(families, sent, { client }));
  if (refreshToken === null) throw new Error('no refresh token');
  families.calls.length = 0;
  return { families, familyId, first: textOf(refreshToken) };
}

const textOf = (token: RefreshToken): string => encodeRefreshToken(ring, realmId, token);

const refresh = (families: FamiliesInMemory, text: string, circumstances: Circumstances = {}, more: object = {}) =>
  send(families, { grant_type: 'refresh_token', refresh_token: text, ...more }, circumstances);

async function next(families: FamiliesInMemory, text: string, circumstances: Circumstances = {}): Promise<string> {
  const { refreshToken } = granted(await refresh(families, text, circumstances));
  if (refreshToken === null) throw new Error('no refresh token');
  return textOf(refreshToken);
}

describe('RFC 6749 §6', () => {
  test('the grant as it was made, a new refresh token of the next generation, no nonce (OIDC Core §12.2)', async () => {
    const { families, familyId, first } = await born();
    const issue = granted(await refresh(families, first));
    expect(issue).toMatchObject({
      grant: {
        clientId: 'web',
        userId,
        sessionId,
        ...grantOfAnn,
        authTime: start / 1000 - 5,
        acr: 'pwd',
        amr: ['pwd'],
      },
      scope: grantOfAnn.scope,
      familyId,
      refreshToken: { familyId, generation: 1 },
      nonce: null,
      userClaims: ann,
    });
    expect(families.calls).toEqual(['rotate']);
  });

  test.each([
    ['fewer scopes', { scope: 'mail' }, ['mail']],
    ['in another order and twice, plus spaces', { scope: ' mail  api mail ' }, ['api', 'mail']],
    ['the same', { scope: 'openid api mail' }, ['openid', 'api', 'mail']],
    ['none named', { scope: '' }, ['openid', 'api', 'mail']],
  ])('%s: narrowed for this access token only', async (_, more, scope) => {
    const { families, first } = await born();
    const issue = granted(await refresh(families, first, {}, more));
    expect([...issue.scope]).toEqual(scope);
    expect(issue.grant.scope).toEqual(grantOfAnn.scope);
    if (issue.refreshToken === null) throw new Error('no refresh token');
    expect(granted(await refresh(families, textOf(issue.refreshToken))).scope).toEqual(grantOfAnn.scope);
  });

  test.each([
    ['a scope more', { scope: 'openid admin' }, 'invalid_scope'],
    ['another scope', { scope: 'admin' }, 'invalid_scope'],
    ['only spaces', { scope: ' ' }, 'invalid_scope'],
    ['no scope token', { scope: 'api "' }, 'invalid_scope'],
    ['a scope of other case', { scope: 'API' }, 'invalid_scope'],
    ['a resource that was not granted', { resource: [api, 'https://other.example'] }, 'invalid_target'],
    ['scope twice', { scope: ['api', 'mail'] }, 'invalid_request'],
    ['the token twice', { refresh_token: ['a', 'b'] }, 'invalid_request'],
  ])(
    '%s: refused, for the current token and for its parent alike, and the token is not used up',
    async (_, more, error) => {
      const { families, familyId, first } = await born();
      const row = families.row(familyId);
      expect<string>(refused(await refresh(families, first, {}, more)).error).toBe(error);
      expect(families.row(familyId)).toBe(row);
      const heir = await next(families, first);
      expect<string>(refused(await refresh(families, first, {}, more)).error).toBe(error);
      expect((await refresh(families, heir)).ok).toBe(true);
    },
  );

  test.each([
    ['noise', 'abc'],
    ['too long', 'A'.repeat(513)],
    ['missing', ''],
  ])('%s: refused without asking the database', async (_, text) => {
    const { families } = await born();
    expect(['invalid_grant', 'invalid_request']).toContain(refused(await refresh(families, text)).error);
    expect(families.calls).toEqual([]);
  });

  test('a token whose family never was, or of another realm: refused', async () => {
    const { families, first } = await born();
    const stranger = await born();
    expect(refused(await refresh(families, stranger.first)).error).toBe('invalid_grant');
    expect(refused(await refresh(families, first, { realm: realmWith({}, { id: otherRealmId }) })).error).toBe(
      'invalid_grant',
    );
  });

  test('every way to be invalid_grant says the same', async () => {
    const { families, first } = await born(spa);
    const other = { ...spa, clientId: brandId<ClientId>('other') };
    const refusals = [
      await refresh(families, 'abc', { client: spa }),
      await refresh(families, first, { client: other }),
    ];
    const second = await next(families, first, { client: spa });
    await next(families, second, { client: spa });
    refusals.push(await refresh(families, first, { client: spa }), await refresh(families, second, { client: spa }));
    expect(new Set(refusals.map((result) => JSON.stringify(refused(result)))).size).toBe(1);
  });
});

describe('RFC 7523 §3: an assertion counts once', () => {
  test('with the parent again: a new assertion gets the heir, a spent one is no authentication', async () => {
    const { families, first } = await born();
    const heir = await next(families, first, { proofs: [proofOf('one')] });
    expect(refused(await refresh(families, first, { proofs: [proofOf('one')] })).error).toBe('invalid_client');
    expect(await next(families, first, { proofs: [proofOf('two')] })).toBe(heir);
    expect(families.audited).toEqual([]);
  });
});

describe('RFC 8707 §2.2', () => {
  test.each([
    [{ resource: mail }, [mail, issuer]],
    [{ resource: [mail, api, mail] }, [api, mail, issuer]],
    [{ resource: mail, scope: 'mail' }, [mail]],
    [{ resource: '' }, [api, mail, issuer]],
  ])('%j: the audience is %j, in the order granted, each once', async (more, audience) => {
    const { families, first } = await born();
    expect([...granted(await refresh(families, first, {}, more)).grant.audience]).toEqual(audience);
    expect([...granted(await refresh(families, first, {}, more)).grant.audience]).toEqual(audience);
  });

  test('the example of figures 4 and 5: the code for one resource, the refresh for the other', async () => {
    const families = database();
    const sent = {
      grant_type: 'authorization_code',
      redirect_uri: callback,
      code_verifier: verifier,
      code: sealed(grantOfAnn),
    };
    const issue = granted(await send(families, { ...sent, resource: api }));
    if (issue.refreshToken === null) throw new Error('no refresh token');
    expect(
      granted(await refresh(families, textOf(issue.refreshToken), {}, { resource: mail })).grant.audience,
    ).toContain(mail);
  });
});

describe('RFC 9700 §4.14.2: the parent again', () => {
  test.each([
    ['public, just within the leeway', spa, 30, true],
    ['public, a second later', spa, 31, false],
    ['public without leeway, at once', withSettings(spa, { refreshLeewaySeconds: 0 }), 0, true],
    ['public without leeway, a second later', withSettings(spa, { refreshLeewaySeconds: 0 }), 1, false],
    ['confidential, days later', web, 13 * 86_400, true],
  ])('%s', async (_, client, seconds, passes) => {
    const { families, familyId, first } = await born(client);
    const heir = await next(families, first, { client });
    const row = families.row(familyId);
    families.now += seconds * second;
    const again = await refresh(families, first, { client });
    expect(again.ok).toBe(passes);
    if (passes) {
      expect(textOf(granted(again).refreshToken ?? never())).toBe(heir);
      expect(families.row(familyId)).toBe(row);
      expect((await refresh(families, heir, { client })).ok).toBe(true);
    } else {
      expect(families.row(familyId)?.revokedAt).toBe(families.now);
      expect(refused(await refresh(families, heir, { client })).error).toBe('invalid_grant');
    }
  });

  test('the leeway counts from the rotation, and a retry does not prolong it', async () => {
    const { families, first } = await born(spa);
    await next(families, first, { client: spa });
    families.now += 20 * second;
    expect((await refresh(families, first, { client: spa })).ok).toBe(true);
    families.now += 11 * second;
    expect((await refresh(families, first, { client: spa })).ok).toBe(false);
  });

  test('a hundred at once: one heir', async () => {
    const { families, familyId, first } = await born(spa);
    const heirs = await Promise.all(Array.from({ length: 100 }, () => next(families, first, { client: spa })));
    expect(new Set(heirs).size).toBe(1);
    expect(families.row(familyId)?.generation).toBe(1);
  });

  test('from another agent it is answered and audited, from the same one it leaves no trace', async () => {
    for (const client of [spa, web]) {
      const { families, familyId, first } = await born(client);
      const heir = await next(families, first, { client });
      expect(await next(families, first, { client })).toBe(heir);
      expect(families.audited).toEqual([]);
      expect(await next(families, first, { client, agent: 'a copy/1.0' })).toBe(heir);
      expect(families.audited).toEqual([{ event: 'token.retried', familyId }]);
    }
  });

  test('from another agent with more than was granted: refused, and it is not audited as answered', async () => {
    const { families, first } = await born(spa);
    await next(families, first, { client: spa });
    const sent = await refresh(families, first, { client: spa, agent: 'a copy/1.0' }, { scope: 'openid admin' });
    expect(refused(sent).error).toBe('invalid_scope');
    expect(families.audited).toEqual([]);
  });

  test('after the ring of keys has rotated, the parent still gets the heir that the row holds', async () => {
    const { families, first } = await born();
    const heir = granted(await refresh(families, first)).refreshToken;
    const again = granted(await refresh(families, first, { ring: ringOf(2, 1) })).refreshToken;
    expect(again?.secret.reveal()).toEqual(heir?.secret.reveal() ?? Buffer.alloc(0));
  });
});

describe('RFC 9700 §4.14.2: reuse', () => {
  test('a grandparent ends the family for ever, with one audit event, also for a confidential client', async () => {
    for (const client of [spa, web]) {
      const { families, familyId, first } = await born(client);
      const newest = await next(families, await next(families, first, { client }), { client });
      expect(refused(await refresh(families, first, { client })).error).toBe('invalid_grant');
      families.now += 86_400 * second;
      for (const text of [newest, first]) expect((await refresh(families, text, { client })).ok).toBe(false);
      expect(families.audited).toEqual([{ event: 'token.reuse', familyId }]);
    }
  });

  test.each(['family', 'session', 'user'] as const)(
    'the reaction %s reaches as far as its name says',
    async (reuseReaction) => {
      const client = withSettings(spa, { reuseReaction });
      const { families, first } = await born(client);
      await next(families, await next(families, first, { client }), { client });
      families.now += second;
      await refresh(families, first, { client });
      expect(families.sessions.get(sessionId)?.endedAt).toBe(reuseReaction === 'session' ? families.now : null);
      expect(families.users.get(userId)?.validFrom).toBe(reuseReaction === 'user' ? families.now : 0);
    },
  );

  test('a token of this family in the hands of another client changes nothing, not even the audit log', async () => {
    const { families, familyId, first } = await born(spa);
    const newest = await next(families, await next(families, first, { client: spa }), { client: spa });
    const row = families.row(familyId);
    for (const client of [web, { ...spa, clientId: brandId<ClientId>('other') }]) {
      for (const text of [first, newest]) expect((await refresh(families, text, { client })).ok).toBe(false);
    }
    expect(families.row(familyId)).toBe(row);
    expect(families.audited).toEqual([]);
    expect((await refresh(families, newest, { client: spa })).ok).toBe(true);
  });
});

describe('how long a family lives', () => {
  const idle = 14 * 86_400;
  test.each([
    ['just not idle', idle * second - 1, true],
    ['idle', idle * second, false],
  ])('%s', async (_, wait, passes) => {
    const { families, first } = await born();
    families.now += wait;
    expect((await refresh(families, first)).ok).toBe(passes);
    expect(families.audited).toEqual([]);
  });

  test('refreshing every week never carries it beyond its absolute end', async () => {
    const { families, first } = await born();
    let text = first;
    for (let week = 1; week <= 4; week += 1) {
      families.now += 7 * 86_400 * second;
      text = await next(families, text);
    }
    families.now = start + monthSeconds * second - 1;
    text = await next(families, text);
    families.now += 1;
    expect(refused(await refresh(families, text)).error).toBe('invalid_grant');
  });

  test.each(['user disabled', 'signed out everywhere', 'session ended', 'client cut', 'realm cut'])(
    '%s: refused, and a grandparent is then no reuse any more',
    async (what) => {
      const { families, first } = await born();
      const newest = await next(families, await next(families, first));
      const user = families.users.get(userId) ?? never();
      const session = families.sessions.get(sessionId) ?? never();
      if (what === 'user disabled') user.enabled = false;
      if (what === 'signed out everywhere') user.validFrom = start + 1;
      if (what === 'session ended') session.endedAt = start;
      const circumstances = {
        client: what === 'client cut' ? { ...web, validFrom: start + 1 } : web,
        realm: realmWith({}, { validFrom: what === 'realm cut' ? start + 1 : 0 }),
      };
      for (const text of [newest, first]) {
        expect(refused(await refresh(families, text, circumstances)).error).toBe('invalid_grant');
      }
      expect(families.audited).toEqual([]);
    },
  );

  test('offline_access lives on when the session ends', async () => {
    const { families, first } = await born(web, { scope: ['openid', 'offline_access'] });
    const session = families.sessions.get(sessionId) ?? never();
    session.endedAt = start;
    expect((await refresh(families, first)).ok).toBe(true);
  });
});

describe('lost commits', () => {
  test.each([
    [1, true],
    [8, true],
    [9, false],
  ])('%d generations forgotten: %p', async (lost, passes) => {
    const { families, familyId, first } = await born(spa);
    let text = first;
    for (let generation = 0; generation < lost; generation += 1) text = await next(families, text, { client: spa });
    families.loseCommits(lost);
    expect(families.row(familyId)?.generation).toBe(0);
    const result = await refresh(families, text, { client: spa });
    expect(result.ok).toBe(passes);
    expect(families.row(familyId)?.generation).toBe(passes ? lost + 1 : 0);
    expect(families.audited).toEqual([{ event: passes ? 'token.recovered' : 'token.mismatch', familyId }]);
  });

  test('a recovered family goes on, and its lost generations are reuse', async () => {
    const { families, first } = await born(spa);
    const lost = await next(families, await next(families, first, { client: spa }), { client: spa });
    families.loseCommits(2);
    const recovered = await next(families, lost, { client: spa });
    expect(await next(families, lost, { client: spa })).toBe(recovered);
    expect((await refresh(families, first, { client: spa })).ok).toBe(false);
    expect((await refresh(families, recovered, { client: spa })).ok).toBe(false);
  });

  test('a client that does not rotate has nothing to lose', async () => {
    const client = withSettings(web, { rotation: 'never' });
    const { families, first } = await born(client);
    for (let time = 0; time < 3; time += 1) expect(await next(families, first, { client })).toBe(first);
    families.loseCommits(3);
    expect(await next(families, first, { client })).toBe(first);
  });

  test('idle before the failover stays idle: recovery asks for the same preconditions', async () => {
    const { families, first } = await born();
    families.now += 13 * 86_400 * second;
    const heir = await next(families, first);
    families.loseCommits(1);
    families.now += 2 * 86_400 * second;
    expect((await refresh(families, heir)).ok).toBe(false);
  });
});

function never(): never {
  throw new Error('this cannot be missing');
}
