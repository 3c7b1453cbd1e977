import { describe, expect, test } from 'bun:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import {
  type ConfigFault,
  describeFault,
  type Environment,
  readConfig,
  settingVariable,
  variables,
} from '../src/config.ts';
import { settingKeys, settings } from '../src/core/settings.ts';

const hexSecret = '00112233445566778899aabbccddeeff0f1e2d3c4b5a69788796a5b4c3d2e1f0';
const otherSecret = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 3)).toString('base64url');

const nowhere = { allow: { hosts: [], ranges: [] }, loopback: false, certificatesFile: null };

const accepted = (environment: Environment) => {
  const result = readConfig(environment);
  if (!result.ok) throw new Error(result.error.map(describeFault).join('\n'));
  return result.value;
};

const faults = (
  environment: Environment,
  ...parameters: Parameters<typeof readConfig> extends [unknown, ...infer Rest] ? Rest : never
): readonly ConfigFault[] => {
  const result = readConfig(environment, ...parameters);
  return result.ok ? [] : result.error;
};

const lines = (environment: Environment): readonly string[] => faults(environment).map(describeFault);

describe('an empty environment', () => {
  test('gives the default of every row, frozen', () => {
    const config = accepted({});
    expect(config).toEqual({
      databaseUrl: null,
      secrets: [],
      publicUrl: null,
      host: '0.0.0.0',
      port: 8080,
      tls: null,
      trustedProxies: [],
      databaseConnections: 16,
      outbound: nowhere,
      logLevel: 'info',
      reusePort: false,
      refusalDays: 7,
      settings: {},
    });
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.settings)).toBe(true);
  });

  test('is refused where a command needs values, naming each and how to mend it', () => {
    const missing = faults({}, ['databaseUrl', 'secrets', 'publicUrl']);
    expect(missing.map((fault) => [fault.variable, fault.problem])).toEqual([
      ['DATABASE_URL', 'is not set'],
      ['LIMEN_SECRETS', 'is not set'],
      ['LIMEN_PUBLIC_URL', 'is not set'],
    ]);
    expect(missing.every((fault) => fault.mend.length > 10)).toBe(true);
  });

  test('an empty or blank variable is an unset one', () => {
    expect(accepted({ LIMEN_PORT: '', LIMEN_HOST: '  ' })).toEqual(accepted({}));
    expect(faults({ DATABASE_URL: ' ' }, ['databaseUrl']).map((fault) => fault.variable)).toEqual(['DATABASE_URL']);
  });
});

test('every fault is listed at once, one line each', () => {
  const found = faults(
    {
      LIMEN_PROT: '1',
      limen_host: 'x',
      LIMEN_PORT: '80a',
      LIMEN_REUSE_PORT: 'yes',
      LIMEN_LOG_LEVEL: 'loud\nand clear',
      LIMEN_TLS_KEY_FILE: '/key.pem',
      LIMEN_SETTING_LOCKOUT_THRESHOLD: '0',
    },
    ['databaseUrl'],
  );
  expect(found.map((fault) => fault.variable)).toEqual([
    'LIMEN_PROT',
    'limen_host',
    'LIMEN_PORT',
    'LIMEN_TLS_CERT_FILE',
    'LIMEN_LOG_LEVEL',
    'LIMEN_REUSE_PORT',
    'LIMEN_SETTING_LOCKOUT_THRESHOLD',
    'DATABASE_URL',
  ]);
  for (const fault of found) expect(describeFault(fault)).not.toContain('\n');
});

