import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { refused } from '../oidc/parties.ts';
import { familyHistories, type Histories, spa, web } from './family_histories.ts';

/** RFC 9449 §5 in the statements: the key is part of the row, and of the condition that turns it. */

let store: Histories;

beforeAll(async () => {
  store = await familyHistories();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

const keyOf = async (familyId: string): Promise<string | null> => {
  const [row] = await store.database.sql<{ sender_key: string | null }[]>`
    SELECT sender_key FROM token_families WHERE id = ${familyId}`;
  return row?.sender_key ?? null;
};

const bound = async (client: typeof spa) => {
  const sealed = await store.code(client);
  const token = store.tokenOf(await store.redeem(sealed, { client, senderKey: 'key' }));
  return { ...sealed, token };
};

describe('a family of a public client', () => {
  test('keeps the key of its birth, and turns for it in one statement', async () => {
    const { familyId, token } = await bound(spa);
    expect(await keyOf(familyId)).toBe('key');
    const statements = await store.statementsOf(() => store.refresh(token, { client: spa, senderKey: 'key' }));
    expect(statements).toHaveLength(1);
    expect((await store.row(familyId)).generation).toBe(1);
    expect(await keyOf(familyId)).toBe('key');
  });

  test('turns for no other key, at once with its own or alone, and is told in the audit log', async () => {
    const { familyId, token } = await bound(spa);
    const keys = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? 'key' : 'another'));
    const answers = await Promise.all(keys.map((senderKey) => store.refresh(token, { client: spa, senderKey })));
    for (const [index, answer] of answers.entries()) expect(answer.ok).toBe(keys[index] === 'key');
    expect((await store.row(familyId)).generation).toBe(1);
    expect(refused(await store.refresh(token, { client: spa })).rule).toBe('RFC 9449 §5');
    expect((await store.events(familyId)).map(({ event }) => event)).toEqual(Array(11).fill('token.mismatch'));
  });

  test('that lost commits is recovered by its key only', async () => {
    const { familyId, token } = await bound(spa);
    const kept = await store.row(familyId);
    const [, child = ''] = await store.rotate(token, 1, { client: spa, senderKey: 'key' });
    await store.setBack(familyId, kept);
    expect((await store.refresh(child, { client: spa, senderKey: 'another' })).ok).toBe(false);
    expect((await store.row(familyId)).generation).toBe(0);
    expect((await store.refresh(child, { client: spa, senderKey: 'key' })).ok).toBe(true);
    expect((await store.row(familyId)).generation).toBe(2);
  });
});

test('a family of a confidential client keeps no key', async () => {
  const { familyId, token } = await bound(web);
  expect(await keyOf(familyId)).toBeNull();
  expect((await store.refresh(token, { senderKey: 'another' })).ok).toBe(true);
});
