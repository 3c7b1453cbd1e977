import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { granted, refused, ringOf } from '../oidc/parties.ts';
import { clientWith, familyHistories, type Histories, spa, web } from './family_histories.ts';

let store: Histories;

beforeAll(async () => {
  store = await familyHistories();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const day = 86_400;

/** Until the end of `work` the database's clock is ahead by so many seconds. */
async function later(seconds: number, work: () => Promise<unknown>): Promise<void> {
  await store.shiftClock(seconds);
  try {
    await work();
  } finally {
    await store.shiftClock(0);
  }
}

const refuses = async (token: string, sender = {}) =>
  expect(refused(await store.refresh(token, sender)).error).toBe('invalid_grant');

describe('a row that lost commits', () => {
  for (let lost = 1; lost <= 8; lost += 1) {
    test(`${lost} of them: the client goes on, its former token is dead, and it is audited`, async () => {
      const { familyId, token } = await store.born();
      const tokens = await store.rotate(token, 2);
      const kept = await store.row(familyId);
      const forgotten = await store.rotate(tokens.at(-1) ?? '', lost);
      await store.setBack(familyId, kept);
      const next = store.tokenOf(await store.refresh(forgotten.at(-1) ?? ''));
      expect((await store.row(familyId)).generation).toBe(2 + lost + 1);
      expect(await store.events(familyId)).toEqual([
        { event: 'token.recovered', detail: { lostGenerations: lost, from: 2, to: 2 + lost + 1 } },
      ]);
      expect((await store.rotate(next, 2)).length).toBe(3);
      await refuses(tokens.at(-1) ?? '');
      expect((await store.row(familyId)).revoked_reason).toBe('refresh token reuse');
    });
  }

  test('9 of them: refused, and nothing changes', async () => {
    const { familyId, token } = await store.born();
    const kept = await store.row(familyId);
    const forgotten = await store.rotate(token, 9);
    await store.setBack(familyId, kept);
    await refuses(forgotten.at(-1) ?? '');
    expect(await store.row(familyId)).toEqual(kept);
    expect(await store.events(familyId)).toEqual([{ event: 'token.mismatch', detail: {} }]);
  });

  test('under other ring entries on the way: the client goes on', async () => {
    const { familyId, token } = await store.born();
    const kept = await store.row(familyId);
    const [, first = ''] = await store.rotate(token, 1, { ring: ringOf(1) });
    const [, , second = ''] = await store.rotate(first, 2, { ring: ringOf(2, 1) });
    const [, third = ''] = await store.rotate(second, 1, { ring: ringOf(3, 2, 1) });
    await store.setBack(familyId, kept);
    granted(await store.refresh(third, { ring: ringOf(3, 2, 1) }));
    expect((await store.row(familyId)).generation).toBe(5);
  });

  test('the parent of what was lost, because the last answer was lost too: the same heir as before', async () => {
    const { familyId, token } = await store.born();
    const kept = await store.row(familyId);
    const [, parent = '', heir = ''] = await store.rotate(token, 2);
    await store.setBack(familyId, kept);
    expect(store.tokenOf(await store.refresh(parent))).toBe(heir);
    granted(await store.refresh(heir));
  });

  test('after a revocation: adopts nothing', async () => {
    const { familyId, token } = await store.born();
    const kept = await store.row(familyId);
    const forgotten = await store.rotate(token, 3);
    await store.setBack(familyId, kept);
    await store.families.revoke(familyId, store.realmId, web.clientId, 'revoked by client');
    await refuses(forgotten.at(-1) ?? '');
    expect((await store.row(familyId)).generation).toBe(0);
  });
});

describe('the parent again, within the leeway', () => {
  const same = { address: '192.0.2.1', agent: 'the app' };

  test.each([
    ['from the same place', same, false],
    ['from another agent', { ...same, agent: 'curl' }, true],
    ['from another address', { ...same, address: '198.51.100.7' }, true],
  ])('%s: the same heir; audited: %p', async (_, sender, isAudited) => {
    const { familyId, token } = await store.born(spa);
    const heir = store.tokenOf(await store.refresh(token, { client: spa }));
    const before = await store.row(familyId);
    expect(store.tokenOf(await store.refresh(token, { client: spa, ...sender }))).toBe(heir);
    expect(await store.row(familyId)).toEqual(before);
    const detail = { heir: { generation: 1, ...same }, ageSeconds: 0 };
    expect(await store.events(familyId)).toEqual(isAudited ? [{ event: 'token.retried', detail }] : []);
    const audited = await store.database.sql`
      SELECT address, agent FROM audit_events WHERE family_id = ${familyId}`;
    expect([...audited].map(({ agent }) => agent)).toEqual(isAudited ? [sender.agent] : []);
  });
});

describe('an old refresh token', () => {
  const elsewhere = { address: '198.51.100.7', agent: 'curl' };

  test('ends the family, with one event that holds both presentations', async () => {
    const { familyId, token } = await store.born();
    const [, , , current = ''] = await store.rotate(token, 3);
    await refuses(token, elsewhere);
    expect(await store.events(familyId)).toEqual([
      {
        event: 'token.reuse',
        detail: {
          class: 'likely theft',
          reaction: 'family',
          generationGap: 3,
          presented: { generation: 0, ...elsewhere },
          current: { generation: 3, address: '192.0.2.1', agent: 'the app', ageSeconds: 0 },
        },
      },
    ]);
    expect(await store.row(familyId)).toMatchObject({ generation: 3, revoked_reason: 'refresh token reuse' });
    await refuses(current);
    expect(await store.families.readLive(familyId, store.realmId)).toBeNull();
  });

  const classes = [
    ['of the same app at once: a parallel tab', 2, 0, {}, 'parallel tab'],
    ['of the same app much later: a stale copy', 2, day, {}, 'stale copy'],
    ['from another address: likely theft', 2, 0, { address: '198.51.100.7' }, 'likely theft'],
    ['of another agent: likely theft', 2, 0, { agent: 'curl' }, 'likely theft'],
    ['the parent, soon after its leeway: a retry', 1, 60, {}, 'retry'],
    ['the parent, days later: a stale copy', 1, 2 * day, {}, 'stale copy'],
  ] as const;
  for (const [what, gap, seconds, sender, expected] of classes) {
    test(`${what}`, async () => {
      const { familyId, token } = await store.born(spa);
      await store.rotate(token, gap, { client: spa });
      await later(seconds, () => refuses(token, { client: spa, ...sender }));
      const [event, ...more] = await store.events(familyId);
      expect([event?.event, event?.detail['class'], more.length]).toEqual(['token.reuse', expected, 0]);
    });
  }

  test('the parent after the leeway: reuse for a bearer public client, the same heir for one that authenticated', async () => {
    const open = await store.born(spa);
    const [, openHeir] = await store.rotate(open.token, 1, { client: spa });
    const closed = await store.born(web);
    const [, closedHeir] = await store.rotate(closed.token, 1);
    await later(29, async () => {
      expect(store.tokenOf(await store.refresh(open.token, { client: spa }))).toBe(openHeir ?? '');
    });
    await later(31, async () => {
      await refuses(open.token, { client: spa });
      expect(store.tokenOf(await store.refresh(closed.token))).toBe(closedHeir ?? '');
    });
    expect((await store.row(open.familyId)).revoked_reason).toBe('refresh token reuse');
    expect(await store.row(closed.familyId)).toMatchObject({ generation: 1, revoked_at: null });
  });

  test('of a leeway of none: the parent is reuse at once', async () => {
    const strict = clientWith(spa, 'strict', { refreshLeewaySeconds: 0 });
    const { familyId, token } = await store.born(strict);
    await store.rotate(token, 1, { client: strict });
    await refuses(token, { client: strict });
    expect((await store.events(familyId)).map(({ event }) => event)).toEqual(['token.reuse']);
  });

  test('presented by another client: refused, and nothing changes', async () => {
    const { familyId, token } = await store.born(spa);
    await store.rotate(token, 2, { client: spa });
    const before = await store.row(familyId);
    await refuses(token, { client: clientWith(spa, 'another') });
    expect(await store.row(familyId)).toEqual(before);
    expect(await store.events(familyId)).toEqual([]);
  });

  describe('with the reaction', () => {
    const pair = async (reuseReaction: 'family' | 'session' | 'user') => {
      const client = clientWith(spa, `reacts-${reuseReaction}`, { reuseReaction });
      const first = await store.born(client);
      await store.rotate(first.token, 2, { client });
      // A second family of the same person in the same session, and one in another session.
      const again = await store.born(client);
      await store.database.sql`
        UPDATE token_families SET user_id = ${first.userId}, session_id = ${first.sessionId} WHERE id = ${again.familyId}`;
      const other = await store.born(client);
      await store.database.sql`UPDATE token_families SET user_id = ${first.userId} WHERE id = ${other.familyId}`;
      await refuses(first.token, { client });
      const lives = async (token: string) => (await store.refresh(token, { client })).ok;
      return [await lives(again.token), await lives(other.token)];
    };

    test('family: the others live', async () => expect(await pair('family')).toEqual([true, true]));
    test('session: those of the session end with it', async () => {
      expect(await pair('session')).toEqual([false, true]);
      expect(await store.eventsOf('session.ended')).toEqual([
        { event: 'session.ended', detail: { reason: 'refresh token reuse' } },
      ]);
    });
    test('user: all of the person’s end', async () => {
      expect(await pair('user')).toEqual([false, false]);
      expect(await store.eventsOf('user.signed_out_everywhere')).toEqual([
        { event: 'user.signed_out_everywhere', detail: { reason: 'refresh token reuse' } },
      ]);
    });
  });
});

describe('rotation `never`', () => {
  const still = clientWith(web, 'still', { rotation: 'never' });

  test('of a confidential client: the same token again and again, and its idle time starts anew', async () => {
    const { familyId, token } = await store.born(still);
    const before = await store.row(familyId);
    await later(13 * day, async () => {
      const tokens = await store.rotate(token, 3, { client: still });
      expect(new Set(tokens).size).toBe(1);
    });
    const after = await store.row(familyId);
    expect([after.generation, after.secret_hash]).toEqual([0, before.secret_hash]);
    expect(after.rotated_at).toBeGreaterThan(before.rotated_at);
    await later(26 * day, async () => granted(await store.refresh(token, { client: still })));
  });

  test('is not heard from a public client (RFC 9700 §4.14.2)', async () => {
    const client = clientWith(spa, 'still-public', { rotation: 'never' });
    const { token } = await store.born(client);
    expect(store.tokenOf(await store.refresh(token, { client }))).not.toBe(token);
  });
});

describe('lifetime', () => {
  const brief = clientWith(web, 'brief', { refreshIdleLifetimeSeconds: 3600 });

  test('a token that is used lives on; one that is not ends', async () => {
    const { familyId, token } = await store.born(brief);
    let current = token;
    for (const seconds of [3500, 7000, 10_500]) {
      await later(seconds, async () => {
        current = store.tokenOf(await store.refresh(current, { client: brief }));
      });
    }
    const before = await store.row(familyId);
    await later(10_500 + 3600, () => refuses(current, { client: brief }));
    expect(await store.row(familyId)).toEqual(before);
    expect(await store.events(familyId)).toEqual([]);
  });

  test('refreshing never goes past the absolute end', async () => {
    const { token } = await store.born(web, { familyLifetimeSeconds: 7200 });
    let current = token;
    for (const seconds of [3500, 7000, 7198]) {
      await later(seconds, async () => {
        current = store.tokenOf(await store.refresh(current));
      });
    }
    await later(7201, () => refuses(current));
  });

  test('what is long over is refused without a query', async () => {
    const { token } = await store.born(web, { familyLifetimeSeconds: 0 });
    await Bun.sleep(2100);
    expect(await store.statementsOf(() => refuses(token))).toEqual([]);
  });
});

describe('the key ring', () => {
  test('rotates between refreshes: old tokens go on, retries give the same heir, whatever the order of restarts', async () => {
    const { token } = await store.born(web);
    const before = ringOf(1);
    const both = ringOf(2, 1);
    const first = granted(await store.refresh(token, { ring: before })).refreshToken;
    const retried = granted(await store.refresh(token, { ring: both })).refreshToken;
    expect(retried?.secretHash).toEqual(first?.secretHash ?? Buffer.alloc(0));
    const text = store.tokenOf(await store.refresh(token, { ring: both }), both);
    const second = store.tokenOf(await store.refresh(text, { ring: both }), both);
    // A process that was not restarted yet: an outage, not reuse.
    await refuses(second, { ring: before });
    const after = ringOf(3, 2);
    granted(await store.refresh(second, { ring: after }));
    // What only the removed entry could read is unknown, and nothing happens to the family.
    await refuses(token, { ring: after });
  });

  test('an unknown key ends nothing', async () => {
    const { familyId, token } = await store.born(web);
    await store.rotate(token, 3);
    await refuses(token, { ring: ringOf(7) });
    expect((await store.row(familyId)).revoked_at).toBeNull();
  });
});

describe('a code', () => {
  test('a second time: refused, and the family of the first dies with one event', async () => {
    const sealed = await store.code();
    const token = store.tokenOf(await store.redeem(sealed));
    for (let time = 0; time < 3; time += 1) refused(await store.redeem(sealed));
    expect((await store.events(sealed.familyId)).map(({ event }) => event)).toEqual(['code.replayed']);
    await refuses(token);
  });

  test('by another client: refused, and nothing is consumed', async () => {
    const sealed = await store.code();
    refused(await store.redeem(sealed, { client: clientWith(web, 'another') }));
    granted(await store.redeem(sealed));
  });

  test('after the session’s end, of a disabled user, or from before `valid_from`: refused, nothing is made', async () => {
    const { sql } = store.database;
    const ended = await store.code();
    await store.endSession(ended.sessionId);
    const disabled = await store.code();
    await sql`UPDATE users SET enabled = false WHERE id = ${disabled.userId}`;
    const out = await store.code();
    await Bun.sleep(5);
    await sql`UPDATE users SET valid_from = limen_now() WHERE id = ${out.userId}`;
    for (const sealed of [ended, disabled, out]) {
      refused(await store.redeem(sealed));
      const rows = await sql`SELECT 1 FROM token_families WHERE id = ${sealed.familyId}`;
      expect(rows.length).toBe(0);
    }
  });
});

describe('liveness', () => {
  test('logout ends what is bound to the session; offline_access lives on; "everywhere" ends that, too', async () => {
    const { sql } = store.database;
    const bound = await store.born();
    const offline = await store.born(web, { scope: ['openid', 'offline_access'] });
    for (const { sessionId } of [bound, offline]) await store.endSession(sessionId);
    await refuses(bound.token);
    expect(await store.families.readLive(bound.familyId, store.realmId)).toBeNull();
    const next = store.tokenOf(await store.refresh(offline.token));
    expect(await store.families.readLive(offline.familyId, store.realmId)).not.toBeNull();
    await Bun.sleep(5);
    await sql`UPDATE users SET valid_from = limen_now() WHERE id = ${offline.userId}`;
    await refuses(next);
    expect(await store.families.readLive(offline.familyId, store.realmId)).toBeNull();
  });

  test('a disabled user’s tokens are dead, and alive again when enabled again', async () => {
    const { sql } = store.database;
    const { familyId, token, userId } = await store.born();
    await sql`UPDATE users SET enabled = false WHERE id = ${userId}`;
    await refuses(token);
    expect(await store.families.readLive(familyId, store.realmId)).toBeNull();
    await sql`UPDATE users SET enabled = true WHERE id = ${userId}`;
    granted(await store.refresh(token));
  });
});
