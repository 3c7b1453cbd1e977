import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  decodeProtectedHeader,
  exportJWK,
  importJWK,
  jwtVerify,
} from 'jose';
import { randomBytes, randomId } from '../../src/core/crypto.ts';
import { brandId, type RealmId } from '../../src/core/ids.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { unreachable } from '../../src/core/result.ts';
import { Secret } from '../../src/core/secret.ts';
import { createSigner, generateSigningKey, signingAlgorithms } from '../../src/store/signer.ts';
import { createSigningKeys, publishedBeforeUseSeconds } from '../../src/store/signing_keys.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Fixture, storeFixture } from './fixture.ts';

describe('Signer', () => {
  for (const algorithm of signingAlgorithms) {
    test(`${algorithm}: another library verifies it by the public key, with kid, typ and claims as given`, async () => {
      const { publicJwk, privateJwk } = await generateSigningKey(algorithm);
      const kid = publicJwk.kid ?? '';
      const signer = createSigner(algorithm, kid, privateJwk);
      const claims = { sub: 'ü ☃', aud: ['a'], n: 1.5, nested: { a: null } };
      for (const type of ['at+jwt', 'JWT', 'at+jwt']) {
        const jws = await signer.sign(type, claims);
        expect(decodeProtectedHeader(jws)).toEqual({ alg: algorithm, typ: type, kid });
        const { payload } = await jwtVerify(jws, createLocalJWKSet({ keys: [publicJwk] }), { algorithms: [algorithm] });
        expect(payload).toEqual(claims);
        const forged = `${jws.slice(0, jws.lastIndexOf('.') - 2)}AA${jws.slice(jws.lastIndexOf('.'))}`;
        await expect(jwtVerify(forged, createLocalJWKSet({ keys: [publicJwk] }))).rejects.toThrow();
      }
    });

    test(`${algorithm}: the public half says what it is and holds nothing private`, async () => {
      const { publicJwk, privateJwk } = await generateSigningKey(algorithm);
      expect(publicJwk).toMatchObject({ alg: algorithm, use: 'sig', kid: await calculateJwkThumbprint(publicJwk) });
      for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) expect(publicJwk).not.toHaveProperty(part);
      expect(privateJwk).toHaveProperty('d');
      const imported = await importJWK(publicJwk, algorithm, { extractable: true });
      if (imported instanceof Uint8Array) unreachable('a public key is no octets');
      const { kid: _, alg: __, use: ___, ...numbers } = publicJwk;
      expect(await exportJWK(imported)).toEqual(numbers);
    });
  }

  for (const algorithm of signingAlgorithms) {
    test(`${algorithm}: the event loop turns while a signature is made`, async () => {
      const { privateJwk } = await generateSigningKey(algorithm);
      let settled = false;
      const pending = createSigner(algorithm, 'k', privateJwk)
        .sign('JWT', {})
        .finally(() => {
          settled = true;
        });
      await Promise.resolve();
      expect(settled).toBe(false);
      expect((await pending).split('.')).toHaveLength(3);
    });
  }

  test('RSA keys have 2048 bits', async () => {
    const { publicJwk } = await generateSigningKey('RS256');
    expect(Buffer.from(publicJwk.n ?? '', 'base64url').length * 8).toBe(2048);
  });
});

