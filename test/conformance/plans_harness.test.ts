import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Browser, type End, type OpenBrowser, openUserAgent, type Visit } from './steps/browser.ts';
import { shannonEntropy } from './steps/entropy.ts';
import type { Environment, Variant } from './steps/environment.ts';
import { runFrame } from './steps/frame.ts';
import { fetchKeys } from './steps/jwks.ts';
import { badLocales, mistyped, unknownNames } from './steps/metadata_schema.ts';
import { loadModule, type Module } from './steps/module.ts';
import type { Received } from './steps/relying_party.ts';
import { openStage, type Stage } from './steps/stage.ts';
import { validateTokenResponse } from './steps/validate_token_response.ts';
import { Failure, must, outcomeOf, skipIf } from './steps/verdict.ts';

/** That the harness finds what it is there to find. */

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
}, databaseTimeoutMilliseconds);

afterAll(() => stage.stop());

const query: Variant = {
  clientAuth: 'client_secret_basic',
  responseMode: 'default',
  responseType: 'code',
  registration: 'static_client',
};

/** A browser whose every visit ends as `change` wants. */
const tampering =
  (change: (visit: Visit) => Visit): OpenBrowser =>
  async (facts) => {
    const browser: Browser = await openUserAgent(facts);
    return { ...browser, visit: async (target) => change(await browser.visit(target)) };
  };

const changed =
  (change: (request: Received) => Received) =>
  (visit: Visit): Visit =>
    visit.end.kind === 'relying_party'
      ? { ...visit, end: { ...visit.end, request: change(visit.end.request) } }
      : visit;

const withQuery = (name: string, value: string | null) =>
  changed((request) => {
    const sent = new URLSearchParams(request.query);
    if (value === null) sent.delete(name);
    else sent.set(name, value);
    return { ...request, query: sent };
  });

const onPage =
  (page: Extract<End, { readonly kind: 'page' }>) =>
  (visit: Visit): Visit => ({ ...visit, end: page });

const planted: readonly (readonly [what: string, module: string, change: (visit: Visit) => Visit, outcome: string])[] =
  [
    ['another state', 'oidcc-server', withQuery('state', 'x'), 'FAILED: state did not come back as it was sent'],
    ['no state', 'oidcc-server', withQuery('state', null), 'FAILED: state did not come back as it was sent'],
    ['another issuer', 'oidcc-server', withQuery('iss', 'https://evil.example'), 'FAILED: iss is https://evil.example'],
    ['no issuer', 'oidcc-server', withQuery('iss', null), 'FAILED: iss is promised by discovery and missing'],
    ['no code', 'oidcc-server', withQuery('code', null), 'FAILED: the answer has no code'],
    ['a short code', 'oidcc-server', withQuery('code', 'abc'), 'FAILED: the code is shorter than 128 bits'],
    ['a poor code', 'oidcc-server', withQuery('code', 'a'.repeat(64)), 'FAILED: the code has 0.0 bits of entropy'],
    ['another parameter', 'oidcc-server', withQuery('foo', 'bar'), 'WARNING: unexpected parameters in the answer: foo'],
    [
      'an answer by POST',
      'oidcc-server',
      changed((request) => ({ ...request, method: 'POST' })),
      'FAILED: the answer came by POST',
    ],
    [
      'a redirect to an unregistered address',
      'oidcc-ensure-registered-redirect-uri',
      (visit) => ({ ...visit, end: { kind: 'elsewhere', url: 'https://evil.example' } }),
      'FAILED: the browser was redirected instead of shown an error page',
    ],
    [
      'a page that is no error page',
      'oidcc-ensure-registered-redirect-uri',
      onPage({ kind: 'page', status: 400, html: '<p>hello</p>' }),
      'FAILED: the page is not the error page',
    ],
    [
      'a question in spite of prompt=none',
      'oidcc-prompt-none-logged-in',
      (visit) => ({ ...visit, screens: ['allow'] }),
      'FAILED: the person was asked: allow',
    ],
    [
      'no question in spite of prompt=login',
      'oidcc-prompt-login',
      (visit) => ({ ...visit, screens: [] }),
      'FAILED: the person did not have to sign in',
    ],
    [
      'another error than one that needs a person',
      'oidcc-prompt-none-not-logged-in',
      withQuery('error', 'server_error'),
      'FAILED: the error is server_error, not login_required',
    ],
    [
      'a description with a quotation mark',
      'oidcc-response-type-missing',
      withQuery('error_description', 'a "quoted" word'),
      'FAILED: error_description has characters that RFC 6749 bars',
    ],
    [
      'a sign-out that loses the state',
      'oidcc-rp-initiated-logout',
      changed((request) => ({ ...request, query: request.method === 'GET' ? new URLSearchParams() : request.query })),
      'FAILED: state did not come back as it was sent',
    ],
    [
      'a sign-out that goes back where it must not',
      'oidcc-rp-initiated-logout-no-id-token-hint',
      (visit) =>
        visit.end.kind === 'page' ? { ...visit, end: { kind: 'elsewhere', url: 'https://rp.example' } } : visit,
      'FAILED: the browser was redirected',
    ],
  ];

