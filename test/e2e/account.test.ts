import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { acmeOf, alice, carol, tokensFor, webOf } from '../endpoints/relying_party.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type SignIn, UserAgent } from '../user_agent.ts';
import { describeInBrowser, withPage } from './browser.ts';

const axe = readFileSync(Bun.resolveSync('axe-core/axe.min.js', import.meta.dir), 'utf8');
const runAxe = `axe.run({ resultTypes: ['violations', 'incomplete'] }).then((result) =>
  [...result.violations, ...result.incomplete].map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')))`;

const limit = 60_000;
const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1';

describeInBrowser('the account page in a browser', (browser) => {
  let provider: Provider;

  beforeAll(async () => {
    provider = await startProvider();
  }, databaseTimeoutMilliseconds);
  afterAll(() => provider.stop());

  const signIn = async (page: Page, issuer: string, who: SignIn): Promise<void> => {
    await page.goto(`${issuer}/account`);
    await page.fill('#username', who.username);
    await page.press('#username', 'Enter');
    await page.fill('#password', who.password);
    await page.press('#password', 'Enter');
    await page.locator('#sessions').waitFor();
  };

  for (const javaScriptEnabled of [true, false]) {
    test(
      `${javaScriptEnabled ? 'with' : 'without'} JavaScript: signs in, sees the other browser and the application, and ends both by keyboard`,
      () =>
        withPage(browser(), { javaScriptEnabled, locale: 'en-GB' }, async (page, complaints) => {
          await provider.database.sql`DELETE FROM sso_sessions`;
          await provider.database.sql`DELETE FROM token_families`;
          const other = new UserAgent({ 'user-agent': phone });
          await tokensFor(webOf(provider), alice, { prompt: 'consent' }, other);
          await signIn(page, provider.issuer, alice);
          expect(new URL(page.url()).pathname).toBe('/account');
          const row = (text: string) => page.locator('li', { hasText: text });
          await row('Safari on iPhone').locator('button[value=end_session]').focus();
          await page.keyboard.press('Enter');
          await page.locator('#status', { hasText: 'That browser is signed out.' }).waitFor();
          expect(await row('Safari on iPhone').locator('button[value=end_session]').count()).toBe(0);
          await row('Demo web application').locator('button[value=revoke_access]').focus();
          await page.keyboard.press('Space');
          await page.locator('#status', { hasText: 'The application no longer has access.' }).waitFor();
          expect(await page.locator('button[value=revoke_access]').count()).toBe(0);
          await page.reload();
          expect(await page.locator('#sessions').count()).toBe(1);
          await page.click('button[value=end_everything]');
          await page.locator('#signed-out').waitFor();
          await page.goto(`${provider.issuer}/account`);
          await page.locator('#username').waitFor();
          expect(complaints).toEqual([]);
        }),
      limit,
    );
  }

  for (const locale of ['en-GB', 'de-DE']) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(
        `axe finds nothing, with something to show in every section: ${locale}, ${colorScheme}`,
        () =>
          withPage(browser(), { colorScheme, locale }, async (page, complaints) => {
            const { issuer } = acmeOf(provider);
            await tokensFor(acmeOf(provider), carol, { prompt: 'consent' }, new UserAgent({ 'user-agent': phone }));
            await signIn(page, issuer, carol);
            expect(await page.locator('html').getAttribute('lang')).toBe(locale.slice(0, 2));
            expect(await page.locator('button[value=end_session]').count()).toBeGreaterThan(0);
            expect(await page.locator('button[value=revoke_access]').count()).toBe(1);
            await page.evaluate(axe);
            expect(await page.evaluate<readonly string[]>(runAxe)).toEqual([]);
            expect(complaints).toEqual([]);
          }),
        limit,
      );
    }
  }
});
