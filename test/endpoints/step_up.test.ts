import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  allowInsecureRequests,
  ClientSecretBasic,
  discovery,
  fetchUserInfo,
  skipSubjectCheck,
  WWWAuthenticateChallengeError,
} from 'openid-client';
import { bearerChallenge } from '../../src/oidc/bearer.ts';
import { type AuthenticationDemand, insufficientAuthentication } from '../../src/oidc/step_up.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type Shown, UserAgent } from '../user_agent.ts';
import { register } from './operator.ts';
import {
  alice,
  authorize,
  authorizeUrl,
  bodyOf,
  claimsOf,
  codeOf,
  type Parameters,
  type Party,
  postAs,
  redeem,
  refresh,
  tokensFor,
  tokensOf,
  userinfo,
  webOf,
} from './relying_party.ts';
import { entryFor, finish, pageOf, redirectOf, rowCounts, screenOf } from './run_browser.ts';

/** RFC 9470: a resource is not content with the sign-in, the client sends the person again, the resource is content. */

const passwordClass = 'urn:limen:acr:password';
const unreachable = 'urn:example:hardware';

let provider: Provider;
let bank: Party;
let strict: Party;

beforeAll(async () => {
  provider = await startProvider();
  bank = await register(provider, 'bank', {
    overrides: { userinfoMaxAgeSeconds: { value: 60 }, userinfoAcrValues: { value: passwordClass } },
  });
  strict = await register(provider, 'strict', {
    overrides: { acrValues: { value: 'required' }, userinfoAcrValues: { value: unreachable } },
  });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

/** What a client reads from a challenge and sends along (§4). */
function demandIn(response: Response): Parameters {
  const header = response.headers.get('www-authenticate') ?? '';
  const members = Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  expect(members).toMatchObject({ error: 'insufficient_user_authentication' });
  const { acr_values, max_age } = members;
  return { ...(acr_values === undefined ? {} : { acr_values }), ...(max_age === undefined ? {} : { max_age }) };
}

/** A resource server of somebody else's: it introspects, and challenges as the RFC says. */
async function resource(party: Party, token: string, demand: AuthenticationDemand): Promise<Response> {
  const told = await bodyOf(await postAs(webOf(provider), '/introspect', { token }));
  const { acr, auth_time } = told;
  const known = {
    ...(typeof acr === 'string' ? { acr } : {}),
    ...(typeof auth_time === 'number' ? { auth_time } : {}),
  };
  const refused = insufficientAuthentication(known, demand, Date.now() + clockAheadSeconds * 1000);
  const headers = { 'www-authenticate': bearerChallenge(party.issuer, refused) };
  return refused === null ? new Response('served') : new Response(null, { status: 401, headers });
}
let clockAheadSeconds = 0;
const wait = async (seconds: number): Promise<void> => {
  clockAheadSeconds += seconds;
  await provider.shiftClock(seconds);
};

describe('userinfo as the resource', () => {
  test('an old sign-in is challenged, the person signs in again, and the fresh token passes', async () => {
    const agent = new UserAgent();
    const before = await tokensFor(bank, alice, {}, agent);
    expect((await userinfo(bank, before.accessToken)).status).toBe(200);
    await wait(120);
    const refused = await userinfo(bank, before.accessToken);
    expect(refused.status).toBe(401);
    expect(await bodyOf(refused)).toMatchObject({ error: 'insufficient_user_authentication' });
    const demand = demandIn(refused);
    expect(demand).toEqual({ acr_values: passwordClass, max_age: '60' });

    // A silent sign-in of the same session would not do: the person is asked, although signed in.
    const again = pageOf(await agent.open(authorizeUrl(bank, demand)));
    expect(screenOf(again)).toBe('identifier');
    const silent = redirectOf(await agent.open(authorizeUrl(bank, { ...demand, prompt: 'none' })));
    expect(silent.searchParams.get('error')).toBe('login_required');
    const fresh = await tokensOf(await redeem(bank, codeOf(await finish(agent, again))));
    expect((await userinfo(bank, fresh.accessToken)).status).toBe(200);
    expect(claimsOf(fresh.accessToken)['auth_time']).toBe(Number(claimsOf(fresh.idToken)['auth_time']));
    expect(Number(claimsOf(fresh.accessToken)['auth_time'])).toBeGreaterThan(
      Number(claimsOf(before.accessToken)['auth_time']) + 100,
    );
    expect(claimsOf(fresh.accessToken)['acr']).toBe(passwordClass);
  });

  test('a refresh is no sign-in: it keeps acr and auth_time, and ages with them', async () => {
    const { accessToken, refreshToken } = await tokensFor(bank, alice);
    await wait(30);
    const second = await tokensOf(await refresh(bank, refreshToken));
    const { acr, auth_time } = claimsOf(accessToken);
    expect(claimsOf(second.accessToken)).toMatchObject({ acr, auth_time });
    expect((await userinfo(bank, second.accessToken)).status).toBe(200);
    await wait(60);
    const third = await tokensOf(await refresh(bank, second.refreshToken));
    expect(demandIn(await userinfo(bank, third.accessToken))).toMatchObject({ max_age: '60' });
  });

  test('openid-client reads the challenge', async () => {
    const { accessToken } = await tokensFor(bank, alice);
    await wait(61);
    const execute = [allowInsecureRequests];
    const authentication = ClientSecretBasic(bank.secret ?? '');
    const configuration = await discovery(new URL(provider.issuer), 'bank', {}, authentication, { execute });
    const thrown: unknown = await fetchUserInfo(configuration, accessToken, skipSubjectCheck).catch((error) => error);
    expect(thrown).toBeInstanceOf(WWWAuthenticateChallengeError);
    expect(thrown).toMatchObject({
      status: 401,
      cause: [
        {
          scheme: 'bearer',
          parameters: {
            realm: provider.issuer,
            error: 'insufficient_user_authentication',
            acr_values: passwordClass,
            max_age: '60',
          },
        },
      ],
    });
  });

  test('other clients are not asked for more', async () => {
    const { accessToken } = await tokensFor(webOf(provider), alice);
    await wait(120);
    expect((await userinfo(webOf(provider), accessToken)).status).toBe(200);
  });
});

describe('somebody else’s resource', () => {
  test('RFC 9470 §6.2: what introspection says of the sign-in decides; acr_values and max_age bring what it wants', async () => {
    const web = webOf(provider);
    const agent = new UserAgent();
    const before = await tokensFor(web, alice, {}, agent);
    await wait(40);
    const demand = { acrValues: [unreachable, passwordClass], maxAgeSeconds: 30 };
    const challenged = demandIn(await resource(web, before.accessToken, demand));
    expect(challenged).toEqual({ acr_values: `${unreachable} ${passwordClass}`, max_age: '30' });
    const page = pageOf(await agent.open(authorizeUrl(web, challenged)));
    const fresh = await tokensOf(await redeem(web, codeOf(await finish(agent, page))));
    expect((await resource(web, fresh.accessToken, demand)).status).toBe(200);
  });
});

describe('a step-up is a run like any other', () => {
  test('it goes on after a reload and a restart, half signed in, and signs in once', async () => {
    const agent = new UserAgent();
    await tokensFor(bank, alice, {}, agent);
    await wait(120);
    const start = pageOf(await agent.open(authorizeUrl(bank, { max_age: '60' })));
    const password = pageOf(await agent.answer(start, entryFor(screenOf(start), alice)));
    expect(screenOf(password)).toBe('password');
    await provider.restart();
    const reloaded: Shown = pageOf(await agent.open(password.url));
    expect(screenOf(reloaded)).toBe('password');
    const sessions = await rowCounts(provider, ['sso_sessions']);
    const { accessToken } = await tokensOf(await redeem(bank, codeOf(await finish(agent, reloaded))));
    expect(await rowCounts(provider, ['sso_sessions'])).toEqual(sessions);
    expect((await userinfo(bank, accessToken)).status).toBe(200);
    const silent = redirectOf(await agent.open(authorizeUrl(bank, { max_age: '60', prompt: 'none' })));
    expect(silent.searchParams.get('code')).not.toBeNull();
  });
});

describe('what nobody can reach (OIDC Unmet Authentication Requirements 1.0)', () => {
  test('required by the client’s policy: refused at once by redirect, signed in or not, with or without pages', async () => {
    const agent = new UserAgent();
    const { accessToken } = await tokensFor(strict, alice, {}, agent);
    const demand = demandIn(await userinfo(strict, accessToken));
    expect(demand).toEqual({ acr_values: unreachable });
    for (const browser of [agent, new UserAgent()]) {
      for (const prompt of [{}, { prompt: 'none' }, { prompt: 'login' }]) {
        const back = redirectOf(await browser.open(authorizeUrl(strict, { ...demand, ...prompt })));
        expect(back.searchParams.get('error')).toBe('unmet_authentication_requirements');
        expect(back.searchParams.get('iss')).toBe(provider.issuer);
      }
    }
  });

  test('a wish elsewhere: the sign-in goes on and says what it reached', async () => {
    const back = await authorize(webOf(provider), alice, { acr_values: unreachable });
    const { accessToken } = await tokensOf(await redeem(webOf(provider), codeOf(back)));
    expect(claimsOf(accessToken)['acr']).toBe(passwordClass);
  });

  test('discovery lists what can be reached', async () => {
    const metadata = await bodyOf(await fetch(`${provider.issuer}/.well-known/openid-configuration`));
    expect(metadata['acr_values_supported']).toEqual([passwordClass]);
  });
});
