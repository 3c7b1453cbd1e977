import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { FamilyId } from '../../src/core/ids.ts';
import type { ProofToSpend, Rotation } from '../../src/oidc/ports.ts';
import { decodeRefreshToken } from '../../src/oidc/refresh_token.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { granted, ring as partyRing } from '../oidc/parties.ts';
import { clientWith, familyHistories, type Histories, spa, web } from './family_histories.ts';

/** What happens at once must come out as if it had happened in some order. Sixteen connections, so that it does. */

let store: Histories;

beforeAll(async () => {
  store = await familyHistories({ connections: 16 });
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const times = <Value>(count: number, work: (index: number) => Promise<Value>): Promise<readonly Value[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => work(index)));

describe('100 parallel refreshes of one token', () => {
  for (const client of [spa, web]) {
    test(`of a ${client.class} client: one heir, nobody is refused, one generation`, async () => {
      const { familyId, token } = await store.born(client);
      let current = token;
      for (let generation = 1; generation <= 5; generation += 1) {
        const issued = await times(100, () => store.refresh(current, { client }));
        const heirs = new Set(issued.map((one) => store.tokenOf(one)));
        expect(heirs.size).toBe(1);
        expect((await store.row(familyId)).generation).toBe(generation);
        current = [...heirs][0] ?? '';
      }
      expect(await store.events(familyId)).toEqual([]);
    });
  }

  test('of a client that does not rotate: the same token, nobody is refused', async () => {
    const client = clientWith(web, 'still', { rotation: 'never' });
    const { familyId, token } = await store.born(client);
    const issued = await times(100, () => store.refresh(token, { client }));
    expect(new Set(issued.map((one) => store.tokenOf(one)))).toEqual(new Set([token]));
    expect((await store.row(familyId)).generation).toBe(0);
  });

  for (const lost of [1, 8]) {
    test(`that lost ${lost} commits: one heir, nobody is refused, recovered once`, async () => {
      const { familyId, token } = await store.born(spa);
      const kept = await store.row(familyId);
      const forgotten = await store.rotate(token, lost, { client: spa });
      await store.setBack(familyId, kept);
      const issued = await times(100, () => store.refresh(forgotten.at(-1) ?? '', { client: spa }));
      expect(new Set(issued.map((one) => store.tokenOf(one))).size).toBe(1);
      expect((await store.row(familyId)).generation).toBe(lost + 1);
      expect((await store.events(familyId)).map(({ event }) => event)).toEqual(['token.recovered']);
    });
  }

  test('and its parent, half and half: two generations of heirs, nobody is refused', async () => {
    const { familyId, token } = await store.born(web);
    const [, child = ''] = await store.rotate(token, 1);
    // A parent that comes after its child was used is older than the parent: it would be reuse, so the child waits.
    const parents = await times(50, () => store.refresh(token));
    const children = await times(50, () => store.refresh(child));
    expect(new Set(parents.map((one) => store.tokenOf(one)))).toEqual(new Set([child]));
    expect(new Set(children.map((one) => store.tokenOf(one))).size).toBe(1);
    expect((await store.row(familyId)).generation).toBe(2);
  });
});

describe('a proof that counts once', () => {
  const expiresAt = Date.now() + 60_000;
  const proofOf = (jti: string): ProofToSpend => ({
    kind: 'client assertion',
    realmId: store.realmId,
    owner: web.clientId,
    jti,
    expiresAt,
  });
  const outcomes = (answers: readonly Awaited<ReturnType<Histories['refresh']>>[]) =>
    Object.entries(Object.groupBy(answers, (answer) => (answer.ok ? 'issued' : answer.error.error))).map(
      ([outcome, all]) => [outcome, all?.length ?? 0],
    );

  test('sent by 50 refreshes of one token: one is served, the others prove nothing', async () => {
    const { familyId, token } = await store.born(web);
    const proofs = [proofOf('one for all')];
    const answers = await times(50, () => store.refresh(token, { proofs }));
    expect(Object.fromEntries(outcomes(answers))).toEqual({ issued: 1, invalid_client: 49 });
    expect((await store.row(familyId)).generation).toBe(1);
    expect(await store.events(familyId)).toEqual([]);
  });

  test('another one for each of 50 refreshes: one heir, nobody is refused', async () => {
    const { familyId, token } = await store.born(web);
    const issued = await times(50, (index) => store.refresh(token, { proofs: [proofOf(`one of ${index}`)] }));
    expect(new Set(issued.map((one) => store.tokenOf(one))).size).toBe(1);
    expect((await store.row(familyId)).generation).toBe(1);
  });

  test('sent by 50 redemptions of one code: one is served, and no replay ends what it got', async () => {
    const sealed = await store.code();
    const proofs = [proofOf('one code')];
    const answers = await times(50, () => store.redeem(sealed, { proofs }));
    expect(Object.fromEntries(outcomes(answers))).toEqual({ issued: 1, invalid_client: 49 });
    expect((await store.row(sealed.familyId)).revoked_reason).toBeNull();
  });

  test('another one with the code again: a replay, which ends the family', async () => {
    const sealed = await store.code();
    granted(await store.redeem(sealed, { proofs: [proofOf('first')] }));
    expect(outcomes([await store.redeem(sealed, { proofs: [proofOf('second')] })])).toEqual([['invalid_grant', 1]]);
    expect((await store.row(sealed.familyId)).revoked_reason).toBe('authorization code replay');
  });

  test('two of which one was spent before: nothing happens', async () => {
    const { familyId, token } = await store.born(web);
    granted(await store.refresh(token, { proofs: [proofOf('spent')] }));
    const proofs = [proofOf('fresh'), proofOf('spent')];
    expect(outcomes([await store.refresh(token, { proofs })])).toEqual([['invalid_client', 1]]);
    expect((await store.row(familyId)).generation).toBe(1);
  });

  test('narrowing beyond the grant with a fresh proof: refused for that, and the row stays', async () => {
    const { familyId, token } = await store.born(web);
    const rotated = await store.families.rotate({
      ...(await rotationOf(familyId, token)),
      narrowing: { scope: ['never granted'], audience: null },
      proofs: [proofOf('narrowing')],
    });
    expect(rotated).toBeNull();
    expect((await store.row(familyId)).generation).toBe(0);
  });

  async function rotationOf(familyId: FamilyId, token: string): Promise<Rotation> {
    const decoded = decodeRefreshToken(partyRing, store.realmId, token);
    if (typeof decoded === 'string') throw new Error(decoded);
    const { generation, secretHash } = decoded;
    return {
      familyId,
      realmId: store.realmId,
      clientId: web.clientId,
      generation,
      secretHash,
      next: { generation: generation + 1, secretHash: Buffer.alloc(32) },
      narrowing: { scope: null, audience: null },
      bounds: { idleSeconds: 86_400, clientValidFrom: 0 },
      presenter: { address: null, agent: null },
      proofs: [],
    };
  }
});

describe('50 parallel redemptions of one code', () => {
  test('one success, one family, revoked, one event', async () => {
    const sealed = await store.code();
    const answers = await times(50, () => store.redeem(sealed));
    const issued = answers.filter(({ ok }) => ok);
    expect(issued.length).toBe(1);
    for (const answer of answers) if (!answer.ok) expect(answer.error.error).toBe('invalid_grant');
    expect((await store.row(sealed.familyId)).revoked_reason).toBe('authorization code replay');
    expect((await store.events(sealed.familyId)).map(({ event }) => event)).toEqual(['code.replayed']);
    const [first] = issued;
    if (first === undefined) throw new Error('nobody was served');
    expect((await store.refresh(store.tokenOf(first))).ok).toBe(false);
    expect(await store.families.readLive(sealed.familyId, store.realmId)).toBeNull();
  });
});

describe('20 parallel replays of an old token', () => {
  for (const reuseReaction of ['family', 'session', 'user'] as const) {
    test(`reaction ${reuseReaction}: the family is dead, with one event of each kind`, async () => {
      const client = clientWith(spa, `reacts-${reuseReaction}`, { reuseReaction });
      const { familyId, token, userId } = await store.born(client);
      const [, , current = ''] = await store.rotate(token, 2, { client });
      const answers = await times(20, () => store.refresh(token, { client }));
      expect(answers.some(({ ok }) => ok)).toBe(false);
      const { sql } = store.database;
      const events = await sql`
        SELECT event, count(*)::int AS times FROM audit_events
        WHERE family_id = ${familyId} OR user_id = ${userId} GROUP BY event ORDER BY event`;
      const others = { family: [], session: ['session.ended'], user: ['user.signed_out_everywhere'] };
      expect([...events]).toEqual(
        [...others[reuseReaction], 'token.reuse'].sort().map((event) => ({ event, times: 1 })),
      );
      expect((await store.refresh(current, { client })).ok).toBe(false);
    });
  }

  test('beside the honest holder: whoever comes first, the family is dead at the end', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { familyId, token } = await store.born(spa);
      const tokens = await store.rotate(token, 2, { client: spa });
      const current = tokens.at(-1) ?? '';
      const [honest] = await Promise.all([
        store.refresh(current, { client: spa }),
        store.refresh(token, { client: spa }),
        store.refresh(token, { client: spa, agent: 'curl' }),
      ]);
      expect((await store.row(familyId)).revoked_at).not.toBeNull();
      const last = honest.ok ? store.tokenOf(honest) : current;
      expect((await store.refresh(last, { client: spa })).ok).toBe(false);
      expect((await store.events(familyId)).map(({ event }) => event)).toEqual(['token.reuse']);
    }
  });
});

