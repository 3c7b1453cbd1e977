import { afterAll, beforeAll, describe } from 'bun:test';
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { describeWithout } from '../missing_program.ts';

const usualPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** Chromium's path: `CHROMIUM_PATH`, which must then exist, else the first of the usual places; `null` if there is none. */
export function findChromium(environment: { readonly [name: string]: string | undefined }): string | null {
  const named = environment.CHROMIUM_PATH;
  if (named !== undefined && named !== '') return existsSync(named) ? named : null;
  return usualPaths.find((path) => existsSync(path)) ?? null;
}

/** Without these it calls home at every start. */
const quiet = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const launchChromium = (executablePath: string): Promise<Browser> =>
  chromium.launch({ executablePath, args: quiet });

/**
 * A suite in one Chromium. Where there is none it fails in CI and is skipped with a loud line elsewhere.
 * `body` gets a function, because the browser is there only once the suite runs.
 */
export function describeInBrowser(name: string, body: (browser: () => Browser) => void): void {
  const executablePath = findChromium(process.env);
  if (executablePath === null) {
    describeWithout(name, 'no Chromium found: install it, or set CHROMIUM_PATH', body);
    return;
  }
  describe(name, () => {
    let browser: Browser | null = null;
    beforeAll(async () => {
      browser = await launchChromium(executablePath);
    }, 60_000);
    afterAll(() => browser?.close(), 30_000);
    body(() => {
      if (browser === null) throw new Error('the browser is there only while tests run');
      return browser;
    });
  });
}

/** One page in a context of its own. `complaints`: what the browser said of scripts, styles and policies. */
export async function withPage(
  browser: Browser,
  options: BrowserContextOptions,
  use: (page: Page, complaints: readonly string[]) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    context.setDefaultTimeout(10_000);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    await use(page, complaints);
  } finally {
    await context.close();
  }
}
