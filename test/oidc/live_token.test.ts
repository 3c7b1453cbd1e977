import { describe, expect, test } from 'bun:test';
import type { FamilyId } from '../../src/core/ids.ts';
import type { Instant } from '../../src/core/time.ts';
import { type AccessTokenClaims, accessTokenClaims } from '../../src/oidc/access_token.ts';
import type { Client } from '../../src/oidc/client.ts';
import { liveToken } from '../../src/oidc/live_token.ts';
import type { Realm } from '../../src/oidc/realm.ts';
import { database, newFamilyId, sealed, send } from './grants/redeem.ts';
import {
  callback,
  granted,
  issuer,
  machine,
  realm,
  realmWith,
  second,
  spa,
  start,
  userId,
  verifier,
  web,
} from './parties.ts';

const later = start + 100 * second;

const claimsFor = (client: Client, familyId: FamilyId | null, now: Instant): AccessTokenClaims => {
  const grant = { userId: familyId === null ? null : userId, audience: [issuer], authTime: null, acr: null };
  return accessTokenClaims({
    realm,
    client,
    grant,
    scope: ['api'],
    familyId,
    senderKey: null,
    now,
  }) as AccessTokenClaims;
};

/** A family of the single-page application, and whether a token of it, issued later to `client`, still counts. */
async function isLive(client: Client, clients: readonly Client[], inRealm: Realm = realm): Promise<boolean> {
  const families = database();
  const familyId = newFamilyId();
  const code = sealed({ client_id: 'spa' }, familyId);
  const redemption = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier };
  granted(await send(families, redemption, { client: spa }));
  const findClient = async (clientId: string) => clients.find((one) => one.clientId === clientId) ?? null;
  return (await liveToken(claimsFor(client, familyId, later), inRealm, { families, findClient })) !== null;
}

const cutAt = (client: Client, validFrom: Instant): Client => ({ ...client, validFrom });

describe('a token of its client’s own family', () => {
  test.each<[string, boolean, readonly Client[]]>([
    ['as it was issued', true, [spa]],
    ['its client is gone', false, []],
    ['its client was cut after the sign-in', false, [cutAt(spa, start + 1)]],
    ['its client was cut before', true, [cutAt(spa, start)]],
  ])('%s: %p', async (_, live, clients) => {
    expect(await isLive(spa, clients)).toBe(live);
  });

  test('the realm was cut after the sign-in', async () => {
    expect(await isLive(spa, [spa], realmWith({}, { validFrom: start + 1 }))).toBe(false);
  });
});

describe('an exchanged token, on the family of another client', () => {
  test.each<[string, boolean, readonly Client[]]>([
    ['both are as they were', true, [spa, web]],
    ['the client of the family is gone', false, [web]],
    ['the client of the family was cut', false, [cutAt(spa, start + 1), web]],
    ['who exchanged it is gone', false, [spa]],
    ['who exchanged it was cut after the exchange', false, [spa, cutAt(web, later + 2 * second)]],
    ['who exchanged it was cut before the exchange', true, [spa, cutAt(web, later - second)]],
  ])('%s: %p', async (_, live, clients) => {
    expect(await isLive(web, clients)).toBe(live);
  });
});

describe('an exchanged token without a family, which speaks of another client', () => {
  test.each<[string, boolean, readonly Client[]]>([
    ['both are as they were', true, [machine, web]],
    ['whom it speaks of is gone', false, [web]],
    ['whom it speaks of was cut after the exchange', false, [cutAt(machine, later + 2 * second), web]],
    ['whom it speaks of was cut before the exchange', true, [cutAt(machine, later - second), web]],
    ['who exchanged it is gone', false, [machine]],
    ['who exchanged it was cut after the exchange', false, [machine, cutAt(web, later + 2 * second)]],
  ])('%s: %p', async (_, live, clients) => {
    const findClient = async (clientId: string) => clients.find((one) => one.clientId === clientId) ?? null;
    const claims = { ...claimsFor(web, null, later), sub: machine.clientId };
    expect((await liveToken(claims, realm, { families: database(), findClient })) !== null).toBe(live);
  });
});

test('a token of its own is judged by its client alone', async () => {
  const families = database();
  const judge = (client: Client | null) =>
    liveToken(claimsFor(machine, null, later), realm, { families, findClient: async () => client });
  expect(await judge(machine)).toMatchObject({ client: machine, family: null });
  expect(await judge(cutAt(machine, later + 2 * second))).toBeNull();
  expect(await judge(null)).toBeNull();
  expect(families.calls).toEqual([]);
});