describe('what ends a sign-in, crossing what makes or uses a token', () => {
  type Ids = { readonly sessionId: string; readonly userId: string };
  const ends: readonly (readonly [string, (ids: Ids) => Promise<unknown>])[] = [
    [
      'logout',
      ({ sessionId }) => store.database.sql`UPDATE sso_sessions SET ended_at = limen_now() WHERE id = ${sessionId}`,
    ],
    [
      'sign out everywhere',
      ({ userId }) => store.database.sql`UPDATE users SET valid_from = limen_now() WHERE id = ${userId}`,
    ],
    ['disabling', ({ userId }) => store.database.sql`UPDATE users SET enabled = false WHERE id = ${userId}`],
  ];

  for (const [what, end] of ends) {
    test(`${what} and redemption, in both orders and at once: no living token`, async () => {
      const orders = [
        async (redeem: () => Promise<unknown>, finish: () => Promise<unknown>) => [await redeem(), await finish()],
        async (redeem: () => Promise<unknown>, finish: () => Promise<unknown>) => [await finish(), await redeem()],
        ...Array.from(
          { length: 30 },
          (_, round) => (redeem: () => Promise<unknown>, finish: () => Promise<unknown>) =>
            Promise.all(round % 2 === 0 ? [redeem(), finish()] : [finish(), redeem()]),
        ),
      ];
      let made = 0;
      for (const inOrder of orders) {
        const sealed = await store.code(web);
        await Bun.sleep(1);
        await inOrder(
          () => store.redeem(sealed),
          () => end(sealed),
        );
        const rows = await store.database.sql`SELECT 1 FROM token_families WHERE id = ${sealed.familyId}`;
        made += rows.length;
        expect(await store.families.readLive(sealed.familyId, store.realmId)).toBeNull();
      }
      // At least where the redemption came first there was one to die.
      expect(made).toBeGreaterThan(0);
    });

    test(`${what} and refresh at once: the heir is dead as well`, async () => {
      for (let round = 0; round < 20; round += 1) {
        const { familyId, token, sessionId, userId } = await store.born(web);
        await Bun.sleep(1);
        const [refreshed] = await Promise.all([store.refresh(token), end({ sessionId, userId })]);
        const heir = refreshed.ok ? store.tokenOf(refreshed) : token;
        expect((await store.refresh(heir)).ok).toBe(false);
        expect(await store.families.readLive(familyId, store.realmId)).toBeNull();
      }
    });
  }

  test('revocation and 20 refreshes at once: dead, whoever was served', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { familyId, token } = await store.born(web);
      const [, ...answers] = await Promise.all([
        store.families.revoke(familyId, store.realmId, web.clientId, 'revoked by client'),
        ...Array.from({ length: 20 }, () => store.refresh(token)),
      ]);
      for (const answer of answers) {
        const held = answer.ok ? store.tokenOf(answer) : token;
        expect((await store.refresh(held)).ok).toBe(false);
      }
      expect((await store.events(familyId)).map(({ event }) => event)).toEqual(['token.revoked']);
    }
  });
});

describe('many families at once', () => {
  test('200 families, 5 refreshes each, 16 connections: each has its own line of heirs', async () => {
    const born = await times(200, () => store.born(web));
    const lines = await times(200, async (index) => store.rotate(born[index]?.token ?? '', 5));
    for (const line of lines) expect(new Set(line).size).toBe(6);
    expect(new Set(lines.flat()).size).toBe(1200);
    for (const { familyId } of born.slice(0, 20)) expect((await store.row(familyId)).generation).toBe(5);
    granted(await store.refresh(lines[0]?.at(-1) ?? ''));
  });
});