describe('an unknown LIMEN_ variable', () => {
  test.each([
    ['LIMEN_PROT', 'did you mean LIMEN_PORT?'],
    ['LIMEN_PUBLIC_URI', 'did you mean LIMEN_PUBLIC_URL?'],
    ['limen_port', 'did you mean LIMEN_PORT?'],
    ['LIMEN_SETTING_LOCKOUT_TRESHOLD', 'did you mean LIMEN_SETTING_LOCKOUT_THRESHOLD?'],
    ['LIMEN_WHATEVER_ELSE_THERE_IS', 'remove it; docs/operations.md lists all'],
  ])('%s is refused: %s', (name, mend) => {
    expect(faults({ [name]: 'value' })).toEqual([{ variable: name, problem: 'there is no such variable', mend }]);
  });

  test('variables of others are left alone', () => {
    expect(faults({ PATH: '/bin', LIMENADE: 'x', NODE_ENV: 'production', DATABASE_POOL: '5' })).toEqual([]);
  });
});

describe('values that are accepted', () => {
  test.each([
    ['LIMEN_PORT', '443', { port: 443 }],
    ['LIMEN_HOST', '::', { host: '::' }],
    ['LIMEN_HOST', 'localhost', { host: 'localhost' }],
    ['LIMEN_LOG_LEVEL', ' debug ', { logLevel: 'debug' }],
    ['LIMEN_REUSE_PORT', 'true', { reusePort: true }],
    ['LIMEN_DATABASE_CONNECTIONS', '64', { databaseConnections: 64 }],
    ['LIMEN_PUBLIC_URL', 'https://id.example.com', { publicUrl: 'https://id.example.com' }],
    ['LIMEN_PUBLIC_URL', 'https://ID.example.com:443/', { publicUrl: 'https://id.example.com' }],
    ['LIMEN_PUBLIC_URL', 'https://id.example.com:8443', { publicUrl: 'https://id.example.com:8443' }],
    ['LIMEN_PUBLIC_URL', 'http://localhost:4010', { publicUrl: 'http://localhost:4010' }],
    ['LIMEN_PUBLIC_URL', 'http://127.0.0.2:4010', { publicUrl: 'http://127.0.0.2:4010' }],
    ['LIMEN_PUBLIC_URL', 'http://[::1]:4010', { publicUrl: 'http://[::1]:4010' }],
    [
      'LIMEN_TRUSTED_PROXIES',
      '10.0.0.0/8, 192.0.2.7 fd00::/8',
      {
        trustedProxies: [
          { family: 'ipv4', address: '10.0.0.0', prefixLength: 8 },
          { family: 'ipv4', address: '192.0.2.7', prefixLength: 32 },
          { family: 'ipv6', address: 'fd00::', prefixLength: 8 },
        ],
      },
    ],
    ['LIMEN_OUTBOUND_LOOPBACK', 'true', { outbound: { ...nowhere, loopback: true } }],
    ['LIMEN_OUTBOUND_CA_FILE', '/ca.pem', { outbound: { ...nowhere, certificatesFile: '/ca.pem' } }],
    [
      'LIMEN_OUTBOUND_ALLOW',
      'IdP.corp.example, *.corp.example 10.1.0.0/16 fd00::7',
      {
        outbound: {
          ...nowhere,
          allow: {
            hosts: ['idp.corp.example', '*.corp.example'],
            ranges: [
              { family: 'ipv4', address: '10.1.0.0', prefixLength: 16 },
              { family: 'ipv6', address: 'fd00::7', prefixLength: 128 },
            ],
          },
        },
      },
    ],
    ['LIMEN_SETTING_PKCE', 'required for all', { settings: { pkce: { value: 'required for all' } } }],
    ['LIMEN_SETTING_LOCKOUT', 'false', { settings: { lockout: { value: false } } }],
    ['LIMEN_SETTING_LOCKOUT_WINDOW_SECONDS', '600', { settings: { lockoutWindowSeconds: { value: 600 } } }],
  ])('%s=%s', (name, value, expected) => {
    const config: object = accepted({ [name]: value });
    expect(config).toEqual({ ...accepted({}), ...expected });
  });

  test('both TLS files', () => {
    const config = accepted({ LIMEN_TLS_CERT_FILE: '/chain.pem', LIMEN_TLS_KEY_FILE: '/key.pem' });
    expect(config.tls).toEqual({ certificateFile: '/chain.pem', keyFile: '/key.pem' });
  });

  test.each([
    'postgres://limen:s3cret@db.example:5432/limen',
    'postgresql://limen@db/limen?sslmode=verify-full',
    'postgres://a:b@one:5432,two:5433/limen',
    'postgres:///limen?host=/var/run/postgresql',
  ])('DATABASE_URL %s', (url) => {
    expect(accepted({ DATABASE_URL: url }).databaseUrl?.reveal()).toBe(url);
  });

  test('a ring of secrets in both spellings keeps its order', () => {
    const { secrets } = accepted({ LIMEN_SECRETS: `${hexSecret},\n ${otherSecret}=` });
    expect(secrets.map((secret) => Buffer.from(secret.reveal()).toString('hex'))).toEqual([
      hexSecret,
      Buffer.from(otherSecret, 'base64url').toString('hex'),
    ]);
  });
});

