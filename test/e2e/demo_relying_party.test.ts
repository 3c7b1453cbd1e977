import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { type RelyingParty, startRelyingParty } from '../../src/demo/relying_party/index.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { freePorts } from '../free_port.ts';
import { type Provider, startProvider } from '../provider.ts';
import { describeInBrowser } from './browser.ts';

/** What a newcomer does first: the demo application and the provider, in a real browser. */

const limit = 60_000;
const axe = readFileSync(Bun.resolveSync('axe-core/axe.min.js', import.meta.dir), 'utf8');
const runAxe = `axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`;

/** What the browser says of a page that tells of a refusal. */
const refusedPage = 'Failed to load resource: the server responded with a status of 400 (Bad Request)';

describeInBrowser('the demo application', (browser) => {
  let provider: Provider | null = null;
  let application: RelyingParty | null = null;
  beforeAll(async () => {
    const [port = 0] = freePorts(1);
    provider = await startProvider({ relyingPartyUrl: `http://127.0.0.1:${port}` });
    const started = await startRelyingParty({
      port,
      hostname: '127.0.0.1',
      issuer: provider.issuer,
      client: { client_id: 'demo-web', client_secret: provider.secretOf('demo-web') },
      publicClient: { client_id: 'demo-spa' },
      users: provider.access.users,
    });
    if (!started.ok) throw new Error(started.error);
    application = started.value;
  }, databaseTimeoutMilliseconds);
  afterAll(async () => {
    await application?.stop();
    await provider?.stop();
  });

  const home = (): string => `${application?.url}/`;

  /** A browser of its own at the start page. Whatever it complains of (scripts, styles, policies) fails the test. */
  async function atHome(options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
    // Consent to a confidential client is remembered, from one test to the next as well.
    await provider?.database.sql.unsafe('DELETE FROM consents');
    const context = await browser().newContext(options);
    context.setDefaultTimeout(10_000);
    try {
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
      });
      page.on('pageerror', ({ message }) => complaints.push(message));
      await page.goto(home());
      await use(page);
      expect(complaints.filter((text) => text !== refusedPage)).toEqual([]);
    } finally {
      await context.close();
    }
  }

  for (const javaScriptEnabled of [true, false]) {
    test(
      `${javaScriptEnabled ? 'with' : 'without'} JavaScript: sign in, refresh, replay the parent, replay the oldest, sign in again, sign out`,
      () =>
        atHome({ javaScriptEnabled }, async (page) => {
          await page.click('#sign-in');
          await signIn(page);
          await page.waitForURL(home());
          expect(await page.textContent('#display-name')).toBe('Alice Adler');
          expect(await claim(page, 'id-token', 'aud')).toBe('demo-web');
          expect(await claim(page, 'access-token', 'client_id')).toBe('demo-web');
          expect(await claim(page, 'userinfo', 'phone_number')).toBe('+43 1 5550123');
          expect(await family(page)).toEqual({ state: 'alive', generations: 1 });

          await press(page, '#refresh');
          await press(page, '#refresh');
          expect(await family(page)).toEqual({ state: 'alive', generations: 3 });
          await press(page, '#replay-parent');
          expect(await page.textContent('#notice')).toContain('The same heir again.');
          expect(await family(page)).toEqual({ state: 'alive', generations: 3 });
          await press(page, '#replay-old');
          expect(await page.textContent('#provider-answer')).toContain('invalid_grant');
          expect(await family(page)).toEqual({ state: 'dead', generations: 3 });
          expect(await page.textContent('#userinfo')).toContain('invalid_token');

          // The session and the consent are remembered, so no page of the provider is shown.
          await page.click('#sign-in-again');
          await page.waitForURL(home());
          expect(await family(page)).toEqual({ state: 'alive', generations: 1 });
          await page.click('#sign-out');
          await page.waitForURL(`${home()}signed-out`);
          expect(await page.textContent('#rp-signed-out')).toBe('You are signed out');

          // Signed out at the provider as well: it asks who is there.
          await page.click('#sign-in');
          await page.waitForSelector('#username');
        }),
      limit,
    );
  }

  test(
    'as the public client, then no at the consent page: the error as it came, and a way to try again',
    () =>
      atHome({}, async (page) => {
        await page.click('#sign-in-public');
        await signIn(page, '#deny');
        await page.waitForSelector('#try-again');
        expect(await page.textContent('#error')).toBe('access_denied');
        expect(await page.textContent('#error-issuer')).toBe(provider?.issuer ?? '');
        await page.click('#try-again');
        await signIn(page);
        await page.waitForURL(home());
        expect(await claim(page, 'id-token', 'aud')).toBe('demo-spa');
      }),
    limit,
  );

  test(
    'a wrong password says so in words that name no account, and the right one goes on',
    () =>
      atHome({}, async (page) => {
        await page.click('#sign-in');
        await page.fill('#username', 'bob');
        await page.click('#submit');
        await page.fill('#password', 'not this one');
        await page.click('#submit');
        await page.waitForSelector('#error');
        expect(await page.textContent('#error')).not.toContain('bob');
        await page.fill('#password', 'bob-in-the-demo');
        await page.click('#submit');
        await page.click('#allow');
        await page.waitForURL(home());
        expect(await page.textContent('#display-name')).toBe('Bob Baker');
      }),
    limit,
  );

  test(
    'back and reload on the way repeat nothing and lose nothing',
    () =>
      atHome({}, async (page) => {
        await page.click('#sign-in');
        await page.fill('#username', 'alice');
        await page.click('#submit');
        await page.waitForSelector('#password');
        await page.reload();
        await page.goBack();
        await page.waitForSelector('#username');
        await page.goForward();
        await page.fill('#password', 'alice-in-the-demo');
        await page.click('#submit');
        await page.waitForSelector('#allow');
        await page.reload();
        await page.click('#allow');
        await page.waitForURL(home());
        await press(page, '#refresh');
        await page.reload();
        expect(await family(page)).toEqual({ state: 'alive', generations: 2 });
      }),
    limit,
  );

  test(
    'by the keyboard alone, from the first page to the last',
    () =>
      atHome({}, async (page) => {
        await pressAt(page, '#sign-in');
        await page.waitForSelector('#username:focus');
        await page.keyboard.type('alice');
        await page.keyboard.press('Enter');
        await page.waitForSelector('#password:focus');
        await page.keyboard.type('alice-in-the-demo');
        await page.keyboard.press('Enter');
        await page.waitForSelector('#allow');
        await pressAt(page, '#allow');
        await page.waitForURL(home());
        await pressAt(page, '#refresh');
        await page.waitForSelector('#generations li:nth-child(2)');
        await pressAt(page, '#sign-out');
        await page.waitForSelector('#rp-signed-out');
      }),
    limit,
  );

  const looks = [
    ['light', 1000],
    ['dark', 1000],
    ['light', 360],
  ] as const;
  for (const [colorScheme, width] of looks) {
    test(
      `axe finds nothing on any page of a real sign-in, and none scrolls sideways: ${colorScheme}, ${width} pixels wide`,
      () =>
        atHome({ colorScheme, viewport: { width, height: 800 } }, async (page) => {
          const check = async (name: string): Promise<void> => {
            await page.evaluate(axe);
            expect([name, await page.evaluate<readonly string[]>(runAxe)]).toEqual([name, []]);
            expect([name, await page.evaluate<number>('document.documentElement.scrollWidth')]).toEqual([name, width]);
          };
          await check('start');
          await page.click('#sign-in');
          await page.waitForSelector('#username');
          await check('identifier');
          await page.fill('#username', 'alice');
          await page.click('#submit');
          await page.fill('#password', 'wrong');
          await page.click('#submit');
          await page.waitForSelector('#error');
          await check('password, refused');
          await page.fill('#password', 'alice-in-the-demo');
          await page.click('#submit');
          await page.waitForSelector('#deny');
          await check('consent');
          await page.click('#deny');
          await page.waitForSelector('#try-again');
          await check('refused');
          await page.click('#try-again');
          await signIn(page);
          await page.waitForURL(home());
          await check('signed in');
          await press(page, '#refresh');
          await press(page, '#refresh');
          await press(page, '#replay-parent');
          await check('replayed parent');
          await press(page, '#replay-old');
          await page.waitForSelector('#family-state[data-state=dead]');
          await check('dead family');
          await page.click('#sign-out');
          await page.waitForSelector('#rp-signed-out');
          await check('signed out');
        }),
      limit,
    );
  }
});

