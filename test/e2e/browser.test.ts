import { describe, expect, test } from 'bun:test';
import { withoutProgram } from '../missing_program.ts';
import { findChromium } from './browser.ts';

describe('findChromium', () => {
  test('a path that is named must exist: no other browser is taken instead', () => {
    expect(findChromium({ CHROMIUM_PATH: import.meta.path })).toBe(import.meta.path);
    expect(findChromium({ CHROMIUM_PATH: `${import.meta.dir}/no_such_browser` })).toBeNull();
  });

  test('its absence is a failure in CI and a skip elsewhere', () => {
    expect(withoutProgram({ CI: 'true' })).toBe('fail');
    expect(withoutProgram({})).toBe('skip');
  });
});
