import { describe, expect, test } from 'bun:test';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { KeyRing } from '../../src/core/key_ring.ts';
import { err, ok } from '../../src/core/result.ts';
import { Secret } from '../../src/core/secret.ts';
import type { Inspection } from '../../src/store/inspection.ts';
import { limen } from './terminal.ts';

const secret = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => index * 7 + 3));
const typedSecret = Buffer.from('correct horse battery staple, 32');

const environment = {
  DATABASE_URL: 'postgres://limen:hidden-word@db.example/limen',
  LIMEN_SECRETS: secret.toString('base64url'),
  LIMEN_PUBLIC_URL: 'https://id.example.com',
  LIMEN_TRUSTED_PROXIES: '10.1.2.3',
};

const healthy: Inspection = {
  versionNumber: 180_004,
  encoding: 'UTF8',
  isReadOnly: false,
  clockAheadMilliseconds: -3,
  clockToleranceMilliseconds: 2,
  connectionLimit: 100,
  migrations: { pending: [], ahead: [], fault: null },
  schema: {
    partitions: [{ table: 'token_families', coveredUntil: 1, enough: true }],
    realms: 1,
    sealingKeyIds: [new KeyRing([new Secret<Uint8Array>(secret)]).newest().keyId],
  },
};

type Situation = {
  readonly variables?: { readonly [name: string]: string };
  readonly inspection?: Partial<Inspection>;
  readonly unreachable?: string;
  readonly addresses?: readonly string[];
  readonly files?: { readonly [path: string]: string };
};

async function examine({ variables, inspection, unreachable, addresses = ['192.0.2.1'], files = {} }: Situation) {
  const ran = await limen(
    ['doctor', '--json'],
    { ...environment, ...variables },
    {},
    {
      inspectDatabase: async () => (unreachable === undefined ? ok({ ...healthy, ...inspection }) : err(unreachable)),
      resolveHost: async () => addresses,
      readFile: async (path) => (files[path] === undefined ? err('ENOENT') : ok(files[path])),
    },
  );
  const findings: readonly Finding[] = JSON.parse(ran.out);
  return { ...ran, findings, bad: findings.filter((finding) => finding.state !== 'ok') };
}

test('a healthy set-up has nothing to mend and exit code 0', async () => {
  const { code, bad, findings } = await examine({});
  expect(bad).toEqual([]);
  expect(code).toBe(0);
  expect(findings.map((finding) => finding.subject)).toEqual([
    'configuration',
    'database',
    'clock',
    'schema',
    'partitions',
    'secrets',
    'public URL',
    'proxies',
  ]);
});

describe('what fails, and how to mend it', () => {
  const cases: readonly (readonly [string, Situation, string, RegExp, RegExp])[] = [
    ['no database', { unreachable: 'ECONNREFUSED' }, 'database', /nothing listens.*ECONNREFUSED/, /start Postgres/],
    ['a wrong password', { unreachable: '28P01' }, 'database', /password is refused/, /DATABASE_URL/],
    ['an unknown error', { unreachable: '57P03' }, 'database', /cannot be used \(57P03\)/, /log/],
    ['an old Postgres', { inspection: { versionNumber: 150_008 } }, 'database', /Postgres 15\.8 is too old/, /16/],
    ['a standby', { inspection: { isReadOnly: true } }, 'database', /takes no writes/, /primary/],
    ['an encoding', { inspection: { encoding: 'SQL_ASCII' } }, 'database', /SQL_ASCII/, /UTF8/],
    ['a clock ahead', { inspection: { clockAheadMilliseconds: 2003 } }, 'clock', /2003 ms ahead of/, /NTP/],
    ['a clock behind', { inspection: { clockAheadMilliseconds: -9000 } }, 'clock', /9000 ms behind/, /NTP/],
    [
      'pending migrations',
      { inspection: { migrations: { pending: ['0001_a.sql', '0002_b.sql'], ahead: [], fault: null }, schema: null } },
      'schema',
      /2 to apply, from 0001_a\.sql/,
      /limen migrate/,
    ],
    [
      'another history',
      { inspection: { migrations: { pending: [], ahead: [], fault: 'It differs.' }, schema: null } },
      'schema',
      /It differs\./,
      /version/,
    ],
    [
      'missing partitions',
      {
        inspection: {
          schema: {
            partitions: [{ table: 'audit_events', coveredUntil: 1, enough: false }],
            realms: 1,
            sealingKeyIds: [],
          },
        },
      },
      'partitions',
      /audit_events/,
      /limen migrate/,
    ],
    [
      'a lost secret',
      { inspection: { schema: { partitions: [], realms: 1, sealingKeyIds: ['deadbeef'] } } },
      'secrets',
      /deadbeef/,
      /add the former secret/,
    ],
    ['a host without address', { addresses: [] }, 'public URL', /id\.example\.com has no address/, /DNS/],
    [
      'a missing certificate',
      {
        variables: { LIMEN_TLS_CERT_FILE: '/c', LIMEN_TLS_KEY_FILE: '/k' },
        files: { '/k': '-----BEGIN PRIVATE KEY-----' },
      },
      'TLS',
      /\/c cannot be read \(ENOENT\)/,
      /LIMEN_TLS_CERT_FILE/,
    ],
    [
      'swapped TLS files',
      {
        variables: { LIMEN_TLS_CERT_FILE: '/c', LIMEN_TLS_KEY_FILE: '/k' },
        files: { '/c': '-----BEGIN CERTIFICATE-----', '/k': '-----BEGIN CERTIFICATE-----' },
      },
      'TLS',
      /\/k is not the PEM file/,
      /LIMEN_TLS_KEY_FILE/,
    ],
    [
      'a bad variable',
      { variables: { LIMEN_PORT: 'x' } },
      'configuration',
      /LIMEN_PORT: "x" is not accepted/,
      /whole number/,
    ],
  ];

  test.each(cases)('%s', async (_, situation, subject, finding, mend) => {
    const { code, bad } = await examine(situation);
    expect(code).toBe(1);
    expect(bad).toEqual([
      { state: 'fail', subject, finding: expect.stringMatching(finding), mend: expect.stringMatching(mend) },
    ]);
  });
});