describe('values that are refused', () => {
  test.each([
    ['LIMEN_PORT', '0', 'LIMEN_PORT: "0" is not accepted; write a whole number from 1 to 65535'],
    ['LIMEN_PORT', '65536', 'LIMEN_PORT: "65536" is not accepted; write a whole number from 1 to 65535'],
    ['LIMEN_PORT', '0x50', 'LIMEN_PORT: "0x50" is not accepted; write a whole number from 1 to 65535'],
    ['LIMEN_PORT', '80.5', 'LIMEN_PORT: "80.5" is not accepted; write a whole number from 1 to 65535'],
    [
      'LIMEN_HOST',
      'http://x',
      'LIMEN_HOST: "http://x" is no address or host name; write one such as 0.0.0.0, without scheme and port',
    ],
    ['LIMEN_REUSE_PORT', '1', 'LIMEN_REUSE_PORT: "1" is not accepted; write true or false'],
    ['LIMEN_LOG_LEVEL', 'INFO', 'LIMEN_LOG_LEVEL: "INFO" is not accepted; write one of debug, info, warn, error'],
    [
      'LIMEN_PUBLIC_URL',
      'id.example.com',
      'LIMEN_PUBLIC_URL: "id.example.com" is not a URL; write scheme and host, such as https://id.example.com',
    ],
    [
      'LIMEN_PUBLIC_URL',
      'ftp://id.example.com',
      'LIMEN_PUBLIC_URL: "ftp://id.example.com" is not an https URL; write scheme and host, such as https://id.example.com',
    ],
    [
      'LIMEN_PUBLIC_URL',
      'http://id.example.com',
      'LIMEN_PUBLIC_URL: "http://id.example.com" is not encrypted; write https://id.example.com; http is accepted on loopback only',
    ],
    [
      'LIMEN_PUBLIC_URL',
      'http://127.0.0.1.example.com',
      'LIMEN_PUBLIC_URL: "http://127.0.0.1.example.com" is not encrypted; write https://127.0.0.1.example.com; http is accepted on loopback only',
    ],
    [
      'LIMEN_PUBLIC_URL',
      'https://id.example.com/auth',
      'LIMEN_PUBLIC_URL: "https://id.example.com/auth" has more than scheme, host and port; write https://id.example.com',
    ],
    [
      'LIMEN_PUBLIC_URL',
      'https://id.example.com/?',
      'LIMEN_PUBLIC_URL: "https://id.example.com/?" has more than scheme, host and port; write https://id.example.com',
    ],
    [
      'LIMEN_PUBLIC_URL',
      'https://id.example.com/#',
      'LIMEN_PUBLIC_URL: "https://id.example.com/#" has more than scheme, host and port; write https://id.example.com',
    ],
    [
      'LIMEN_PUBLIC_URL',
      'https://me:pw@id.example.com',
      'LIMEN_PUBLIC_URL: has a user name or password in it; write scheme and host, such as https://id.example.com',
    ],
    [
      'LIMEN_TRUSTED_PROXIES',
      '10.0.0.0/33',
      'LIMEN_TRUSTED_PROXIES: "10.0.0.0/33" is no address or CIDR range; write one such as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'LIMEN_TRUSTED_PROXIES',
      'proxy.local',
      'LIMEN_TRUSTED_PROXIES: "proxy.local" is no address or CIDR range; write one such as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'LIMEN_TRUSTED_PROXIES',
      '10.0.0.0/8/8',
      'LIMEN_TRUSTED_PROXIES: "10.0.0.0/8/8" is no address or CIDR range; write one such as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'LIMEN_TRUSTED_PROXIES',
      '10.0.0.0/',
      'LIMEN_TRUSTED_PROXIES: "10.0.0.0/" is no address or CIDR range; write one such as 10.0.0.0/8 or fd00::/8',
    ],
    [
      'LIMEN_TRUSTED_PROXIES',
      '0.0.0.0/0',
      'LIMEN_TRUSTED_PROXIES: "0.0.0.0/0" trusts everybody’s forwarded headers; name the addresses of your own proxies',
    ],
    [
      'LIMEN_TRUSTED_PROXIES',
      '::ffff:10.0.0.1',
      'LIMEN_TRUSTED_PROXIES: "::ffff:10.0.0.1" is an IPv4 address in IPv6 form; write the IPv4 address',
    ],
    [
      'LIMEN_OUTBOUND_ALLOW',
      'https://idp.corp.example',
      'LIMEN_OUTBOUND_ALLOW: "https://idp.corp.example" is no address or CIDR range; write one such as 10.0.0.0/8 or fd00::/8',
    ],
    ...['idp.corp.example:8443', '10.0', '0x7f.0x1', '*', '*.*.example', 'a..b'].map((entry) => [
      'LIMEN_OUTBOUND_ALLOW',
      entry,
      `LIMEN_OUTBOUND_ALLOW: "${entry}" is no host name, address or CIDR range; write one such as idp.corp.example, *.corp.example or 10.0.0.0/8, without scheme and port`,
    ]),
    [
      'LIMEN_OUTBOUND_ALLOW',
      '0.0.0.0/0',
      'LIMEN_OUTBOUND_ALLOW: "0.0.0.0/0" allows every address; name the ranges that are meant',
    ],
    ...['localhost', '127.0.0.0/8', '::1'].map((entry) => [
      'LIMEN_OUTBOUND_ALLOW',
      entry,
      `LIMEN_OUTBOUND_ALLOW: "${entry}" is this machine itself; set LIMEN_OUTBOUND_LOOPBACK to true instead`,
    ]),
    ['LIMEN_OUTBOUND_LOOPBACK', '1', 'LIMEN_OUTBOUND_LOOPBACK: "1" is not accepted; write true or false'],
    [
      'LIMEN_SETTING_PKCE',
      'optional',
      'LIMEN_SETTING_PKCE: "optional" is not accepted; write "required for public" or "required for all"',
    ],
    ['LIMEN_SETTING_LOCKOUT', 'off', 'LIMEN_SETTING_LOCKOUT: "off" is not accepted; write true or false'],
    [
      'LIMEN_SETTING_CODE_LIFETIME_SECONDS',
      '61',
      'LIMEN_SETTING_CODE_LIFETIME_SECONDS: "61" is not accepted; write a whole number from 5 to 60',
    ],
    [
      'LIMEN_TLS_CERT_FILE',
      '/chain.pem',
      'LIMEN_TLS_KEY_FILE: is not set, but LIMEN_TLS_CERT_FILE is; set both, or neither behind a proxy',
    ],
    ['LIMEN_SECRETS', ',', 'LIMEN_SECRETS: has no entry; make one with `limen secrets generate`'],
    [
      'LIMEN_SECRETS',
      `${hexSecret} ${hexSecret}`,
      'LIMEN_SECRETS: entry 2 of 2 repeats an earlier one; write each secret once',
    ],
    [
      'LIMEN_SECRETS',
      'ab'.repeat(32),
      'LIMEN_SECRETS: entry 1 of 1 does not look random; make one with `limen secrets generate`',
    ],
    [
      'LIMEN_SECRETS',
      `${hexSecret}00`,
      'LIMEN_SECRETS: entry 1 of 1 (66 characters) is not 256 bits in base64url or hex; make one with `limen secrets generate`',
    ],
    [
      'DATABASE_URL',
      'mysql://u:p@h/d',
      'DATABASE_URL: is not a Postgres URL; write postgres://user:password@host:port/database',
    ],
    [
      'DATABASE_URL',
      'postgres://u:pass word@h/d',
      'DATABASE_URL: has white space in it; percent-encode special characters in the password (# / ? @ : and spaces)',
    ],
    [
      'DATABASE_URL',
      'postgres://u:pa/ss@h:x/d',
      'DATABASE_URL: cannot be read as a URL; percent-encode special characters in the password (# / ? @ : and spaces)',
    ],
  ])('%s=%s', (name, value, line) => {
    expect(lines({ [name]: value })).toEqual([line]);
  });

  test('a long value is cut', () => {
    expect(lines({ LIMEN_LOG_LEVEL: 'x'.repeat(5000) }).join('').length).toBeLessThan(200);
  });
});

