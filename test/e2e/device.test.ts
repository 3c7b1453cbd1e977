import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Asked, ask, poll, pollError, registerDevice } from '../endpoints/device_flow.ts';
import { alice, type Party } from '../endpoints/relying_party.ts';
import { type Provider, startProvider } from '../provider.ts';
import { describeInBrowser, withPage } from './browser.ts';

/** RFC 8628 §3.3 as a person meets it: a television shows a code, a browser decides. */

const limit = 60_000;
const axe = readFileSync(Bun.resolveSync('axe-core/axe.min.js', import.meta.dir), 'utf8');
const runAxe = `axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`;

describeInBrowser('connecting a device', (browser) => {
  let provider: Provider | null = null;
  let television: Party | null = null;
  beforeAll(async () => {
    provider = await startProvider();
    television = await registerDevice(provider, 'television');
  }, databaseTimeoutMilliseconds);
  afterAll(() => provider?.stop());

  const device = (): Party => {
    if (television === null) throw new Error('the device is there only while tests run');
    return television;
  };

  /** A browser of its own. What it complains of (scripts, styles, policies) fails the test, and so does axe at each page. */
  async function inBrowser(
    options: BrowserContextOptions,
    use: (page: Page, look: (mark: string) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    await withPage(browser(), options, async (page, complaints) => {
      await use(page, async (mark) => {
        await page.waitForSelector(mark);
        if (options.javaScriptEnabled === false) return;
        await page.evaluate(axe);
        expect([mark, await page.evaluate<readonly string[]>(runAxe)]).toEqual([mark, []]);
      });
      expect(complaints).toEqual([]);
    });
  }

  const signIn = async (page: Page): Promise<void> => {
    await page.fill('#username', alice.username);
    await page.click('#submit');
    await page.fill('#password', alice.password);
    await page.click('#submit');
  };

  for (const javaScriptEnabled of [true, false]) {
    const script = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';

    test(
      `${script}: a mistyped code, the right one, sign in, compare, allow; going back and reloading change nothing`,
      () =>
        inBrowser({ javaScriptEnabled }, async (page, look) => {
          const asked = await ask(device());
          await page.goto(`${device().issuer}/device`);
          await look('#hint');
          await page.fill('#user_code', 'bcdf ghjk');
          await page.press('#user_code', 'Enter');
          await look('#error');
          expect(await page.inputValue('#user_code')).toBe('BCDF-GHJK');
          await page.fill('#user_code', asked.userCode.toLowerCase().replace('-', ''));
          await page.click('#submit');
          await look('#username');
          await signIn(page);
          await look('#compare');
          await expectComparison(page, asked);
          expect(await pollError(device(), asked.deviceCode)).toBe('authorization_pending');
          await page.reload();
          await page.click('#allow');
          await look('#device-approved');
          await page.reload();
          await page.waitForSelector('#device-approved');
          await page.goBack();
          await page.waitForSelector('#device-approved, #compare');
          expect((await poll(device(), asked.deviceCode)).status).toBe(200);
        }),
      limit,
    );

    test(
      `${script}: by the whole link and signed in already, the person still confirms twice, and may deny`,
      () =>
        inBrowser({ javaScriptEnabled }, async (page, look) => {
          const first = await ask(device());
          await page.goto(first.complete);
          expect(await page.inputValue('#user_code')).toBe(first.userCode);
          await page.click('#submit');
          await signIn(page);
          await page.click('#allow');
          await page.waitForSelector('#device-approved');

          const second = await ask(device());
          await page.goto(second.complete);
          await look('#hint');
          await page.click('#submit');
          await look('#compare');
          await expectComparison(page, second);
          await page.click('#deny');
          await look('#device-denied');
          expect(await pollError(device(), second.deviceCode)).toBe('access_denied');
        }),
      limit,
    );
  }

  test(
    'by keyboard alone, in German: no button has the focus before the person moves it',
    () =>
      inBrowser({ locale: 'de-DE' }, async (page, look) => {
        const asked = await ask(device());
        await page.goto(asked.complete);
        await page.keyboard.press('Enter');
        await page.waitForSelector('#username');
        await signIn(page);
        await look('#compare');
        expect(await page.textContent('#warning')).toContain('Hat Sie jemand hierher geschickt?');
        expect(await page.evaluate<string>('document.activeElement.localName')).toBe('body');
        await page.keyboard.press('Tab');
        await page.keyboard.press('Enter');
        await look('#device-approved');
        expect((await poll(device(), asked.deviceCode)).status).toBe(200);
      }),
    limit,
  );
});

async function expectComparison(page: Page, { userCode }: Asked): Promise<void> {
  expect(await page.textContent('#user_code')).toBe(userCode);
  expect(await page.textContent('h1')).toContain('Living room TV');
  expect(await page.textContent('main')).toContain('127.0.0.1');
  expect(await page.textContent('#warning')).toContain('Did somebody send you here?');
}
