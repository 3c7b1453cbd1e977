import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { UserAgent } from '../user_agent.ts';
import {
  approve,
  ask,
  decide,
  deviceGrant,
  endOf,
  poll,
  pollError,
  reachDecision,
  registerDevice,
} from './device_flow.ts';
import { changeClient, until } from './operator.ts';
import { registered } from './registrar.ts';
import { claimsOf, type Party, tokensOf } from './relying_party.ts';
import { alice, bob, isPage, pageOf, rowCounts, screenOf, sessionCookieOf, signedInAgent } from './run_browser.ts';

let provider: Provider;
let television: Party;
const files = 'https://files.example/mcp';

beforeAll(async () => {
  provider = await startProvider({
    environment: {
      LIMEN_SETTING_SESSION_MANAGEMENT: 'true',
      LIMEN_SETTING_REGISTRATION: 'open',
      LIMEN_SETTING_REGISTRATION_RESOURCES: files,
    },
  });
  television = await registerDevice(provider, 'television');
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const entry = (agent: UserAgent, query = '') => agent.page(`${provider.issuer}/device${query}`);

const statusOf = async (userCode: string): Promise<unknown> => {
  const [row] = await provider.database.sql`
    SELECT status FROM device_authorizations WHERE user_code = ${userCode.replace('-', '')}`;
  return row?.['status'];
};

describe('RFC 8707 §2: a device of a client that introduced itself', () => {
  test('the person is told of the resource by its name before the token is for it', async () => {
    const stranger = await registered(provider.issuer, {
      redirect_uris: [],
      grant_types: [deviceGrant, 'refresh_token'],
      response_types: [],
      token_endpoint_auth_method: 'none',
    });
    const agent = new UserAgent();
    const named = await ask(stranger, { scope: 'openid', resource: files });
    const page = await reachDecision(agent, provider.issuer, named.userCode);
    expect(page.html).toContain(`<bdi>${files}</bdi>`);
    await decide(agent, page, 'allow');
    const { accessToken } = await tokensOf(await poll(stranger, named.deviceCode));
    expect(claimsOf(accessToken)['aud']).toEqual([files, provider.issuer]);
    const plain = await ask(stranger, { scope: 'openid' });
    expect((await reachDecision(agent, provider.issuer, plain.userCode)).html).not.toContain(files);
  });

  test('a resource that an operator gave a client is not asked about', async () => {
    const own = await registerDevice(provider, 'own-resource', { resources: [files] });
    const { userCode } = await ask(own, { scope: 'openid', resource: files });
    expect((await reachDecision(new UserAgent(), provider.issuer, userCode)).html).not.toContain(files);
  });
});

describe('RFC 8628 §3.3: entering the code', () => {
  test('case and separators do not matter', async () => {
    const { userCode } = await ask(television);
    const [left = '', right = ''] = userCode.toLowerCase().split('-');
    for (const typed of [userCode, `${left}${right}`, ` ${left} – ${right}. `, userCode.split('').join(' ')]) {
      const agent = new UserAgent();
      const at = pageOf(await agent.answer(await entry(agent), { user_code: typed }));
      expect(screenOf(at)).toBe('identifier');
    }
  });

  test('after the POST the browser is sent on, and the form is shown again with what is wrong', async () => {
    const agent = new UserAgent();
    for (const [typed, text] of [
      ['', 'Enter the code.'],
      ['BCDF-GHJK', 'not known or no longer valid'],
      ['not a code', 'not known or no longer valid'],
    ] as const) {
      const response = await agent.submit(await entry(agent), { user_code: typed });
      expect(response.status).toBe(303);
      const again = await agent.page(response.headers.get('location') ?? '');
      expect([again.status, again.html.includes(text)]).toEqual([200, true]);
      expect(again.html.includes('value="BCDF-GHJK"')).toBe(typed === 'BCDF-GHJK');
    }
  });

  test('a code that was decided about, or is of another realm, is not known', async () => {
    const { userCode } = await ask(television);
    const agent = new UserAgent();
    const foreign = await agent.page(`${provider.issuer}/realms/acme/device`);
    expect(pageOf(await agent.answer(foreign, { user_code: userCode })).html).toContain('no longer valid');
    await approve(provider.issuer, userCode);
    expect(pageOf(await agent.answer(await entry(agent), { user_code: userCode })).html).toContain('no longer valid');
  });

  test('a link puts nothing into the page but a code', async () => {
    const page = await entry(new UserAgent(), '?user_code=call+0900+now&fault=hello');
    expect(page.html).toContain('id="user_code" name="user_code" type="text" value=""');
    expect(page.html).not.toMatch(/0900|hello|id="error"/);
  });

  test('§3.3.1: the whole link fills the field in; neither it nor any other GET decides or stores anything', async () => {
    const { agent } = await signedInAgent(provider);
    const { userCode, complete, deviceCode } = await ask(television);
    const before = await rowCounts(provider, ['auth_sessions', 'audit_events']);
    const page = await agent.page(complete);
    expect(page.html).toContain(`value="${userCode}"`);
    const confirmation = pageOf(await agent.answer(page, { user_code: userCode }));
    for (let time = 0; time < 3; time += 1) await agent.page(confirmation.url);
    expect(confirmation.html).toContain('id="compare"');
    expect(await rowCounts(provider, ['auth_sessions', 'audit_events'])).toEqual(before);
    expect(await pollError(television, deviceCode)).toBe('authorization_pending');
  });
});

describe('a submit that is not our own page’s', () => {
  const urls = { codes: '' };
  const submits: readonly [string, (agent: UserAgent, token: string) => Promise<Response>][] = [
    ['from another site', (agent, token) => send(agent, { token }, { 'sec-fetch-site': 'cross-site' })],
    ['from another origin of this site', (agent, token) => send(agent, { token }, { 'sec-fetch-site': 'same-site' })],
    ['without a sign of where from', (agent, token) => send(agent, { token }, {})],
    ['with another browser’s token', async (agent) => send(agent, { token: await tokenOf(new UserAgent()) }, own)],
    ['without a token', (agent) => send(agent, {}, own)],
  ];
  const own = { 'sec-fetch-site': 'same-origin' };
  const tokenOf = async (agent: UserAgent) => (await entry(agent)).hidden['token'] ?? '';
  const send = (agent: UserAgent, fields: object, headers: object) =>
    agent.fetch(`${provider.issuer}/device`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      body: new URLSearchParams({ user_code: urls.codes, step: '0', ...fields }).toString(),
    });

  test.each(submits)('%s: the form again, and no run', async (_, submit) => {
    urls.codes = (await ask(television)).userCode;
    const agent = new UserAgent();
    const token = await tokenOf(agent);
    const response = await submit(agent, token);
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe(`${provider.issuer}/device?user_code=${urls.codes}`);
  });

  test('without our cookie: said so', async () => {
    const token = await tokenOf(new UserAgent());
    const response = await send(new UserAgent(), { token }, own);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('cookie');
  });

  test('the decision: also only by our own page, in the same browser, with one of the two words', async () => {
    const { userCode } = await ask(television);
    const agent = new UserAgent();
    const page = await reachDecision(agent, provider.issuer, userCode);
    const forged = await agent.fetch(page.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      body: new URLSearchParams({ ...page.hidden, decision: 'allow' }).toString(),
    });
    expect([forged.status, forged.headers.get('location')]).toEqual([303, page.url]);
    const elsewhere = new UserAgent();
    await entry(elsewhere);
    expect(screenOf(pageOf(await elsewhere.answer(page, { decision: 'allow' })))).toBe('elsewhere');
    const asked = pageOf(await agent.answer(page, { decision: 'maybe' }));
    expect(asked.html).toContain('id="compare"');
    expect(await statusOf(userCode)).toBe('pending');
  });
});

