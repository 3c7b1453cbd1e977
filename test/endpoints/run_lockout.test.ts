import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, type SignIn, UserAgent } from '../user_agent.ts';
import { alice, authorizeUrl, bob, finish, pageOf, reach, redirectOf, screenOf, signedInAgent } from './run_browser.ts';

/** Lockout as a person and as an attacker see it: through the pages. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const url = () => authorizeUrl(provider.issuer);
const minute = 60;
const timeout = 15_000;

/** Everything a person can see of a page that does not change with each request. */
const visible = ({ html }: Shown): string =>
  html.replaceAll(/value="[^"]*"/g, 'value').replaceAll(/action="[^"]*"/g, 'action');

async function attempt(who: SignIn): Promise<Shown | URL> {
  const agent = new UserAgent();
  const password = await reach(agent, url(), 'password', who);
  return agent.answer(password, { password: who.password });
}

const verdicts = async () => {
  const rows = await provider.database.sql<{ reason: string; times: number }[]>`
    SELECT coalesce(detail ->> 'reason', event) AS reason, count(*)::int AS times FROM audit_events
    WHERE event LIKE 'password.%' OR event LIKE 'lockout.%' GROUP BY 1 ORDER BY 1`;
  return Object.fromEntries(rows.map(({ reason, times }) => [reason, times]));
};
const forgetVerdicts = () => provider.database.sql`TRUNCATE audit_events`;

describe('five wrong passwords', () => {
  test(
    'lock: the right one gets the same page, and 15 minutes later it signs in',
    async () => {
      await forgetVerdicts();
      const wrong = { username: 'alice', password: 'not it' };
      const pages = [];
      for (let time = 0; time < 5; time += 1) pages.push(pageOf(await attempt(wrong)));
      const locked = pageOf(await attempt(alice));
      expect(screenOf(locked)).toBe('password');
      for (const page of pages) {
        expect(visible(page)).toBe(visible(locked));
        expect(page.status).toBe(locked.status);
        expect([...page.headers.keys()]).toEqual([...locked.headers.keys()]);
      }
      expect(await verdicts()).toMatchObject({ wrong: 5, 'lockout.started': 1 });
      expect((await verdicts())['password.accepted']).toBeUndefined();
      // A name in other spelling is the same account.
      expect(screenOf(pageOf(await attempt({ ...alice, username: ' ALICE ' })))).toBe('password');
      await provider.shiftClock(15 * minute + 1);
      const agent = new UserAgent();
      expect((await finish(agent, await agent.page(url()), alice)).searchParams.get('code')).not.toBeNull();
    },
    timeout,
  );

  test('lock nobody else out, and no session that is there already', async () => {
    const { agent } = await signedInAgent(provider, bob);
    for (let time = 0; time < 5; time += 1) await attempt({ username: 'bob', password: 'not it' });
    expect(screenOf(pageOf(await attempt(bob)))).toBe('password');
    expect(redirectOf(await agent.open(url())).searchParams.get('code')).not.toBeNull();
    const other = new UserAgent();
    expect((await finish(other, await other.page(url()), alice)).searchParams.get('code')).not.toBeNull();
  });

  test('for a name that nobody has look and lock the same', async () => {
    await forgetVerdicts();
    const nobody = { username: 'nobody', password: 'not it' };
    const pages = [];
    for (let time = 0; time < 6; time += 1) pages.push(visible(pageOf(await attempt(nobody))));
    expect(new Set(pages.map((page) => page.replaceAll('nobody', 'alice'))).size).toBe(1);
    const known = visible(pageOf(await attempt({ username: 'alice', password: 'not it' })));
    expect(pages[0]?.replaceAll('nobody', 'alice')).toBe(known);
    expect(await verdicts()).toMatchObject({ unknown: 5, 'lockout.started': 1 });
  });
});

describe('at once', () => {
  const agents = async (count: number, who: SignIn) => {
    const pages: (readonly [UserAgent, Shown])[] = [];
    for (let index = 0; index < count; index += 1) {
      const agent = new UserAgent();
      pages.push([agent, await reach(agent, url(), 'password', who)]);
    }
    return pages;
  };

  test(
    '50 wrong passwords: a lock after the fifth, and no sixth hash',
    async () => {
      await provider.shiftClock(60 * minute);
      await forgetVerdicts();
      const browsers = await agents(50, alice);
      const answers = await Promise.all(
        browsers.map(([agent, page], index) => agent.answer(page, { password: `wrong ${index}` })),
      );
      const shown = answers.map(pageOf);
      expect(new Set(shown.map(screenOf))).toEqual(new Set(['password']));
      expect(new Set(shown.map(visible)).size).toBe(1);
      // A hash ends in a verdict of its own; an attempt that was refused untried says `locked` or nothing.
      const { locked: _, ...hashed } = await verdicts();
      expect(hashed).toEqual({ wrong: 5, 'lockout.started': 1 });
    },
    timeout,
  );

  test(
    '20 right ones: 20 sign-ins, and nobody is locked',
    async () => {
      await provider.shiftClock(60 * minute);
      await signedInAgent(provider, alice);
      await forgetVerdicts();
      const browsers = await agents(20, alice);
      const ends = await Promise.all(browsers.map(([agent, page]) => agent.answer(page, { password: alice.password })));
      expect(new Set(ends.map((end) => redirectOf(end).searchParams.get('code'))).size).toBe(20);
      expect(await verdicts()).toEqual({ 'password.accepted': 20 });
    },
    timeout,
  );

  test(
    'five wrong and ten right ones: never more than five failures, and whoever was let in was right',
    async () => {
      await provider.shiftClock(60 * minute);
      await forgetVerdicts();
      const browsers = await agents(15, bob);
      await Promise.all(
        browsers.map(([agent, page], index) =>
          agent.answer(page, { password: index % 3 === 0 ? 'not it' : bob.password }),
        ),
      );
      const counted = await verdicts();
      expect(counted['wrong'] ?? 0).toBeLessThanOrEqual(5);
      expect((counted['wrong'] ?? 0) + (counted['password.accepted'] ?? 0) + (counted['locked'] ?? 0)).toBe(15);
      expect(counted['password.accepted'] ?? 0).toBeLessThanOrEqual(10);
    },
    timeout,
  );
});
