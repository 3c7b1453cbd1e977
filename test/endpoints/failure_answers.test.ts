import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import type { UserAgent } from '../user_agent.ts';
import { until } from './operator.ts';
import { alice, authorizeUrl, basic, codeOf, membersOf, redeem, tokensOf, webOf } from './relying_party.ts';
import { entryFor, reach, signedInAgent } from './run_browser.ts';

/** Whatever is thrown while a request is carried out, its answer is an id that leads to the log, and not what was thrown. */

let provider: Provider;
let asked: readonly Asked[];

type Asked = { readonly what: string; readonly table: string; readonly send: () => Promise<Response> };

beforeAll(async () => {
  provider = await startProvider();
  asked = await requests();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** A request to each endpoint, with the table that it cannot do without. */
async function requests(): Promise<readonly Asked[]> {
  const web = webOf(provider);
  const { agent, back } = await signedInAgent(provider);
  const { accessToken } = await tokensOf(await redeem(web, codeOf(back)));
  const consent = await reach(agent, authorizeUrl(web, { prompt: 'login consent' }), 'consent');
  const password = await reach(agent, authorizeUrl(web, { prompt: 'login' }), 'password');
  const form = {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      authorization: basic(web.clientId, web.secret ?? ''),
    },
    body: new URLSearchParams({ token: accessToken }).toString(),
  };
  return [
    { what: '/authorize', table: 'sso_sessions', send: () => agent.fetch(authorizeUrl(web)) },
    { what: '/run by GET', table: 'auth_sessions', send: () => agent.fetch(consent.url) },
    { what: '/run by POST', table: 'auth_sessions', send: () => agent.submit(consent, { decision: 'allow' }) },
    {
      what: '/run by POST of a password',
      table: 'users',
      send: () => agent.submit(password, entryFor('password', alice)),
    },
    { what: '/logout', table: 'sso_sessions', send: () => logout(agent) },
    { what: '/introspect', table: 'token_families', send: () => fetch(`${provider.issuer}/introspect`, form) },
    { what: '/revoke', table: 'token_families', send: () => fetch(`${provider.issuer}/revoke`, form) },
  ];
}

const logout = (agent: UserAgent): Promise<Response> => agent.fetch(`${provider.issuer}/logout`);

const requestTo = (what: string): Asked => {
  const found = asked.find((request) => request.what === what);
  if (found === undefined) throw new Error(`no request to ${what}`);
  return found;
};

/** Opaque, with the id of exactly one line of the log. */
async function expectOpaque(answer: Response, status: number): Promise<void> {
  const body = (await answer.text()).replace(/<style>[\s\S]*?<\/style>/, '');
  expect({ status: answer.status, location: answer.headers.get('location') }).toEqual({ status, location: null });
  expect(answer.headers.get('cache-control')).toContain('no-store');
  expect(answer.headers.getSetCookie()).toEqual([]);
  const [, inJson, inPage] = /error id ([\w-]{12})\)|id="error_id">([\w-]{12})</.exec(body) ?? [];
  const lines = provider.log.map((line) => membersOf(JSON.parse(line)));
  expect(lines.filter(({ errorId }) => errorId === (inJson ?? inPage ?? 'none'))).toHaveLength(1);
  expect(body).not.toMatch(/relation|does not exist|cancel|statement|postgres|SELECT|UPDATE|_elsewhere|at \/|\.ts:\d/i);
  expect(body).not.toMatch(/sso_sessions|auth_sessions|token_families|\busers\b/);
}

const endpoints = [
  '/authorize',
  '/run by GET',
  '/run by POST',
  '/run by POST of a password',
  '/logout',
  '/introspect',
  '/revoke',
];

describe('a bug in what a handler calls', () => {
  test.each(endpoints)('%s: 500', async (what) => {
    const { table, send } = requestTo(what);
    await provider.database.sql.unsafe(`ALTER TABLE ${table} RENAME TO ${table}_elsewhere`);
    const answer = await send().finally(() =>
      provider.database.sql.unsafe(`ALTER TABLE ${table}_elsewhere RENAME TO ${table}`),
    );
    await expectOpaque(answer, 500);
  });
});

describe('a statement that the database gives up', () => {
  test.each(endpoints)('%s: 503 with a time to come back', async (what) => {
    const { table, send } = requestTo(what);
    const answers: Response[] = [];
    await provider.database.sql.begin(async (sql) => {
      await sql.unsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
      const answering = send();
      await until(async () => (await terminateWaiting(table)) > 0);
      answers.push(await answering);
    });
    for (const answer of answers) {
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      await expectOpaque(answer, 503);
    }
    expect(answers).toHaveLength(1);
  });
});

/** Ends the connections whose statement waits for this table; how many. */
async function terminateWaiting(table: string): Promise<number> {
  const [ended] = await provider.database.sql`
    SELECT count(pg_terminate_backend(pid))::int AS count FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE ${`%${table}%`}
      AND pid <> pg_backend_pid()`;
  return Number(ended?.['count']);
}

test('afterwards everything is answered as before', async () => {
  await until(async () => (await requestTo('/introspect').send()).status === 200);
  for (const what of ['/authorize', '/run by GET', '/logout']) {
    expect((await requestTo(what).send()).status).toBeLessThan(400);
  }
});
