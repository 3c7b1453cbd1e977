import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import postgres from 'postgres';
import { sha256 } from '../../src/core/crypto.ts';
import { brandId, type ClientId, type FamilyId } from '../../src/core/ids.ts';
import { createAudit } from '../../src/store/audit.ts';
import { createFamilies } from '../../src/store/families.ts';
import { leavesOf, partitionedTables } from '../../src/store/partitions.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { codeOf } from '../oidc/grants/redeem.ts';
import { familyHistories, type Histories, web } from './family_histories.ts';

/** What the hot statements do inside Postgres: one leaf, by index, and updates that touch no index. */

let store: Histories;

beforeAll(async () => {
  store = await familyHistories({ connections: 1 });
  await addCrowd();
}, databaseTimeoutMilliseconds);

afterAll(() => store.drop());

/** Enough of everything that no planner would read it all by mistake. */
async function addCrowd(): Promise<void> {
  const { sql } = store.database;
  await sql`
    INSERT INTO token_families (id, realm_id, client_id, secret_hash, scope, audience, created_at, rotated_at)
    SELECT overlay(gen_random_uuid()::text PLACING
             regexp_replace(lpad(to_hex((extract(epoch FROM now() + n * interval '1 hour') * 1000)::bigint), 12, '0'),
                            '(.{8})', '\\1-') || '-8' FROM 1 FOR 15)::uuid,
           ${store.realmId}, 'crowd', sha256(n::text::bytea), 'openid', '{}', now(), now()
    FROM generate_series(1, 4000) AS n`;
  await sql`
    INSERT INTO users (id, realm_id, username, username_key)
    SELECT gen_random_uuid(), ${store.realmId}, 'crowd ' || n, 'crowd ' || n FROM generate_series(1, 4000) AS n`;
  await sql`
    INSERT INTO sso_sessions (id, realm_id, user_id, secret_hash, evidence, created_at, seen_at, expires_at)
    SELECT gen_random_uuid(), realm_id, id, sha256(id::text::bytea), '[]', now(), now(), now() + interval '1 day'
    FROM users`;
  await sql`ANALYZE`;
}

type Sent = { readonly text: string; readonly parameters: readonly unknown[] };
type Node = { readonly [key: string]: unknown };

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (value instanceof Uint8Array) return `'\\x${Buffer.from(value).toString('hex')}'`;
  if (Array.isArray(value)) return `'{${value.map((item) => JSON.stringify(item)).join(',')}}'`;
  return `'${String(value).replaceAll("'", "''")}'`;
}

/** A plan and all that is below it. */
function nodesOf(plan: unknown): readonly Node[] {
  if (typeof plan !== 'object' || plan === null) return [];
  const node: Node = { ...plan };
  const { Plans: below = [] } = node;
  return [node, ...(Array.isArray(below) ? below.flatMap(nodesOf) : [])];
}

