import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { contentSecurityPolicy, formActionSource } from '../../src/login/content_security_policy.ts';
import { formPostScriptHash, goOnScriptHash } from '../../src/login/pages/index.ts';
import { styleHash } from '../../src/login/style.ts';
import { gallery } from './gallery.ts';

describe('contentSecurityPolicy', () => {
  test('without sources: nothing but the style', () => {
    expect(contentSecurityPolicy({ formAction: [] })).toBe(
      `default-src 'none'; style-src ${styleHash}; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`,
    );
  });

  test('with every kind of source', () => {
    const policy = contentSecurityPolicy({
      formAction: ["'self'", 'https://client.example', 'com.example.app:'],
      scriptHashes: [formPostScriptHash],
      frameSources: ['https://client.example:8443'],
      imageSources: ["'self'"],
    });
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${styleHash}`,
      `script-src ${formPostScriptHash}`,
      "img-src 'self'",
      'frame-src https://client.example:8443',
      "form-action 'self' https://client.example com.example.app:",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ]);
  });

  test.each([
    "https://a.example; script-src 'unsafe-inline'",
    'https://a.example,https://b.example',
    'https://*.example',
    '*',
    "'unsafe-inline'",
    'https://a.example b',
    '',
  ])('%j is a bug, not a source', (source) => {
    expect(() => contentSecurityPolicy({ formAction: [source] })).toThrow('content security policy source');
  });

  test('only a page that asks for it can be put into a frame', () => {
    expect(contentSecurityPolicy({ formAction: [] })).toContain("frame-ancestors 'none'");
    expect(contentSecurityPolicy({ formAction: [], frameable: true })).toContain('frame-ancestors *');
  });

  test('the hashes are those of what the pages carry', () => {
    const hashOf = (text: string): string => `'sha256-${new Bun.CryptoHasher('sha256').update(text).digest('base64')}'`;
    for (const [state, markup] of gallery('en')) {
      const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(markup) ?? [];
      expect(hashOf(style)).toBe(styleHash);
      const scripts = [...markup.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(([, script = '']) =>
        hashOf(script),
      );
      const pinned = { 'form post': [formPostScriptHash], 'signed out, frames': [goOnScriptHash] };
      const expected = new Map(Object.entries({ ...pinned, 'signed out, going on': [goOnScriptHash] })).get(state);
      expect([state, scripts]).toEqual([state, expected ?? []]);
    }
  });
});

describe('formActionSource', () => {
  test.each([
    ['https://client.example/cb?x=1', 'https://client.example'],
    ['https://client.example:8443/cb', 'https://client.example:8443'],
    ['http://127.0.0.1:51004/cb', 'http://127.0.0.1:51004'],
    ['com.example.app:/cb', 'com.example.app:'],
    ['http://[::1]:51004/cb', 'http:'],
    ['https://a;b/cb', 'https:'],
    ["https://a'b/cb", 'https:'],
    ['https://*.example/cb', 'https:'],
  ])('%s gives %s', (redirectUri, source) => {
    expect(formActionSource(redirectUri)).toBe(source);
  });

  test('whatever a host is, the policy accepts the source and no directive is added', () => {
    const authority = fc.string({
      unit: fc.constantFrom('a', '.', ';', ',', "'", '*', ':', '1', '[', ']', '-', '_', '~'),
    });
    fc.assert(
      fc.property(authority, (host) => {
        fc.pre(URL.canParse(`https://${host}/`));
        const policy = contentSecurityPolicy({ formAction: [formActionSource(`https://${host}/`)] });
        expect(policy.split(';')).toHaveLength(5);
        expect(policy).not.toMatch(/[,*]/);
      }),
    );
  });
});
