import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { brandId, type RealmId } from '../../src/core/ids.ts';
import { unreachable } from '../../src/core/result.ts';
import { defaultFlow } from '../../src/flow/default_flow.ts';
import { validateDefinition } from '../../src/flow/definition.ts';
import { nodeTypes } from '../../src/flow/nodes/index.ts';
import { createFlows } from '../../src/store/flows.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import {
  alice,
  authorizeUrl,
  bob,
  finish,
  isPage,
  pageOf,
  reach,
  redeemCode,
  redirectOf,
  refresh,
  rowCounts,
  screenOf,
  sessionCookieOf,
  signedInAgent,
} from './run_browser.ts';

/** What time and changes behind its back do to a run. The clock only goes forward: later tests start later. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const hour = 60 * 60;
const asking = { prompt: 'consent' };
const url = (parameters: { readonly [name: string]: string } = {}) =>
  authorizeUrl(provider.issuer, { ...asking, ...parameters });
const timeout = 15_000;

/** Until every process has read the configuration again. */
const configurationRead = () => Bun.sleep(1100);

describe('after the last step', () => {
  test(
    'a repeat within the code’s lifetime is the same redirect, later "you are signed in" with a link to the client',
    async () => {
      const agent = new UserAgent();
      const consent = await reach(agent, url(), 'consent');
      const back = await finish(agent, consent);
      await provider.shiftClock(30);
      expect(redirectOf(await agent.answer(consent, { decision: 'allow' })).href).toBe(back.href);
      await provider.shiftClock(31);
      for (const at of [await agent.answer(consent, { decision: 'allow' }), await agent.open(consent.url)]) {
        const page = pageOf(at);
        expect([screenOf(page), page.status]).toEqual(['completed', 200]);
        expect(page.html).toContain('You are signed in');
        expect(page.html).toContain('href="http://127.0.0.1:4020/"');
        expect(page.html).not.toContain('code=');
      }
      // The code itself is over, too, and nothing was consumed by trying.
      expect(await redeemCode(provider, back)).toMatchObject({ status: 400, body: { error: 'invalid_grant' } });
      expect(redirectOf(await agent.open(url({ prompt: 'none' }))).searchParams.get('code')).not.toBeNull();
    },
    timeout,
  );

  test(
    'a repeat gives the session’s cookie to a browser that lost the answer, and not when the session has ended',
    async () => {
      const agent = new UserAgent();
      const consent = await reach(agent, url(), 'consent');
      await finish(agent, consent);
      const cookie = sessionCookieOf(agent);
      agent.cookies.delete('limen.main.session');
      await agent.answer(consent, { decision: 'allow' });
      expect(sessionCookieOf(agent)).toBe(cookie);
      await provider.database.sql`UPDATE sso_sessions SET ended_at = limen_now() WHERE ended_at IS NULL`;
      agent.cookies.delete('limen.main.session');
      const back = redirectOf(await agent.answer(consent, { decision: 'allow' }));
      expect(sessionCookieOf(agent)).toBeUndefined();
      expect((await redeemCode(provider, back)).status).toBe(400);
    },
    timeout,
  );
});

describe('a run that was left', () => {
  test(
    'longer than the client’s request may be old: a session and a link, no callback',
    async () => {
      const agent = new UserAgent();
      const password = await reach(agent, url({ prompt: 'login' }), 'password', bob);
      await provider.shiftClock(hour + 60);
      const consent = pageOf(await agent.answer(password, { password: bob.password }));
      const end = pageOf(await agent.answer(consent, { decision: 'allow' }));
      expect([screenOf(end), end.status]).toEqual(['completed', 200]);
      expect(end.html).toContain('href="http://127.0.0.1:4020/"');
      expect(screenOf(pageOf(await agent.answer(consent, { decision: 'allow' })))).toBe('completed');
      const silent = redirectOf(await agent.open(authorizeUrl(provider.issuer, { prompt: 'none' })));
      expect(silent.searchParams.get('code')).not.toBeNull();
    },
    timeout,
  );

  test(
    'with a password proved more than an hour ago: it is asked for again, and the name is kept',
    async () => {
      const agent = new UserAgent();
      const consent = await reach(agent, url(), 'consent');
      await provider.shiftClock(hour + 60);
      const at = pageOf(await agent.answer(consent, { decision: 'allow' }));
      expect(screenOf(at)).toBe('identifier');
      expect(at.html).toContain('value="alice"');
      expect(screenOf(await finishPage(agent, at))).toBe('completed');
    },
    timeout,
  );

  test(
    'until it expired: the page that says so, sealed and stored, and no counter is raised',
    async () => {
      const sealed = new UserAgent();
      const password = await reach(sealed, url(), 'password');
      const stored = new UserAgent();
      const consent = await reach(stored, url(), 'consent');
      await provider.shiftClock(24 * hour + 60);
      const before = await rowCounts(provider, ['audit_events', 'sso_sessions', 'lockouts']);
      const ends = [
        await sealed.answer(password, { password: alice.password }),
        await sealed.open(password.url),
        await stored.answer(consent, { decision: 'allow' }),
        await stored.open(consent.url),
      ];
      for (const end of ends) expect([screenOf(pageOf(end)), pageOf(end).status]).toEqual(['expired', 410]);
      expect(await rowCounts(provider, ['audit_events', 'sso_sessions', 'lockouts'])).toEqual(before);
    },
    timeout,
  );
});

