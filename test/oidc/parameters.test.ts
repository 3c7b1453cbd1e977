import { describe, expect, test } from 'bun:test';
import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { defineParameters, firstFault, parseForm } from '../../src/oidc/parameters.ts';
import { formOf, granted, refused } from './parties.ts';

const isForbidden = (character: string): boolean =>
  (character < ' ' && !['\t', '\n', '\r'].includes(character)) || character === '\u007f';
const texts = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((text) => ![...text].some(isForbidden) && text.isWellFormed());
const names = texts.filter((name) => name !== 'resource');
const records = fc.uniqueArray(fc.tuple(names, texts), { maxLength: 20, selector: ([name]) => name });
const hostileNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf'];

describe('RFC 6749 Appendix B', () => {
  test('property: any record comes back as URLSearchParams wrote it', () => {
    fc.assert(
      fc.property(records, (pairs) => {
        const form = parseForm(
          new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString(),
        );
        expect(form.faults).toEqual([]);
        expect(Object.entries(form.values).toSorted()).toEqual(pairs.filter(([, value]) => value !== '').toSorted());
      }),
    );
  });

  test('property: any text at all is parsed without throwing, and no value holds a forbidden character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const value of Object.values(parseForm(text).values).flat()) {
          expect([...value].some(isForbidden)).toBe(false);
        }
      }),
    );
  });

  test('plus is a space, %2B is a plus, and an equals sign after the first belongs to the value', () => {
    expect({ ...parseForm('a=1+2&b=1%2B2&c=x=y==').values }).toEqual({ a: '1 2', b: '1+2', c: 'x=y==' });
  });

  test.each(['%', '%4', '%zz', '%u0041', '%ff', '%c3', '%c0%80', '%ed%a0%80', '%f5%80%80%80'])(
    'a value of malformed percent-encoding (%j) is a fault and no value',
    (encoded) => {
      const form = parseForm(`good=1&state=${encoded}`);
      expect(form.faults.map(({ parameter }) => parameter)).toEqual(['state']);
      expect(Object.keys(form.values)).toEqual(['good']);
    },
  );

  test.each(['%ff=1', '%=1', 'a%00b=1'])(
    'a name of malformed percent-encoding (%j) is a fault without a name',
    (pair) => {
      expect(parseForm(pair).faults.map(({ parameter }) => parameter)).toEqual([null]);
    },
  );

  test.each([0, 1, 8, 0x0b, 0x0c, 0x1f, 0x7f])('control character %d is a fault', (code) => {
    const form = parseForm(`state=a%${code.toString(16).padStart(2, '0')}b`);
    expect(form.faults).toHaveLength(1);
    expect(form.values['state']).toBeUndefined();
  });
});