describe('a module is not passed by', () => {
  test.each(planted)('%s (%s)', async (_, name, change, expected) => {
    const { result, notes } = await stage.run(await loadModule(name), query, { openBrowser: tampering(change) });
    expect(`${result}: ${notes.join('; ')}`).toStartWith(expected);
  });

  test('an answer in the query where form_post was asked for', async () => {
    const formPost: Variant = { ...query, responseMode: 'form_post' };
    const asQuery = changed((request) => ({ ...request, method: 'GET', query: request.form }));
    const { result } = await stage.run(await loadModule('oidcc-server'), formPost, { openBrowser: tampering(asQuery) });
    expect(result).toBe('FAILED');
  });

  const hybrid: Variant = { ...query, responseType: 'code id_token token', registration: 'dynamic_client' };
  const withFragment = (name: string, value: string) =>
    changed((request) => {
      const fragment = new URLSearchParams(request.fragment);
      fragment.set(name, value);
      return { ...request, fragment };
    });
  const strange = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCd';

  test.each([
    [
      'an answer in the query',
      changed((request) => ({ ...request, query: request.fragment })),
      'the answer is in the query',
    ],
    ['another code', withFragment('code', strange), 'c_hash is wrong'],
    ['another access token', withFragment('access_token', strange), 'at_hash is wrong'],
    ['another token type', withFragment('token_type', 'DPoP'), 'token_type is DPoP'],
    ['no ID token', withFragment('id_token', ''), 'the answer has no id_token'],
  ])('%s where it belongs in the fragment', async (_, change, expected) => {
    const { result, notes } = await stage.run(await loadModule('oidcc-server'), hybrid, {
      openBrowser: tampering(change),
    });
    expect(`${result}: ${notes.join('; ')}`).toStartWith(`FAILED: ${expected}`);
  });
});

describe('what a module does to the provider that others run beside', () => {
  const marked = async (alone: boolean, run: Module['run']) => {
    const module: Module = { name: 'made up', summary: '', run, ...(alone ? { alone } : {}) };
    return (await stage.run(module, query)).notes.join();
  };
  const moves: Module['run'] = ({ wait }) => wait(3);

  test('fails it unless it says that it runs alone', async () => {
    expect(await marked(false, moves)).toEndWith('made up is not marked as alone');
    expect(await marked(false, ({ rotateKeys }) => rotateKeys())).toEndWith('made up is not marked as alone');
    expect(await marked(false, ({ wait }) => wait(0))).toBe('');
    expect(await marked(true, moves)).toBe('');
  });
});

describe('the frame of check_session_iframe', () => {
  const registered: Variant = { ...query, registration: 'dynamic_client' };
  const name = 'oidcc-session-management-rp-initiated-logout';

  test.each(['unchanged', 'changed', 'error', 'no answer'])('that always says %s passes nothing', async (word) => {
    const openBrowser: OpenBrowser = async (facts) => ({
      ...(await openUserAgent(facts)),
      askFrame: async () => word,
    });
    const { result } = await stage.run(await loadModule(name), registered, { openBrowser });
    expect(result).toBe('FAILED');
  });

  const html = `<script>addEventListener('message', ({ data, source, origin }) => source.postMessage(data + document.cookie, origin));</script>`;
  const asked = { cookie: 'a=b', origin: 'https://rp.example', message: 'hello ' };

  test('gets what is asked, and the cookies that a script may read', async () => {
    expect(await runFrame({ html, headers: new Headers() }, asked)).toBe('hello a=b');
  });

  test.each([
    ['x-frame-options', 'DENY'],
    ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ])('is not there with %s: %s', async (header, value) => {
    await expect(runFrame({ html, headers: new Headers({ [header]: value }) }, asked)).rejects.toThrow('framed');
  });
});

