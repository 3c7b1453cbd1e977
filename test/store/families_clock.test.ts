import { afterAll, beforeAll, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { granted, refused } from '../oidc/parties.ts';
import { familyHistories, type Histories, type Sealed, web } from './family_histories.ts';

/**
 * "Sign out everywhere" stamps the database's time, a code carries its process's. A process that is ahead, within the two
 * seconds that readiness allows, must not make what it issues younger than a sign-out that comes later.
 */

let store: Histories;

beforeAll(async () => {
  store = await familyHistories();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

/** A code whose process is ahead of the database by so many seconds until the end of `work`. */
async function ahead(seconds: number, work: (sealed: Sealed) => Promise<void>): Promise<void> {
  const sealed = await store.code(web, offline);
  await store.shiftClock(-seconds);
  try {
    await work(sealed);
  } finally {
    await store.shiftClock(0);
  }
}

const signOutEverywhere = ({ userId }: Pick<Sealed, 'userId'>) =>
  store.database.sql`UPDATE users SET valid_from = limen_now() WHERE id = ${userId}`;

const offline = { scope: ['openid', 'offline_access'] };

test.each([0.2, 1, 1.9])('%d s ahead: a family from before the sign-out is dead', async (seconds) => {
  await ahead(seconds, async (sealed) => {
    const token = store.tokenOf(await store.redeem(sealed));
    const [row] = await store.database.sql<{ late: boolean }[]>`
      SELECT created_at > limen_now() AS late FROM token_families WHERE id = ${sealed.familyId}`;
    expect(row?.late).toBe(false);
    await Bun.sleep(5);
    await signOutEverywhere(sealed);
    expect(refused(await store.refresh(token)).error).toBe('invalid_grant');
    expect(await store.families.readLive(sealed.familyId, store.realmId)).toBeNull();
  });
});

test('ahead without a sign-out: the family lives', async () => {
  await ahead(1.9, async (sealed) => {
    const token = store.tokenOf(await store.redeem(sealed));
    granted(await store.refresh(token));
  });
});

test('1.9 s ahead: a code from before the sign-out is dead, too', async () => {
  await ahead(1.9, async (sealed) => {
    const { sql } = store.database;
    // Sessions are born by the database's clock.
    await sql`UPDATE sso_sessions SET created_at = limen_now() WHERE id = ${sealed.sessionId}`;
    await Bun.sleep(5);
    await signOutEverywhere(sealed);
    expect(refused(await store.redeem(sealed)).error).toBe('invalid_grant');
    expect((await sql`SELECT 1 FROM token_families WHERE id = ${sealed.familyId}`).length).toBe(0);
  });
});
