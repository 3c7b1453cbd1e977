import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import fc from 'fast-check';
import { copyOf, locales, say, sayText } from '../../src/login/copy/index.ts';
import { html } from '../../src/login/html.ts';

const entries = (locale: (typeof locales)[number]): readonly [string, string][] => Object.entries(copyOf(locale));
const placeholders = (text: string): readonly string[] => (text.match(/\{[a-z_]+\}/g) ?? []).toSorted();

describe('the copy', () => {
  test('every table in the folder is a language that can be chosen, and says so itself', () => {
    const tables = readdirSync(`${import.meta.dir}/../../src/login/copy`).filter((file) => file !== 'index.ts');
    expect(tables.toSorted()).toEqual(locales.map((locale) => `${locale}.ts`).toSorted());
    for (const locale of locales) expect(copyOf(locale).lang).toBe(locale);
  });

  test('every language has the same keys, none empty, with the same names in each text', () => {
    const english = new Map(entries('en'));
    for (const locale of locales) {
      expect(entries(locale).map(([key]) => key)).toEqual([...english.keys()]);
      for (const [key, text] of entries(locale)) {
        expect(text.trim()).not.toBe('');
        expect([key, placeholders(text)]).toEqual([key, placeholders(english.get(key) ?? '')]);
      }
    }
  });

  test('texts are data: no markup in them', () => {
    for (const locale of locales) for (const [, text] of entries(locale)) expect(text).not.toMatch(/[<>&]/);
  });
});

describe('say', () => {
  test('puts values in once, escaped: names and markup inside a value are text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom('{client}', '{page} {realm}', '<b>')), (client) => {
        expect(say(copyOf('en'), 'back_to', { client }).toString()).toBe(`Back to ${Bun.escapeHTML(client)}`);
        expect(sayText(copyOf('en'), 'back_to', { client })).toBe(`Back to ${client}`);
      }),
    );
  });

  test('keeps markup that html made', () => {
    expect(say(copyOf('de'), 'back_to', { client: html`<bdi>${'A&B'}</bdi>` }).toString()).toBe(
      'Zurück zu <bdi>A&amp;B</bdi>',
    );
  });
});