describe('a token response', () => {
  const good = {
    access_token: 'eyJhbGciOiJFUzI1NiJ9.bGltZW4tYWNjZXNzLXRva2Vu.X4kq9ZsT7pWmB2vRyL0d',
    token_type: 'Bearer',
    expires_in: 600,
    id_token: 'x.y.z',
  };
  const noStore = { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' };
  const examine = (body: object, headers: { readonly [name: string]: string } = noStore, status = 200): string => {
    const warnings: string[] = [];
    const warnUnless: Environment['warnUnless'] = (holds, otherwise) => void (holds || warnings.push(otherwise));
    try {
      validateTokenResponse({ warnUnless }, { status, headers: new Headers(headers), body: { ...body } });
    } catch (thrown) {
      if (thrown instanceof Failure) return thrown.message;
      throw thrown;
    }
    return warnings.join('; ');
  };
  const faults: readonly (readonly [body: object, finding: string])[] = [
    [good, ''],
    [{ ...good, expires_in: '600' }, 'expires_in is "600"'],
    [{ ...good, expires_in: 0 }, 'expires_in is 0'],
    [{ ...good, expires_in: undefined }, 'there is no expires_in'],
    [{ ...good, token_type: 'DPoP' }, 'token_type is DPoP'],
    [{ ...good, access_token: 7 }, 'there is no access_token'],
    [{ ...good, refresh_token: `${good.access_token}é` }, 'the refresh token has characters that RFC 6749 bars'],
    [{ ...good, foo: 1 }, 'unexpected fields in the token response: foo'],
  ];

  test.each(faults)('%p: %s', (body, finding) => {
    expect(examine(body)).toBe(finding);
  });

  test('that may be stored, is not JSON or no success', () => {
    const { 'cache-control': _, ...stored } = noStore;
    expect(examine(good, stored)).toBe('the token response may be stored');
    expect(examine(good, { ...noStore, 'content-type': 'text/plain' })).toContain('comes as text/plain');
    expect(examine(good, noStore, 500)).toContain('answers 500');
  });
});

describe('a key set', () => {
  const rsa = { kty: 'RSA', kid: '1', use: 'sig', alg: 'RS256', n: 'A'.repeat(342), e: 'AQAB' };
  const sets: readonly (readonly [keys: readonly object[], finding: string | null])[] = [
    [[rsa], null],
    [[], 'the key set has no keys'],
    [[{ ...rsa, d: 'AQAB' }], 'a key shows its private members d'],
    [[{ kty: 'oct', kid: '1' }], 'the key set has a symmetric key'],
    [[{ ...rsa, kid: undefined }], 'a key has no kid'],
    [[rsa, { ...rsa }], 'two keys have the same kid'],
    [[{ ...rsa, alg: 'ES256' }], 'the key 1 is RSA, which is no key for ES256'],
    [[{ ...rsa, n: 'AAAA' }], 'the RSA key 1 has fewer than 2048 bits'],
    [[{ ...rsa, e: 'A+/=' }], 'e of the key 1 is not base64url'],
  ];

  test.each(sets)('%p', async (keys, finding) => {
    const url = `data:application/json,${encodeURIComponent(JSON.stringify({ keys }))}`;
    if (finding === null) expect(await fetchKeys(url)).toHaveLength(1);
    else await expect(fetchKeys(url)).rejects.toThrow(finding);
  });
});

describe('metadata', () => {
  test('of the wrong type, unknown, or with a locale that is none', () => {
    expect(
      mistyped({ issuer: 'https://op.example', scopes_supported: 'openid', claims_parameter_supported: 1 }),
    ).toEqual(['scopes_supported', 'claims_parameter_supported']);
    expect(unknownNames({ issuer: 'https://op.example', made_up: true })).toEqual(['made_up']);
    expect(badLocales({ ui_locales_supported: ['en', 'de-AT', 'zh-Hant-TW', 'en_US'] })).toEqual(['en_US']);
  });
});

test("Shannon's entropy is that of the characters in the text", () => {
  expect(shannonEntropy('aaaa')).toBeCloseTo(0);
  expect(shannonEntropy('abcd')).toBeCloseTo(8);
});

describe('how a module ends', () => {
  const ends = async (warnings: readonly string[], reviews: readonly string[], run = (): void => {}) =>
    outcomeOf({ warnings: [...warnings], reviews: [...reviews] }, async () => run());

  test('a warning outweighs a review, a failure both', async () => {
    expect(await ends([], [])).toEqual({ result: 'PASSED', notes: [] });
    expect(await ends([], ['look'])).toEqual({ result: 'REVIEW', notes: ['look'] });
    expect(await ends(['odd'], ['look'])).toEqual({ result: 'WARNING', notes: ['odd'] });
    expect(await ends(['odd'], ['look'], () => must(false, 'wrong'))).toEqual({ result: 'FAILED', notes: ['wrong'] });
  });

  test('a module that breaks has failed', async () => {
    const broken = await ends([], [], () => {
      throw new TypeError('no such thing');
    });
    expect(broken).toEqual({ result: 'FAILED', notes: ['the module broke: no such thing'] });
  });

  test('what does not apply is skipped', async () => {
    expect(await ends([], [], () => skipIf(true, 'not offered'))).toEqual({
      result: 'SKIPPED',
      notes: ['not offered'],
    });
  });
});
