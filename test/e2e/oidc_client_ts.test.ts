import { afterAll, beforeAll, expect, test } from 'bun:test';
import type { Page, Request } from 'playwright-core';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { describeInBrowser } from './browser.ts';

/** `oidc-client-ts` in a real browser, on an origin of its own: what a single-page application does with a provider. */

const limit = 60_000;

type Application = { readonly origin: string; serve(authority: string): void; stop(): Promise<void> };

/** The page of `oidc_client_ts_page.js`, at every path. The provider comes later, because it has to know the origin. */
async function startApplication(): Promise<Application> {
  const entrypoints = [`${import.meta.dir}/oidc_client_ts_page.js`];
  const built = await Bun.build({ entrypoints, target: 'browser', format: 'esm' });
  const [bundle] = built.outputs;
  if (bundle === undefined) throw new Error('there is no bundle');
  const script = await bundle.text();
  const buttons = ['sign-in', 'sign-in-silently', 'renew', 'userinfo', 'revoke', 'sign-out'];
  let html = '';
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: ({ url }) =>
      new URL(url).pathname === '/application.js'
        ? new Response(script, { headers: { 'content-type': 'text/javascript' } })
        : new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
  });
  return {
    origin: `http://127.0.0.1:${server.port}`,
    serve(authority) {
      html = `<!doctype html><html lang="en" data-authority="${authority}"><title>Application</title>
        <link rel="icon" href="data:,"><script type="module" src="/application.js"></script>
        ${buttons.map((id) => `<button id="${id}">${id}</button>`).join('')}<p id="state"></p><pre id="result"></pre></html>`;
    },
    stop: () => server.stop(true),
  };
}

describeInBrowser('oidc-client-ts', (browser) => {
  let application: Application | null = null;
  let provider: Provider | null = null;
  beforeAll(async () => {
    application = await startApplication();
    provider = await startProvider({ relyingPartyUrl: application.origin });
    application.serve(provider.issuer);
  }, databaseTimeoutMilliseconds);
  afterAll(async () => {
    await provider?.stop();
    await application?.stop();
  });

  /** A page of the application in a browser of its own, with every request that went to the provider. */
  async function withApplication(
    use: (page: Page, asked: Request[], complaints: string[]) => Promise<void>,
  ): Promise<void> {
    const context = await browser().newContext();
    try {
      const page = await context.newPage();
      const asked: Request[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => {
        if (request.url().startsWith(issuer())) asked.push(request);
      });
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', ({ message }) => complaints.push(message));
      await page.goto(`${application?.origin}/`);
      await use(page, asked, complaints);
    } finally {
      await context.close();
    }
  }

  const issuer = (): string => provider?.issuer ?? '';
  const pathsOf = (asked: readonly Request[]): readonly string[] =>
    asked.map((request) => `${request.method()} ${request.url().slice(issuer().length).replace(/\?.*/, '')}`);

  test(
    'signs in with code and PKCE, reads userinfo, renews by its refresh token, signs out',
    () =>
      withApplication(async (page, asked, complaints) => {
        const signedIn = await signIn(page);
        expect(signedIn.profile).toMatchObject({ iss: issuer(), aud: 'demo-spa', name: 'Alice Adler' });
        expect(signedIn.scope).toBe('openid profile email');
        expect(await press(page, 'userinfo', 'userinfo')).toMatchObject({ email: 'alice@example.com' });

        asked.length = 0;
        const renewed = await press(page, 'renew', 'renewed');
        expect(pathsOf(asked).filter((path) => !path.startsWith('OPTIONS'))).toEqual(['POST /token', 'GET /userinfo']);
        expect(new URLSearchParams(asked[0]?.postData() ?? '').get('grant_type')).toBe('refresh_token');
        expect(renewed.refresh_token).toBeString();
        expect(renewed.refresh_token).not.toBe(signedIn.refresh_token);
        expect(renewed.access_token).not.toBe(signedIn.access_token);
        expect(renewed.profile).toMatchObject({ sub: signedIn.profile['sub'], name: 'Alice Adler' });
        expect(await press(page, 'userinfo', 'userinfo')).toMatchObject({ sub: signedIn.profile['sub'] });

        await page.click('#sign-out');
        await page.waitForURL(`${application?.origin}/signed-out?*`);
        expect(await resultAt<string>(page, 'signed out')).toBe('good bye');
        await page.click('#sign-in-silently');
        await page.waitForURL('**/callback?*');
        expect(await resultAt(page, 'failed')).toMatchObject({ name: 'ErrorResponse', error: 'login_required' });
        expect(complaints).toEqual([]);
      }),
    limit,
  );

  test(
    'a reload keeps the user; a second sign-in asks for consent alone, as of every public client at a loopback address',
    () =>
      withApplication(async (page) => {
        const first = await signIn(page);
        await page.goto(`${application?.origin}/`);
        expect(await press(page, 'userinfo', 'userinfo')).toMatchObject({ sub: first.profile['sub'] });
        await page.click('#sign-in-silently');
        await page.waitForURL('**/callback?*');
        expect(await resultAt(page, 'failed')).toMatchObject({ name: 'ErrorResponse', error: 'consent_required' });
        await page.click('#sign-in');
        await page.click('#allow');
        await page.waitForURL('**/callback?*');
        expect(await resultAt(page, 'signed in')).toMatchObject({ profile: { sub: first.profile['sub'] } });
        // A callback counts once: the library has spent its state.
        await page.reload();
        expect(await resultAt(page, 'failed')).toMatchObject({ message: 'No matching state found in storage' });
      }),
    limit,
  );

  test(
    'revoked by itself: renewing is refused with invalid_grant and userinfo with invalid_token, both readable across origins',
    () =>
      withApplication(async (page) => {
        await signIn(page);
        const stolen = await press(page, 'renew', 'renewed');
        await press(page, 'revoke', 'revoked');
        const answers = await page.evaluate<readonly string[]>(`(async () => {
          const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'demo-spa', refresh_token: '${stolen.refresh_token}' });
          const token = await fetch('${issuer()}/token', { method: 'POST', body });
          const headers = { authorization: 'Bearer ${stolen.access_token}' };
          const userinfo = await fetch('${issuer()}/userinfo', { headers });
          return [(await token.json()).error, (await userinfo.json()).error];
        })()`);
        expect(answers).toEqual(['invalid_grant', 'invalid_token']);
      }),
    limit,
  );
});

type SignedIn = {
  readonly profile: { readonly [claim: string]: unknown };
  readonly access_token: string;
  readonly refresh_token: string;
  readonly scope: string;
};

/** From the application through the pages of the provider and back. */
async function signIn(page: Page): Promise<SignedIn> {
  await page.click('#sign-in');
  await page.fill('#username', 'alice');
  await page.click('#submit');
  await page.fill('#password', 'alice-in-the-demo');
  await page.click('#submit');
  await page.click('#allow');
  await page.waitForURL('**/callback?*');
  return resultAt(page, 'signed in');
}

async function press(page: Page, id: string, state: string): Promise<SignedIn> {
  await page.click(`#${id}`);
  return resultAt(page, state);
}

/** What the page shows once it is in this state; a step that failed instead says why. */
async function resultAt<Result = SignedIn>(page: Page, state: string): Promise<Result> {
  await page.waitForFunction(
    "!['', 'busy', 'leaving', 'ready'].includes(document.getElementById('state')?.textContent ?? '')",
  );
  const result = (await page.textContent('#result')) ?? '';
  const reached = await page.textContent('#state');
  if (reached !== state) throw new Error(`expected "${state}", but: ${reached} ${result}`);
  return JSON.parse(result);
}
