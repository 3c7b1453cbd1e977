import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, type SignIn, UserAgent } from '../user_agent.ts';
import { accountOf, accountUrlOf, changed, formsOf, openAccount, statusOf } from './account_page.ts';
import { approve, ask, decide, poll, pollError, reachDecision, registerDevice } from './device_flow.ts';
import { enableUser } from './operator.ts';
import {
  acmeOf,
  alice,
  authorize,
  bob,
  carol,
  codeOf,
  type Party,
  redeem,
  refresh,
  spaOf,
  tokensFor,
  tokensOf,
  userinfo,
  webOf,
} from './relying_party.ts';
import { pageOf, screenOf, sessionCookieOf } from './run_browser.ts';

/** `/account`: what is shown to whom, and what can be ended by whom. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const account = () => accountUrlOf(provider.issuer);
const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const safari =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1';
const browser = (agent: string) => new UserAgent({ 'user-agent': agent });
const offline = { scope: 'openid profile offline_access', prompt: 'consent' };

/** The row of this name in a section's list. */
const formWith = (page: Shown, change: string, near: string) =>
  formsOf(page).find((form) => form.change === change && form.around.includes(near)) ??
  (() => {
    throw new Error(`no ${change} beside ${near}`);
  })();

async function eventsOf(
  name: string,
): Promise<readonly { readonly user: string; readonly client_id: string | null }[]> {
  return provider.database.sql`
    SELECT u.username AS user, e.client_id FROM audit_events e JOIN users u ON u.id = e.user_id WHERE e.event = ${name}`;
}
const forgetEvents = () => provider.database.sql`TRUNCATE audit_events`;

/** Nobody is signed in anywhere, and nothing is held. */
async function startAnew(): Promise<void> {
  await provider.database.sql`DELETE FROM sso_sessions`;
  await provider.database.sql`DELETE FROM token_families`;
  await provider.database.sql`DELETE FROM consents`;
  await provider.database.sql`DELETE FROM known_devices`;
  await forgetEvents();
}

describe('who is not signed in', () => {
  test('signs in by a run of the realm’s flow, and comes back to the page', async () => {
    const agent = new UserAgent();
    const first = pageOf(await agent.open(account()));
    expect(screenOf(first)).toBe('identifier');
    expect(first.html).not.toContain('to continue to');
    expect(first.headers.get('content-security-policy')).toContain("form-action 'self';");
    const page = await openAccount(agent, provider.issuer, alice);
    expect(page.url).toBe(account());
    expect(accountOf(page)).toBe('alice');
    expect(statusOf(page)).toBe('');
  });

  test('asks for no consent, opens no family and gives no code', async () => {
    await startAnew();
    await openAccount(new UserAgent(), provider.issuer, alice);
    const [rows] = await provider.database.sql`
      SELECT (SELECT count(*)::int FROM token_families) AS families, (SELECT count(*)::int FROM consents) AS consents,
             (SELECT count(*)::int FROM sso_sessions) AS sessions`;
    expect(rows).toEqual({ families: 0, consents: 0, sessions: 1 });
  });

  test('a repeat of the last submit comes to the page again, with the same session', async () => {
    const agent = new UserAgent();
    const name = pageOf(await agent.open(account()));
    const password = pageOf(await agent.answer(name, { username: 'alice' }));
    const first = await agent.submit(password, { password: alice.password });
    const cookie = sessionCookieOf(agent);
    const second = await agent.submit(password, { password: alice.password });
    expect([first.headers.get('location'), second.headers.get('location')]).toEqual([account(), account()]);
    expect(sessionCookieOf(agent)).toBe(cookie);
  });

  test('wrong passwords and an unknown name get the page of the password, and nothing of the account', async () => {
    const agent = new UserAgent();
    const name = pageOf(await agent.open(account()));
    const password = pageOf(await agent.answer(name, { username: 'nobody' }));
    expect(screenOf(pageOf(await agent.answer(password, { password: 'x' })))).toBe('password');
    expect(agent.cookies.has('limen.main.session')).toBe(false);
  });

  test('a sign-in at an application is good for the page, and the other way round', async () => {
    const agent = new UserAgent();
    await authorize(webOf(provider), alice, {}, agent);
    expect(accountOf(pageOf(await agent.open(account())))).toBe('alice');
    const other = new UserAgent();
    await openAccount(other, provider.issuer, bob);
    const back = await other.fetch(
      `${provider.issuer}/authorize?${new URLSearchParams({ client_id: 'demo-web', redirect_uri: webOf(provider).redirectUri, response_type: 'code', scope: 'openid', prompt: 'none' })}`,
    );
    expect(back.headers.get('location')).toContain('error=consent_required');
  });
});

