import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import { register } from './operator.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bodyOf,
  claimsOf,
  codeOf,
  type Party,
  redeem,
  text,
  userinfo,
} from './relying_party.ts';
import { finish, pageOf, reach, redirectOf, screenOf } from './run_browser.ts';

/** OIDC Core §5.5: a claim asked for by name needs what the scope that releases it needs, registration and consent. */

let provider: Provider;
/** May have an email; what it asks for is up to each test. */
let mailer: Party;

beforeAll(async () => {
  provider = await startProvider();
  mailer = await register(provider, 'mailer', { scope: ['openid', 'email'] });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const names = { email: null, email_verified: null, phone_number: null, address: null, birthdate: null, name: null };
const claims = JSON.stringify({ userinfo: names, id_token: names });
const email = JSON.stringify({ userinfo: { email: null }, id_token: { email: { essential: true } } });

/** What a code gives, by the ID token and by userinfo, beside what is there for everybody. */
async function givenBy(party: Party, back: URL) {
  const body = await bodyOf(await redeem(party, codeOf(back)));
  const told = {
    idToken: claimsOf(text(body, 'id_token')),
    userinfo: await bodyOf(await userinfo(party, text(body, 'access_token'))),
  };
  const namesOf = (claims: object) => Object.keys(claims).filter((name) => name in names);
  return { scope: body['scope'], idToken: namesOf(told.idToken), userinfo: namesOf(told.userinfo) };
}

/** What the consent page says the client gets. */
const listedIn = (html: string): string => (/<ul[\s\S]*<\/ul>/.exec(html)?.[0] ?? '').toLowerCase();

describe('a client that is registered for openid alone', () => {
  const nothing = { scope: 'openid', idToken: [], userinfo: [] };

  test('gets no claim by its name, whatever the person allows', async () => {
    const tiny = await register(provider, 'tiny', { scope: ['openid'] });
    expect(await givenBy(tiny, await authorize(tiny, alice, { claims, prompt: 'consent' }))).toEqual(nothing);
  });

  test('nor silently after an ordinary sign-in', async () => {
    const quiet = await register(provider, 'quiet', { scope: ['openid'] });
    const agent = new UserAgent();
    await authorize(quiet, alice, {}, agent);
    for (const prompt of ['', 'none']) {
      const back = redirectOf(await agent.open(authorizeUrl(quiet, { claims, prompt })));
      expect(await givenBy(quiet, back)).toEqual(nothing);
    }
  });

  test('is not announced to get them', async () => {
    const shown = await register(provider, 'shown', { scope: ['openid'] });
    const page = await reach(new UserAgent(), authorizeUrl(shown, { claims }), 'consent');
    expect(listedIn(page.html)).not.toMatch(/e-?mail|phone|address|profile/);
  });
});

describe('a client that is registered for email and asks for it by claim name only', () => {
  test('the consent page lists it, as it does for the scope', async () => {
    const plain = await reach(new UserAgent(), authorizeUrl(mailer), 'consent');
    const byScope = await reach(new UserAgent(), authorizeUrl(mailer, { scope: 'openid email' }), 'consent');
    const byClaim = await reach(new UserAgent(), authorizeUrl(mailer, { claims: email }), 'consent');
    expect(listedIn(byClaim.html)).toMatch(/e-?mail/);
    expect(listedIn(byClaim.html)).toBe(listedIn(byScope.html));
    expect(listedIn(plain.html)).not.toBe(listedIn(byScope.html));
  });

  test.each([
    ['the ID token', { id_token: { email: null } }],
    ['userinfo', { userinfo: { email: null } }],
  ])(
    'for %s: consent to openid alone does not cover it, and what was allowed then is remembered',
    async (where, by) => {
      const party = await register(provider, `mailer-${where.replaceAll(' ', '-')}`, { scope: ['openid', 'email'] });
      const agent = new UserAgent();
      await authorize(party, alice, {}, agent);
      const request = { claims: JSON.stringify(by) };
      const silent = () => agent.open(authorizeUrl(party, { ...request, prompt: 'none' }));
      expect(redirectOf(await silent()).searchParams.get('error')).toBe('consent_required');
      const asked = pageOf(await agent.open(authorizeUrl(party, request)));
      expect(screenOf(asked)).toBe('consent');
      expect(redirectOf(await silent()).searchParams.get('code')).toBeNull();
      const given = {
        scope: 'openid',
        idToken: 'id_token' in by ? ['email'] : [],
        userinfo: 'userinfo' in by ? ['email'] : [],
      };
      expect(await givenBy(party, await finish(agent, asked))).toEqual(given);
      expect(await givenBy(party, redirectOf(await silent()))).toEqual(given);
    },
  );

  test('of several names it gets those that it is registered for', async () => {
    const given = await givenBy(mailer, await authorize(mailer, alice, { claims, prompt: 'consent' }));
    const both = ['email', 'email_verified'];
    expect(given).toEqual({ scope: 'openid', idToken: both, userinfo: both });
  });
});
