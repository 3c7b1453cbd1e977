import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { isClientIdUrl, isTakenHost, looksLikeUrl } from '../../../src/oidc/client_id_metadata/index.ts';

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
const hosts = fc.tuple(label, label).map(([name, top]) => `${name}.${top}`);
const ports = fc.constantFrom('', ':8443');
const segments = fc.array(fc.stringMatching(/^[a-z0-9_-][a-z0-9._~-]{0,7}$/), { minLength: 1, maxLength: 4 });
const queries = fc.constantFrom('', '?v=2');
const parts = fc.record({ host: hosts, port: ports, path: segments, query: queries });
type Parts = { readonly host: string; readonly port: string; readonly path: readonly string[]; readonly query: string };

const write = ({ host, port, path, query }: Parts): string => `https://${host}${port}/${path.join('/')}${query}`;

describe('draft-ietf-oauth-client-id-metadata-document §3', () => {
  test('property: https, a host, a path, perhaps a port and a query', () => {
    fc.assert(fc.property(parts, (given) => expect(isClientIdUrl(write(given))).toBe(true)));
  });

  test('property: never with a user, a fragment, a dot segment or no path, and never http', () => {
    const spoiled = (given: Parts): readonly string[] => {
      const url = write(given);
      const rest = url.slice('https://'.length);
      const dotted = ['.', '..', '%2e', '%2E%2e', '.%2E'];
      return [
        `https://user@${rest}`,
        `https://user:word@${rest}`,
        `https://@${rest}`,
        `${url}#`,
        `${url}#part`,
        `https://${given.host}${given.port}`,
        `http://${rest}`,
        ...dotted.flatMap((dots) => [
          write({ ...given, path: [dots, ...given.path] }),
          write({ ...given, path: [...given.path, dots] }),
        ]),
      ];
    };
    fc.assert(fc.property(parts, (given) => expect(spoiled(given).filter((url) => isClientIdUrl(url))).toEqual([])));
  });

  test('property: whatever is one means the same to a parser, so nobody can read it as another', () => {
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'htps:/.@#?%2eE\\[]a1 \t') }),
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
    );
    fc.assert(
      fc.property(text, (rest) => {
        for (const url of [rest, `https://${rest}`]) {
          if (!isClientIdUrl(url)) continue;
          const parsed = new URL(url);
          expect(parsed.href).toBe(url);
          expect([parsed.protocol, parsed.username, parsed.password, parsed.hash]).toEqual(['https:', '', '', '']);
          expect(parsed.pathname.split('/').filter((segment) => /^(\.|%2e){1,2}$/i.test(segment))).toEqual([]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['the default port', 'https://app.example:443/client.json'],
    ['a host in capitals', 'https://App.example/client.json'],
    ['a scheme in capitals', 'HTTPS://app.example/client.json'],
    ['an address in another spelling', 'https://0x7f.1/client.json'],
    ['a host that is not ASCII', 'https://bücher.example/client.json'],
    ['a backslash', 'https://app.example\\client.json'],
    ['a tab', 'https://app.example/cli\tent.json'],
    ['a space at the end', 'https://app.example/client.json '],
    ['no slashes', 'https:app.example/client.json'],
    ['more than 255 characters', `https://app.example/${'a'.repeat(240)}`],
    ['nothing behind the scheme', 'https://'],
  ])('not in its normal form, so none: %s', (_, url) => {
    expect(isClientIdUrl(url)).toBe(false);
  });

  test('a client_id that is no https URL is one of the others', () => {
    const others = [
      'demo-web',
      'http://app.example/client.json',
      'com.example:/x',
      '01900000-0000-7000-8000-00000000a11c',
    ];
    expect(others.map(looksLikeUrl)).toEqual([false, false, false, false]);
    expect(looksLikeUrl('https://app.example/client.json')).toBe(true);
  });
});

describe('the setting clientIdMetadataHosts', () => {
  const url = 'https://agents.app.example:8443/client.json';

  test.each([
    [true, []],
    [true, ['agents.app.example']],
    [true, ['*.app.example']],
    [true, ['*.example', 'other.example']],
    [true, ['!other.example']],
    [false, ['other.example']],
    [false, ['app.example']],
    [false, ['*.agents.app.example']],
    [false, ['!agents.app.example']],
    [false, ['*.app.example', '!agents.app.example']],
    [false, ['agents.app.example', '!*.example']],
  ])('%p for %p', (taken, hosts) => {
    expect(isTakenHost(url, hosts)).toBe(taken);
  });

  test('a name below one is no longer name that ends alike', () => {
    expect(isTakenHost('https://evilapp.example/c', ['*.app.example'])).toBe(false);
    expect(isTakenHost('https://app.example.evil.example/c', ['app.example', '*.app.example'])).toBe(false);
  });
});
