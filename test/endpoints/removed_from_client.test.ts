import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { ClientChange, NewClient } from '../../src/store/clients.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import { changeClient, endClient, register, until } from './operator.ts';
import { alice, authorizeUrl, type Parameters, redirectUri } from './relying_party.ts';
import { entryFor, finish, reach, rowCounts, type ScreenName, sessionCookieOf } from './run_browser.ts';

/** What an operator takes from a client is taken from runs that wait, wherever they wait: in their URL or in their row. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const other = 'https://compromised.example/callback';

type Removal = {
  readonly what: string;
  readonly registered: Partial<NewClient>;
  readonly request: Parameters;
  readonly change: ClientChange;
};

const hybrid: Partial<NewClient> = {
  responseTypes: ['code', 'code id_token'],
  grantTypes: ['authorization_code', 'refresh_token', 'implicit'],
  overrides: { implicitAndHybrid: { value: true, reason: 'an old application' } },
};

const removals: readonly Removal[] = [
  {
    what: 'redirect URI',
    registered: { redirectUris: [redirectUri, other] },
    request: { redirect_uri: other },
    change: { redirectUris: [redirectUri] },
  },
  {
    what: 'response type',
    registered: hybrid,
    request: { response_type: 'code id_token', nonce: 'a nonce' },
    change: { responseTypes: ['code'], grantTypes: ['authorization_code', 'refresh_token'] },
  },
  {
    what: 'scope',
    registered: { scope: ['openid', 'profile', 'email'] },
    request: { scope: 'openid email' },
    change: { scope: ['openid', 'profile'] },
  },
];

const screens: readonly ScreenName[] = ['identifier', 'password', 'consent'];
const tables = ['auth_sessions', 'sso_sessions', 'token_families'];

/** An error page by GET and by POST: no way on, nothing written, nobody signed in, nothing told to the client. */
async function expectRefused(agent: UserAgent, page: Shown, screen: string): Promise<void> {
  const before = await rowCounts(provider, tables);
  const answers = [await agent.fetch(page.url), await agent.submit(page, entryFor(screen, alice))];
  for (const answer of answers) {
    expect({ status: answer.status, location: answer.headers.get('location') }).toEqual({
      status: 400,
      location: null,
    });
    const html = await answer.text();
    expect(html).toContain('id="error_id"');
    expect(html).not.toContain('code=');
  }
  expect(sessionCookieOf(agent)).toBeUndefined();
  expect(await rowCounts(provider, tables)).toEqual(before);
}

/** In force: this page is none any more. */
const isRefused = (page: Shown) => async (): Promise<boolean> => (await new UserAgent().fetch(page.url)).status === 400;

describe.each(removals)('a $what that was removed', ({ what, registered, request, change }) => {
  const name = (screen: string) => `${what.replaceAll(' ', '-')}-${screen}`;

  test.each(screens)('while the run waits at %s: no way on', async (screen) => {
    const party = await register(provider, name(screen), registered);
    const agent = new UserAgent();
    const page = await reach(agent, authorizeUrl(party, request), screen);
    await changeClient(provider, party.clientId, change);
    await until(isRefused(page));
    await expectRefused(agent, page, screen);
  });

  test('leaves runs that asked for nothing of it', async () => {
    const party = await register(provider, name('other'), registered);
    const agent = new UserAgent();
    const page = await reach(agent, authorizeUrl(party), 'password');
    const asking = await reach(new UserAgent(), authorizeUrl(party, request), 'identifier');
    await changeClient(provider, party.clientId, change);
    await until(isRefused(asking));
    expect((await finish(agent, page)).searchParams.get('code')).not.toBeNull();
  });
});

test.each(screens)('“end everything” of a client, while the run waits at %s: no way on', async (screen) => {
  const party = await register(provider, `ended-${screen}`);
  const agent = new UserAgent();
  const page = await reach(agent, authorizeUrl(party), screen);
  await endClient(provider, party.clientId);
  await until(isRefused(page));
  await expectRefused(agent, page, screen);
  const fresh = new UserAgent();
  const again = await reach(fresh, authorizeUrl(party), 'identifier');
  expect((await finish(fresh, again)).searchParams.get('code')).not.toBeNull();
});
