import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { copyOf, locales } from '../../src/login/copy/index.ts';
import { gallery, plainValues } from '../login/gallery.ts';
import { describeInBrowser, withPage } from './browser.ts';
import { type PageServer, startPageServer } from './page_server.ts';

const axe = readFileSync(Bun.resolveSync('axe-core/axe.min.js', import.meta.dir), 'utf8');
/** The scheme changes nothing but colours, so the second one is judged by those alone. */
const axeOptions = {
  light: "{ resultTypes: ['violations', 'incomplete'] }",
  dark: "{ resultTypes: ['violations', 'incomplete'], runOnly: ['color-contrast'] }",
};
const runAxe = (scheme: keyof typeof axeOptions): string => `axe.run(${axeOptions[scheme]}).then((result) => ({
  violations: result.violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html).join(' | ')),
  unsure: result.incomplete.map(({ id }) => id),
}))`;
type AxeResult = { readonly violations: readonly string[]; readonly unsure: readonly string[] };

/** A page to look at: form post stays where it is, and pictures come from this server. */
const still = (markup: string): string =>
  markup
    .replaceAll(/<script>.*?<\/script>/gs, '')
    .replaceAll(`src="${plainValues.url}"`, 'src="/logo.svg"')
    // Here the frames are of the page's own origin, where what theirs may do would be too much.
    .replaceAll(/ sandbox="[^"]*"/g, ' sandbox=""');

const limit = 60_000;