describe('the page', () => {
  test('is never cached, framed or scripted, and comes in the language of the browser', async () => {
    const agent = new UserAgent({ 'accept-language': 'de' });
    const page = await openAccount(agent, provider.issuer, alice);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src [^;]*; form-action 'self'; frame-ancestors 'none'/,
    );
    expect(page.headers.get('content-language')).toBe('de');
    expect(page.html).toContain('Wo Sie angemeldet sind');
  });

  test('shows sessions, applications with their scopes in words, devices and history of this person, and of nobody else', async () => {
    await startAnew();
    const phone = browser(safari);
    await tokensFor(webOf(provider), alice, offline, phone);
    await tokensFor(spaOf(provider), bob, {}, new UserAgent());
    const desk = browser(firefox);
    const page = await openAccount(desk, provider.issuer, alice);
    expect(page.html).toContain('Safari on iPhone');
    expect(page.html).toMatch(/Firefox on Linux <span class="this">\(this browser\)/);
    expect(page.html).toContain('Demo web application');
    expect(page.html).toContain('See your name and profile');
    expect(page.html).toContain('Keeps its access when you sign out');
    expect(page.html).toContain('The right password was entered');
    expect(page.html).not.toContain('Demo single-page app');
    expect(page.html).not.toContain('bob');
    const changes = formsOf(page).map(({ change }) => change);
    expect(changes.toSorted()).toEqual([
      'end_everything',
      'end_other_sessions',
      'end_session',
      'forget_device',
      'forget_device',
      'revoke_access',
    ]);
  });

  test('a user who is disabled meanwhile is shown nothing more', async () => {
    const agent = new UserAgent();
    await openAccount(agent, provider.issuer, bob);
    await enableUser(provider, 'bob', false);
    const page = pageOf(await agent.open(account()));
    await enableUser(provider, 'bob', true);
    expect(screenOf(page)).toBe('identifier');
  });
});

describe('sign out one', () => {
  test('ends that session with what hangs on it, says so, and leaves this one', async () => {
    await startAnew();
    const phone = browser(safari);
    const tokens = await tokensFor(webOf(provider), alice, {}, phone);
    const desk = browser(firefox);
    const page = await openAccount(desk, provider.issuer, alice);
    const after = await changed(desk, page, formWith(page, 'end_session', 'Safari on iPhone'));
    expect(statusOf(after)).toBe('That browser is signed out.');
    expect(formsOf(after).some(({ change }) => change === 'end_session')).toBe(false);
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(400);
    expect(screenOf(pageOf(await phone.open(account())))).toBe('identifier');
    expect(accountOf(pageOf(await desk.open(account())))).toBe('alice');
    expect(await eventsOf('session.ended')).toEqual([{ user: 'alice', client_id: null }]);
  });

  test('of somebody else, of another realm, twice, or of nobody: there was nothing to change', async () => {
    await startAnew();
    await openAccount(new UserAgent(), provider.issuer, bob);
    await openAccount(new UserAgent(), acmeOf(provider).issuer, carol);
    const foreign = await provider.database.sql<{ id: string }[]>`SELECT id FROM sso_sessions`;
    expect(foreign).toHaveLength(2);
    const agent = new UserAgent();
    const page = await openAccount(agent, provider.issuer, alice);
    const form = { change: 'end_session', fields: { ...page.hidden, change: 'end_session' } };
    for (const id of [...foreign.map((row) => row.id), crypto.randomUUID(), 'x', "' OR true --", '']) {
      const after = await changed(agent, page, { ...form, fields: { ...form.fields, id } });
      expect(statusOf(after)).toBe('There was nothing to change: it had ended already.');
    }
    const [alive] = await provider.database.sql`SELECT count(*)::int AS n FROM sso_sessions WHERE ended_at IS NULL`;
    expect(alive).toEqual({ n: 3 });
    expect(await eventsOf('session.ended')).toEqual([]);
  });
});

