import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Glob } from 'bun';
import { errorCodes, refusal } from '../../../src/oidc/errors.ts';
import { explain } from '../../../src/oidc/explanation/index.ts';
import { byError, byRule, remedyOf } from '../../../src/oidc/explanation/remedies.ts';
import { ruleLink } from '../../../src/oidc/explanation/rule_link.ts';
import { realm, spa } from '../parties.ts';

const src = join(import.meta.dir, '../../../src');
const sources = [...new Glob('{oidc,endpoints,admin}/**/*.ts').scanSync({ cwd: src })]
  .filter((path) => !path.startsWith('oidc/explanation/'))
  .map((path) => readFileSync(join(src, path), 'utf8'));

/** Texts in the sources that have the form of a rule. */
const rules = [
  ...new Set(
    sources.flatMap((source) =>
      [
        ...source.matchAll(
          /'((?:RFC \d+|OIDC [A-Za-z- ]+|OAuth [A-Za-z- ]+) §[\d.]+|setting \w+|configuration staleness|admin permission)'/g,
        ),
      ].map(([, rule = '']) => rule),
    ),
  ),
];

describe('every refusal can be mended', () => {
  test.each([...errorCodes])('%s has a remedy of its own', (error) => {
    expect(byError[error]?.mend).toMatch(/^[A-Z].{20,}\.$/);
  });

  test('rules are found in the sources', () => {
    expect(rules.length).toBeGreaterThan(40);
    expect(rules).toContain('RFC 7636 §4.6');
  });

  test('a row of the catalogue is of a rule that something uses', () => {
    const known = Object.keys(byRule).map((key) =>
      key.replace(/ [a-z_]+$/, (parameter) => (rules.includes(key) ? parameter : '')),
    );
    expect(known.filter((rule) => !rules.includes(rule))).toEqual([]);
  });

  test.each(rules)('%s leads to where it can be read, or is our own', (rule) => {
    if (/^(RFC|OIDC|OAuth)/.test(rule)) expect(ruleLink(rule)).toStartWith('https://');
    else expect(ruleLink(rule)).toBeNull();
  });

  test('the section is part of the link', () => {
    expect(ruleLink('RFC 7636 §4.4.1')).toBe('https://www.rfc-editor.org/rfc/rfc7636#section-4.4.1');
  });
});

describe('an explanation', () => {
  const { settings: _, ...client } = { ...spa, overrides: {} };
  const pkce = refusal('invalid_request', 'code_challenge is required', 'RFC 7636 §4.4.1', 'code_challenge');
  const record = {
    ...pkce,
    kind: 'refusal' as const,
    errorId: '0123456789ab',
    realmId: realm.id,
    clientId: client.clientId,
    endpoint: '/authorize',
    at: 1000,
  };

  test('shows the setting that the rule looked at, its layer and its reason', () => {
    const layers = { realm: { pkce: { value: 'required for all', reason: 'audit of May' } }, client: client.overrides };
    const told = explain(record, { realm, client, layers, now: 2000 });
    expect(told.settings).toEqual([{ key: 'pkce', value: 'required for all', from: 'realm', reason: 'audit of May' }]);
    expect(told.registered).toEqual({ class: 'public' });
    expect(told.mend).toContain('code_challenge');
  });

  test('of a client that is gone: the rule and the remedy stay', () => {
    const told = explain(record, { realm: null, client: null, layers: {}, now: 2000 });
    expect(told).toMatchObject({ realm: null, client_name: null, registered: {}, settings: [] });
    expect(told.rule_link).toContain('rfc7636');
  });

  test('a rule that nobody wrote a row for falls back to its error code', () => {
    const { invalid_scope } = byError;
    expect(remedyOf({ error: 'invalid_scope', rule: 'RFC 6749 §3.3', parameter: 'scope' })).toBe(
      invalid_scope ?? never,
    );
    expect(remedyOf({ error: 'of_another_release', rule: null, parameter: null }).mend).not.toBe('');
  });
});

const never = { mend: 'no such row' };