describe('RFC 8628 §5.4: the confirmation', () => {
  test('names client, person, scopes, code, place, agent and time, and warns', async () => {
    const { userCode } = await ask(television);
    const page = await reachDecision(new UserAgent(), provider.issuer, userCode);
    for (const text of [
      'Living room TV',
      'alice',
      'See your name and profile',
      `id="user_code">${userCode}<`,
      '127.0.0.1',
      `Bun/${Bun.version}`,
      'UTC</time>',
      'Did somebody send you here?',
    ]) {
      expect(page.html).toContain(text);
    }
    expect(page.headers.get('content-security-policy')).toContain("form-action 'self';");
  });

  test('is shown each time: with single sign-on, with consent remembered, to a client that needs no consent', async () => {
    const { agent } = await signedInAgent(provider);
    await registerDevice(provider, 'own-television', {
      class: 'confidential',
      authMethod: 'client_secret_basic',
      consent: 'never',
    }).then(async (party) => {
      for (let time = 0; time < 2; time += 1) {
        const { userCode, deviceCode } = await ask(party);
        const at = pageOf(await agent.answer(await entry(agent), { user_code: userCode }));
        expect(at.html).toContain('id="compare"');
        expect(endOf(await decide(agent, at, 'allow'))).toBe('approved');
        expect((await poll(party, deviceCode)).status).toBe(200);
      }
    });
  });

  test('in German', async () => {
    const { userCode } = await ask(television);
    const agent = new UserAgent({ 'accept-language': 'de' });
    const page = await reachDecision(agent, provider.issuer, userCode);
    expect(page.html).toContain('Hat Sie jemand hierher geschickt?');
    expect((await decide(agent, page, 'allow')).html).toContain('Ihr Gerät ist verbunden');
  });
});

