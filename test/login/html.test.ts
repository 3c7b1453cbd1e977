import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { attributes, html } from '../../src/login/html.ts';
import { attribute, tagsOf, unescapeHtml } from './markup.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '`', '=', '/', ' ', '\n', 'x', '-', '!') }),
  fc.constantFrom('"><script>alert(1)</script>', '</title><script>', '<!--', ']]>', '" onfocus=x autofocus="', '&lt;'),
);

describe('html', () => {
  test('any string in text comes out as that text, in no element', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const markup = html`<p>${value}</p>`.toString();
        expect(tagsOf(markup).map(({ name }) => name)).toEqual(['p']);
        expect(unescapeHtml(markup.slice(3, -4))).toBe(value);
      }),
    );
  });

  test('any string in a quoted attribute comes out as that value, with no other attribute', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const tags = tagsOf(html`<input value="${value}" class="x">`.toString());
        expect(tags.map(({ name, attributes: given }) => [name, given.map(([key]) => key)])).toEqual([
          ['input', ['value', 'class']],
        ]);
        expect(unescapeHtml(attribute(tags[0], 'value') ?? '')).toBe(value);
      }),
    );
  });

  test('any string as a value of attributes() comes out as that value', () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const [tag] = tagsOf(html`<p${attributes({ title: value })}></p>`.toString());
        expect(unescapeHtml(attribute(tag, 'title') ?? '')).toBe(value);
        expect(tag?.attributes).toHaveLength(1);
      }),
    );
  });

  test('markup made by html is not escaped again, at any depth of lists', () => {
    expect(html`<ul>${[['a', '<'], [html`<li>${'&'}</li>`]]}</ul>`.toString()).toBe('<ul>a&lt;<li>&amp;</li></ul>');
  });

  test('null, undefined and false leave nothing; zero and the empty string are values', () => {
    expect(html`[${null}${undefined}${false}]${0}${''}`.toString()).toBe('[]0');
  });
});

describe('attributes', () => {
  test('true is the bare name; false and null leave the attribute out', () => {
    expect(attributes({ autofocus: true, hidden: false, id: null, step: 3 }).toString()).toBe(' autofocus step="3"');
  });

  test('a name that could break out of the tag throws', () => {
    for (const name of ['', 'a b', 'a=', 'a>', 'onclick"', 'A']) {
      expect(() => attributes({ [name]: 'x' })).toThrow('not an attribute name');
    }
  });
});