describe('secrets', () => {
  test('no fault and no printing of the configuration shows one, whatever was typed', () => {
    const typed = fc.string({ minLength: 8, maxLength: 90, unit: fc.constantFrom(...'abcdef0123456789XYZ-_/@:?#% ') });
    fc.assert(
      fc.property(typed, fc.constantFrom('DATABASE_URL', 'LIMEN_SECRETS'), (value, name) => {
        const marked = `${name === 'DATABASE_URL' ? 'postgres://u:' : ''}${value}`;
        const result = readConfig({ [name]: marked });
        const shown = result.ok
          ? inspect(result.value, { depth: 9 }) + JSON.stringify(result.value)
          : JSON.stringify(result.error);
        const parts = value.split(/[\s,]+/).filter((part) => part.length >= 8);
        for (const part of parts) expect(shown).not.toContain(part);
      }),
    );
  });

  test('rows that hold one are marked', () => {
    const marked = Object.values(variables)
      .filter((variable) => variable.secret)
      .map((variable) => variable.name);
    expect(marked).toEqual(['DATABASE_URL', 'LIMEN_SECRETS']);
  });
});

describe('settings', () => {
  test('every row of the settings table has a variable, and its default is accepted there', () => {
    for (const key of settingKeys) {
      const name = settingVariable(key);
      expect(name).toMatch(/^LIMEN_SETTING_[A-Z]+(_[A-Z]+)*$/);
      const { default: value } = settings[key];
      // An empty variable is one that is not there, which comes to the same where that is the default.
      expect(accepted({ [name]: String(value) }).settings).toEqual(value === '' ? {} : { [key]: { value } });
    }
  });

  test('a number within bounds is taken as it is and one without is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: -5, max: 305 }), (number) => {
        const result = readConfig({ LIMEN_SETTING_REFRESH_LEEWAY_SECONDS: String(number) });
        expect(result.ok).toBe(number >= 0 && number <= 300);
        if (result.ok) expect(result.value.settings['refreshLeewaySeconds']?.value).toBe(number);
      }),
    );
  });
});

test('a public URL is always an origin that spells itself', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (url) => {
      const result = readConfig({ LIMEN_PUBLIC_URL: url });
      if (!result.ok) return;
      expect(new URL(result.value.publicUrl ?? '').origin).toBe(result.value.publicUrl ?? '');
      expect(result.value.publicUrl).toMatch(/^https:/);
    }),
  );
});
