import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { checkPrompt, promptValuesSupported } from '../../../src/oidc/authorize/prompt.ts';
import { granted, refused } from '../parties.ts';

describe('OIDC Core §3.1.2.1 prompt', () => {
  test('property: any combination without none is taken, doubles dropped; none stands alone', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...promptValuesSupported), { maxLength: 5 }), (values) => {
        const result = checkPrompt(values.join(' '));
        const distinct = [...new Set(values)];
        if (distinct.includes('none') && distinct.length > 1) expect(refused(result).error).toBe('invalid_request');
        else expect(granted(result)).toEqual(distinct);
      }),
    );
  });

  test.each(['Login', 'none,login', 'login\tconsent', 'constructor', 'login unknown'])('%j is refused', (sent) => {
    expect(refused(checkPrompt(sent))).toMatchObject({ error: 'invalid_request', parameter: 'prompt' });
  });

  test('not sent or only spaces: no prompt', () => {
    expect(granted(checkPrompt(undefined))).toEqual([]);
    expect(granted(checkPrompt('  '))).toEqual([]);
  });
});