/** Through the pages of the provider, as alice. */
async function signIn(page: Page, decision = '#allow'): Promise<void> {
  if ((await page.locator('#username, #password, #allow').first().getAttribute('id')) === 'username') {
    await page.fill('#username', 'alice');
    await page.click('#submit');
    await page.fill('#password', 'alice-in-the-demo');
    await page.click('#submit');
  }
  await page.click(decision);
}

const claim = (page: Page, section: string, name: string): Promise<string | null> =>
  page.textContent(`#${section} table:last-of-type [data-claim="${name}"] td .value`);

async function family(page: Page): Promise<{ readonly state: string | null; readonly generations: number }> {
  return {
    state: await page.getAttribute('#family-state', 'data-state'),
    generations: await page.locator('#generations li').count(),
  };
}

/** A button whose answer is the same page again: waits until that has come. */
async function press(page: Page, button: string): Promise<void> {
  const load = page.waitForEvent('load');
  await page.click(button);
  await load;
}

/** Tabs to a control, which must show that it has the focus, and presses it. */
async function pressAt(page: Page, selector: string): Promise<void> {
  for (let position = 0; position < 30; position += 1) {
    await page.keyboard.press('Tab');
    if ((await page.locator(`${selector}:focus`).count()) === 0) continue;
    const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
    expect(outline).not.toBe('none');
    await page.keyboard.press('Enter');
    return;
  }
  throw new Error(`Tab does not reach ${selector}`);
}
