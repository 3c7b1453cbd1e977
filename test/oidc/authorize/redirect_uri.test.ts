import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { kindOfRedirectUri, matchRedirectUri } from '../../../src/oidc/authorize/redirect_uri.ts';
import { granted, refused } from '../parties.ts';

const hosts = fc.constantFrom('rp.example', 'localhost', 'a.b.example', '127.0.0.2', '[::2]', '127.0.0.1.nip.example');
const schemes = fc.constantFrom('https', 'http', 'com.example.app');
const paths = fc.stringMatching(/^(\/[a-z0-9]{0,4}){0,3}(\?[a-z]=[a-z])?$/);
const uris = fc
  .tuple(schemes, hosts, fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: null }), paths)
  .map(([scheme, host, port, path]) => `${scheme}://${host}${port === null ? '' : `:${port}`}${path}`);

const registered = 'https://rp.example/callback?tenant=1';
const hostile = [
  'https://rp.example/callback',
  'https://rp.example/callback?tenant=1&x=1',
  'https://rp.example/callback?tenant=1#',
  'https://rp.example/callback?tenant=1#fragment',
  'https://rp.example/callback/?tenant=1',
  'https://rp.example//callback?tenant=1',
  'https://rp.example/./callback?tenant=1',
  'https://rp.example/x/../callback?tenant=1',
  'https://rp.example/%63allback?tenant=1',
  'https://rp.example/Callback?tenant=1',
  'https://RP.example/callback?tenant=1',
  'HTTPS://rp.example/callback?tenant=1',
  'http://rp.example/callback?tenant=1',
  'https://rp.example./callback?tenant=1',
  'https://rp.example:443/callback?tenant=1',
  'https://rp.example:8443/callback?tenant=1',
  'https://user@rp.example/callback?tenant=1',
  'https://rp.example@evil.example/callback?tenant=1',
  'https://rp.example.evil.example/callback?tenant=1',
  'https://evil.example/https://rp.example/callback?tenant=1',
  'https:\\\\rp.example\\callback?tenant=1',
  'https://rp.example\\@evil.example/callback?tenant=1',
  'https:/rp.example/callback?tenant=1',
  '//rp.example/callback?tenant=1',
  '/callback?tenant=1',
  ' https://rp.example/callback?tenant=1',
  'https://rp.example/callback?tenant=1 ',
  'https://rp.example/call\tback?tenant=1',
  'https://rp.example/callback?tenant=1\n',
  'https://rp.example/callback?tenant=1\u0000',
  'https://rp。example/callback?tenant=1',
  'javascript:alert(1)',
  '',
];

describe('RFC 6749 §3.1.2.3', () => {
  test('property: a URI that is not a loopback literal matches itself and nothing else', () => {
    fc.assert(
      fc.property(uris, fc.array(uris, { maxLength: 5 }), (presented, candidates) => {
        expect(matchRedirectUri(presented, candidates).ok).toBe(candidates.includes(presented));
        expect(granted(matchRedirectUri(presented, [...candidates, presented]))).toBe(presented);
      }),
    );
  });

  test('property: a character changed, added or taken away never matches', () => {
    fc.assert(
      fc.property(
        uris,
        fc.nat(),
        fc.constantFrom('', '/', '.', '%', '@', '\\', '\t', ' ', '#', '?', 'A'),
        (uri, at, put) => {
          const place = at % (uri.length + 1);
          for (const removed of [0, 1]) {
            const changed = uri.slice(0, place) + put + uri.slice(place + removed);
            expect(matchRedirectUri(changed, [uri]).ok).toBe(changed === uri);
          }
        },
      ),
    );
  });

  test.each(hostile)('%j is not the registered one', (presented) => {
    expect(refused(matchRedirectUri(presented, [registered]))).toMatchObject({
      error: 'invalid_request',
      parameter: 'redirect_uri',
    });
  });

  test('a missing one is refused even where only one is registered', () => {
    expect(refused(matchRedirectUri(undefined, [registered])).description).toBe('redirect_uri is missing');
  });

  test('nothing registered: nothing matches', () => {
    expect(matchRedirectUri(registered, []).ok).toBe(false);
  });
});

