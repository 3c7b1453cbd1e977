import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { addressKind } from '../../src/workers/outbound/address.ts';
import { createRules, type OutboundPolicy } from '../../src/workers/outbound/policy.ts';
import { longestUrl, readTarget, type Target } from '../../src/workers/outbound/target.ts';

const strict: OutboundPolicy = { allowHosts: [], allowRanges: [], loopback: false, extraCertificates: null };

const targetOf = (url: string): Target => {
  const target = readTarget(url, () => false);
  if (!target.ok) throw new Error(target.error.reason);
  return target.value;
};

/** The rule that refuses, or `permitted`. */
const verdict = (policy: Partial<OutboundPolicy>, url: string, addresses: readonly string[], plainHttp = false) => {
  const rules = createRules({ ...strict, ...policy });
  const target = rules.target(url, plainHttp);
  if (!target.ok) return target.error.rule;
  const checked = rules.addresses(target.value, addresses, plainHttp);
  return checked.ok ? 'permitted' : checked.error.rule;
};

describe('a URL that is accepted', () => {
  test.each([
    ['https://example.com', 'example.com', 443, 'example.com', '/'],
    ['https://EXAMPLE.com:443/a?b=c#d', 'example.com', 443, 'example.com', '/a?b=c'],
    ['HTTPS://example.com:8443/', 'example.com', 8443, 'example.com:8443', '/'],
    ['https://8.8.8.8/x', '8.8.8.8', 443, '8.8.8.8', '/x'],
    ['https://[2606:4700:0:0::1]:8443/', '2606:4700::1', 8443, '[2606:4700::1]:8443', '/'],
    ['https://a_b.example.com/%7Ea', 'a_b.example.com', 443, 'a_b.example.com', '/%7Ea'],
    ['https://xn--bcher-kva.example/', 'xn--bcher-kva.example', 443, 'xn--bcher-kva.example', '/'],
    ['http://example.com/', 'example.com', 80, 'example.com', '/'],
  ])('%s', (url, host, port, authority, path) => {
    expect(targetOf(url)).toMatchObject({ host, port, authority, path });
  });

  test('loses its fragment', () => {
    expect(targetOf('https://example.com/a#secret').url).toBe('https://example.com/a');
  });
});

describe('a URL that is refused', () => {
  test.each([
    ['', 'url'],
    ['example.com', 'url'],
    ['//example.com/', 'url'],
    ['https:example.com', 'url'],
    ['https:/example.com', 'url'],
    ['https://', 'url'],
    ['ftp://example.com/', 'url'],
    ['file:///etc/passwd', 'url'],
    ['gopher://example.com/', 'url'],
    ['data:application/json,{}', 'url'],
    [' https://example.com/', 'url'],
    ['https://example.com/a b', 'url'],
    ['https://exa\tmple.com/', 'url'],
    ['https://example.com/\r\nHost: x', 'url'],
    ['https://example.com\\@good.example/', 'url'],
    ['https://bücher.example/', 'url'],
    ['https://１２７.0.0.1/', 'url'],
    ['https://example.com:x/', 'url'],
    ['https://example.com:65536/', 'url'],
    ['https://[fe80::1%25eth0]/', 'url'],
    ['https://1.2.3.256/', 'url'],
    [`https://example.com/${'a'.repeat(longestUrl)}`, 'url'],
    ['https://me:pw@example.com/', 'credentials'],
    ['https://example.com@evil.example/', 'credentials'],
    ['https://@example.com/', 'credentials'],
    ['https:///example.com/', 'host'],
    ['https://127.1/', 'host'],
    ['https://0x7f.0.0.1/', 'host'],
    ['https://0x7f000001/', 'host'],
    ['https://2130706433/', 'host'],
    ['https://0177.0.0.1/', 'host'],
    ['https://127.0.0.1./', 'host'],
    ['https://%31%32%37.0.0.1/', 'host'],
    ['https://exa%6dple.com/', 'host'],
    ['https://example.com./', 'host'],
    ['https://-a.example/', 'host'],
    ['https://a..b/', 'host'],
    ['https://example.com:22/', 'port'],
    ['https://example.com:80/', 'port'],
    ['https://example.com:0/', 'port'],
    ['http://example.com:443/', 'port'],
    ['http://example.com:25/', 'port'],
  ])('%j: %s', (url, rule) => {
    const target = readTarget(url, () => false);
    expect(target.ok ? 'accepted' : target.error.rule).toBe(rule as never);
  });

  test('says so in a sentence without a password', () => {
    const target = readTarget('https://me:hunter2@example.com/', () => false);
    expect(target.ok ? '' : target.error.reason).toMatch(/^The URL .*\.$/);
    expect(JSON.stringify(target)).not.toContain('hunter2');
  });
});

