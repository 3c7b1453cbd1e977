import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createPartitions, leavesOf, partitionedTables } from '../../src/store/partitions.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import {
  alice,
  authorizeUrl,
  entryFor,
  finish,
  reach,
  redeemCode,
  redirectOf,
  refresh,
  rowCounts,
  type ScreenName,
  signedInAgent,
  textOf,
} from '../endpoints/run_browser.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';

/** Nobody made partitions ahead: never a success, never the fault of who asks, and over as soon as there is one. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const day = 86_400_000;

/** Without leaves of this table while `work` runs; what was in them is there again afterwards. */
async function without(name: string, work: () => Promise<void>): Promise<void> {
  const { sql } = provider.database;
  const table = partitionedTables.find((candidate) => candidate.table === name);
  if (table === undefined) throw new Error(`${name} is not partitioned`);
  const leaves = await leavesOf(sql, table);
  const [bounds] = await sql<{ all: string }[]>`
    SELECT string_agg(relname || ' ' || pg_get_expr(relpartbound, oid), E'\n') AS all FROM pg_class
    WHERE relname = ANY (${leaves.map((leaf) => leaf.name)})`;
  for (const leaf of leaves) await sql.unsafe(`ALTER TABLE ${name} DETACH PARTITION ${leaf.name}`);
  try {
    await work();
  } finally {
    for (const line of bounds?.all.split('\n') ?? []) {
      const [leaf = '', ...bound] = line.split(' ');
      await sql.unsafe(`ALTER TABLE ${name} ATTACH PARTITION ${leaf} ${bound.join(' ')}`);
    }
  }
}

function expectUnavailable(response: { readonly status: number; readonly headers: Headers }): void {
  expect(response.status).toBe(503);
  expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
}

describe('without a partition', () => {
  test('for the family: the code answers 503, is not consumed, and is served later; readiness says no', async () => {
    const { back } = await signedInAgent(provider);
    await without('token_families', async () => {
      const response = await fetch(`${provider.issuer}/token`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${btoa(`demo-web:${provider.secretOf('demo-web')}`)}`,
        },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: back.searchParams.get('code') ?? '',
          redirect_uri: 'http://127.0.0.1:4020/callback',
        }).toString(),
      });
      expectUnavailable(response);
      expect(await response.json()).toMatchObject({ error: 'temporarily_unavailable' });
      const ready = await fetch(`${provider.issuer}/readyz`);
      expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('token_families')]);
    });
    expect((await fetch(`${provider.issuer}/readyz`)).status).toBe(200);
    const issued = await redeemCode(provider, back);
    expect(issued.status).toBe(200);
    // It is what was stored, not a leftover of the first try.
    expect((await refresh(provider, textOf(issued.body, 'refresh_token'))).status).toBe(200);
  });

  const steps: readonly (readonly [string, ScreenName])[] = [
    ['auth_sessions', 'password'],
    ['audit_events', 'password'],
    ['audit_events', 'consent'],
  ];
  for (const [table, screen] of steps) {
    test(`for ${table}, at the ${screen} page: 503, nothing is half done, and the same page goes on later`, async () => {
      const agent = new UserAgent();
      const page = await reach(agent, authorizeUrl(provider.issuer, { prompt: 'consent' }), screen);
      const before = await rowCounts(provider, ['sso_sessions', 'consents']);
      await without(table, async () => {
        const response = await agent.submit(page, entryFor(screen, alice));
        expectUnavailable(response);
        expect(response.headers.getSetCookie()).toEqual([]);
        await response.text();
      });
      expect(await rowCounts(provider, ['sso_sessions', 'consents'])).toEqual(before);
      // An attempt that could not be settled is void after the hash deadline, at the latest.
      expect((await redeemCode(provider, await finish(agent, page))).status).toBe(200);
    }, 15_000);
  }

  test('a silent sign-in needs none', async () => {
    const { agent } = await signedInAgent(provider);
    await without('auth_sessions', async () => {
      expect(redirectOf(await agent.open(authorizeUrl(provider.issuer))).searchParams.get('code')).not.toBeNull();
    });
  });

  test('what the worker does heals it', async () => {
    const { sql } = provider.database;
    await sql.unsafe(`DROP TABLE ${(await leafOf('token_families', Date.now() + 100 * day)).name}`);
    expect((await fetch(`${provider.issuer}/readyz`)).status).toBe(503);
    await createPartitions(provider.database).ensure(Date.now());
    expect((await fetch(`${provider.issuer}/readyz`)).status).toBe(200);
  });
});

async function leafOf(name: string, instant: number) {
  const table = partitionedTables.find((candidate) => candidate.table === name);
  const leaves = table === undefined ? [] : await leavesOf(provider.database.sql, table);
  const leaf = leaves.find(({ from, to }) => from <= instant && instant < to);
  if (leaf === undefined) throw new Error(`${name} has no leaf`);
  return leaf;
}
