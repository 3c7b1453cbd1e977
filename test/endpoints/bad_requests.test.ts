import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { authorizeRequests } from './bad_requests/authorize.ts';
import type { BadRequest } from './bad_requests/bad_request.ts';
import { introspectRequests, revokeRequests, userinfoRequests } from './bad_requests/bearer.ts';
import { logoutRequests, runRequests } from './bad_requests/browser.ts';
import { hostRequests, messageRequests, methodRequests, pathRequests } from './bad_requests/http.ts';
import { judge } from './bad_requests/judge.ts';
import { type Known, prepare } from './bad_requests/known.ts';
import { tokenRequests } from './bad_requests/token.ts';
import { sendRaw } from './raw_http.ts';
import { authorizeUrl, redeem, refresh, userinfo } from './relying_party.ts';

let provider: Provider;
let known: Known;

beforeAll(async () => {
  provider = await startProvider();
  known = await prepare(provider);
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const tables: { readonly [about: string]: readonly BadRequest[] } = {
  '/token': tokenRequests,
  '/authorize': authorizeRequests,
  '/userinfo': userinfoRequests,
  '/introspect': introspectRequests,
  '/revoke': revokeRequests,
  '/logout': logoutRequests,
  '/run': runRequests,
  hosts: hostRequests,
  paths: pathRequests,
  methods: methodRequests,
  messages: messageRequests,
};

for (const [about, table] of Object.entries(tables)) {
  describe(`a bad request, ${about}`, () => {
    test.each(table.map((bad) => [bad.name, bad] as const))('%s', async (_, bad) => {
      const before = provider.log.length;
      const response = await sendRaw(provider.issuer, bad.request(known));
      judge(bad, response, provider.log.slice(before), known);
    });
  });
}

describe('after all of them', () => {
  test('no two have the same name, so that none is lost', () => {
    for (const table of Object.values(tables)) expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
  });

  test('the codes, tokens and the session that they misused still count', async () => {
    const { web, acme, spa, webTokens, acmeTokens } = known;
    expect((await redeem(web, known.webCode)).status).toBe(200);
    expect((await redeem(spa, known.spaCode)).status).toBe(200);
    expect((await redeem(acme, known.acmeCode)).status).toBe(200);
    expect((await userinfo(web, webTokens.accessToken)).status).toBe(200);
    expect((await refresh(web, webTokens.refreshToken)).status).toBe(200);
    expect((await refresh(acme, acmeTokens.refreshToken)).status).toBe(200);
    const silent = await fetch(authorizeUrl(web, { prompt: 'none' }), {
      redirect: 'manual',
      headers: { cookie: known.signedIn },
    });
    expect(new URL(silent.headers.get('location') ?? '').searchParams.has('code')).toBe(true);
  });
});
