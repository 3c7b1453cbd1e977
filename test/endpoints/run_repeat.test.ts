import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import {
  alice,
  authorizeUrl,
  entryFor,
  finish,
  isPage,
  pageOf,
  reach,
  redeemCode,
  redirectOf,
  rowCounts,
  type ScreenName,
  screenOf,
  sessionCookieOf,
  signedInAgent,
} from './run_browser.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const screens: readonly ScreenName[] = ['identifier', 'password', 'consent'];
const url = (parameters: { readonly [name: string]: string } = {}) => authorizeUrl(provider.issuer, parameters);
/** Asks for consent whatever was remembered. */
const asking = { prompt: 'consent' };

describe('reload', () => {
  for (const screen of screens) {
    test(`of ${screen}: the same page, and the run goes on from it`, async () => {
      const agent = new UserAgent();
      const page = await reach(agent, url(asking), screen);
      for (let time = 0; time < 3; time += 1) {
        const again = await agent.page(page.url);
        expect(again).toEqual({ ...page, headers: again.headers });
      }
      const back = await finish(agent, await agent.page(page.url));
      expect((await redeemCode(provider, back)).status).toBe(200);
    });
  }

  test('a page is never the answer to a POST, so that no reload submits again', async () => {
    const agent = new UserAgent();
    let page: Shown | URL = await agent.page(url(asking));
    for (const entry of [{ username: '' }, { username: 'alice' }, { password: '' }, { password: 'wrong' }]) {
      const response = await agent.submit(pageOf(page), entry);
      expect(response.status).toBe(303);
      page = await agent.page(response.headers.get('location') ?? '');
    }
    expect(screenOf(page)).toBe('password');
  });
});

describe('the back button', () => {
  test('a page from before goes on: sealed runs from there, stored runs from where they are', async () => {
    const agent = new UserAgent();
    const identifier = await reach(agent, url(asking), 'identifier');
    const password = pageOf(await agent.answer(identifier, { username: 'bob' }));
    // Nothing is proved yet: another name may be typed, and the page goes on with that one.
    const other = pageOf(await agent.answer(await agent.page(identifier.url), { username: 'alice' }));
    expect(screenOf(other)).toBe('password');
    expect(other.html).toContain('alice');
    expect(password.html).toContain('bob');
    const consent = pageOf(await agent.answer(other, { password: alice.password }));
    for (const old of [identifier, password, other]) {
      const at = pageOf(await agent.answer(old, { username: 'mallory', password: 'wrong' }));
      expect([screenOf(at), at.url]).toEqual(['consent', consent.url]);
    }
    const back = await finish(agent, consent);
    expect((await redeemCode(provider, back)).status).toBe(200);
  });

  test('an old password page of a run that is past it computes no hash and counts nothing', async () => {
    const agent = new UserAgent();
    const password = await reach(agent, url(asking), 'password');
    await agent.answer(password, { password: alice.password });
    const before = await rowCounts(provider, ['audit_events']);
    for (let time = 0; time < 6; time += 1) await agent.answer(password, { password: 'wrong' });
    expect(await rowCounts(provider, ['audit_events'])).toEqual(before);
    expect([...(await provider.database.sql`SELECT 1 FROM lockouts WHERE cardinality(failures) > 0`)]).toEqual([]);
  });

  test('after the end every page of the run leads to the same redirect', async () => {
    const agent = new UserAgent();
    const identifier = await reach(agent, url(asking), 'identifier');
    const password = pageOf(await agent.answer(identifier, { username: 'alice' }));
    const consent = pageOf(await agent.answer(password, { password: alice.password }));
    const back = await finish(agent, consent);
    for (const old of [identifier, password, consent]) {
      expect(redirectOf(await agent.answer(old, entryFor(screenOf(old), alice))).href).toBe(back.href);
    }
    expect(redirectOf(await agent.open(consent.url)).href).toBe(back.href);
  });
});