describe('sign out all others', () => {
  test('leaves this one, and another person’s', async () => {
    await startAnew();
    const [phone, tablet, stranger, desk] = [browser(safari), browser(safari), new UserAgent(), browser(firefox)];
    await openAccount(phone, provider.issuer, alice);
    await openAccount(tablet, provider.issuer, alice);
    await openAccount(stranger, provider.issuer, bob);
    const page = await openAccount(desk, provider.issuer, alice);
    const after = await changed(desk, page, formWith(page, 'end_other_sessions', ''));
    expect(statusOf(after)).toBe('All other browsers are signed out.');
    for (const ended of [phone, tablet]) expect(screenOf(pageOf(await ended.open(account())))).toBe('identifier');
    expect(accountOf(pageOf(await desk.open(account())))).toBe('alice');
    expect(accountOf(pageOf(await stranger.open(account())))).toBe('bob');
    expect(await eventsOf('session.ended')).toHaveLength(2);
  });
});

describe('sign out everywhere', () => {
  test('ends every session and all access, offline too, here as well, and says so', async () => {
    await startAnew();
    const phone = browser(safari);
    const tokens = await tokensFor(webOf(provider), alice, offline, phone);
    const desk = browser(firefox);
    const page = await openAccount(desk, provider.issuer, alice);
    const after = await changed(desk, page, formWith(page, 'end_everything', ''));
    expect(after.html).toContain('id="signed-out"');
    expect(desk.cookies.has('limen.main.session')).toBe(false);
    expect((await refresh(webOf(provider), tokens.refreshToken)).status).toBe(400);
    expect((await userinfo(webOf(provider), tokens.accessToken)).status).toBe(401);
    for (const ended of [phone, desk]) expect(screenOf(pageOf(await ended.open(account())))).toBe('identifier');
    expect(await eventsOf('user.signed_out_everywhere')).toEqual([{ user: 'alice', client_id: null }]);
  });
});

