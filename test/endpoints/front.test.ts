import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { silentLog } from '../../src/core/log.ts';
import { createFront } from '../../src/endpoints/front.ts';
import { databaseTimeoutMilliseconds } from '../database.ts';
import { type Provider, startProvider } from '../provider.ts';
import { type RawRequest, sendRaw } from './raw_http.ts';
import { membersOf } from './relying_party.ts';

let provider: Provider;

beforeAll(async () => {
  provider = await startProvider({ environment: { LIMEN_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8' } });
}, databaseTimeoutMilliseconds);

afterAll(() => provider.stop());

const discovery = '/.well-known/openid-configuration';
const hostOfIssuer = () => new URL(provider.issuer).host;

const get = (target: string, headers: RawRequest['headers'] = [], host?: string) =>
  sendRaw(provider.issuer, { method: 'GET', target, headers, ...(host === undefined ? {} : { host }) });

/** The address that the provider holds for the client's, as its log shows for a refusal. */
async function addressSeen(headers: NonNullable<RawRequest['headers']>): Promise<unknown> {
  const before = provider.log.length;
  expect((await get('/nowhere', headers)).status).toBe(404);
  return membersOf(JSON.parse(provider.log[before] ?? ''))['address'];
}

describe('behind a trusted proxy', () => {
  test.each([
    ['the client', '203.0.113.9', '203.0.113.9'],
    ['the one before our own proxies', '198.51.100.7, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
    ['not what the client itself wrote', '127.0.0.1, 203.0.113.9', '203.0.113.9'],
    ['an IPv4 address without its IPv6 clothes', '::ffff:203.0.113.9', '203.0.113.9'],
    ['an IPv6 address', '2001:db8::9', '2001:db8::9'],
    ['the proxy itself, where it names nobody', '', '127.0.0.1'],
    ['the proxy itself, where all are proxies', '10.1.2.3, 127.0.0.1', '127.0.0.1'],
  ])('the address is %s', async (_, forwardedFor, address) => {
    expect(await addressSeen([['X-Forwarded-For', forwardedFor]])).toBe(address);
  });

  test('the host is the one it was asked for', async () => {
    const forwarded = [
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Host', hostOfIssuer()],
    ] as const;
    expect((await get(discovery, forwarded, 'internal.example')).status).toBe(200);
    const foreign = [
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Host', 'evil.example'],
    ] as const;
    expect((await get(discovery, foreign, hostOfIssuer())).status).toBe(421);
  });

  test('issuer and links come from configuration, whatever is forwarded', async () => {
    const headers = [
      ['X-Forwarded-For', '203.0.113.9'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Prefix', '/x'],
    ] as const;
    expect(JSON.parse((await get(discovery, headers)).body)).toMatchObject({
      issuer: provider.issuer,
      token_endpoint: `${provider.issuer}/token`,
    });
  });
});

describe('by the HTTP server, before any code of ours', () => {
  test.each([
    ['dot segments are resolved', `/x/..${discovery}`],
    ['escaped dot segments are resolved', `/x/%2e%2e${discovery}`],
    ['backslashes are taken for slashes', discovery.replace('d/', 'd\\')],
  ])('%s', async (_, target) => {
    expect((await get(target)).status).toBe(200);
  });

  test('the host of an absolute target is ignored: the Host header counts (unlike RFC 9112 §3.2.2)', async () => {
    expect((await get(`http://evil.example${discovery}`)).status).toBe(200);
    expect((await get(`${provider.issuer}${discovery}`, [], 'evil.example')).status).toBe(421);
  });
});

describe('every answer', () => {
  test('forbids guessing its type and keeps what it links from other sites', async () => {
    const targets = [discovery, '/jwks', '/authorize', '/token', '/userinfo', '/logout', '/nowhere', '/livez', '/a%zz'];
    for (const target of targets) {
      const { headers } = await get(target);
      expect(headers['x-content-type-options']).toEqual(['nosniff']);
      expect(headers['referrer-policy']).toEqual(['same-origin']);
    }
  });

  test('of two refusals names two ids', async () => {
    const [first, second] = [await get('/nowhere'), await get('/nowhere')];
    expect(first.body).not.toBe(second.body);
  });
});

describe('/livez and /readyz', () => {
  test.each(['/livez', '/readyz'])('%s says ok, to HEAD too', async (path) => {
    expect((await get(path)).body).toBe('ok\n');
    expect(await sendRaw(provider.issuer, { method: 'HEAD', target: path })).toMatchObject({ status: 200, body: '' });
  });

  test.each(['/livez', '/readyz'])('%s answers a probe by address, which names another Host', async (path) => {
    expect((await get(path, [], '10.0.0.7:8080')).status).toBe(200);
    expect((await get('/jwks', [], '10.0.0.7:8080')).status).toBe(421);
  });
});

describe('with a public URL on the scheme’s own port', () => {
  const frontOf = (publicUrl: string) =>
    createFront({
      publicUrl,
      isTrustedProxy: () => false,
      log: silentLog,
      anyHost: new Set(),
      route: async () => new Response('routed'),
      onNotFound: () => new Response(null, { status: 404 }),
      onFailure: () => new Response(null, { status: 500 }),
    });
  const statusFor = async (publicUrl: string, host: string): Promise<number> => {
    const request = new Request(`${publicUrl}/token`, { headers: { host } });
    return (await frontOf(publicUrl)(request, '192.0.2.1')).status;
  };

  test.each([
    ['https://id.example', 'id.example', 200],
    ['https://id.example', 'ID.Example', 200],
    ['https://id.example', 'id.example:443', 200],
    ['https://id.example', 'id.example:80', 421],
    ['https://id.example', 'id.example:8443', 421],
    ['http://id.example', 'id.example:80', 200],
    ['http://id.example', 'id.example:443', 421],
    ['https://id.example:8443', 'id.example:8443', 200],
    ['https://id.example:8443', 'id.example', 421],
    ['https://[2001:db8::1]:8443', '[2001:db8::1]:8443', 200],
    ['https://id.example', 'id.example.', 421],
    ['https://id.example', 'id.example:', 400],
    ['https://id.example', 'id.example, id.example', 400],
  ])('%s asked for as %s: %d', async (publicUrl, host, status) => {
    expect(await statusFor(publicUrl, host)).toBe(status);
  });

  test('https is demanded for two years, http is not', async () => {
    const securityOf = async (publicUrl: string) => {
      const request = new Request(`${publicUrl}/token`, { headers: { host: 'id.example' } });
      return (await frontOf(publicUrl)(request, '192.0.2.1')).headers.get('strict-transport-security');
    };
    expect(await securityOf('https://id.example')).toBe('max-age=63072000; includeSubDomains');
    expect(await securityOf('http://id.example')).toBeNull();
  });
});
