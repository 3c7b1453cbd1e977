import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { link, picture } from '../../src/login/link.ts';

describe('link', () => {
  test.each(['/login/abc?x=1', 'https://client.example/a', 'HTTP://127.0.0.1:9000/cb', 'com.example.app:/callback'])(
    '%s can be linked to',
    (url) => {
      expect(link(url)).toBe(url);
    },
  );

  test.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    ' javascript:alert(1)',
    'java\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    'data:text/html,<script>',
    'vbscript:x',
    'blob:https://a/b',
    'file:///etc/passwd',
    '//evil.example/',
    '/\\evil.example/',
    '/\t/evil.example/',
    'relative',
    '',
  ])('%j is no link', (url) => {
    expect(link(url)).toBeNull();
  });

  test('nothing that passes is read by a browser as a scheme that runs or opens local content', () => {
    const scheme = fc.constantFrom(
      'javascript',
      'data',
      'vbscript',
      'blob',
      'file',
      'about',
      'https',
      'a.b',
      '/',
      '//x',
    );
    const noise = fc.string({
      unit: fc.constantFrom(' ', '\t', '\n', '\r', '\u0000', '\u001f', ':', '/', '\\', 'a', '.'),
    });
    fc.assert(
      fc.property(noise, scheme, noise, (before, word, after) => {
        const passed = link(before + word + after);
        if (passed === null) return;
        const url = URL.parse(passed, 'https://here.example/');
        expect(['javascript:', 'data:', 'vbscript:', 'blob:', 'file:', 'about:']).not.toContain(url?.protocol ?? '');
        if (passed.startsWith('/')) expect(url?.host).toBe('here.example');
      }),
    );
  });
});

describe('picture', () => {
  test('is a path of ours or the web, not a private-use scheme', () => {
    expect(picture('/logo/a')).toBe('/logo/a');
    expect(picture('https://op.example/logo')).toBe('https://op.example/logo');
    expect(picture('com.example.app:/logo')).toBeNull();
    expect(picture('data:image/png;base64,AA')).toBeNull();
    expect(picture(null)).toBeNull();
  });
});