describe('the plans', () => {
  let sql: postgres.Sql;
  const sent: Sent[] = [];

  beforeAll(() => {
    sql = postgres(store.url, {
      max: 1,
      onnotice: () => {},
      connection: { plan_cache_mode: 'force_generic_plan', TimeZone: 'UTC' },
      debug: (_, text, parameters) => void sent.push({ text, parameters }),
    });
  });

  afterAll(() => sql.end());

  /** The plan of the one statement with this text that `work` sends, as it is executed. */
  async function planOf(text: string, work: (families: Histories['families']) => Promise<unknown>) {
    const database = { ...store.database, sql };
    const families = createFamilies(
      database,
      createAudit(store.database, () => Date.now()),
    );
    sent.length = 0;
    await work(families);
    const [statement, ...others] = sent.filter((one) => one.text.includes(text));
    if (statement === undefined || others.length > 0) throw new Error(`${1 + others.length} statements with ${text}`);
    await sql.unsafe(`PREPARE explained AS ${statement.text}`);
    const values = statement.parameters.map(literal).join(', ');
    const [explained] = await sql.unsafe(`EXPLAIN (COSTS OFF, FORMAT JSON) EXECUTE explained (${values})`);
    await sql.unsafe('DEALLOCATE explained');
    const plans: unknown = explained?.['QUERY PLAN'];
    return Array.isArray(plans) ? plans.flatMap(({ Plan: plan }: Node) => nodesOf(plan)) : [];
  }

  const scans = (nodes: readonly Node[]) => nodes.filter(({ 'Relation Name': relation }) => relation !== undefined);
  const isLeaf = (node: Node) => String(node['Relation Name']).startsWith('token_families_');

  const bounds = { idleSeconds: 86_400, clientValidFrom: 0 };
  const presenter = { address: null, agent: null };
  const cases: readonly (readonly [
    string,
    string,
    (families: Histories['families'], born: Awaited<ReturnType<Histories['born']>>) => Promise<unknown>,
  ])[] = [
    [
      'rotation',
      'UPDATE token_families',
      (families, { familyId }) =>
        families.rotate({
          familyId,
          realmId: store.realmId,
          clientId: web.clientId,
          generation: 0,
          secretHash: Buffer.alloc(32),
          next: { generation: 1, secretHash: Buffer.alloc(32) },
          narrowing: { scope: null, audience: null },
          bounds,
          presenter,
          proofs: [],
        }),
    ],
    [
      'the second look at a row',
      'FROM token_families',
      (families, { familyId }) => families.read(familyId, store.realmId, bounds),
    ],
    [
      'userinfo and introspection',
      'FROM token_families',
      (families, { familyId }) => families.readLive(familyId, store.realmId),
    ],
  ];

  for (const [what, text, work] of cases) {
    test(`${what}: one leaf and the rows it depends on, each by a unique index`, async () => {
      const born = await store.born();
      const nodes = await planOf(text, (families) => work(families, born));
      const leaves = scans(nodes).filter(isLeaf);
      const reads = leaves.filter(({ 'Node Type': type }) => type !== 'ModifyTable');
      expect(reads.map(({ 'Node Type': type }) => type)).toEqual(['Index Scan']);
      expect(String(reads[0]?.['Index Name'])).toEndWith('_pkey');
      expect(String(reads[0]?.['Index Cond'])).toContain('id = ');
      const partitions = partitionedTables.find(({ table }) => table === 'token_families');
      const all = partitions === undefined ? [] : await leavesOf(store.database.sql, partitions);
      const removed = nodes.map((node) => Number(node['Subplans Removed'] ?? 0)).reduce((one, other) => one + other, 0);
      expect(removed).toBe(all.length - 1);
      for (const scan of scans(nodes)) {
        expect(scan['Node Type']).not.toBe('Seq Scan');
        expect(scan['Node Type']).not.toBe('Bitmap Heap Scan');
      }
      const others = scans(nodes).filter((node) => !isLeaf(node) && node['Node Type'] !== 'ModifyTable');
      for (const other of others) expect(String(other['Index Name'])).toBe(`${other['Relation Name']}_pkey`);
    });
  }

  test('redemption: user and session by their keys, the family by one insert', async () => {
    const sealed = await store.code();
    const content = codeOf();
    const nodes = await planOf('INSERT INTO token_families', (families) =>
      families.redeem({
        familyId: sealed.familyId,
        realmId: store.realmId,
        grant: {
          clientId: web.clientId,
          userId: sealed.userId,
          sessionId: sealed.sessionId,
          scope: content.scope,
          audience: content.audience,
          authTime: content.auth_time,
          acr: content.acr,
          amr: content.amr,
          claims: { userinfo: [], idToken: [] },
        },
        offline: false,
        secretHash: Buffer.alloc(32),
        codeIssuedAt: Date.now(),
        codeExpiresAt: Date.now() + 60_000,
        frontFamilyId: null,
        presenter,
        proofs: [],
      }),
    );
    const reads = scans(nodes).filter(({ 'Node Type': type }) => type !== 'ModifyTable');
    expect(reads.map((node) => [node['Node Type'], node['Index Name']]).sort()).toEqual([
      ['Index Scan', 'sso_sessions_pkey'],
      ['Index Scan', 'users_pkey'],
      ['Index Scan', 'users_pkey'],
    ]);
    expect(nodes.find((node) => node['Node Type'] === 'ModifyTable')).toMatchObject({
      'Conflict Resolution': 'NOTHING',
    });
  });
});

describe('a thousand refreshes', () => {
  test('change no column that an index holds', async () => {
    const rows = await store.database.sql<{ column: string }[]>`
      SELECT DISTINCT attname AS column FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
      WHERE indrelid = 'token_families'::regclass`;
    const changed = ['generation', 'secret_hash', 'rotated_at', 'address', 'agent'];
    expect(rows.map(({ column }) => column).filter((column) => changed.includes(column))).toEqual([]);
  });

  test('are a thousand HOT updates, and the table does not grow with them', async () => {
    const { sql } = store.database;
    // Every fourth of its page: there is room for that many even where dead versions cannot be pruned yet.
    const families = await sql<{ id: string; secret_hash: Uint8Array }[]>`
      SELECT id, secret_hash FROM (
        SELECT id, secret_hash, row_number() OVER (ORDER BY id) AS place FROM token_families WHERE client_id = 'crowd'
      ) AS crowd WHERE place % 4 = 0`;
    const before = await counters();
    for (const { id, secret_hash: secretHash } of families) {
      const rotated = await store.families.rotate({
        familyId: brandId<FamilyId>(id),
        realmId: store.realmId,
        clientId: brandId<ClientId>('crowd'),
        generation: 0,
        secretHash,
        next: { generation: 1, secretHash: sha256(secretHash) },
        narrowing: { scope: null, audience: null },
        bounds: { idleSeconds: 86_400, clientValidFrom: 0 },
        presenter: { address: '192.0.2.1', agent: 'an agent of the usual length' },
        proofs: [],
      });
      expect(rotated).not.toBeNull();
    }
    const after = await counters();
    expect([after.updates - before.updates, after.hot - before.hot]).toEqual([1000, 1000]);
    expect(after.bytes).toBe(before.bytes);
  }, 20_000);

  /** One connection does everything, so that its counters are complete when it flushes them. */
  async function counters() {
    const { sql } = store.database;
    await sql`SELECT pg_stat_force_next_flush()`;
    const [row] = await sql<{ updates: number; hot: number; bytes: number }[]>`
      SELECT sum(n_tup_upd)::int AS updates, sum(n_tup_hot_upd)::int AS hot,
             sum(pg_relation_size(relid))::int AS bytes
      FROM pg_stat_user_tables WHERE relname LIKE 'token\\_families\\_%'`;
    return row ?? { updates: 0, hot: 0, bytes: 0 };
  }
});