describe('the ring of a realm', () => {
  let store: Fixture;

  beforeAll(async () => {
    store = await storeFixture();
  }, databaseTimeoutMilliseconds);

  afterAll(() => store.drop());

  const keys = () => createSigningKeys(store.database, store.ring);
  const states = async (realmId: RealmId) => (await keys().list(realmId)).map(({ state }) => state).toSorted();
  const kidOf = async (realmId: RealmId, state: string) =>
    (await keys().list(realmId)).find((key) => key.state === state)?.kid ?? unreachable(`no ${state} key`);
  const signed = async (realmId: RealmId) =>
    (await keys().load(realmId)).signers.get('ES256')?.sign('JWT', { sub: 'a' }) ?? unreachable('no signer');
  const verifies = async (realmId: RealmId, jws: string) => {
    const { jwks } = await keys().load(realmId);
    return jwtVerify(jws, createLocalJWKSet({ keys: [...jwks.keys] })).then(
      () => true,
      () => false,
    );
  };
  const later = async <Value>(seconds: number, work: () => Promise<Value>): Promise<Value> => {
    await store.shiftClock(seconds);
    try {
      return await work();
    } finally {
      await store.shiftClock(0);
    }
  };

  test('what has signed for longer than its lifetime is due, per algorithm and realm', async () => {
    const keys = createSigningKeys(store.database, store.ring);
    const realmId = await store.realm();
    const signs = (await keys.list(realmId))
      .filter(({ state }) => state === 'active')
      .map(({ algorithm }) => algorithm);
    expect((await keys.due(realmId, Date.now() + 60_000)).toSorted()).toEqual(signs.toSorted());
    expect(await keys.due(realmId, Date.now() - 60_000)).toEqual([]);
    expect(await keys.due(brandId<RealmId>(randomId()), Date.now() + 60_000)).toEqual([]);
  });

  test('publishes next and active, signs with active', async () => {
    const realmId = await store.realm();
    const { signers, jwks } = await keys().load(realmId);
    expect(jwks.keys.map(({ kid }) => kid).toSorted()).toEqual(
      [await kidOf(realmId, 'active'), await kidOf(realmId, 'next')].toSorted(),
    );
    expect([...signers.keys()]).toEqual(['ES256']);
    expect(signers.get('ES256')?.kid).toBe(await kidOf(realmId, 'active'));
  });

  test('loads in one statement', async () => {
    const realmId = await store.realm();
    const domain = keys();
    expect(await store.statementsOf(() => domain.load(realmId))).toHaveLength(1);
  });

  test('rotating: next signs, what active signed still verifies, its private half is gone, and there is a new next', async () => {
    const realmId = await store.realm();
    const before = await signed(realmId);
    const [oldActive, oldNext] = [await kidOf(realmId, 'active'), await kidOf(realmId, 'next')];
    const rotated = await later(publishedBeforeUseSeconds + 1, () => keys().rotate(realmId, 'ES256'));
    expect(rotated).toMatchObject({ ok: true, value: { activeKid: oldNext } });
    expect(await states(realmId)).toEqual(['active', 'next', 'retired']);
    expect(await kidOf(realmId, 'retired')).toBe(oldActive);
    expect(decodeProtectedHeader(await signed(realmId)).kid).toBe(oldNext);
    expect(await verifies(realmId, before)).toBe(true);
    const [row] = await store.database.sql`
      SELECT private_sealed FROM signing_keys WHERE realm_id = ${realmId} AND state = 'retired'`;
    expect(row).toEqual({ private_sealed: null });
  });

  test('a next key that relying parties may not know yet is promoted by force only', async () => {
    const realmId = await store.realm();
    const early = await keys().rotate(realmId, 'ES256');
    expect(early).toMatchObject({ ok: false, error: { kind: 'too_soon' } });
    expect(!early.ok && early.error.kind === 'too_soon' && early.error.retryAfterSeconds).toBeWithin(
      publishedBeforeUseSeconds - 60,
      publishedBeforeUseSeconds + 1,
    );
    expect(await states(realmId)).toEqual(['active', 'next']);
    expect(await later(publishedBeforeUseSeconds - 60, () => keys().rotate(realmId, 'ES256'))).toMatchObject({
      ok: false,
    });
    expect(await keys().rotate(realmId, 'ES256', { force: true })).toMatchObject({ ok: true });
    expect(await keys().rotate(realmId, 'ES256')).toMatchObject({ ok: false, error: { kind: 'too_soon' } });
  });

  test('eight rotations at once leave one active and one next', async () => {
    const realmId = await store.realm();
    await Promise.all(Array.from({ length: 8 }, () => keys().rotate(realmId, 'ES256', { force: true })));
    expect((await states(realmId)).filter((state) => state !== 'retired')).toEqual(['active', 'next']);
    expect((await keys().load(realmId)).jwks.keys).toHaveLength(10);
  });

  test('revoking the active key: nothing it signed verifies, the next one signs at once, a new next is there', async () => {
    const realmId = await store.realm();
    const before = await signed(realmId);
    const [active, next] = [await kidOf(realmId, 'active'), await kidOf(realmId, 'next')];
    expect(await keys().revoke(realmId, active)).toBe(true);
    expect(await verifies(realmId, before)).toBe(false);
    expect(decodeProtectedHeader(await signed(realmId)).kid).toBe(next);
    expect(await states(realmId)).toEqual(['active', 'next', 'revoked']);
    expect(await keys().revoke(realmId, active)).toBe(false);
  });

  test('revoking next or a retired key leaves the active one alone', async () => {
    const realmId = await store.realm();
    await keys().rotate(realmId, 'ES256', { force: true });
    const active = await kidOf(realmId, 'active');
    expect(await keys().revoke(realmId, await kidOf(realmId, 'next'))).toBe(true);
    expect(await keys().revoke(realmId, await kidOf(realmId, 'retired'))).toBe(true);
    expect(await states(realmId)).toEqual(['active', 'next', 'revoked', 'revoked']);
    expect(await kidOf(realmId, 'active')).toBe(active);
    expect((await keys().load(realmId)).jwks.keys).toHaveLength(2);
  });

  test('a realm neither sees, rotates nor revokes the keys of another', async () => {
    const [realmId, other] = [await store.realm(), await store.realm()];
    const kid = await kidOf(realmId, 'active');
    expect(await keys().revoke(other, kid)).toBe(false);
    await keys().rotate(other, 'ES256', { force: true });
    expect(await kidOf(realmId, 'active')).toBe(kid);
    expect(await verifies(other, await signed(realmId))).toBe(false);
  });

  test('another algorithm can be added once, and one the realm lacks cannot be rotated', async () => {
    const realmId = await store.realm();
    expect(await keys().rotate(realmId, 'EdDSA')).toEqual({ ok: false, error: { kind: 'no_keys' } });
    await Promise.all([keys().add(realmId, 'EdDSA'), keys().add(realmId, 'EdDSA')]);
    expect((await keys().list(realmId)).filter(({ algorithm }) => algorithm === 'EdDSA')).toHaveLength(2);
    expect([...(await keys().load(realmId)).signers.keys()].toSorted()).toEqual(['ES256', 'EdDSA']);
  });

  test('the private half is nowhere in the row, opens with the ring only, and in its own row only', async () => {
    const realmId = await store.realm();
    const rows = await store.database
      .sql`SELECT signing_keys::text AS row FROM signing_keys WHERE realm_id = ${realmId}`;
    expect(inspect([...rows])).not.toMatch(/"d":/);
    const stranger = createSigningKeys(store.database, new KeyRing([new Secret<Uint8Array>(randomBytes(32))]));
    await expect(stranger.load(realmId)).rejects.toThrow('LIMEN_SECRETS lacks');
    await store.database.sql`
      UPDATE signing_keys SET private_sealed = (
        SELECT private_sealed FROM signing_keys WHERE realm_id = ${realmId} AND state = 'next'
      ) WHERE realm_id = ${realmId} AND state = 'active'`;
    await expect(keys().load(realmId)).rejects.toThrow('cannot be opened');
  });

  test('retired keys are kept for the longest session, then forgotten; active and next never', async () => {
    const realmId = await store.realm();
    await keys().rotate(realmId, 'ES256', { force: true });
    await later(89 * 86_400, () => keys().forgetOld());
    expect(await states(realmId)).toEqual(['active', 'next', 'retired']);
    await later(91 * 86_400, () => keys().forgetOld());
    expect(await states(realmId)).toEqual(['active', 'next']);
  });
});
