import type { Browser as Chromium, Locator, Page } from 'playwright-core';
import type { Command, Visit as Script, Task } from '../../../conformance/configuration.ts';
import type { SignIn } from '../../user_agent.ts';
import { type Browser, lastReceived, type OpenBrowser, type Screen, type Target } from './browser.ts';

/**
 * A new profile in a real browser, driven by a command list of the official suite (`conformance/`): scripts run, Content
 * Security Policy and SameSite hold, and the list is shown to fit our pages.
 */
export const openChromium =
  (chromium: Chromium, scripts: readonly Script[]): OpenBrowser =>
  async ({ issuer, user, relyingParty }) => {
    const context = await chromium.newContext();
    const page = await context.newPage();
    const matches = (pattern: string, url: string): boolean => glob(pattern.replace('$OP_URL', issuer)).test(url);
    const visit: Browser['visit'] = async (target) => {
      const script = scripts.find(({ match }) => matches(match, target.url));
      if (script === undefined) throw new Error(`no commands for ${target.url}`);
      let status = await open(page, target);
      page.on('response', (response) => {
        if (response.request().isNavigationRequest()) status = response.status();
      });
      const answered: Screen[] = [];
      const pages: string[] = [];
      let html = await settled(page);
      for (const task of script.tasks) {
        pages.push(html);
        if (matches(task.match, page.url())) answered.push(...(await runTask(page, task, user)));
        else if (task.optional !== true) throw new Error(`"${task.task}" does not match ${page.url()}`);
        html = await settled(page);
      }
      const isBack = page.url().startsWith(relyingParty.origin);
      const { hash } = new URL(page.url());
      return {
        screens: answered,
        pages,
        end: isBack ? lastReceived(relyingParty, hash) : { kind: 'page', status, html },
      };
    };
    const askFrame: Browser['askFrame'] = (url, message) =>
      page.evaluate(`new Promise((resolve) => {
        const frame = document.createElement('iframe');
        frame.src = ${JSON.stringify(url)};
        addEventListener('message', (event) => resolve(event.data), { once: true });
        frame.onload = () => frame.contentWindow.postMessage(${JSON.stringify(message)}, ${JSON.stringify(issuer)});
        document.body.append(frame);
        setTimeout(() => resolve('no answer'), 5000);
      })`);
    return { visit, askFrame, close: () => context.close() };
  };

async function open(page: Page, { url, form }: Target): Promise<number> {
  if (form !== undefined) throw new Error('only the browser without a window posts');
  const response = await page.goto(url);
  return response?.status() ?? 0;
}

const glob = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replace(/[.?+()[\]{}|\\^$]/g, '\\$&'))
      .join('.*')}$`,
  );

async function runTask(page: Page, { commands = [] }: Task, user: SignIn): Promise<readonly Screen[]> {
  const answered: Screen[] = [];
  for (const command of commands) answered.push(...(await runCommand(page, command, user)));
  return answered;
}

/** The words that stand for the sample user. */
const typed: { readonly [placeholder: string]: (user: SignIn) => string } = {
  $OP_USERNAME: ({ username }) => username,
  $OP_PASSWORD: ({ password }) => password,
};

/** Which screen a command answers, by what it selects. */
const screens: readonly (readonly [words: string, Screen])[] = [
  ['text username', 'username'],
  ['text password', 'password'],
  ["click //form[.//*[@id='allow']]//*[@id='allow']", 'allow'],
  ["click //form[.//*[@id='stay']]//*[@id='submit']", 'sign_out'],
];

async function runCommand(page: Page, command: Command, user: SignIn): Promise<readonly Screen[]> {
  const [verb, kind, target] = command;
  const found = page.locator(kind === 'id' ? `#${target}` : `xpath=${target}`);
  if (verb !== 'wait' && command.at(-1) === 'optional' && (await found.count()) === 0) return [];
  if (verb === 'wait') await found.waitFor({ state: 'attached', timeout: Number(command[3]) * 1000 });
  else if (verb === 'text') await found.fill(typed[String(command[3])]?.(user) ?? '');
  else if (verb === 'click') await press(page, found);
  else throw new Error(`the suite has no command ${verb}`);
  return screens.flatMap(([words, screen]) => (words === `${verb} ${target}` ? [screen] : []));
}

async function press(page: Page, button: Locator): Promise<void> {
  await Promise.all([page.waitForNavigation(), button.click()]);
}

const pollMilliseconds = 50;
const mostPolls = 200;

/** A page that posts itself, or that waits for its frames. */
const goesOn = (html: string): boolean =>
  html.includes('id="form_post"') || (html.includes('<iframe') && html.includes('id="continue"'));

/** The page that stays: neither in the middle of a navigation nor one that goes on by itself. */
async function settled(page: Page): Promise<string> {
  for (let poll = 0; poll < mostPolls; poll += 1) {
    const html = await page.content().catch(() => '');
    if (html !== '' && !goesOn(html)) return html;
    await Bun.sleep(pollMilliseconds);
  }
  throw new Error(`${page.url()} does not go on by itself`);
}