describe('RFC 8628 §5.4: where a code was typed', () => {
  /** What the browser that typed the code was sent to. */
  const typedLink = async (userCode: string) => {
    const agent = new UserAgent();
    const sent = await agent.submit(await entry(agent), { user_code: userCode });
    return { agent, link: sent.headers.get('location') ?? '' };
  };

  test('its link leads another browser to the form, signed in or not, and never to the decision', async () => {
    const { userCode, deviceCode } = await ask(television);
    const { agent, link } = await typedLink(userCode);
    const { agent: victim } = await signedInAgent(provider);
    for (const other of [victim, new UserAgent()]) {
      const response = await other.fetch(link);
      expect([response.status, response.headers.get('location')]).toEqual([
        303,
        `${provider.issuer}/device?user_code=${userCode}`,
      ]);
    }
    const page = await victim.page(`${provider.issuer}/device?user_code=${userCode}`);
    expect(page.html).toContain(`value="${userCode}"`);
    expect(page.html).not.toContain('id="compare"');
    expect(screenOf(pageOf(await agent.open(link)))).toBe('identifier');
    expect(await pollError(television, deviceCode)).toBe('authorization_pending');
  });

  test('the page shown there cannot be sent on either: not from the sender’s form, not by an answer to it', async () => {
    const { userCode } = await ask(television);
    const { agent: sender } = await signedInAgent(provider);
    const decision = await reachDecision(sender, provider.issuer, userCode);
    const { agent: victim } = await signedInAgent(provider, bob);
    const location = (response: Response) => [response.status, response.headers.get('location')];
    const form = [303, `${provider.issuer}/device?user_code=${userCode}`];
    expect(location(await victim.fetch(decision.url))).toEqual(form);
    expect(location(await victim.submit(decision, { decision: 'allow' }))).toEqual(form);
    expect(await statusOf(userCode)).toBe('pending');
    expect(endOf(await decide(sender, decision, 'allow'))).toBe('approved');
  });
});