describe('remove access', () => {
  const grants = async (party: Party, who: SignIn, agent = new UserAgent()) => tokensFor(party, who, offline, agent);

  test('forgets the consent and ends the families of that client for that person, and nothing else', async () => {
    await startAnew();
    const [web, spa] = [webOf(provider), spaOf(provider)];
    const agent = new UserAgent();
    const held = await grants(web, alice, agent);
    const second = await grants(web, alice);
    const elsewhere = await grants(spa, alice);
    const bobs = await grants(web, bob);
    const page = pageOf(await agent.open(account()));
    const after = await changed(agent, page, formWith(page, 'revoke_access', 'Demo web application'));
    expect(statusOf(after)).toBe('The application no longer has access.');
    expect(formsOf(after).filter(({ change }) => change === 'revoke_access')).toHaveLength(1);
    for (const ended of [held, second]) expect((await refresh(web, ended.refreshToken)).status).toBe(400);
    expect((await userinfo(web, held.accessToken)).status).toBe(401);
    expect((await refresh(spa, elsewhere.refreshToken)).status).toBe(200);
    expect((await refresh(web, bobs.refreshToken)).status).toBe(200);
    const silent = await agent.fetch(
      `${web.issuer}/authorize?${new URLSearchParams({ client_id: 'demo-web', redirect_uri: web.redirectUri, response_type: 'code', scope: 'openid', prompt: 'none' })}`,
    );
    expect(silent.headers.get('location')).toContain('error=consent_required');
    expect(await eventsOf('consent.revoked')).toEqual([{ user: 'alice', client_id: 'demo-web' }]);
    expect(await eventsOf('token.revoked')).toEqual([{ user: 'alice', client_id: 'demo-web' }]);
    expect(after.html).toMatch(/What an application was allowed was taken back: <span class="this"><bdi>Demo web/);
  });

  test('stops a device that was allowed and has not polled yet; connecting and refusing one are in the history', async () => {
    await startAnew();
    const television = await registerDevice(provider, 'television');
    const agent = new UserAgent();
    const [first, second, third] = [await ask(television), await ask(television), await ask(television)];
    await approve(provider.issuer, first.userCode, agent);
    await tokensOf(await poll(television, first.deviceCode));
    await approve(provider.issuer, second.userCode, agent);
    await decide(agent, await reachDecision(agent, provider.issuer, third.userCode), 'deny');
    const page = await openAccount(agent, provider.issuer, alice);
    expect(page.html).toContain('A device was connected by its code, to: <span class="this"><bdi>Living room TV');
    expect(page.html).toContain('A device that showed a code was refused access to: <span class="this"><bdi>Living');
    const after = await changed(agent, page, formWith(page, 'revoke_access', 'Living room TV'));
    expect(statusOf(after)).toBe('The application no longer has access.');
    expect(await pollError(television, second.deviceCode)).toBe('access_denied');
    expect(await eventsOf('device.denied')).toHaveLength(2);
    // As it stands for a poll that read the approval a moment before.
    const userCode = second.userCode.replace('-', '');
    await provider.database.sql`UPDATE device_authorizations SET status = 'approved' WHERE user_code = ${userCode}`;
    expect(await pollError(television, second.deviceCode)).toBe('invalid_grant');
  });

  test('a client that nobody allowed anything, or that is not there: nothing to change', async () => {
    await startAnew();
    await grants(webOf(provider), bob);
    const agent = new UserAgent();
    const page = await openAccount(agent, provider.issuer, alice);
    for (const id of ['demo-web', 'acme-web', 'no-such-client']) {
      const fields = { ...page.hidden, change: 'revoke_access', id };
      expect(statusOf(await changed(agent, page, { fields }))).toContain('There was nothing to change');
    }
    const [left] = await provider.database.sql`SELECT count(*)::int AS n FROM consents`;
    expect(left).toEqual({ n: 1 });
  });

  test('access that lapsed by the client’s own idle time is not shown as access', async () => {
    await startAnew();
    const agent = new UserAgent();
    const tokens = await tokensOf(
      await redeem(webOf(provider), codeOf(await authorize(webOf(provider), alice, offline, agent))),
    );
    expect(tokens.refreshToken).not.toBe('');
    await provider.database.sql`UPDATE token_families SET rotated_at = rotated_at - interval '15 days'`;
    expect(pageOf(await agent.open(account())).html).toContain('not in use at present');
    await provider.database.sql`DELETE FROM consents`;
    expect(pageOf(await agent.open(account())).html).toContain('No application has access');
  });
});

