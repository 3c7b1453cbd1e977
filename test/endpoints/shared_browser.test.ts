import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import { alice, authorizeUrl, bob, bodyOf, codeOf, redeem, refresh, tokensOf, webOf } from './relying_party.ts';
import { entryFor, finish, pageOf, reach, redirectOf, screenOf, sessionCookieOf } from './run_browser.ts';

/** One browser, one person after the other: what the first left in a tab is nothing that the next can go on with. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const url = (parameters: { readonly [name: string]: string } = {}) =>
  authorizeUrl(webOf(provider), { prompt: 'login consent', ...parameters });

const logoutUrl = (idToken?: string) =>
  `${provider.issuer}/logout${idToken === undefined ? '' : `?id_token_hint=${idToken}`}`;

/** Signs in and gives the tokens, whoever was signed in here before. */
async function signIn(agent: UserAgent, who = alice) {
  const consent = await reach(agent, url(), 'consent', who);
  return tokensOf(await redeem(webOf(provider), codeOf(await finish(agent, consent, who))));
}

async function runsCompleted(): Promise<number> {
  const [row] = await provider.database.sql<{ runs: number }[]>`
    SELECT count(*)::int AS runs FROM auth_sessions WHERE status = 'completed'`;
  return row?.runs ?? 0;
}

/** The page of a tab from before: neither shown nor answered, and whoever is signed in stays so. */
async function expectElsewhere(agent: UserAgent, tab: Shown): Promise<void> {
  const [completed, cookie] = [await runsCompleted(), sessionCookieOf(agent)];
  const shown = await agent.page(tab.url);
  expect([shown.status, screenOf(shown)]).toEqual([403, 'elsewhere']);
  expect(shown.html).not.toContain('alice');
  for (const decision of ['allow', 'deny']) {
    const response = await agent.submit(tab, { decision });
    expect(response.headers.get('location') ?? '').not.toContain('4020');
    expect(response.headers.getSetCookie().filter((line) => line.includes('.session='))).toEqual([]);
    const answered = pageOf(await agent.answer(tab, { decision }));
    // 400: the sign-out has taken the cookie that every submit needs.
    expect(answered.status).toBe(agent.cookies.has('limen.main.browser') ? 403 : 400);
    expect(['identifier', 'password', 'consent']).not.toContain(screenOf(answered));
  }
  expect([await runsCompleted(), sessionCookieOf(agent)]).toEqual([completed, cookie]);
}

describe('after a sign-out, a run that waits for consent in another tab', () => {
  test('unasked, by a hint: is nobody’s here', async () => {
    const agent = new UserAgent();
    const tab = await reach(agent, url(), 'consent');
    const { idToken } = await signIn(agent);
    expect((await agent.page(logoutUrl(idToken))).html).toContain('id="signed-out"');
    await expectElsewhere(agent, tab);
  });

  test('by the answer to the question: is nobody’s here', async () => {
    const agent = new UserAgent();
    const tab = await reach(agent, url(), 'consent');
    await signIn(agent);
    const question = await agent.page(logoutUrl());
    const done = pageOf(
      await agent.answer({ ...question, url: `${provider.issuer}/logout` }, { decision: 'sign_out' }),
    );
    expect(done.html).toContain('id="signed-out"');
    await expectElsewhere(agent, tab);
  });

  test('where nobody had finished signing in: is nobody’s here', async () => {
    const agent = new UserAgent();
    const tab = await reach(agent, url(), 'consent');
    await agent.page(logoutUrl());
    await expectElsewhere(agent, tab);
  });

  test('that was begun in the session which ends: is nobody’s here', async () => {
    const agent = new UserAgent();
    const { idToken } = await signIn(agent);
    const tab = await reach(agent, url(), 'consent');
    await agent.page(logoutUrl(idToken));
    await expectElsewhere(agent, tab);
  });

  test('and the next person signs in as usual', async () => {
    const agent = new UserAgent();
    const tab = await reach(agent, url(), 'consent');
    const { idToken } = await signIn(agent);
    await agent.page(logoutUrl(idToken));
    const tokens = await signIn(agent, bob);
    await expectElsewhere(agent, tab);
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(200);
  });

  test('answered with “stay”, goes on', async () => {
    const agent = new UserAgent();
    const tab = await reach(agent, url(), 'consent');
    await signIn(agent);
    const question = await agent.page(logoutUrl());
    await agent.answer({ ...question, url: `${provider.issuer}/logout` }, { decision: 'stay' });
    expect((await redeem(webOf(provider), codeOf(await finish(agent, tab)))).status).toBe(200);
  });
});

