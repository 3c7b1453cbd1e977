import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import { randomBytes, sha256 } from '../../src/core/crypto.ts';
import { brandId, newId, type RealmId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { ok, unreachable } from '../../src/core/result.ts';
import { Secret } from '../../src/core/secret.ts';
import { systemClock } from '../../src/core/time.ts';
import { openClientSecret } from '../../src/store/client_secrets.ts';
import { type ClientRecord, createClients } from '../../src/store/clients.ts';
import { inspectDatabase } from '../../src/store/inspection.ts';
import { SealedColumnFault } from '../../src/store/sealed_column.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, newClient, now, storeFixture } from './fixture.ts';

let store: Fixture;
let realmId: RealmId;

beforeAll(async () => {
  store = await storeFixture();
  realmId = await store.realm();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const master = () => new Secret<Uint8Array>(randomBytes(32));
const [formerMaster, newMaster] = [master(), master()];
const formerRing = new KeyRing([formerMaster]);
const rotatedRing = new KeyRing([newMaster, formerMaster]);

const clientsWith = (ring: KeyRing) => createClients(store.database, { system: {}, ring });

async function made(clientId: string, authMethod = 'client_secret_jwt', ring = formerRing): Promise<Secret> {
  const draft = newClient(realmId, clientId, { class: 'confidential', authMethod });
  const created = await clientsWith(ring).create(draft, { withSecret: true }, now);
  if (!created.ok) throw new Error(created.error.kind);
  return created.value.secret ?? unreachable('a secret was asked for');
}

const shown = async (clientId: string): Promise<ClientRecord> =>
  (await clientsWith(formerRing).show(realmId, clientId)) ?? unreachable('the test made it');

const opened = async (clientId: string, ring: KeyRing) => {
  const client = await shown(clientId);
  return client.secrets.map((secret) => openClientSecret(ring)(client, secret)?.reveal() ?? null);
};

describe('the secret of client_secret_jwt', () => {
  test('is sealed beside its hash, of 64 characters, and printed nowhere', async () => {
    const secret = await made('sealed');
    expect(secret.reveal()).toMatch(/^[A-Za-z0-9_-]{64}$/);
    const [row] = await store.database.sql`SELECT clients::text AS row FROM clients WHERE client_id = 'sealed'`;
    expect(row?.['row']).not.toContain(secret.reveal());
    const record = await shown('sealed');
    expect(inspect(record, { depth: 5 })).not.toContain(secret.reveal());
    expect(record.secrets).toEqual([
      { hash: sha256(secret.reveal()), createdAt: now, expiresAt: null, sealed: expect.any(String) },
    ]);
    expect(await opened('sealed', formerRing)).toEqual([secret.reveal()]);
  });

  test.each(['client_secret_basic', 'client_secret_post'])('that of %s is kept as a hash alone', async (authMethod) => {
    await made(authMethod, authMethod);
    expect((await shown(authMethod)).secrets[0]).not.toHaveProperty('sealed');
    expect(await opened(authMethod, formerRing)).toEqual([null]);
  });

  test('opens with any entry of the ring; a new one is sealed with the newest', async () => {
    const first = await made('rotating');
    expect(await opened('rotating', rotatedRing)).toEqual([first.reveal()]);
    const second = await clientsWith(rotatedRing).rotateSecret(realmId, 'rotating', { overlapSeconds: 60 }, now);
    expect(await opened('rotating', rotatedRing)).toEqual([second?.reveal() ?? '', first.reveal()]);
    const [newest] = (await shown('rotating')).secrets;
    const onlyNew = openClientSecret(new KeyRing([newMaster]));
    const client = await shown('rotating');
    expect(newest === undefined ? null : onlyNew(client, newest)?.reveal()).toBe(second?.reveal() ?? '');
    for (const former of client.secrets.slice(1)) expect(() => onlyNew(client, former)).toThrow(SealedColumnFault);
  });

  test('moved to another client, realm or entry it does not open', async () => {
    await made('from');
    await made('to');
    const [from, to] = [await shown('from'), await shown('to')];
    const open = openClientSecret(formerRing);
    const [stolen, own] = [from.secrets[0], to.secrets[0]];
    if (stolen === undefined || own === undefined) throw new Error('both have one');
    expect(() => open(to, stolen)).toThrow(SealedColumnFault);
    expect(() => open({ ...from, realmId: brandId<RealmId>(newId()) }, stolen)).toThrow(SealedColumnFault);
    expect(open(from, { ...stolen, hash: own.hash })).toBeNull();
  });

  test('goes when the client authenticates otherwise, and its hash stays', async () => {
    const secret = await made('leaving');
    const renamed = await clientsWith(formerRing).update(realmId, 'leaving', () => ok({ name: 'Leaving' }), now);
    expect(renamed.ok && renamed.value.secrets[0]).toHaveProperty('sealed');
    await clientsWith(formerRing).update(realmId, 'leaving', () => ok({ authMethod: 'client_secret_basic' }), now);
    expect((await shown('leaving')).secrets).toEqual([
      { hash: sha256(secret.reveal()), createdAt: now, expiresAt: null },
    ]);
  });

  test('without a ring none is made', async () => {
    const draft = newClient(realmId, 'ringless', { class: 'confidential', authMethod: 'client_secret_jwt' });
    const creating = createClients(store.database, { system: {} }).create(draft, { withSecret: true }, now);
    await expect(creating).rejects.toThrow('key ring');
    expect(await clientsWith(formerRing).show(realmId, 'ringless')).toBeNull();
  });

  test('an inspection names the entry that sealed it', async () => {
    const ring = new KeyRing([master()]);
    await made('inspected', 'client_secret_jwt', ring);
    const inspection = await inspectDatabase(store.database, systemClock);
    expect(inspection.ok && inspection.value.schema?.sealingKeyIds).toContain(ring.newest().keyId);
  });
});