test('whatever is typed: what is accepted has a host that is spelled as it is connected to, and no way out of the line', () => {
  const scheme = fc.constantFrom('https://', 'http://', 'HTTPS://', 'https:', 'https:\\\\', '');
  const host = fc.oneof(
    fc.domain(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.string({ maxLength: 12, unit: fc.constantFrom(...'0127x.%@[]:\\/?#\t\r\n ab１。') }),
  );
  const rest = fc.string({ maxLength: 12, unit: fc.constantFrom(...'/?#@:\r\n\t \\a%0') });
  fc.assert(
    fc.property(scheme, host, rest, (before, between, after) => {
      const text = before + between + after;
      const target = readTarget(text, () => false);
      if (!target.ok) return;
      const { host: found, path, authority, url, port } = target.value;
      expect(text.toLowerCase()).toContain(addressKind(found) === null || found.includes('.') ? found : '[');
      expect(path).toMatch(/^\/[!-~]*$/);
      expect(authority).toMatch(/^[!-~]+$/);
      expect(new URL(url).hostname.replaceAll(/[[\]]/g, '')).toBe(found);
      expect(url).not.toContain('#');
      expect(port).toBeGreaterThan(0);
    }),
    { numRuns: 1000 },
  );
});

describe('addresses', () => {
  const url = 'https://host.example/';

  test('public ones pass; one that is not denies the name', () => {
    expect(verdict({}, url, ['8.8.8.8', '2606:4700::1'])).toBe('permitted');
    expect(verdict({}, url, ['8.8.8.8', '10.0.0.1'])).toBe('address');
    expect(verdict({}, url, ['127.0.0.1', '8.8.8.8'])).toBe('address');
    expect(verdict({}, url, ['8.8.8.8', 'nonsense'])).toBe('address');
  });

  test('without any exception, exactly the public kind passes', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { minLength: 1 }), (addresses) => {
        const allPublic = addresses.every((address) => addressKind(address) === 'public');
        expect(verdict({}, url, addresses)).toBe(allPublic ? 'permitted' : 'address');
      }),
    );
  });

  test.each([
    // kind, address, host entry, range entry, loopback switch
    ['private', '10.1.2.3', true, true, false],
    ['private', 'fd12::1', true, true, false],
    ['shared', '100.64.1.1', true, true, false],
    ['benchmark', '198.18.0.1', true, true, false],
    ['link_local', '169.254.1.1', false, true, false],
    ['link_local', 'fe80::1', false, true, false],
    ['documentation', '192.0.2.1', false, true, false],
    ['loopback', '127.0.0.1', false, false, true],
    ['loopback', '::1', false, false, true],
    ['metadata', '169.254.169.254', false, false, false],
    ['metadata', 'fd00:ec2::254', false, false, false],
    ['multicast', '224.0.0.1', false, false, false],
    ['reserved', '0.0.0.0', false, false, false],
    ['reserved', '255.255.255.255', false, false, false],
    ['translated', '::ffff:10.0.0.1', false, false, false],
    ['translated', '2002:a00:1::', false, false, false],
  ] as const)(
    '%s %s: a host entry lifts %p, a range %p, the loopback switch %p',
    (kind, address, host, range, loopback) => {
      const shown = (lifted: boolean) => (lifted ? 'permitted' : 'address');
      const all = { address, prefixLength: address.includes(':') ? 128 : 32 };
      expect(addressKind(address)).toBe(kind);
      expect(verdict({}, url, [address])).toBe('address');
      expect(verdict({ allowHosts: ['host.example'] }, url, [address])).toBe(shown(host));
      expect(verdict({ allowRanges: [all] }, url, [address])).toBe(shown(range));
      expect(verdict({ loopback: true }, url, [address])).toBe(shown(loopback));
    },
  );

  test('NAT64 passes where its prefix is allowed, and only to addresses that pass themselves', () => {
    const allowRanges = [{ address: '64:ff9b::', prefixLength: 96 }];
    expect(verdict({}, url, ['64:ff9b::8.8.8.8'])).toBe('address');
    expect(verdict({ allowRanges }, url, ['64:ff9b::8.8.8.8'])).toBe('permitted');
    expect(verdict({ allowRanges }, url, ['64:ff9b::10.0.0.1'])).toBe('address');
    expect(verdict({ allowRanges }, url, ['64:ff9b::169.254.169.254'])).toBe('address');
    expect(verdict({ allowRanges, allowHosts: ['host.example'] }, url, ['64:ff9b::10.0.0.1'])).toBe('permitted');
  });

  test('a host entry is for that name, a starred one for the names below it', () => {
    const to = (host: string, ...allowHosts: string[]) => verdict({ allowHosts }, `https://${host}/`, ['10.0.0.1']);
    expect(to('idp.corp.example', 'idp.corp.example')).toBe('permitted');
    expect(to('IDP.corp.example', 'idp.corp.example')).toBe('permitted');
    expect(to('a.idp.corp.example', 'idp.corp.example')).toBe('address');
    expect(to('a.b.corp.example', '*.corp.example')).toBe('permitted');
    expect(to('corp.example', '*.corp.example')).toBe('address');
    expect(to('evilcorp.example', '*.corp.example')).toBe('address');
    expect(to('idp.corp.example.evil.example', 'idp.corp.example')).toBe('address');
  });

  test('a host that is named may be asked on any port', () => {
    const on = (port: number) =>
      verdict({ allowHosts: ['host.example'] }, `https://host.example:${port}/`, ['8.8.8.8']);
    expect([on(443), on(444), on(0)]).toEqual(['permitted', 'permitted', 'port']);
    expect(verdict({}, 'https://host.example:444/', ['8.8.8.8'])).toBe('port');
  });

  test('the refusal tells nothing about where a name leads', () => {
    const rules = createRules(strict);
    const refusal = rules.addresses(targetOf('https://internal.example/'), ['10.11.12.13'], false);
    expect(refusal).toMatchObject({ ok: false, error: { address: '10.11.12.13', addressKind: 'private' } });
    expect(refusal.ok ? '' : refusal.error.reason).not.toMatch(/10\.11|private/);
  });
});

describe('http', () => {
  test('is for callers whose protocol allows it', () => {
    expect(verdict({}, 'http://host.example/', ['8.8.8.8'])).toBe('plain_http');
    expect(verdict({}, 'http://host.example/', ['8.8.8.8'], true)).toBe('permitted');
    expect(verdict({}, 'http://host.example/', ['10.0.0.1'], true)).toBe('address');
  });

  test('is for loopback where that is switched on, if all addresses are of it', () => {
    expect(verdict({ loopback: true }, 'http://localhost:3000/', ['127.0.0.1', '::1'])).toBe('permitted');
    expect(verdict({ loopback: true }, 'http://host.example/', ['8.8.8.8'])).toBe('plain_http');
    expect(verdict({ loopback: true }, 'http://host.example/', ['127.0.0.1', '8.8.8.8'])).toBe('plain_http');
    expect(verdict({ allowHosts: ['host.example'] }, 'http://host.example/', ['10.0.0.1'])).toBe('plain_http');
    expect(verdict({}, 'http://localhost:3000/', ['127.0.0.1'])).toBe('plain_http');
  });
});