async function finishPage(agent: UserAgent, from: Awaited<ReturnType<UserAgent['page']>>) {
  let at = from;
  for (const entry of [{ username: 'alice' }, { password: alice.password }, { decision: 'allow' }])
    at = pageOf(await agent.answer(at, entry));
  return at;
}

describe('while the consent page is open', () => {
  const setEnabled = (enabled: boolean) =>
    provider.database.sql`UPDATE users SET enabled = ${enabled} WHERE username = 'bob'`;

  test('the user is disabled: back to the first screen, and no way on', async () => {
    const agent = new UserAgent();
    const consent = await reach(agent, url(), 'consent', bob);
    await setEnabled(false);
    try {
      const at = pageOf(await agent.answer(consent, { decision: 'allow' }));
      expect(screenOf(at)).toBe('identifier');
      const password = pageOf(await agent.answer(at, { username: 'bob' }));
      const refused = pageOf(await agent.answer(password, { password: bob.password }));
      expect(screenOf(refused)).toBe('password');
      expect(refused.html).toContain('We could not sign you in.');
      expect(sessionCookieOf(agent)).toBeUndefined();
    } finally {
      await setEnabled(true);
    }
  });

  test('everything of the user is ended (a password change): the password is asked for again', async () => {
    const agent = new UserAgent();
    const consent = await reach(agent, url(), 'consent', bob);
    await Bun.sleep(5);
    await provider.database.sql`UPDATE users SET valid_from = limen_now() WHERE username = 'bob'`;
    const at = pageOf(await agent.answer(consent, { decision: 'allow' }));
    expect(screenOf(at)).toBe('identifier');
    expect(sessionCookieOf(agent)).toBeUndefined();
    expect((await redeemCode(provider, await finish(agent, at, bob))).status).toBe(200);
  });

  test('the session that opened it ends: the sign-in begins again', async () => {
    const { agent } = await signedInAgent(provider, bob);
    const consent = await reach(agent, url(), 'consent', bob);
    await provider.database.sql`UPDATE sso_sessions SET ended_at = limen_now() WHERE ended_at IS NULL`;
    expect(screenOf(pageOf(await agent.answer(consent, { decision: 'allow' })))).toBe('identifier');
  });

  test('the person denies: access_denied with state and iss, and no session, no consent, no code', async () => {
    const before = await rowCounts(provider, ['sso_sessions', 'consents', 'token_families']);
    const agent = new UserAgent();
    const consent = await reach(agent, url({ state: 'st&te', client_id: 'demo-web' }), 'consent', bob);
    const back = redirectOf(await agent.answer(consent, { decision: 'deny' }));
    expect(Object.fromEntries(back.searchParams)).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 'st&te',
      iss: provider.issuer,
    });
    expect(sessionCookieOf(agent)).toBeUndefined();
    expect(await rowCounts(provider, ['sso_sessions', 'consents', 'token_families'])).toEqual(before);
    // Asked again it says the same, and allowing afterwards is too late.
    const again = redirectOf(await agent.answer(consent, { decision: 'allow' }));
    expect([again.searchParams.get('error'), again.searchParams.get('code')]).toEqual(['access_denied', null]);
  });
});

