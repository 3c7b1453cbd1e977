import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mostDevicesOfBrowser } from '../../src/core/known_device.ts';
import { Secret } from '../../src/core/secret.ts';
import { createUsers } from '../../src/store/users.ts';
import { hashPassword } from '../../src/workers/password/index.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, type SignIn, UserAgent } from '../user_agent.ts';
import { changed, formsOf, openAccount } from './account_page.ts';
import { realmIdOf } from './operator.ts';
import { acmeOf, carol } from './relying_party.ts';
import {
  alice,
  authorizeUrl,
  bob,
  copyOf,
  finish,
  pageOf,
  reach,
  redirectOf,
  screenOf,
  sessionCookieOf,
} from './run_browser.ts';

/** A browser in which somebody signed in by password stays open to them while others guess. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_TRUSTED_PROXIES: '127.0.0.1' } });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

beforeEach(async () => {
  // What the process remembers of locks is by address, so each test has addresses of its own.
  octet += 1;
  await provider.database.sql`UPDATE users SET password_set_at = 'epoch'`;
  for (const table of ['lockouts', 'lockout_ceilings', 'known_devices'])
    await provider.database.sql.unsafe(`DELETE FROM ${table}`);
});

let octet = 0;
const home = () => `198.51.${octet}.7`;
const away = () => `198.51.${octet}.99`;
const timeout = 30_000;

const url = (parameters: { readonly [name: string]: string } = {}) => authorizeUrl(provider.issuer, parameters);
const at = (address: string) => new UserAgent({ 'x-forwarded-for': address });
const deviceOf = (agent: UserAgent) => agent.cookies.get('limen.main.device') ?? '';

/** The browser after a while: the sign-in is over, and what makes it known is all that is left. */
function later(agent: UserAgent, address: string): UserAgent {
  const browser = at(address);
  browser.cookies.set('limen.main.device', deviceOf(agent));
  return browser;
}

async function known(who: SignIn, address = home(), before = at(address)): Promise<UserAgent> {
  await finish(before, await before.page(url({ prompt: 'login' })), who);
  return later(before, address);
}

async function signsIn(agent: UserAgent, who: SignIn): Promise<boolean> {
  const password = await reach(agent, url({ prompt: 'login' }), 'password', who);
  const after = await agent.answer(password, { password: who.password });
  return after instanceof URL || screenOf(after) !== 'password';
}

async function guess(address: string, username: string, times = 5, agent = () => at(address)): Promise<void> {
  for (let time = 0; time < times; time += 1) {
    expect(await signsIn(agent(), { username, password: 'not it' })).toBe(false);
  }
}

describe('while the account is locked', () => {
  test(
    'from elsewhere: the owner signs in on the known device, there and anywhere, and nobody does from there',
    async () => {
      const device = await known(alice);
      await guess(away(), 'alice');
      expect(await signsIn(at(away()), alice)).toBe(false);
      expect(await signsIn(later(device, away()), alice)).toBe(true);
      expect(await signsIn(later(device, home()), alice)).toBe(true);
      expect(await signsIn(at(away()), alice)).toBe(false);
    },
    timeout,
  );

  test(
    'from the owner’s own address: the known device signs in, another browser beside it does not',
    async () => {
      const device = await known(alice);
      await guess(home(), 'alice');
      expect(await signsIn(at(home()), alice)).toBe(false);
      expect(await signsIn(device, alice)).toBe(true);
    },
    timeout,
  );

  test(
    'by failures on the device itself: it and its address are locked, and no other place',
    async () => {
      const device = await known(alice);
      await guess(home(), 'alice', 5, () => later(device, home()));
      expect(await signsIn(later(device, home()), alice)).toBe(false);
      expect(await signsIn(at(home()), alice)).toBe(false);
      expect(await signsIn(at(away()), alice)).toBe(true);
    },
    timeout,
  );

  test(
    'another person’s device, a forged or changed cookie, or one of another realm opens nothing',
    async () => {
      const bobs = await known(bob);
      const alices = deviceOf(await known(alice));
      const acme = at(home());
      await openAccount(acme, acmeOf(provider).issuer, carol);
      await guess(away(), 'alice');
      const sent = [
        deviceOf(bobs),
        'A'.repeat(65),
        alices.slice(0, -1) + (alices.endsWith('A') ? 'B' : 'A'),
        (alices.startsWith('A') ? 'B' : 'A') + alices.slice(1),
        alices.slice(0, 43),
        acme.cookies.get('limen.acme.device') ?? '',
      ];
      for (const cookie of sent) {
        expect(cookie).not.toBe('');
        const agent = at(away());
        agent.cookies.set('limen.main.device', cookie);
        expect(await signsIn(agent, alice)).toBe(false);
      }
    },
    timeout,
  );
});