describe('when another person signs in, a run that waits for consent in another tab', () => {
  test('is nobody’s here, where the first was signed in', async () => {
    const agent = new UserAgent();
    await signIn(agent);
    const tab = await reach(agent, url(), 'consent');
    await signIn(agent, bob);
    await expectElsewhere(agent, tab);
  });

  test('is nobody’s here, where the first had not finished signing in', async () => {
    const agent = new UserAgent();
    const tab = await reach(agent, url(), 'consent');
    await signIn(agent, bob);
    await expectElsewhere(agent, tab);
  });

  test('is nobody’s here, where the first was idle for too long', async () => {
    const agent = new UserAgent();
    await signIn(agent);
    await provider.shiftClock(25 * 3600);
    const tab = await reach(agent, url(), 'consent');
    await signIn(agent, bob);
    await expectElsewhere(agent, tab);
  });

  test('leaves the other’s own redirect as it was, however often it is asked for', async () => {
    const agent = new UserAgent();
    await signIn(agent);
    const consent = await reach(agent, url(), 'consent', bob);
    const back = await finish(agent, consent, bob);
    expect(redirectOf(await agent.open(consent.url)).href).toBe(back.href);
  });
});

test('the same person in another tab goes on: two runs, one session', async () => {
  const agent = new UserAgent();
  const tab = await reach(agent, url(), 'consent');
  const first = await signIn(agent);
  const second = await tokensOf(await redeem(webOf(provider), codeOf(await finish(agent, tab))));
  for (const { refreshToken } of [first, second])
    expect((await refresh(webOf(provider), refreshToken)).status).toBe(200);
});

describe('the session that lapsed by being idle', () => {
  const idle = 24 * 3600 + 60;

  test('ends with its refresh tokens at the next sign-out of its browser', async () => {
    const agent = new UserAgent();
    const tokens = await signIn(agent);
    await provider.shiftClock(idle);
    const silent = redirectOf(await agent.open(authorizeUrl(webOf(provider), { prompt: 'none' })));
    expect(silent.searchParams.get('error')).toBe('login_required');
    expect((await agent.page(logoutUrl(tokens.idToken))).html).toContain('id="signed-out"');
    const refused = await refresh(webOf(provider), tokens.refreshToken);
    expect([refused.status, (await bodyOf(refused))['error']]).toEqual([400, 'invalid_grant']);
  });

  test('ends likewise where the sign-out was asked for without a hint, once it is confirmed', async () => {
    const agent = new UserAgent();
    const tokens = await signIn(agent);
    await provider.shiftClock(idle);
    const question = await agent.page(logoutUrl());
    await agent.answer({ ...question, url: `${provider.issuer}/logout` }, { decision: 'sign_out' });
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(400);
  });

  test('ends likewise when another person signs in there', async () => {
    const agent = new UserAgent();
    const tokens = await signIn(agent);
    await provider.shiftClock(idle);
    await signIn(agent, bob);
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(400);
  });

  test('lives on as it was, where its own person signs in again; what was proved in it counts no more', async () => {
    const agent = new UserAgent();
    const tokens = await signIn(agent);
    await provider.shiftClock(idle);
    const page = await agent.page(authorizeUrl(webOf(provider)));
    expect(screenOf(page)).toBe('identifier');
    const password = pageOf(await agent.answer(page, entryFor('identifier', alice)));
    expect(screenOf(password)).toBe('password');
    await finish(agent, password);
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(200);
    const [row] = await provider.database.sql<{ evidence: readonly unknown[] }[]>`
      SELECT evidence FROM sso_sessions ORDER BY seen_at DESC LIMIT 1`;
    expect(row?.evidence.length).toBe(1);
  });

  test('without that sign-out its refresh tokens live: they have a lifetime of their own', async () => {
    const tokens = await signIn(new UserAgent());
    await provider.shiftClock(idle);
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(200);
  });
});