describe('a submit twice', () => {
  for (const screen of screens) {
    test(`of ${screen}, one after the other: both go on to the same place`, async () => {
      const agent = new UserAgent();
      const page = await reach(agent, url(asking), screen);
      const entry = entryFor(screen, alice);
      const first = await agent.answer(page, entry);
      const second = await agent.answer(page, entry);
      if (isPage(first)) {
        expect(screenOf(pageOf(second))).toBe(screenOf(first));
        expect((await redeemCode(provider, await finish(agent, pageOf(second)))).status).toBe(200);
      } else expect(redirectOf(second).href).toBe(first.href);
    });
  }

  /** Everything that one sign-in leaves behind. */
  const tables = ['auth_sessions', 'sso_sessions', 'token_families'];

  test('the last one ten times at once: the same redirect, the same code, one run, one session, one family', async () => {
    const before = await rowCounts(provider, tables);
    const agent = new UserAgent();
    const consent = await reach(agent, url(asking), 'consent');
    const answers = await Promise.all(Array.from({ length: 10 }, () => agent.submit(consent, { decision: 'allow' })));
    const locations = new Set(answers.map(({ status, headers }) => `${status} ${headers.get('location')}`));
    const cookies = new Set(answers.map(({ headers }) => headers.getSetCookie().join()));
    expect([locations.size, cookies.size]).toEqual([1, 1]);
    const back = new URL([...locations][0]?.slice(4) ?? '');
    expect((await redeemCode(provider, back)).status).toBe(200);
    const after = await rowCounts(provider, tables);
    for (const table of tables) expect(after[table]).toBe((before[table] ?? 0) + 1);
    const events = await provider.database.sql`
      SELECT event, count(*)::int AS times FROM audit_events WHERE session_id = (
        SELECT id FROM sso_sessions ORDER BY created_at DESC LIMIT 1) GROUP BY event`;
    expect([...events]).toEqual([{ event: 'session.started', times: 1 }]);
  });

  test('the password ten times at once where it is the last step: the same', async () => {
    // Consent to demo-web is remembered from here on.
    await signedInAgent(provider);
    const before = await rowCounts(provider, tables);
    const agent = new UserAgent();
    const password = await reach(agent, url(), 'password');
    const entry = { password: alice.password };
    const answers = await Promise.all(Array.from({ length: 10 }, () => agent.submit(password, entry)));
    const locations = new Set(answers.map(({ status, headers }) => `${status} ${headers.get('location')}`));
    expect(locations.size).toBe(1);
    expect([...locations][0]).toStartWith('303 http://127.0.0.1:4020/callback?code=');
    expect(new Set(answers.map(({ headers }) => headers.getSetCookie().join())).size).toBe(1);
    const after = await rowCounts(provider, tables);
    expect(after).toEqual({
      auth_sessions: (before['auth_sessions'] ?? 0) + 1,
      sso_sessions: (before['sso_sessions'] ?? 0) + 1,
      token_families: before['token_families'] ?? 0,
    });
    expect([...(await provider.database.sql`SELECT 1 FROM lockouts WHERE cardinality(failures) > 0`)]).toEqual([]);
  });

  test('the password ten times at once before consent: one row, and all see the consent page', async () => {
    const before = await rowCounts(provider, ['auth_sessions']);
    const agent = new UserAgent();
    const password = await reach(agent, url(asking), 'password');
    const entry = { password: alice.password };
    const answers = await Promise.all(Array.from({ length: 10 }, () => agent.answer(password, entry)));
    expect(new Set(answers.map((at) => screenOf(pageOf(at)))).size).toBe(1);
    expect(new Set(answers.map((at) => pageOf(at).url)).size).toBe(1);
    expect(await rowCounts(provider, ['auth_sessions'])).toEqual({ auth_sessions: (before['auth_sessions'] ?? 0) + 1 });
    await finish(agent, pageOf(answers[0] ?? new URL('about:blank')));
  });

  test('allow and deny at once: one of them decides, and everybody is told the same', async () => {
    const agent = new UserAgent();
    const consent = await reach(agent, url(asking), 'consent');
    const decisions = ['allow', 'deny', 'allow', 'deny', 'allow', 'deny'];
    const answers = await Promise.all(decisions.map((decision) => agent.submit(consent, { decision })));
    const told = new Set(
      answers.map(({ headers }) => {
        const { searchParams } = new URL(headers.get('location') ?? '', provider.issuer);
        return searchParams.get('code') ?? searchParams.get('error');
      }),
    );
    expect(told.size).toBe(1);
  });
});