describe('a change', () => {
  const attempt = async (agent: UserAgent, page: Shown, headers: { readonly [name: string]: string }, fields = {}) =>
    agent.fetch(account(), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ ...page.hidden, change: 'end_everything', ...fields }).toString(),
    });
  const own = { 'sec-fetch-site': 'same-origin' };
  const isAlive = async (agent: UserAgent) => accountOf(pageOf(await agent.open(account()))) === 'alice';

  test.each([
    ['from another site', { 'sec-fetch-site': 'cross-site' }, {}],
    ['from a sibling of ours', { 'sec-fetch-site': 'same-site' }, {}],
    ['by an address that was typed', { 'sec-fetch-site': 'none' }, {}],
    ['from a browser without that header and another origin', { origin: 'https://evil.example' }, {}],
    ['without a sign of where from', {}, {}],
    ['without the form’s token', own, { token: '' }],
    ['with another token', own, { token: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['that there is none of', own, { change: 'delete_everything' }],
    ['called like a property of every object', own, { change: 'constructor' }],
  ])('%s does nothing and shows the page', async (_, headers, fields) => {
    const agent = new UserAgent();
    const page = await openAccount(agent, provider.issuer, alice);
    const answer = await attempt(agent, page, headers, fields);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, account()]);
    expect(await isAlive(agent)).toBe(true);
  });

  test('from a browser that tells only its origin counts', async () => {
    const agent = new UserAgent();
    const page = await openAccount(agent, provider.issuer, alice);
    const answer = await attempt(agent, page, { origin: provider.issuer });
    expect(answer.headers.get('location')).toBe(`${provider.issuer}/logout`);
    expect(await isAlive(agent)).toBe(false);
  });

  test('with the form of another session does nothing, also of the same person', async () => {
    const [mine, other] = [new UserAgent(), new UserAgent()];
    await openAccount(mine, provider.issuer, alice);
    const foreign = await openAccount(other, provider.issuer, alice);
    expect((await attempt(mine, foreign, own)).headers.get('location')).toBe(account());
    expect(await isAlive(mine)).toBe(true);
  });

  test('without a session, or with one that has ended, does nothing and leads to a sign-in', async () => {
    const agent = new UserAgent();
    const page = await openAccount(agent, provider.issuer, alice);
    await provider.database.sql`UPDATE sso_sessions SET ended_at = limen_now() WHERE ended_at IS NULL`;
    await forgetEvents();
    expect((await attempt(agent, page, own)).headers.get('location')).toBe(account());
    agent.cookies.clear();
    expect((await attempt(agent, page, own)).headers.get('location')).toBe(account());
    expect(await eventsOf('user.signed_out_everywhere')).toEqual([]);
    expect(screenOf(pageOf(await agent.open(account())))).toBe('identifier');
  });

  test('by GET is none', async () => {
    const agent = new UserAgent();
    const page = await openAccount(agent, provider.issuer, alice);
    await agent.fetch(`${account()}?${new URLSearchParams({ ...page.hidden, change: 'end_everything' })}`, {
      headers: own,
    });
    expect(await isAlive(agent)).toBe(true);
  });

  test('nobody’s link makes the page say that one was made', async () => {
    const agent = new UserAgent();
    await openAccount(agent, provider.issuer, alice);
    for (const query of [
      'done=revoke_access',
      'done=revoke_access&proof=AAAAAAAAAAAAAAAAAAAAAA',
      'done=<b>',
      'done=constructor',
    ])
      expect(statusOf(await agent.page(`${account()}?${query}`))).toBe('');
  });

  test('in a body that is no form does nothing', async () => {
    const agent = new UserAgent();
    const { hidden } = await openAccount(agent, provider.issuer, alice);
    const answer = await agent.fetch(account(), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...own },
      body: JSON.stringify({ ...hidden, change: 'end_everything' }),
    });
    expect(answer.headers.get('location')).toBe(account());
    expect(await isAlive(agent)).toBe(true);
  });
});