describe('RFC 8252 §7.3', () => {
  const literals = fc.constantFrom('127.0.0.1', '[::1]');
  const ports = fc.option(fc.integer({ min: 0, max: 65_535 }), { nil: null });
  const uriOf = (host: string, port: number | null, rest: string): string =>
    `http://${host}${port === null ? '' : `:${port}`}${rest}`;

  test('property: a loopback literal matches on any port, and the answer is the presented URI', () => {
    fc.assert(
      fc.property(literals, ports, ports, paths, (host, inRegistration, inRequest, rest) => {
        const presented = uriOf(host, inRequest, rest);
        expect(granted(matchRedirectUri(presented, [uriOf(host, inRegistration, rest)]))).toBe(presented);
      }),
    );
  });

  test('property: localhost does so where the setting says it, and is still none of the literals', () => {
    const on = { localhostAnyPort: true };
    fc.assert(
      fc.property(ports, ports, paths, literals, (inRegistration, inRequest, rest, literal) => {
        const presented = uriOf('localhost', inRequest, rest);
        const registered = [uriOf('localhost', inRegistration, rest)];
        expect(granted(matchRedirectUri(presented, registered, on))).toBe(presented);
        expect(matchRedirectUri(presented, registered).ok).toBe(inRegistration === inRequest);
        expect(matchRedirectUri(presented, [uriOf(literal, inRequest, rest)], on).ok).toBe(false);
        expect(matchRedirectUri(presented, [uriOf('localhost', inRequest, `${rest}x`)], on).ok).toBe(false);
        expect(matchRedirectUri(presented.replace('http:', 'https:'), registered, on).ok).toBe(false);
        const near = uriOf('localhost.example', inRequest, rest);
        expect(matchRedirectUri(near, registered, on).ok).toBe(false);
      }),
    );
  });

  test('property: with another path or query, or the other literal, it does not', () => {
    fc.assert(
      fc.property(literals, ports, paths, paths, (host, port, rest, otherRest) => {
        fc.pre(rest !== otherRest);
        expect(matchRedirectUri(uriOf(host, port, otherRest), [uriOf(host, null, rest)]).ok).toBe(false);
        const otherHost = host === '127.0.0.1' ? '[::1]' : '127.0.0.1';
        expect(matchRedirectUri(uriOf(otherHost, port, rest), [uriOf(host, port, rest)]).ok).toBe(false);
      }),
    );
  });

  test.each([
    'http://localhost:5000/cb',
    'https://127.0.0.1:5000/cb',
    'http://127.0.0.1:65536/cb',
    'http://127.0.0.1:/cb',
    'http://127.0.0.1:-1/cb',
    'http://127.0.0.1:5000x/cb',
    'http://127.0.0.1:5000@evil.example/cb',
    'http://127.0.0.1:5000\\@evil.example/cb',
    'http://127.0.0.1.evil.example:5000/cb',
    'http://127.0.0.1.:5000/cb',
    'http://127.1:5000/cb',
    'http://2130706433:5000/cb',
    'http://0x7f.0.0.1:5000/cb',
    'http://127.0.0.2:5000/cb',
    'http://user@127.0.0.1:5000/cb',
    'http://[0:0:0:0:0:0:0:1]:5000/cb',
    'http://[::ffff:127.0.0.1]:5000/cb',
    'http://127.0.0.1:5000/cb#x',
    'http://127.0.0.1:5000/cb/',
    'http://127.0.0.1:5000/cb\n',
    'http://127.0.0.1:50\t00/cb',
    'HTTP://127.0.0.1:5000/cb',
    'http:\\\\127.0.0.1:5000/cb',
  ])('%j does not match the port rule', (presented) => {
    expect(matchRedirectUri(presented, ['http://127.0.0.1/cb', 'http://[::1]/cb', 'http://localhost/cb']).ok).toBe(
      false,
    );
  });
});

describe('RFC 8252 §7', () => {
  test.each([
    ['https://rp.example/cb', 'https'],
    ['https://rp.example:8443/cb?x=1', 'https'],
    ['https://rp.example', 'https'],
    ['http://127.0.0.1/cb', 'loopback'],
    ['http://127.0.0.1:5000/cb', 'loopback'],
    ['http://[::1]:5000/cb', 'loopback'],
    ['http://localhost:5000/cb', 'loopback'],
    ['com.example.app:/cb', 'private use'],
    ['com.example.app://cb', 'private use'],
  ] as const)('%s is %s', (uri, kind) => {
    expect(kindOfRedirectUri(uri)).toBe(kind);
  });

  test.each([
    '',
    'https://',
    'https:rp.example/cb',
    'https:/rp.example/cb',
    'https:///rp.example/cb',
    'http://rp.example/cb',
    'http://127.0.0.2/cb',
    'http://localhost.evil.example/cb',
    'http:127.0.0.1/cb',
    'https://rp.example/cb#',
    'https://rp.example/cb#fragment',
    'https://user@rp.example/cb',
    'https://user:secret@rp.example/cb',
    'https://@rp.example/cb',
    'https://rp.example\\@evil.example/cb',
    'https://rp.example/c b',
    'https://rp.example/cb\n',
    'https://rp.exämple/cb',
    'https://rp.example:99999/cb',
    '/cb',
    '//rp.example/cb',
    'rp.example/cb',
    'myapp:/cb',
    'javascript:alert(1)',
    'javascript://rp.example/%0aalert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'blob:https://rp.example/x',
    'urn:ietf:wg:oauth:2.0:oob',
  ])('%j may not be registered', (uri) => {
    expect(kindOfRedirectUri(uri)).toBeNull();
  });
});
