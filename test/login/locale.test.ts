import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { locales } from '../../src/login/copy/index.ts';
import { negotiateLocale } from '../../src/login/locale.ts';

describe('negotiateLocale', () => {
  test.each([
    [['de'], null, 'de'],
    [['fr', 'de', 'en'], 'en', 'de'],
    [['de-AT'], 'en', 'de'],
    [['DE-ch-1996'], 'en', 'de'],
    [['fr-CA', 'it'], 'de', 'de'],
    [['den'], null, 'en'],
    [['-', '', 'de-'], null, 'de'],
  ] as const)('ui_locales %p before Accept-Language %p gives %p', (uiLocales, header, expected) => {
    expect(negotiateLocale(uiLocales, header)).toBe(expected);
  });

  test.each([
    ['de', 'de'],
    ['de-DE,de;q=0.9,en;q=0.8', 'de'],
    ['fr-FR, fr;q=0.9, de;q=0.5, en;q=0.6', 'en'],
    ['en;q=0.3,de;q=0.31', 'de'],
    ['en;q=0, *;q=0.1', 'de'],
    ['de;q=0, de-AT', 'en'],
    ['*', 'en'],
    ['de;q=0.000', 'en'],
    ['de ; q=0.4 , en; q=0.2', 'de'],
    ['en,de', 'en'],
    ['de,en', 'de'],
    ['', 'en'],
    ['ja', 'en'],
    [null, 'en'],
  ] as const)('Accept-Language %p gives %p', (header, expected) => {
    expect(negotiateLocale([], header)).toBe(expected);
  });

  test('the fallback is for those who have no wish, and for *', () => {
    expect(negotiateLocale([], null, 'de')).toBe('de');
    expect(negotiateLocale(['ja'], 'ja', 'de')).toBe('de');
    expect(negotiateLocale([], '*', 'de')).toBe('de');
    expect(negotiateLocale([], 'en', 'de')).toBe('en');
  });

  test('whatever a browser sends, the answer is a language that we have', () => {
    const range = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('e', 'n', 'd', '-', ',', ';', 'q', '=', '0', '.', '1', '*', ' ') }),
    );
    fc.assert(
      fc.property(fc.array(range), range, (uiLocales, header) => {
        expect(locales).toContain(negotiateLocale(uiLocales, header));
      }),
    );
  });

  test('the heavier of two wishes wins in either order', () => {
    const weights = fc.tuple(fc.integer({ min: 1, max: 999 }), fc.integer({ min: 1, max: 999 }));
    fc.assert(
      fc.property(weights, fc.boolean(), ([en, de], turned) => {
        fc.pre(en !== de);
        const wishes = [`en;q=0.${String(en).padStart(3, '0')}`, `de;q=0.${String(de).padStart(3, '0')}`];
        const header = (turned ? wishes.toReversed() : wishes).join(', ');
        expect(negotiateLocale([], header)).toBe(en > de ? 'en' : 'de');
      }),
    );
  });
});