describe('several tabs', () => {
  test('two runs side by side in one browser both finish, and the browser is signed in once', async () => {
    const agent = new UserAgent();
    const tabs = [
      await agent.page(url({ ...asking, state: 'tab 1' })),
      await agent.page(url({ ...asking, state: 'tab 2' })),
    ];
    let pages = tabs;
    for (const screen of screens.slice(0, 2)) {
      const next: Shown[] = [];
      for (const page of pages) next.push(pageOf(await agent.answer(page, entryFor(screen, alice))));
      pages = next;
    }
    const ends: URL[] = [];
    for (const page of pages) ends.push(await finish(agent, page));
    expect(ends.map(({ searchParams }) => searchParams.get('state'))).toEqual(['tab 1', 'tab 2']);
    const issued = await Promise.all(ends.map((end) => redeemCode(provider, end)));
    expect(issued.map(({ status }) => status)).toEqual([200, 200]);
    const sessions = await provider.database.sql`
      SELECT DISTINCT session_id FROM token_families WHERE id IN (
        SELECT (result ->> 'familyId')::uuid FROM auth_sessions WHERE request #>> '{target,state}' IN ('tab 1', 'tab 2'))`;
    expect(sessions.length).toBe(1);
  });

  test('a tab that repeats its end does not take the sign-in of a later tab away', async () => {
    const agent = new UserAgent();
    const first = await reach(agent, url({ ...asking, state: 'first' }), 'consent');
    const second = await reach(agent, url({ ...asking, state: 'second', prompt: 'login consent' }), 'consent');
    const firstEnd = await finish(agent, first);
    await finish(agent, second);
    const held = sessionCookieOf(agent);
    const repeated = redirectOf(await agent.answer(first, { decision: 'allow' }));
    expect(repeated.href).toBe(firstEnd.href);
    expect(sessionCookieOf(agent)).toBe(held);
    const silent = redirectOf(await agent.open(url({ prompt: 'none' })));
    expect(silent.searchParams.get('error')).toBeNull();
  });

  test('twenty runs in one browser: headers stay small, and the first one still finishes', async () => {
    const agent = new UserAgent();
    const first = await reach(agent, url(asking), 'password');
    for (let run = 0; run < 19; run += 1) await reach(agent, url({ ...asking, state: `${run}` }), 'identifier');
    expect([...agent.cookies.keys()]).toEqual(['limen.main.browser']);
    expect((await redeemCode(provider, await finish(agent, first))).status).toBe(200);
  });
});

describe('a restart of the server', () => {
  test('between every two steps changes nothing for the person', async () => {
    const agent = new UserAgent();
    let at: Shown | URL = await agent.open(url(asking));
    const seen: string[] = [];
    while (isPage(at)) {
      await provider.restart();
      const shown: Shown = await agent.page(at.url);
      expect({ ...shown, headers: null }).toEqual({ ...at, headers: null });
      await provider.restart();
      seen.push(screenOf(at));
      at = await agent.answer(at, entryFor(screenOf(at), alice));
    }
    await provider.restart();
    expect(seen).toEqual([...screens]);
    const issued = await redeemCode(provider, at);
    expect(issued.status).toBe(200);
    expect(redirectOf(await agent.open(url({ prompt: 'none' }))).searchParams.get('code')).not.toBeNull();
  });
});
