import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { randomBytes } from '../../src/core/crypto.ts';
import { newId, newTimedId, type RealmId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { Secret } from '../../src/core/secret.ts';
import { createAudit } from '../../src/store/audit.ts';
import { type ChainReport, createAuditChain } from '../../src/store/audit_chain.ts';
import { openDatabase } from '../../src/store/database.ts';
import { ensurePartitions } from '../../src/store/partitions.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, now, storeFixture } from './fixture.ts';

let store: Fixture;
const realmId = newId<RealmId>();

beforeEach(async () => {
  store = await storeFixture();
}, databaseTimeoutMilliseconds);

afterEach(() => store.drop());

const chain = (ring: KeyRing = store.ring, clock = () => now) => createAuditChain(store.database, ring, clock);
const record = (at = now) =>
  createAudit(store.database, () => now).record({ event: 'session.started', realmId, address: '192.0.2.1', at });

async function recordMany(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) await record();
}

/** Checkpoints until there is nothing left to cover. */
async function coverAll(most = 100): Promise<number> {
  let made = 0;
  while ((await chain().extend(most)) !== null) made += 1;
  return made;
}

const faults = async () => (await chain().verify()).faults;

describe('the chain over the audit log', () => {
  test('covers what was written, once, and verifies', async () => {
    await recordMany(3);
    expect(await chain().extend(100)).toMatchObject({ seq: 1, events: 3 });
    expect(await chain().extend(100)).toBeNull();
    await record();
    expect(await chain().verify()).toMatchObject({ checkpoints: 1, events: 3, forgotten: 0, uncovered: 1, faults: [] });
    expect(await chain().extend(100)).toMatchObject({ seq: 2, events: 1 });
    expect(await chain().verify()).toMatchObject({ checkpoints: 2, events: 4, forgotten: 0, uncovered: 0, faults: [] });
  });

  test('many events are covered in parts, a transaction never in two', async () => {
    await recordMany(25);
    await store.database.transaction(async (executor) => {
      for (let index = 0; index < 15; index += 1)
        await createAudit(store.database, () => now).record({ event: 'consent.granted', realmId }, executor);
    });
    await recordMany(3);
    expect(await coverAll(10)).toBeGreaterThan(2);
    const { events, uncovered, faults: found } = await chain().verify();
    expect({ events, uncovered, found }).toEqual({ events: 43, uncovered: 0, found: [] });
  });

  test('an event of a transaction that is still open waits, and so does all that came after it began', async () => {
    const other = openDatabase({ url: store.url, connections: 1, applicationName: 'open' });
    const written = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const open = other.transaction(async (executor) => {
      await createAudit(other, () => now).record({ event: 'session.ended', realmId }, executor);
      written.resolve();
      await release.promise;
    });
    await written.promise;
    await recordMany(2);
    expect(await chain().extend(100)).toBeNull();
    release.resolve();
    await open;
    expect(await chain().extend(100)).toMatchObject({ events: 3 });
    expect(await faults()).toEqual([]);
    await other.close();
  });

  test('twenty processes at once make one chain', async () => {
    await recordMany(40);
    await Promise.all(Array.from({ length: 20 }, () => chain().extend(5)));
    await coverAll(5);
    expect(await chain().verify()).toMatchObject({ events: 40, uncovered: 0, faults: [] });
  });

  const changes: readonly (readonly [string, string, ChainReport['faults']])[] = [
    [
      'an event is changed',
      `UPDATE audit_events SET address = '198.51.100.1' WHERE id = (SELECT id FROM audit_events ORDER BY xid LIMIT 1)`,
      [{ seq: 1, fault: 'altered' }],
    ],
    [
      'an event is removed',
      'DELETE FROM audit_events WHERE id = (SELECT id FROM audit_events ORDER BY xid DESC LIMIT 1)',
      [{ seq: 2, fault: 'altered' }],
    ],
    [
      'an event is slipped in among old ones',
      `INSERT INTO audit_events (id, xid, realm_id, event) SELECT overlay(id::text placing 'ffff' from 33)::uuid, xid, realm_id, 'session.ended' FROM audit_events ORDER BY xid LIMIT 1`,
      [{ seq: 1, fault: 'altered' }],
    ],
    [
      'a checkpoint is made to fit',
      `UPDATE audit_checkpoints SET hash = sha256('x') WHERE seq = 2`,
      [{ seq: 2, fault: 'forged' }],
    ],
    ['a checkpoint is taken out', 'DELETE FROM audit_checkpoints WHERE seq = 1', [{ seq: 2, fault: 'gap' }]],
  ];
  for (const [what, statement, expected] of changes) {
    test(`${what}: verify tells`, async () => {
      await recordMany(2);
      await coverAll();
      await recordMany(2);
      await coverAll();
      expect(await faults()).toEqual([]);
      await store.database.sql.unsafe(statement);
      expect(await faults()).toEqual(expected);
    });
  }

  test('the newest checkpoints and events taken off together: who knows the head tells', async () => {
    const running = chain();
    await recordMany(2);
    await running.extend(100);
    await record();
    const head = await running.extend(100);
    const { sql } = store.database;
    await sql`DELETE FROM audit_checkpoints WHERE seq = 2`;
    await sql`DELETE FROM audit_events WHERE xid = (SELECT max(xid) FROM audit_events)`;
    expect(await faults()).toEqual([]);
    expect((await chain().verify(head)).faults).toEqual([{ seq: 2, fault: 'head missing' }]);
    await expect(running.extend(100)).rejects.toThrow('no longer has checkpoint 2');
    await record();
    expect(await running.extend(100)).toMatchObject({ seq: 2 });
  });

  test('a chain thrown away and made anew by a process of ours is tagged late', async () => {
    await recordMany(3);
    await coverAll();
    await store.database.sql`UPDATE audit_events SET address = '198.51.100.1'`;
    await store.database.sql`DELETE FROM audit_checkpoints`;
    await chain(store.ring, () => now + 2 * 60 * 60 * 1000).extend(100);
    expect(await chain().verify()).toMatchObject({ faults: [], coveredLate: 1 });
  });

  test('the time of a checkpoint cannot be set back', async () => {
    await record();
    await chain(store.ring, () => now + 2 * 60 * 60 * 1000).extend(100);
    await store.database.sql`UPDATE audit_checkpoints SET made_at = last_event_at`;
    expect(await faults()).toEqual([{ seq: 1, fault: 'forged' }]);
  });

  test('a checkpoint without the secrets of the server is none; a ring that lost its entry says so', async () => {
    await record();
    await coverAll();
    const stranger = new KeyRing([new Secret<Uint8Array>(randomBytes(32))]);
    expect((await chain(stranger).verify()).faults).toEqual([{ seq: 1, fault: 'unknown key' }]);
  });

  test('what was dropped with its partition is forgotten, not missing; its checkpoints go in time', async () => {
    const day = 24 * 60 * 60 * 1000;
    const long = now - 500 * day;
    await ensurePartitions(store.database.sql, long);
    const { sql } = store.database;
    await sql`INSERT INTO audit_events (id, realm_id, event) VALUES (${newTimedId(long)}, ${realmId}, 'session.started')`;
    await coverAll();
    await record();
    await coverAll();
    const [leaf] = await sql<{ name: string }[]>`
      SELECT tableoid::regclass::text AS name FROM audit_events ORDER BY id LIMIT 1`;
    await sql.unsafe(`DROP TABLE ${leaf?.name ?? ''}`);
    const leaves = await sql<{ name: string }[]>`SELECT inhrelid::regclass::text AS name FROM pg_inherits
      WHERE inhparent = 'audit_events'::regclass ORDER BY 1`;
    for (const { name } of leaves.slice(0, 4)) await sql.unsafe(`DROP TABLE ${name}`);
    expect(await chain().verify()).toMatchObject({ checkpoints: 2, events: 1, forgotten: 1, faults: [] });
    const early = createAuditChain(store.database, store.ring, () => now - 150 * day);
    expect((await early.verify()).faults).toEqual([{ seq: 1, fault: 'dropped early' }]);
    expect(await chain().forgetDropped(10)).toBe(1);
    expect(await chain().verify()).toMatchObject({ checkpoints: 1, events: 1, forgotten: 0 });
  });
});