describe('RFC 6749 §3.1', () => {
  test('property: a parameter sent twice is a fault and has no value, whatever the two values and their order', () => {
    fc.assert(
      fc.property(records, names, texts, texts, fc.nat(), (pairs, name, first, again, at) => {
        const others = pairs.filter(([other]) => other !== name);
        const sent = others.toSpliced(at % (others.length + 1), 0, [name, first]);
        const form = parseForm(new URLSearchParams([...sent, [name, again]]).toString());
        expect(form.faults.map(({ parameter }) => parameter)).toEqual([name]);
        expect(Object.keys(form.values)).not.toContain(name);
      }),
    );
  });

  test('a parameter spelled in two encodings is still sent twice', () => {
    expect(parseForm('client_id=a&client%5Fid=b').faults.map(({ parameter }) => parameter)).toEqual(['client_id']);
  });

  test('empty and without an equals sign are both absent', () => {
    expect(parseForm('a=&b&c=1&&')).toEqual({ values: Object.assign(Object.create(null), { c: '1' }), faults: [] });
  });

  test.each(hostileNames)('%s is a name like any other', (name) => {
    const form = parseForm(`${name}=x&client_id=web`);
    expect(Object.keys(form.values).toSorted()).toEqual([name, 'client_id'].toSorted());
    expect(form.values[name]).toBe('x');
    expect(parseForm(`${name}=x&${name}=y`).faults).toHaveLength(1);
    expect(Object.getPrototypeOf(form.values)).toBeNull();
  });

  test.each(hostileNames)('%s that was not sent has no value', (name) => {
    expect(parseForm('client_id=web').values[name]).toBeUndefined();
  });

  test('a hundred parameters are read, one more is a fault that leaves no value to act on', () => {
    const many = (count: number): string => Array.from({ length: count }, (_, index) => `p${index}=1`).join('&');
    expect(Object.keys(parseForm(many(100)).values)).toHaveLength(100);
    const tooMany = parseForm(`${many(99)}&client_id=web&redirect_uri=x`);
    expect(Object.keys(tooMany.values)).toEqual([]);
    expect(tooMany.faults.map(({ parameter }) => parameter)).toEqual([null]);
  });

  test('the refusal shows a plain name, never a strange one and never a value', () => {
    expect(firstFault(parseForm('scope=one&scope=two'))).toMatchObject({
      error: 'invalid_request',
      description: 'scope is sent more than once',
      parameter: 'scope',
    });
    expect(firstFault(parseForm('%22%3Cb%3E=one&%22%3Cb%3E=two'))?.description).toBe(
      'a parameter is sent more than once',
    );
    expect(firstFault(parseForm('a=1'))).toBeNull();
  });
});

describe('RFC 8707 §2', () => {
  test('resource may be sent several times, its empty values are left out', () => {
    const form = parseForm('resource=https://a.example&resource=&resource=https://b.example');
    expect(form.faults).toEqual([]);
    expect(form.values['resource']).toEqual(['https://a.example', 'https://b.example']);
  });

  test('one malformed resource is a fault even beside a good one', () => {
    expect(parseForm('resource=https://a.example&resource=%ff').faults.map(({ parameter }) => parameter)).toEqual([
      'resource',
    ]);
  });
});

describe('a compiled parameter reader', () => {
  const reader = defineParameters(
    Type.Object({
      code: Type.String({ maxLength: 5 }),
      scope: Type.Optional(Type.String({ maxLength: 10 })),
      resource: Type.Optional(Type.Array(Type.String({ maxLength: 8 }), { maxItems: 2 })),
    }),
  );

  test('takes the known parameters and ignores the others, hostile names among them', () => {
    const sent = formOf({ code: '12345', extra: 'x'.repeat(500), constructor: 'x', resource: ['a', 'b'] });
    expect(granted(reader.read(sent))).toEqual({ code: '12345', resource: ['a', 'b'] });
  });

  test.each([
    [{}, 'code', 'code is missing'],
    [{ code: '' }, 'code', 'code is missing'],
    [{ code: '123456' }, 'code', 'code is malformed or too long'],
    [{ code: '1', scope: 'x'.repeat(11) }, 'scope', 'scope is malformed or too long'],
    [{ code: '1', resource: 'x'.repeat(9) }, 'resource', 'resource is malformed or too long'],
    [{ code: '1', resource: ['a', 'b', 'c'] }, 'resource', 'resource is malformed or too long'],
  ])('%j is refused and %s named', (sent, parameter, description) => {
    expect(refused(reader.read(formOf(sent)))).toMatchObject({ error: 'invalid_request', parameter, description });
  });

  test('sent twice: refused, also where the parameter may be absent', () => {
    expect(refused(reader.read(formOf({ code: '1', scope: ['a', 'b'] })))).toMatchObject({
      error: 'invalid_request',
      parameter: 'scope',
    });
    expect(refused(reader.read(formOf({ code: ['1', '2'] }))).description).toBe('code is sent more than once');
  });

  test('an unknown parameter sent twice does not matter to it', () => {
    expect(granted(reader.read(formOf({ code: '1', extra: ['a', 'b'] })))).toEqual({ code: '1' });
  });
});