describe('what deserves a look, without failing', () => {
  const cases: readonly (readonly [string, Situation, string, RegExp])[] = [
    [
      'a newer schema',
      { inspection: { migrations: { pending: [], ahead: ['0009_x.sql'], fault: null } } },
      'schema',
      /0009_x/,
    ],
    ['too many connections', { inspection: { connectionLimit: 16 } }, 'database', /16 connections/],
    ['a loopback URL', { variables: { LIMEN_PUBLIC_URL: 'http://localhost:8080' } }, 'public URL', /this machine only/],
    ['an address as URL', { variables: { LIMEN_PUBLIC_URL: 'https://192.0.2.1' } }, 'public URL', /is an address/],
    ['https without proxy', { variables: { LIMEN_TRUSTED_PROXIES: '' } }, 'proxies', /without a trusted proxy/],
    [
      'a wide proxy range',
      { variables: { LIMEN_TRUSTED_PROXIES: '0.0.0.0/1' } },
      'proxies',
      /0\.0\.0\.0\/1 is very wide/,
    ],
    [
      'a secret typed by hand',
      { variables: { LIMEN_SECRETS: `${environment.LIMEN_SECRETS} ${typedSecret.toString('base64url')}` } },
      'secrets',
      /entry 2 decodes to plain text/,
    ],
  ];

  test.each(cases)('%s', async (_, situation, subject, finding) => {
    const { code, bad } = await examine(situation);
    expect(code).toBe(0);
    expect(bad).toEqual([
      { state: 'warn', subject, finding: expect.stringMatching(finding), mend: expect.stringMatching(/.{10}/) },
    ]);
  });
});

test('a clock that cannot be read exactly is given the benefit of the doubt', async () => {
  const inspection = { clockAheadMilliseconds: 2900, clockToleranceMilliseconds: 1000 };
  expect((await examine({ inspection })).code).toBe(0);
});

test('nothing it writes holds a secret', async () => {
  const { out } = await limen(
    ['doctor'],
    environment,
    {},
    {
      inspectDatabase: async () => err('28P01'),
      resolveHost: async () => [],
    },
  );
  expect(out).not.toContain('hidden-word');
  expect(out).not.toContain(environment.LIMEN_SECRETS);
  expect(out).toContain('2 to mend, 0 to look at.');
});

test('with an empty environment it says the three things to set, and examines nothing else', async () => {
  const { code, out } = await limen(['doctor', '--json']);
  const findings: readonly Finding[] = JSON.parse(out);
  expect(code).toBe(1);
  expect(findings.map((finding) => finding.finding)).toEqual([
    'DATABASE_URL: is not set',
    'LIMEN_SECRETS: is not set',
    'LIMEN_PUBLIC_URL: is not set',
  ]);
});
