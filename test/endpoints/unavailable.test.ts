import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { until } from './operator.ts';
import {
  alice,
  authorizeUrl,
  basic,
  bodyOf,
  membersOf,
  post,
  refresh,
  text,
  tokensFor,
  userinfo,
  webOf,
} from './relying_party.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const asPerson = { headers: { accept: 'text/html' }, redirect: 'manual' } as const;

const errorIdIn = (text: string): string =>
  /error id ([A-Za-z0-9_-]{12})\)|id="error_id">([A-Za-z0-9_-]{12})</
    .exec(text)
    ?.slice(1)
    .find((id) => id !== undefined) ?? '';

/** The one line that an error id leads to. */
function lineOf(errorId: string) {
  const lines = provider.log.map((line) => membersOf(JSON.parse(line))).filter((line) => line['errorId'] === errorId);
  expect(lines).toHaveLength(1);
  return lines[0] ?? {};
}

/** Holds a table against everybody, as long as the work takes. */
async function whileLocked(table: string, work: () => Promise<void>): Promise<void> {
  await provider.database.sql.begin(async (sql) => {
    await sql.unsafe(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
    await work();
  });
}

describe('where the configuration could not be confirmed for ten seconds', () => {
  test('nothing is answered by rules that may be over; documents are; it passes by itself', async () => {
    const { accessToken, refreshToken } = await tokensFor(webOf(provider), alice);
    const web = webOf(provider);
    const authorization = basic(web.clientId, web.secret ?? '');
    await whileLocked('config_version', async () => {
      await provider.shiftClock(11);
      const answers = [
        await post(
          `${provider.issuer}/token`,
          { grant_type: 'refresh_token', refresh_token: refreshToken },
          { authorization },
        ),
        await userinfo(web, accessToken),
        await post(`${provider.issuer}/introspect`, { token: accessToken }, { authorization }),
        await post(`${provider.issuer}/revoke`, { token: accessToken }, { authorization }),
        await fetch(`${provider.issuer}/realms/acme/userinfo`),
      ];
      for (const answer of answers) {
        expect(answer.status).toBe(503);
        expect(answer.headers.get('retry-after')).toBe('5');
        expect(answer.headers.get('cache-control')).toBe('no-store');
        const body = await bodyOf(answer);
        expect(body['error']).toBe('temporarily_unavailable');
        expect(lineOf(errorIdIn(text(body, 'error_description')))).toMatchObject({
          event: 'request.refused',
          rule: 'configuration staleness',
        });
      }
      for (const url of [authorizeUrl(web), `${provider.issuer}/logout`]) {
        const page = await fetch(url, asPerson);
        expect({ status: page.status, location: page.headers.get('location') }).toEqual({
          status: 503,
          location: null,
        });
        expect(page.headers.get('retry-after')).toBe('5');
        expect(lineOf(errorIdIn(await page.text()))).toMatchObject({ rule: 'configuration staleness' });
      }
      for (const path of ['/.well-known/openid-configuration', '/jwks', '/livez']) {
        expect((await fetch(provider.issuer + path)).status).toBe(200);
      }
      expect((await fetch(`${provider.issuer}/readyz`)).status).toBe(503);
    });
    await until(async () => (await fetch(`${provider.issuer}/readyz`)).status === 200);
    expect((await refresh(web, refreshToken)).status).toBe(200);
  });
});

describe('where the database fails', () => {
  /** Postgres gives up the statement that waits for the table. */
  const cancelWaiting = () =>
    until(async () => {
      const [cancelled] = await provider.database.sql`
        SELECT count(pg_cancel_backend(pid))::int AS count FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%token_families%'
          AND pid <> pg_backend_pid()`;
      return Number(cancelled?.['count']) > 0;
    });

  test('in passing: 503 with a time to come back, nothing consumed', async () => {
    const web = webOf(provider);
    const { refreshToken } = await tokensFor(web, alice);
    const answers: Response[] = [];
    await whileLocked('token_families', async () => {
      const asked = refresh(web, refreshToken);
      await cancelWaiting();
      answers.push(await asked);
    });
    const [answer] = answers;
    expect({ status: answer?.status, retryAfter: answer?.headers.get('retry-after') }).toEqual({
      status: 503,
      retryAfter: '5',
    });
    expect(answer?.headers.get('access-control-allow-origin')).toBe('*');
    expect((await refresh(web, refreshToken)).status).toBe(200);
  });

  test('by a bug: an id, and neither SQL nor a value in the answer or the log', async () => {
    const web = webOf(provider);
    const { refreshToken, accessToken } = await tokensFor(web, alice);
    const before = provider.log.length;
    await provider.database.sql.unsafe('ALTER TABLE token_families RENAME TO token_families_elsewhere');
    const [refreshed, shown] = [await refresh(web, refreshToken), await userinfo(web, accessToken)];
    await provider.database.sql.unsafe('ALTER TABLE token_families_elsewhere RENAME TO token_families');
    for (const answer of [refreshed, shown]) {
      expect(answer.status).toBe(500);
      const body = await bodyOf(answer);
      expect(Object.keys(body)).toEqual(['error', 'error_description']);
      expect(body['error']).toBe('server_error');
      const description = text(body, 'error_description');
      expect(description).toMatch(/^the request could not be carried out \(error id [A-Za-z0-9_-]{12}\)$/);
      expect(lineOf(errorIdIn(description))).toMatchObject({ level: 'error', event: 'request.failed' });
    }
    const lines = provider.log.slice(before).join('\n');
    expect(lines).not.toMatch(/\b(SELECT|UPDATE|INSERT INTO|WHERE)\b/);
    for (const secret of [refreshToken, accessToken]) expect(lines).not.toContain(secret);
    expect((await refresh(web, refreshToken)).status).toBe(200);
  });
});
