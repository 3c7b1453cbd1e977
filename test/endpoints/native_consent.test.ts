import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { NewClient } from '../../src/store/clients.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { register } from './operator.ts';
import { alice, authorizeUrl, codeOf, type Party, redeem, redirectUri } from './relying_party.ts';
import { entryFor, finish, isPage, pageOf, reach, redirectOf, screenOf } from './run_browser.ts';

/** RFC 8252 §8.6: a loopback port and a private-use scheme are anybody's on the device, so nothing is silent there. */

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider();
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** A client that its operator says needs no consent. */
const trusted = (clientId: string, more: Partial<NewClient>): Promise<Party> =>
  register(provider, clientId, { consent: 'never', ...more });

const publicOne = { class: 'public', authMethod: 'none' } as const;
const at = (party: Party, uri: string): Party => ({ ...party, redirectUri: uri });

describe.each([
  ['loopback', [redirectUri], redirectUri],
  ['loopback on whatever port it got', [redirectUri], 'http://127.0.0.1:59999/callback'],
  ['loopback of IPv6', ['http://[::1]/callback'], 'http://[::1]:59998/callback'],
  ['a private-use scheme', ['com.example.app:/callback'], 'com.example.app:/callback'],
])('a public client whose answer goes to %s', (kind, redirectUris, uri) => {
  const clientId = kind.replaceAll(' ', '-').toLowerCase();

  test('shows the page whatever its operator says, each time, and is refused where no page may be shown', async () => {
    const party = at(await trusted(clientId, { ...publicOne, redirectUris }), uri);
    const agent = new UserAgent();
    const first = await reach(agent, authorizeUrl(party), 'consent');
    const back = redirectOf(await agent.answer(first, { decision: 'allow' }));
    expect((await redeem(party, codeOf(back))).status).toBe(200);
    expect(screenOf(pageOf(await agent.open(authorizeUrl(party))))).toBe('consent');
    const silent = redirectOf(await agent.open(authorizeUrl(party, { prompt: 'none' })));
    expect(silent.searchParams.get('error')).toBe('consent_required');
    expect(silent.searchParams.get('code')).toBeNull();
  });
});

describe('the operator’s word counts where the answer can only reach the client', () => {
  test.each([
    ['a confidential client, which proves itself at the token endpoint', {}, redirectUri],
    [
      'a public client at https',
      { ...publicOne, redirectUris: ['https://app.example/callback'] },
      'https://app.example/callback',
    ],
  ])('%s: no page', async (_, more, uri) => {
    const party = at(await trusted(`silent-${uri.length}`, more), uri);
    const agent = new UserAgent();
    const password = await reach(agent, authorizeUrl(party), 'password');
    const back = await agent.answer(password, entryFor('password', alice));
    expect(isPage(back)).toBe(false);
    const silent = redirectOf(await agent.open(authorizeUrl(party, { prompt: 'none' })));
    expect(silent.searchParams.get('code')).not.toBeNull();
  });

  test('and a public client with both kinds is asked at the one that is anybody’s', async () => {
    const https = 'https://both.example/callback';
    const party = await trusted('both', { ...publicOne, redirectUris: [https, redirectUri] });
    const agent = new UserAgent();
    await finish(agent, await reach(agent, authorizeUrl(at(party, https)), 'identifier'));
    const none = { prompt: 'none' };
    expect(redirectOf(await agent.open(authorizeUrl(at(party, https), none))).searchParams.get('error')).toBeNull();
    const loopback = redirectOf(await agent.open(authorizeUrl(party, none)));
    expect(loopback.searchParams.get('error')).toBe('consent_required');
  });
});