describeInBrowser('login pages in a browser', (browser) => {
  let server: PageServer | null = null;
  beforeAll(() => {
    server = startPageServer();
  });
  afterAll(() => server?.stop());

  const pageServer = (): PageServer => {
    if (server === null) throw new Error('the server is there only while tests run');
    return server;
  };
  const pageOf = (state: string, locale: (typeof locales)[number] = 'en'): string => {
    const markup = gallery(locale).get(state);
    if (markup === undefined) throw new Error(`no page in the gallery for ${state}`);
    return pageServer().publish(markup);
  };

  for (const locale of locales) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(
        `axe finds nothing in any page and state: ${locale}, ${colorScheme}`,
        () =>
          withPage(browser(), { colorScheme, viewport: { width: 1000, height: 800 } }, async (page, complaints) => {
            for (const [state, markup] of gallery(locale)) {
              await page.goto(pageServer().publish(still(markup)));
              await page.evaluate(axe);
              const { violations, unsure } = await page.evaluate<AxeResult>(runAxe(colorScheme));
              expect([state, violations]).toEqual([state, []]);
              expect([state, unsure]).toEqual([state, []]);
            }
            expect(complaints).toEqual([]);
          }),
        limit,
      );
    }
  }

  test(
    'the policy lets the style and the logo through',
    () =>
      withPage(browser(), { colorScheme: 'dark' }, async (page, complaints) => {
        await page.goto(pageOf('consent'));
        expect(await page.evaluate<string>('getComputedStyle(document.body).backgroundColor')).toBe('rgb(18, 19, 22)');
        expect(await page.evaluate<number>('document.querySelector("img").naturalWidth')).toBeGreaterThan(0);
        expect(complaints).toEqual([]);
      }),
    limit,
  );

  test(
    'at 320 pixels, also with text twice as large and names without a break, nothing is cut off or scrolls sideways',
    () =>
      withPage(browser(), { viewport: { width: 320, height: 640 } }, async (page) => {
        const long = 'W'.repeat(80);
        const values = { ...plainValues, realmName: long, clientName: long, username: long, item: long, errorId: long };
        for (const [state, markup] of gallery('de', values)) {
          await page.goto(pageServer().publish(still(markup)));
          for (const size of ['100%', '200%']) {
            await page.evaluate(`document.documentElement.style.fontSize = ${JSON.stringify(size)}`);
            const width = await page.evaluate<number>('document.documentElement.scrollWidth');
            expect([state, size, width]).toEqual([state, size, 320]);
            const cut = await page.evaluate<readonly string[]>(cutOff);
            expect([state, size, cut]).toEqual([state, size, []]);
          }
        }
      }),
    limit,
  );

  test(
    'Tab reaches every control in its order, and the focus can be seen',
    () =>
      withPage(browser(), {}, async (page) => {
        for (const [state, markup] of gallery('en')) {
          await page.goto(pageServer().publish(still(markup).replace(' autofocus', '')));
          const controls = await page.locator(visibleControls).count();
          for (let position = 0; position < controls; position += 1) {
            await page.keyboard.press('Tab');
            const focus = await page.evaluate<Focus>(focusNow);
            expect([state, focus]).toEqual([state, { position, seen: true }]);
          }
        }
      }),
    limit,
  );

  test(
    'a page with a field puts the focus there; consent leaves it alone',
    () =>
      withPage(browser(), {}, async (page) => {
        const focused = async (state: string): Promise<string> => {
          await page.goto(pageOf(state));
          await page.waitForFunction('document.readyState === "complete"');
          return page.evaluate<string>('document.activeElement.id || document.activeElement.localName');
        };
        expect(await focused('identifier')).toBe('username');
        expect(await focused('password')).toBe('password');
        expect(await focused('password, refused')).toBe('password');
        expect(await focused('device code')).toBe('user_code');
        expect(await focused('consent')).toBe('body');
        expect(await focused('device')).toBe('body');
      }),
    limit,
  );

  for (const javaScriptEnabled of [true, false]) {
    const script = javaScriptEnabled ? 'with JavaScript' : 'without JavaScript';
    const proof = { step: '3', token: plainValues.token };

    test(
      `${script}: every form sends its fields, by Enter and by each button`,
      () =>
        withPage(browser(), { javaScriptEnabled }, async (page, complaints) => {
          const submitted = async (state: string, act: () => Promise<void>): Promise<unknown> => {
            await page.goto(pageOf(state));
            await act();
            await page.locator('#received').waitFor();
            return pageServer().takeSubmissions();
          };
          const sent = (fields: { readonly [name: string]: string }): unknown => [
            { path: '/post', fields: { ...proof, ...fields } },
          ];
          const enter = (field: string, text: string) => async (): Promise<void> => {
            await page.fill(field, text);
            await page.press(field, 'Enter');
          };
          const press = (button: string) => () => page.click(button);
          expect(await submitted('identifier', enter('#username', 'bob'))).toEqual(sent({ username: 'bob' }));
          expect(await submitted('identifier, filled, no client', press('#submit'))).toEqual(
            sent({ username: plainValues.username }),
          );
          expect(await submitted('password', enter('#password', 'a "b" é'))).toEqual(sent({ password: 'a "b" é' }));
          expect(await submitted('password, refused', press('#submit'))).toEqual(sent({ password: '' }));
          expect(await submitted('password', press('button[name=change_account]'))).toEqual(
            sent({ change_account: '1' }),
          );
          expect(await submitted('consent', press('#allow'))).toEqual(sent({ decision: 'allow' }));
          expect(await submitted('consent', press('#deny'))).toEqual(sent({ decision: 'deny' }));
          const carried = { state: plainValues.parameter };
          expect(await submitted('sign out', press('#submit'))).toEqual(sent({ ...carried, decision: 'sign_out' }));
          expect(await submitted('sign out', press('#stay'))).toEqual(sent({ ...carried, decision: 'stay' }));
          expect(complaints).toEqual([]);
        }),
      limit,
    );

    test(
      `${script}: form post ends at the redirect URI, ${javaScriptEnabled ? 'by itself' : 'by its button'}`,
      () =>
        withPage(browser(), { javaScriptEnabled }, async (page, complaints) => {
          await page.goto(pageOf('form post'), { waitUntil: 'commit' });
          if (!javaScriptEnabled) {
            expect(await page.locator('noscript').textContent()).toContain(copyOf('en').form_post_manual);
            await page.click('#submit');
          }
          await page.locator('#received').waitFor();
          const fields = { code: plainValues.parameter, iss: plainValues.url };
          expect(pageServer().takeSubmissions()).toEqual([{ path: '/post', fields }]);
          expect(complaints).toEqual([]);
        }),
      limit,
    );
  }
});

const visibleControls = 'a[href]:visible, button:visible, input:visible';

type Focus = { readonly position: number; readonly seen: boolean };

/** Which of the visible controls has the focus, and whether an outline shows it. */
const focusNow = `(() => {
  const controls = [...document.querySelectorAll('a[href], button, input')].filter((each) => each.offsetParent !== null);
  const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
  return {
    position: controls.indexOf(document.activeElement),
    seen: outlineStyle === 'solid' && Number.parseFloat(outlineWidth) >= 2,
  };
})()`;

/** What stands outside the window or overflows its own box. */
const cutOff = `[...document.querySelectorAll('body *')]
  .filter((each) => {
    const { left, right } = each.getBoundingClientRect();
    const field = each.localName === 'input' || each.closest('.mark, svg') !== null;
    return left < 0 || right > innerWidth + 0.5 || (!field && each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1);
  })
  .map((each) => each.outerHTML.slice(0, 120))`;
