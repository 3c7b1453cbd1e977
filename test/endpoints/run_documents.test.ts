import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import {
  alice,
  authorizeUrl,
  challenge,
  finish,
  reach,
  redeemCode,
  refresh,
  signedInAgent,
  textOf,
} from './run_browser.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** What each document must be. A document that was encoded twice would be a string. */
const documents: { readonly [column: string]: 'object' | 'array' } = {
  'audit_events.detail': 'object',
  'auth_sessions.demand': 'object',
  'auth_sessions.evidence': 'array',
  'auth_sessions.execution_state': 'array',
  'auth_sessions.last_ui_output': 'object',
  'auth_sessions.request': 'object',
  'auth_sessions.result': 'object',
  'auth_sessions.trace': 'array',
  'clients.metadata': 'object',
  'clients.secrets': 'array',
  'clients.settings': 'object',
  'flow_versions.definition': 'object',
  'lockouts.in_flight': 'object',
  'realms.settings': 'object',
  'signing_keys.public_jwk': 'object',
  'sso_sessions.evidence': 'array',
  'token_families.claims': 'object',
  'users.claims': 'object',
};

/** Written by nothing that this test does. */
const untouched = new Set(['clients.jwks']);

describe('documents', () => {
  test('of a full sign-in with claims, a refresh, a wrong password and a replay are objects and lists, never strings', async () => {
    const claims = JSON.stringify({ id_token: { email: null }, userinfo: { phone_number: null } });
    const agent = new UserAgent();
    const consent = await reach(agent, authorizeUrl(provider.issuer, { claims, ...challenge }), 'consent');
    const waiting = await provider.database.sql`SELECT jsonb_typeof(last_ui_output) AS type FROM auth_sessions`;
    expect([...waiting]).toEqual([{ type: 'object' }]);
    await finish(agent, consent);
    const { back } = await signedInAgent(provider, alice, { claims });
    const issued = await redeemCode(provider, back);
    await refresh(provider, textOf(issued.body, 'refresh_token'));
    await redeemCode(provider, back);
    const wrong = new UserAgent();
    await wrong.answer(await reach(wrong, authorizeUrl(provider.issuer), 'password'), { password: 'wrong' });
    await reach(new UserAgent(), authorizeUrl(provider.issuer, { prompt: 'consent' }), 'consent');

    const { sql } = provider.database;
    const columns = await sql<{ table: string; column: string }[]>`
      SELECT relname AS table, attname AS column FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE atttypid IN ('jsonb'::regtype, 'json'::regtype) AND NOT attisdropped AND NOT relispartition
        AND relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace`;
    const found: { [column: string]: readonly string[] } = {};
    for (const { table, column } of columns) {
      const types = await sql.unsafe<{ type: string }[]>(
        `SELECT DISTINCT jsonb_typeof(${column}) AS type FROM ${table} WHERE ${column} IS NOT NULL`,
      );
      if (types.length > 0) found[`${table}.${column}`] = types.map(({ type }) => type);
    }
    const expected = Object.fromEntries(Object.entries(documents).map(([column, type]) => [column, [type]]));
    expect(found).toMatchObject(expected);
    for (const types of Object.values(found)) expect(types).not.toContain('string');
    for (const column of untouched) expect(found[column]).toBeUndefined();
  });
});
