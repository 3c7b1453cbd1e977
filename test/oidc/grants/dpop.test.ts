import { describe, expect, test } from 'bun:test';
import type { Client } from '../../../src/oidc/client.ts';
import { encodeRefreshToken } from '../../../src/oidc/refresh_token.ts';
import type { FamiliesInMemory } from '../families_in_memory.ts';
import { callback, granted, realmId, refused, ring, second, spa, verifier, web } from '../parties.ts';
import { type Circumstances, database, newFamilyId, proofOf, sealed, send } from './redeem.ts';

/** What a proved key does to codes, families and refreshes; that the proof is one was verified before. */

const alice = 'the thumbprint of one key';
const mallory = 'the thumbprint of another';

const redeem = (families: FamiliesInMemory, code: string, circumstances: Circumstances) =>
  send(
    families,
    { grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier, code },
    circumstances,
  );

const refresh = (families: FamiliesInMemory, refresh_token: string, circumstances: Circumstances) =>
  send(families, { grant_type: 'refresh_token', refresh_token }, circumstances);

const tokenOf = (issued: Awaited<ReturnType<typeof send>>): string => {
  const { refreshToken } = granted(issued);
  if (refreshToken === null) throw new Error('no refresh token');
  return encodeRefreshToken(ring, realmId, refreshToken);
};

async function born(client: Client, senderKey: string | undefined) {
  const families = database();
  const familyId = newFamilyId();
  const by = senderKey === undefined ? { client } : { client, senderKey };
  const token = tokenOf(await redeem(families, sealed({ client_id: client.clientId }, familyId), by));
  return { families, familyId, token };
}

describe('RFC 9449 §5: refresh tokens of a public client', () => {
  test('are bound to the key that was proved with the code', async () => {
    const { families, familyId, token } = await born(spa, alice);
    expect(families.row(familyId)?.senderKey).toBe(alice);
    const heir = tokenOf(await refresh(families, token, { client: spa, senderKey: alice }));
    expect(heir).not.toBe(token);
  });

  test.each([
    ['by another key', { client: spa, senderKey: mallory }],
    ['without a key', { client: spa }],
  ])('%s: invalid_grant, nothing changes, and it is audited', async (_, by) => {
    const { families, familyId, token } = await born(spa, alice);
    const before = families.row(familyId);
    const refusal = refused(await refresh(families, token, by));
    expect(refusal).toMatchObject({ error: 'invalid_grant', rule: 'RFC 9449 §5' });
    expect(families.row(familyId)).toEqual(before);
    expect(families.audited.map(({ event }) => event)).toEqual(['token.mismatch']);
    tokenOf(await refresh(families, token, { client: spa, senderKey: alice }));
  });

  test('an old one without the key ends nothing: its thief cannot sign anybody out', async () => {
    const { families, familyId, token } = await born(spa, alice);
    let current = token;
    for (let time = 0; time < 3; time += 1) {
      current = tokenOf(await refresh(families, current, { client: spa, senderKey: alice }));
    }
    refused(await refresh(families, token, { client: spa, senderKey: mallory }));
    expect(families.row(familyId)?.revokedAt).toBeNull();
    refused(await refresh(families, token, { client: spa, senderKey: alice }));
    expect(families.row(familyId)?.revokedAt).not.toBeNull();
  });

  test('the parent gets the same heir at any time, not within the leeway only', async () => {
    const { families, token } = await born(spa, alice);
    const by = { client: spa, senderKey: alice };
    const heir = tokenOf(await refresh(families, token, by));
    families.now += 3600 * second;
    expect(tokenOf(await refresh(families, token, by))).toBe(heir);
    expect(families.audited).toEqual([]);
  });

  test('a bearer one that is refreshed with a key stays a bearer one', async () => {
    const { families, familyId, token } = await born(spa, undefined);
    const heir = tokenOf(await refresh(families, token, { client: spa, senderKey: alice }));
    expect(families.row(familyId)?.senderKey).toBeNull();
    tokenOf(await refresh(families, heir, { client: spa }));
  });
});

describe('RFC 9449 §5: refresh tokens of a confidential client', () => {
  test('are bound to no key: it proves itself, and may change its key', async () => {
    const { families, familyId, token } = await born(web, alice);
    expect(families.row(familyId)?.senderKey).toBeNull();
    const heir = tokenOf(await refresh(families, token, { senderKey: mallory }));
    tokenOf(await refresh(families, heir, {}));
  });
});

describe('RFC 9449 §10: a code that names a key', () => {
  test('is redeemed by that key', async () => {
    tokenOf(await redeem(database(), sealed({ dpop_jkt: alice }), { senderKey: alice }));
  });

  test.each([
    ['another key', { senderKey: mallory }],
    ['no key', {}],
  ])('is refused with %s, and not consumed', async (_, by) => {
    const families = database();
    const code = sealed({ dpop_jkt: alice });
    expect(refused(await redeem(families, code, by))).toMatchObject({ error: 'invalid_grant', rule: 'RFC 9449 §10' });
    expect(families.calls).toEqual([]);
    tokenOf(await redeem(families, code, { senderKey: alice }));
  });
});

describe('RFC 9449 §11.1: a proof counts once', () => {
  test('spent before it is told as what it is: a proof is no assertion', async () => {
    const { families, token } = await born(web, alice);
    const proofs = [proofOf('same', 'dpop'), proofOf('same', 'client assertion')];
    const heir = tokenOf(await refresh(families, token, { senderKey: alice, proofs }));
    const spentProof = [proofOf('same', 'dpop'), proofOf('fresh', 'client assertion')];
    expect(refused(await refresh(families, heir, { senderKey: alice, proofs: spentProof })).error).toBe(
      'invalid_dpop_proof',
    );
    const spentAssertion = [proofOf('fresh too', 'dpop'), proofOf('same', 'client assertion')];
    expect(refused(await refresh(families, heir, { senderKey: alice, proofs: spentAssertion })).error).toBe(
      'invalid_client',
    );
  });

  test('with a code it ends nothing', async () => {
    const families = database();
    const familyId = newFamilyId();
    const code = sealed({}, familyId);
    const proofs = [proofOf('one', 'dpop')];
    tokenOf(await redeem(families, code, { senderKey: alice, proofs }));
    expect(refused(await redeem(families, code, { senderKey: alice, proofs })).error).toBe('invalid_dpop_proof');
    expect(families.row(familyId)?.revokedAt).toBeNull();
  });
});
