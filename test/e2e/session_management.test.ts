import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { register, until } from '../endpoints/operator.ts';
import { type ReceivingParty, startReceivingParty } from '../endpoints/receiving_party.ts';
import { alice, authorizeUrl, codeOf, type Party, redeem, tokensOf } from '../endpoints/relying_party.ts';
import { type Provider, startProvider } from '../provider.ts';
import { describeInBrowser } from './browser.ts';

/** Sign-out as a browser does it: the frame that watches the sign-in, and the frames that tell applications of its end. */
describeInBrowser('OIDC Session Management and Front-Channel Logout in a browser', (browser) => {
  let provider: Provider;
  let web: ReceivingParty;
  let party: Party;

  beforeAll(async () => {
    web = startReceivingParty();
    provider = await startProvider({ environment: { LIMEN_SETTING_SESSION_MANAGEMENT: 'true' } });
    const registered = await register(provider, 'watching', {
      redirectUris: [`${web.origin}/callback`],
      postLogoutRedirectUris: [`${web.origin}/goodbye`],
      consent: 'never',
      metadata: {
        frontchannel_logout_uri: `${web.origin}/ended`,
        frontchannel_logout_session_required: true,
      },
    });
    party = { ...registered, redirectUri: `${web.origin}/callback` };
  }, databaseTimeoutMilliseconds);

  afterAll(async () => {
    await provider.stop();
    await web.stop();
  });

  const inContext = async (
    work: (page: Page, context: BrowserContext) => Promise<void>,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<void> => {
    const context = await browser().newContext(options);
    try {
      await work(await context.newPage(), context);
    } finally {
      await context.close();
    }
  };

  const signIn = async (page: Page): Promise<URL> => {
    await page.goto(authorizeUrl(party));
    await page.fill('#username', alice.username);
    await page.click('#submit');
    await page.fill('#password', alice.password);
    await page.click('#submit');
    await page.waitForURL(`${web.origin}/callback?**`);
    return new URL(page.url());
  };

  const logoutUrl = (idToken: string): string =>
    `${provider.issuer}/logout?${new URLSearchParams({
      id_token_hint: idToken,
      post_logout_redirect_uri: `${web.origin}/goodbye`,
      state: 'bye',
    })}`;

  /** Asks the frame in a page of the relying party, as its own script would. */
  const ask = (page: Page, message: unknown): Promise<unknown> =>
    page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.src = ${JSON.stringify(`${provider.issuer}/check_session`)};
      addEventListener('message', (event) => resolve(event.data), { once: true });
      frame.onload = () => frame.contentWindow.postMessage(${JSON.stringify(message)}, ${JSON.stringify(provider.issuer)});
      document.body.append(frame);
      setTimeout(() => resolve('no answer'), 5000);
    })`);

  test('unchanged while signed in, changed after the sign-out, error for what is no question', async () => {
    await inContext(async (page, context) => {
      const back = await signIn(page);
      const state = back.searchParams.get('session_state') ?? '';
      expect(await ask(page, `watching ${state}`)).toBe('unchanged');
      expect(await ask(page, `watching ${state}`)).toBe('unchanged');
      expect(await ask(page, `another ${state}`)).toBe('changed');
      for (const wrong of ['', 'watching', 'watching x', `watching  ${state}`, { state }, null]) {
        expect(await ask(page, wrong)).toBe('error');
      }
      const { idToken } = await tokensOf(await redeem(party, codeOf(back)));
      const other = await context.newPage();
      await other.goto(logoutUrl(idToken));
      await other.waitForURL(`${web.origin}/goodbye?state=bye`);
      expect(await ask(page, `watching ${state}`)).toBe('changed');
    });
  }, 30_000);

  test('another origin with the same session_state is told that it changed', async () => {
    await inContext(async (page) => {
      const state = (await signIn(page)).searchParams.get('session_state') ?? '';
      await page.goto(`${web.origin.replace('127.0.0.1', 'localhost')}/`);
      expect(await ask(page, `watching ${state}`)).toBe('changed');
    });
  }, 30_000);

  const table: readonly (readonly [what: string, javaScriptEnabled: boolean])[] = [
    ['with scripts', true],
    ['without scripts', false],
  ];
  test.each(table)(
    '%s the application is told and the browser comes back, in this order',
    async (_, javaScriptEnabled) => {
      await inContext(
        async (page) => {
          const { idToken } = await tokensOf(await redeem(party, codeOf(await signIn(page))));
          const before = web.received.length;
          await page.goto(logoutUrl(idToken));
          await page.waitForURL(`${web.origin}/goodbye?state=bye`);
          await until(async () => web.received.slice(before).some(({ path }) => path === '/goodbye'));
          const requests = web.received.slice(before).filter(({ path }) => path !== '/favicon.ico');
          expect(requests.map(({ path }) => path)).toEqual(['/ended', '/goodbye']);
          const [told] = requests;
          expect(Object.keys(told?.query ?? {}).toSorted()).toEqual(['iss', 'sid']);
          expect(told?.query['iss']).toBe(provider.issuer);
        },
        { javaScriptEnabled },
      );
    },
    30_000,
  );
});
