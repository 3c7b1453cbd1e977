import { describe, expect, test } from 'bun:test';
import { brandId, type ClientId } from '../../../src/core/ids.ts';
import type { Instant } from '../../../src/core/time.ts';
import type { Client } from '../../../src/oidc/client.ts';
import { hashOfDeviceCode, sealDeviceCode } from '../../../src/oidc/device/device_code.ts';
import type { ErrorCode } from '../../../src/oidc/errors.ts';
import type { Grant } from '../../../src/oidc/token_family.ts';
import type { StoredDevice } from '../families_in_memory.ts';
import {
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
  web,
} from '../parties.ts';
import { type Circumstances, database, newFamilyId, send } from './redeem.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const television: Client = { ...web, grantTypes: [deviceGrant, 'refresh_token'] };
const lifetime = 600 * second;

const grant: Grant = {
  clientId: television.clientId,
  userId,
  sessionId,
  scope: ['openid', 'api'],
  audience: [issuer],
  authTime: start / 1000 - 5,
  acr: null,
  amr: ['pwd'],
  claims: { userinfo: [], idToken: [] },
};
const approved = { at: start, grant };

/** A device that has asked, and what was decided about it. */
function waiting(decision: StoredDevice['decision'] = approved, changes: Partial<StoredDevice> = {}) {
  const families = database();
  const familyId = newFamilyId();
  const { clientId } = television;
  const code = sealDeviceCode(ring, realmId, { familyId, clientId, expiresAt: start + lifetime });
  families.devices.set(familyId, {
    realmId,
    clientId,
    codeHash: hashOfDeviceCode(code),
    createdAt: start,
    expiresAt: start + lifetime,
    intervalSeconds: 5,
    polledAt: null,
    decision,
    ...changes,
  });
  const poll = (circumstances: Circumstances = {}, device_code: string | undefined = code) =>
    send(families, { grant_type: deviceGrant, device_code }, { client: television, ...circumstances });
  return { families, familyId, code, poll };
}

describe('RFC 8628 §3.4, §3.5', () => {
  test('approved: the grant as the person made it, with the first refresh token of the family', async () => {
    const { families, familyId, poll } = waiting();
    const issue = granted(await poll());
    expect(issue).toMatchObject({ grant, scope: grant.scope, familyId, nonce: null });
    expect(issue.refreshToken).toMatchObject({ familyId, generation: 0 });
    expect(families.row(familyId)?.secretHash).toEqual(issue.refreshToken?.secretHash ?? null);
    expect(refused(await poll()).error).toBe('invalid_grant');
    expect(families.row(familyId)?.revokedAt).toBeNull();
  });

  test('without refresh_token: none, and the row has none', async () => {
    const { families, familyId, poll } = waiting();
    expect(granted(await poll({ client: { ...television, grantTypes: [deviceGrant] } })).refreshToken).toBeNull();
    expect(families.row(familyId)?.secretHash).toBeNull();
  });

  test('each state has its error', async () => {
    expect(refused(await waiting('pending').poll()).error).toBe('authorization_pending');
    expect(refused(await waiting('denied').poll()).error).toBe('access_denied');
    const { families, poll } = waiting('pending');
    await poll();
    families.now += second;
    expect(refused(await poll()).error).toBe('slow_down');
    families.now += 9 * second;
    expect(refused(await poll()).error).toBe('slow_down');
    families.now += 15 * second;
    expect(refused(await poll()).error).toBe('authorization_pending');
  });

  test('a public client redeems without PKCE, since nothing went through a browser', async () => {
    const own = { ...spa, clientId: television.clientId, grantTypes: [deviceGrant] };
    expect(granted(await waiting().poll({ client: own })).grant).toEqual(grant);
  });
});

describe('what the code itself answers is refused without the database', () => {
  const cases: readonly [string, ErrorCode, (run: ReturnType<typeof waiting>) => ReturnType<typeof send>][] = [
    [
      'no code',
      'invalid_request',
      ({ families }) => send(families, { grant_type: deviceGrant }, { client: television }),
    ],
    ['noise', 'invalid_grant', ({ poll }) => poll({}, 'noise')],
    [
      'a changed byte',
      'invalid_grant',
      ({ poll, code }) => poll({}, `${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`),
    ],
    ['another realm', 'invalid_grant', ({ poll }) => poll({ realm: realmWith({}, { id: otherRealmId }) })],
    ['a ring that has left', 'invalid_grant', ({ poll }) => poll({ ring: ringOf(9) })],
    [
      'another client',
      'invalid_grant',
      ({ poll }) => poll({ client: { ...television, clientId: brandId<ClientId>('else') } }),
    ],
    ['long over', 'expired_token', ({ poll }) => poll({ now: start + lifetime + 2 * second })],
  ];
  test.each(cases)('%s: %s', async (_, error, act) => {
    const run = waiting();
    expect(refused(await act(run)).error).toBe(error);
    expect(run.families.calls).toEqual([]);
  });

  const late: readonly [string, Instant, ErrorCode | 'none'][] = [
    ['just over by the database’s clock', lifetime, 'expired_token'],
    ['the last moment', lifetime - 1, 'none'],
  ];
  test.each(late)('%s: asked of the database', async (_, after, error) => {
    const run = waiting();
    run.families.now = start + after;
    const answer = await run.poll();
    expect(answer.ok ? 'none' : answer.error.error).toBe(error);
    expect(run.families.calls).toEqual(['redeemDevice']);
  });

  test('asked before the client’s or the realm’s cut: refused', async () => {
    expect(refused(await waiting().poll({ client: { ...television, validFrom: start + 1 } })).error).toBe(
      'invalid_grant',
    );
    expect(refused(await waiting().poll({ realm: realmWith({}, { validFrom: start + 1 }) })).error).toBe(
      'invalid_grant',
    );
  });
});