describe('a change after the sign-in has become old', () => {
  const later = 16 * 60;

  /** Past the age, with the page and one of its forms. */
  async function lateAt() {
    await startAnew();
    const phone = browser(safari);
    await openAccount(phone, provider.issuer, alice);
    const desk = browser(firefox);
    await openAccount(desk, provider.issuer, alice);
    await provider.shiftClock(later);
    const page = pageOf(await desk.open(account()));
    expect(page.html).toContain('You signed in a while ago');
    const form = formWith(page, 'end_session', 'Safari on iPhone');
    return { phone, desk, form, screen: await changed(desk, page, form) };
  }

  test('asks for the password of that person, changes nothing, comes back, and then it counts', async () => {
    const { phone, desk, form, screen } = await lateAt();
    expect(screenOf(screen)).toBe('identifier');
    expect(screen.html).toContain('value="alice"');
    const password = pageOf(await desk.answer(screen, { username: 'alice' }));
    const back = pageOf(await desk.answer(password, { password: alice.password }));
    expect(statusOf(back)).toContain('Nothing has been changed yet');
    expect(back.html).not.toContain('You signed in a while ago');
    expect(accountOf(pageOf(await phone.open(account())))).toBe('alice');
    const after = await changed(desk, back, formWith(back, 'end_session', 'Safari on iPhone'));
    expect(statusOf(after)).toBe('That browser is signed out.');
    expect(form.change).toBe('end_session');
  });

  test('another person’s password does not do: nothing is changed, and the first one stays signed in', async () => {
    const { desk, screen } = await lateAt();
    const before = sessionCookieOf(desk);
    const password = pageOf(await desk.answer(screen, { username: 'bob' }));
    const refused = pageOf(await desk.answer(password, { password: bob.password }));
    expect([refused.status, refused.title]).toEqual([403, 'Error: Something went wrong']);
    expect(refused.html).toContain(`href="${account()}"`);
    expect(sessionCookieOf(desk)).toBe(before);
    expect(accountOf(pageOf(await desk.open(account())))).toBe('alice');
  });

  test('“signed in again” is said of nobody who has not', async () => {
    const { desk } = await lateAt();
    expect(statusOf(await desk.page(`${account()}?done=again`))).toBe('');
  });
});

describe('history', () => {
  test('tells of wrong passwords and of the lock, newest first, fifty at a time', async () => {
    await startAnew();
    const agent = new UserAgent();
    await openAccount(agent, provider.issuer, alice);
    const [owner] = await provider.database.sql<{ id: string; realm_id: string }[]>`
      SELECT id, realm_id FROM users WHERE username = 'alice'`;
    await provider.database.sql`
      INSERT INTO audit_events (id, realm_id, event, user_id, address, detail)
      SELECT (lpad(to_hex((extract(epoch FROM limen_now()) * 1000)::bigint - n * 1000), 12, '0')
              || '80008000' || lpad(n::text, 12, '0'))::uuid,
        ${owner?.realm_id ?? ''}::uuid, 'password.refused', ${owner?.id ?? ''}::uuid, '192.0.2.' || n, '{"reason": "wrong"}'
      FROM generate_series(1, 60) AS n`;
    const addresses = ({ html }: Shown) =>
      [...html.matchAll(/from <code>192\.0\.2\.(\d+)</g)].map(([, n]) => Number(n));
    const first = pageOf(await agent.open(account()));
    const older = /href="([^"]*before=[^"]*)"/.exec(first.html)?.[1] ?? '';
    const second = await agent.page(older.replace('#history', ''));
    expect([...addresses(first), ...addresses(second)]).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    expect(second.html).not.toContain('before=');
    expect(first.html).toContain('A wrong password was entered');
    expect(pageOf(await agent.open(`${account()}?before=nonsense`)).status).toBe(200);
  });
});

describe('another realm', () => {
  test('has a page of its own, for its own people', async () => {
    const issuer = acmeOf(provider).issuer;
    const agent = new UserAgent();
    await openAccount(agent, provider.issuer, alice);
    expect(screenOf(pageOf(await agent.open(accountUrlOf(issuer))))).toBe('identifier');
    const page = await openAccount(agent, issuer, carol);
    expect(accountOf(page)).toBe('carol');
    expect(accountOf(pageOf(await agent.open(account())))).toBe('alice');
    const answer = await agent.fetch(accountUrlOf(issuer), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ ...pageOf(await agent.open(account())).hidden, change: 'end_everything' }).toString(),
    });
    expect(answer.headers.get('location')).toBe(accountUrlOf(issuer));
    expect(accountOf(pageOf(await agent.open(accountUrlOf(issuer))))).toBe('carol');
  });
});