describe('the end of the run', () => {
  test('signs the browser in; the last submit doubled, reloaded or gone back to shows the same page', async () => {
    const { userCode, deviceCode } = await ask(television);
    const agent = new UserAgent();
    const page = await reachDecision(agent, provider.issuer, userCode);
    const answers = await Promise.all([1, 2, 3].map(() => agent.submit(page, { decision: 'allow' })));
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303]);
    const done = await Promise.all(answers.map((answer) => agent.page(answer.headers.get('location') ?? '')));
    expect(done.map(endOf)).toEqual(['approved', 'approved', 'approved']);
    expect(endOf(await agent.page(page.url))).toBe('approved');
    expect(endOf(await decide(agent, page, 'deny'))).toBe('approved');
    expect(sessionCookieOf(agent)).toBeString();
    // OIDC Session Management §3.2: other clients' frames notice who is signed in now.
    expect(agent.cookies.get('limen.main.state')).toBeString();
    await tokensOf(await poll(television, deviceCode));
    expect(endOf(await agent.page(page.url))).toBe('approved');
    const events = await provider.database.sql`
      SELECT event FROM audit_events WHERE event LIKE 'device.%' AND detail::text LIKE '%openid profile%'`;
    expect(events.filter(({ event }) => event === 'device.denied')).toEqual([]);
  });

  test('with single sign-on the run was in the URL alone: its doubled submit also ends once', async () => {
    const { agent } = await signedInAgent(provider);
    const { userCode, deviceCode } = await ask(television);
    const page = await reachDecision(agent, provider.issuer, userCode);
    const answers = await Promise.all([1, 2].map(() => agent.submit(page, { decision: 'allow' })));
    const done = await Promise.all(answers.map((answer) => agent.page(answer.headers.get('location') ?? '')));
    expect(done.map(endOf)).toEqual(['approved', 'approved']);
    expect((await poll(television, deviceCode)).status).toBe(200);
  });

  test('denied: the same page again, and the device can be asked for no more', async () => {
    const { agent } = await signedInAgent(provider);
    const { userCode } = await ask(television);
    const page = await reachDecision(agent, provider.issuer, userCode);
    const denied = await decide(agent, page, 'deny');
    expect(endOf(await agent.page(denied.url))).toBe('denied');
    expect(endOf(await decide(agent, page, 'allow'))).toBe('denied');
    expect(await statusOf(userCode)).toBe('denied');
  });

  test('two people at one code: the first decides, the second is told that it is gone and gets no session of it', async () => {
    const { userCode, deviceCode } = await ask(television);
    const [first, second] = [new UserAgent(), new UserAgent()];
    const alices = await reachDecision(first, provider.issuer, userCode, alice);
    const bobs = await reachDecision(second, provider.issuer, userCode, bob);
    expect(endOf(await decide(first, alices, 'allow'))).toBe('approved');
    expect(endOf(await decide(second, bobs, 'allow'))).toBe('gone');
    expect(sessionCookieOf(second)).toBeUndefined();
    expect((await poll(television, deviceCode)).status).toBe(200);
  });

  test('the operator takes the grant away while the page is open: nothing is approved', async () => {
    const party = await registerDevice(provider, 'former-television');
    const { userCode, deviceCode } = await ask(party);
    const agent = new UserAgent();
    const page = await reachDecision(agent, provider.issuer, userCode);
    await changeClient(provider, 'former-television', {
      grantTypes: ['authorization_code'],
      responseTypes: ['code'],
      redirectUris: ['https://tv.example/'],
    });
    await until(
      async () =>
        (await poll(party, deviceCode)).status === 400 &&
        (await pollError(party, deviceCode)) === 'unauthorized_client',
    );
    const at = await agent.answer(page, { decision: 'allow' });
    expect(isPage(at) && at.html.includes('id="error"')).toBe(true);
    expect(await statusOf(userCode)).toBe('pending');
  });
});