describe('a recalled version', () => {
  test(
    'its runs begin again on the deployed one; runs that are over stay over',
    async () => {
      const { sql } = provider.database;
      const [realm] = await sql<{ id: string }[]>`SELECT id FROM realms WHERE is_default`;
      const realmId = brandId<RealmId>(realm?.id ?? unreachable('there is a default realm'));
      const before = await sql<{ id: string }[]>`SELECT id FROM flow_versions WHERE realm_id = ${realmId}`;
      const sealed = new UserAgent();
      const password = await reach(sealed, url(), 'password');
      const stored = new UserAgent();
      const consent = await reach(stored, url(), 'consent');
      const over = new UserAgent();
      const last = await reach(over, url(), 'consent');
      const back = await finish(over, last);

      const definition = validateDefinition({ ...defaultFlow, nodes: { ...defaultFlow.nodes } }, nodeTypes);
      if (!definition.ok) throw new Error('the default flow is valid');
      const flows = createFlows(provider.database);
      const version = await flows.publish(realmId, 'browser', definition.value);
      await flows.deploy(realmId, 'browser', version.id);
      await configurationRead();
      // Pinned: a newer deployment alone does not touch them.
      expect(screenOf(await stored.page(consent.url))).toBe('consent');

      for (const { id } of before) await flows.recall(realmId, id);
      await configurationRead();
      const restarted = await stored.page(consent.url);
      expect([screenOf(restarted), restarted.url]).toEqual(['identifier', consent.url]);
      expect(screenOf(pageOf(await sealed.answer(password, { password: alice.password })))).toBe('identifier');
      expect(redirectOf(await over.answer(last, { decision: 'allow' })).href).toBe(back.href);
      expect((await redeemCode(provider, await finish(stored, restarted))).status).toBe(200);
      const [run] = await sql`
        SELECT flow_version_id FROM auth_sessions WHERE id = ${consent.url.split('/').at(-1) ?? ''}::uuid`;
      expect(run?.['flow_version_id']).toBe(version.id);
    },
    timeout,
  );
});

describe('a sign-in where another one is', () => {
  test('another user’s ends the former session on the server and what hangs on it', async () => {
    const { agent, back } = await signedInAgent(provider, alice, { prompt: 'consent' });
    const issued = await redeemCode(provider, back);
    const { access_token, refresh_token } = issued.body;
    const other = redirectOf(await finish(agent, await agent.page(url({ prompt: 'login consent' })), bob));
    expect((await redeemCode(provider, other)).status).toBe(200);
    expect(await refresh(provider, String(refresh_token))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    });
    const userinfo = await fetch(`${provider.issuer}/userinfo`, {
      headers: { authorization: `Bearer ${access_token}` },
    });
    expect(userinfo.status).toBe(401);
    const ended = await provider.database.sql`
      SELECT u.username FROM audit_events a JOIN users u ON u.id = a.user_id WHERE event = 'session.ended'`;
    expect([...ended]).toEqual([{ username: 'alice' }]);
  });

  test(
    'another user’s ends it also where the browser’s own part in it had gone idle',
    async () => {
      const { agent, back } = await signedInAgent(provider, alice, { prompt: 'consent' });
      const issued = await redeemCode(provider, back);
      await provider.shiftClock(25 * hour);
      await finish(agent, pageOf(await agent.open(url())), bob);
      expect((await refresh(provider, String(issued.body['refresh_token']))).status).toBe(400);
    },
    timeout,
  );

  test('the same user’s again keeps the session, its families and what other applications hold', async () => {
    const { agent, back } = await signedInAgent(provider, alice, { prompt: 'consent' });
    const issued = await redeemCode(provider, back);
    const again = await finish(agent, await agent.page(url({ prompt: 'login consent' })));
    expect((await refresh(provider, String(issued.body['refresh_token']))).status).toBe(200);
    expect((await redeemCode(provider, again)).status).toBe(200);
    const [families] = await provider.database.sql`
      SELECT count(DISTINCT session_id)::int AS sessions FROM (
        SELECT session_id FROM token_families ORDER BY created_at DESC LIMIT 2) AS latest`;
    expect(families).toEqual({ sessions: 1 });
  });

  test(
    'the same user’s after an idle time takes the session up again, so that a sign-out still reaches everything',
    async () => {
      const { agent, back } = await signedInAgent(provider, alice, { prompt: 'consent' });
      const issued = await redeemCode(provider, back);
      await provider.shiftClock(25 * hour);
      const password = await reach(agent, url(), 'password');
      const again = await redeemCode(provider, await finish(agent, password));
      const token = String(issued.body['refresh_token']);
      const refreshed = await refresh(provider, token);
      expect(refreshed.status).toBe(200);
      const hint = String(again.body['id_token']);
      await agent.open(`${provider.issuer}/logout?${new URLSearchParams({ id_token_hint: hint })}`);
      expect((await refresh(provider, String(refreshed.body['refresh_token']))).status).toBe(400);
    },
    timeout,
  );

  test('prompt=login asks again although the browser is signed in; an offered session is not enough', async () => {
    const { agent } = await signedInAgent(provider);
    const at = await agent.open(url({ prompt: 'login' }));
    expect(isPage(at) && screenOf(at)).toBe('identifier');
  });
});
