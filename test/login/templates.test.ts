// biome-ignore-all lint/suspicious/noTemplateCurlyInString: sources to scan, not templates
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { Glob } from 'bun';
import { badHoles } from './template_scan.ts';

const room = `${import.meta.dir}/../../src/login`;
const files = [...new Glob('**/*.ts').scanSync(room)].sort();
const sourceOf = (file: string): string => readFileSync(`${room}/${file}`, 'utf8');

describe('the templates in login/', () => {
  test('the scan sees the files it is for', () => {
    expect(files).toContain('pages/password.ts');
    expect(files).toContain('layout.ts');
  });

  test('every hole stands in text or in a double-quoted attribute value', () => {
    const found = files.flatMap((file) => badHoles(sourceOf(file)).map((hole) => ({ file, ...hole })));
    expect(found).toEqual([]);
  });

  test('new Safe( stands only where the markup is our own constant', () => {
    const found = files.flatMap((file) => (sourceOf(file).includes('new Safe(') ? [file] : []));
    expect(found).toEqual([
      'html.ts',
      'layout.ts',
      'pages/check_session.ts',
      'pages/form_post.ts',
      'pages/signed_out.ts',
    ]);
    const insertions = found
      .filter((file) => file !== 'html.ts')
      .flatMap((file) => sourceOf(file).match(/new Safe\(.*/g) ?? []);
    const scripts = Array.from({ length: 3 }, () => 'new Safe(`<script>${script}</script>`);');
    expect(insertions).toEqual(['new Safe(`<style>${style}</style>`);', ...scripts]);
  });

  test('no page has inline style or event attributes', () => {
    for (const file of files) expect(sourceOf(file)).not.toMatch(/\s(?:style|on[a-z]+)="/);
  });
});

describe('badHoles', () => {
  const hole = '${value}';
  const bad = (markup: string): readonly string[] => badHoles(`const x = html\`${markup}\`;`).map(({ why }) => why);

  test('finds an unquoted value, also behind other holes', () => {
    expect(bad(`<p id=${hole}>`)).toEqual(['unquoted']);
    expect(bad(`<p class="${hole}" id=${hole}>${hole}</p>`)).toEqual(['unquoted']);
  });

  test('finds a hole in a tag and in a tag name', () => {
    expect(bad(`<p ${hole}>`)).toEqual(['in_tag']);
    expect(bad(`<${hole}>`)).toEqual(['in_tag']);
  });

  test('finds a single-quoted value', () => {
    expect(bad(`<p id='${hole}'>`)).toEqual(['single_quoted']);
  });

  test('finds it in a template inside a hole', () => {
    expect(bad('<p>${list.map((value) => html`<b id=${value}>`)}</p>')).toEqual(['unquoted']);
  });

  test('lets text, double quotes and attributes() through', () => {
    expect(bad(`<p id="a-${hole}" class="${hole}">a < b ${hole}</p>`)).toEqual([]);
    expect(bad('<p${attributes({ id: "}" })}>')).toEqual([]);
  });

  test('refuses attributes() as an unquoted value', () => {
    expect(bad('<p id=${attributes({})}>')).toEqual(['unquoted']);
  });
});