describe('a device ends', () => {
  const isOpen = async (device: UserAgent) => {
    await guess(away(), 'alice');
    return signsIn(later(device, away()), alice);
  };

  test(
    'when its owner forgets it on the account page',
    async () => {
      const device = await known(alice);
      const agent = at(home());
      const page: Shown = await openAccount(agent, provider.issuer, alice);
      const forms = formsOf(page).filter(({ change }) => change === 'forget_device');
      expect(forms).toHaveLength(2);
      for (const form of forms) await changed(agent, page, form);
      expect(await isOpen(device)).toBe(false);
    },
    timeout,
  );

  test(
    'with a change of the password; the browser is known again after the next sign-in, by another token',
    async () => {
      const device = await known(bob);
      const users = createUsers(provider.database);
      const realmId = await realmIdOf(provider);
      const owner = await users.show(realmId, { username: 'bob' });
      if (owner === null) throw new Error('bob is gone');
      const renewed = { username: 'bob', password: 'another one of bob' };
      const hash = await hashPassword(new Secret(renewed.password));
      await users.setPassword(realmId, owner.id, hash, { signOutEverywhere: false });
      await guess(away(), 'bob');
      expect(await signsIn(later(device, away()), renewed)).toBe(false);
      // A minute goes by.
      await provider.database.sql`UPDATE known_devices SET proved_at = proved_at - interval '1 minute'`;
      await provider.database.sql`
        UPDATE users SET password_set_at = password_set_at - interval '1 minute' WHERE id = ${owner.id}::uuid`;
      const again = await known(renewed, home(), later(device, home()));
      expect(deviceOf(again)).not.toBe(deviceOf(device));
      expect(await signsIn(later(again, away()), renewed)).toBe(true);
      await users.setPassword(realmId, owner.id, await hashPassword(new Secret(bob.password)), {
        signOutEverywhere: false,
      });
    },
    timeout,
  );
});

describe('the cookie', () => {
  test('is given once everything is proved, for a year, and to nobody before', async () => {
    const agent = at(home());
    const password = await reach(agent, url({ prompt: 'login consent' }), 'password');
    await agent.answer(password, { password: 'not it' });
    const consent = pageOf(await agent.answer(await reach(agent, url({ prompt: 'login consent' }), 'password'), alice));
    expect(screenOf(consent)).toBe('consent');
    expect(agent.cookies.has('limen.main.device')).toBe(false);
    const denied = copyOf(agent);
    redirectOf(await denied.answer(consent, { decision: 'deny' }));
    expect(denied.cookies.has('limen.main.device')).toBe(false);
  });

  test('is HttpOnly, of this host alone, and not sent along from other sites', async () => {
    const agent = at(home());
    const password = await reach(agent, url({ prompt: 'login' }), 'password');
    const response = await agent.submit(password, { password: alice.password });
    const line = response.headers.getSetCookie().find((each) => each.startsWith('limen.main.device='));
    expect(line?.replace(/=[^;]*/, '')).toBe(
      `limen.main.device; Path=/; HttpOnly; SameSite=Lax; Max-Age=${365 * 24 * 3600}`,
    );
  });

  test('a silent sign-in by the session gives none', async () => {
    const agent = at(home());
    await finish(agent, await agent.page(url({ prompt: 'login' })));
    agent.cookies.delete('limen.main.device');
    redirectOf(await agent.open(url()));
    expect(agent.cookies.has('limen.main.device')).toBe(false);
  });

  test('whose answer was lost comes again with the same redirect', async () => {
    const agent = at(home());
    const password = await reach(agent, url({ prompt: 'login' }), 'password');
    const lost = copyOf(agent);
    await agent.submit(password, { password: alice.password });
    await lost.submit(password, { password: alice.password });
    expect(deviceOf(lost)).toBe(deviceOf(agent));
    expect(sessionCookieOf(lost)).toBe(sessionCookieOf(agent));
    const [row] = await provider.database.sql`SELECT count(*)::int AS n FROM known_devices`;
    expect(row).toEqual({ n: 1 });
  });

  test('stays the same at the next sign-ins of the same person, and makes no second device', async () => {
    const first = await known(alice);
    const second = await known(alice, home(), first);
    expect(deviceOf(second)).toBe(deviceOf(first));
    const [row] = await provider.database.sql`SELECT count(*)::int AS n FROM known_devices`;
    expect(row).toEqual({ n: 1 });
  });

  test(
    'carries several people’s devices: each opens for its own, and signing out takes none away',
    async () => {
      const both = await known(bob, home(), await known(alice));
      expect(deviceOf(both).split('.')).toHaveLength(2);
      await both.page(`${provider.issuer}/logout`);
      await guess(away(), 'alice');
      await guess(away(), 'bob');
      expect(await signsIn(later(both, away()), alice)).toBe(true);
      expect(await signsIn(later(both, away()), bob)).toBe(true);
    },
    timeout,
  );

  test('has its bound: the token longest unused is left out', async () => {
    const tokens: string[] = [];
    let agent = at(home());
    for (let time = 0; time <= mostDevicesOfBrowser; time += 1) {
      await provider.database.sql`DELETE FROM known_devices`;
      agent = await known(alice, home(), agent);
      tokens.push(deviceOf(agent).split('.').at(-1) ?? '');
    }
    expect(deviceOf(agent).split('.')).toEqual(tokens.slice(-mostDevicesOfBrowser));
  });
});

test(
  'a realm that locks accounts as a whole makes no exception',
  async () => {
    const strict = await startProvider({
      environment: { LIMEN_TRUSTED_PROXIES: '127.0.0.1', LIMEN_SETTING_LOCKOUT_SCOPE: 'account' },
    });
    const attempt = async (agent: UserAgent, password: string) => {
      const page = await reach(agent, authorizeUrl(strict.issuer), 'password');
      return agent.answer(page, { password });
    };
    const agent = at(home());
    await finish(agent, await agent.page(authorizeUrl(strict.issuer)));
    for (let time = 0; time < 5; time += 1) await attempt(at(away()), 'not it');
    expect(screenOf(pageOf(await attempt(later(agent, home()), alice.password)))).toBe('password');
    await strict.stop();
  },
  databaseTimeoutMilliseconds,
);
