import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { brandId, instantOfTimedId, newId, type RealmId, type UserId } from '../../src/core/ids.ts';
import { auditEvents, createAudit, isAuditEventName } from '../../src/store/audit.ts';
import { createSeenProofs } from '../../src/store/seen_proofs.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let store: Fixture;

beforeAll(async () => {
  store = await storeFixture();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const freshRealm = () => newId<RealmId>();

describe('audit', () => {
  const audit = () => createAudit(store.database, () => now);
  const rowsOf = (realmId: RealmId) => store.database.sql`
    SELECT *, jsonb_typeof(detail) AS type, xid = pg_current_xact_id_if_assigned() AS mine
    FROM audit_events WHERE realm_id = ${realmId} ORDER BY id`;

  test('an event keeps its time in its id, its parts, and the transaction that wrote it; in one statement', async () => {
    const [realmId, userId] = [freshRealm(), newId<UserId>()];
    const detail = { gap: 2, words: ['a', null], nested: { deep: true } };
    const event = {
      event: 'token.reuse',
      realmId,
      userId,
      address: '192.0.2.1',
      agent: null,
      detail,
      at: now - 5000,
    } as const;
    const domain = audit();
    expect(await store.statementsOf(() => domain.record(event))).toHaveLength(1);
    const [row] = await rowsOf(realmId);
    expect(row).toMatchObject({
      event: 'token.reuse',
      user_id: userId,
      client_id: null,
      address: '192.0.2.1',
      detail,
      type: 'object',
    });
    expect(instantOfTimedId(String(row?.['id']))).toBe(now - 5000);
    expect(row?.['xid']).toMatch(/^\d+$/);
  });

  test('without a time it happened now', async () => {
    const realmId = freshRealm();
    await audit().record({ event: 'session.started', realmId });
    const [row] = await rowsOf(realmId);
    expect(instantOfTimedId(String(row?.['id']))).toBe(now);
    expect(row?.['detail']).toEqual({});
  });

  test('commits with its change, and is undone with it', async () => {
    const [kept, undone] = [freshRealm(), freshRealm()];
    await store.database.transaction((executor) => audit().record({ event: 'session.ended', realmId: kept }, executor));
    const failing = store.database.transaction(async (executor) => {
      await audit().record({ event: 'session.ended', realmId: undone }, executor);
      throw new RangeError('undone');
    });
    await expect(failing).rejects.toThrow('undone');
    expect(await rowsOf(kept)).toHaveLength(1);
    expect(await rowsOf(undone)).toHaveLength(0);
  });

  test('names are a closed list, each with a sentence', () => {
    expect([isAuditEventName('token.reuse'), isAuditEventName('toString'), isAuditEventName('')]).toEqual([
      true,
      false,
      false,
    ]);
    for (const [name, sentence] of Object.entries(auditEvents)) {
      expect(name).toMatch(/^[a-z]+\.[a-z_]+$/);
      expect(sentence).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('seen_proofs', () => {
  const proof = (jti: string, change: { realmId?: RealmId; owner?: string; expiresAt?: number } = {}) => ({
    kind: 'client assertion' as const,
    realmId: brandId<RealmId>('00000000-0000-7000-8000-000000000000'),
    owner: 'client',
    jti,
    expiresAt: now + 60_000,
    ...change,
  });
  const proofs = () => createSeenProofs(store.database);

  test('a proof is spent once, in one statement', async () => {
    const domain = proofs();
    expect(await store.statementsOf(() => domain.spend(proof('once')))).toHaveLength(1);
    expect(await domain.spend(proof('once'))).toBe(false);
  });

  test('several are spent in one statement, which tells the kind of one that was spent before', async () => {
    const domain = proofs();
    const dpop = { ...proof('both'), kind: 'dpop' as const };
    expect(await store.statementsOf(() => domain.spendAll([proof('both'), dpop]))).toHaveLength(1);
    expect(await domain.spendAll([proof('fresh'), dpop])).toBe('dpop');
    expect(await domain.spendAll([{ ...dpop, jti: 'fresh' }, proof('both')])).toBe('client assertion');
    expect(await domain.spendAll([proof('two fresh'), { ...dpop, jti: 'two fresh' }])).toBeNull();
  });

  test('of fifty at once exactly one is first', async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => proofs().spend(proof('raced'))));
    expect(all.filter((first) => first)).toHaveLength(1);
  });

  test('the same jti of another client, of another realm or with other parts is another proof', async () => {
    const others = [
      proof('shared'),
      proof('shared', { owner: 'other' }),
      proof('shared', { realmId: freshRealm() }),
      proof('d', { owner: 'share' }),
    ];
    for (const other of others) expect(await proofs().spend(other)).toBe(true);
    for (const other of others) expect(await proofs().spend(other)).toBe(false);
  });

  test('a proof whose end no partition holds is never taken for a first one', async () => {
    const far = proofs().spend(proof('far', { expiresAt: now + 400 * 86_400_000 }));
    await expect(far).rejects.toMatchObject({ kind: 'missing_partition' });
  });
});
