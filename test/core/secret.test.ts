import { describe, expect, test } from 'bun:test';
import { format, inspect } from 'node:util';
import { Secret } from '../../src/core/secret.ts';

const word = 'hunter2';
const bytes = Buffer.from(word);
const secrets = [new Secret(word), new Secret(bytes), new Secret({ word })];
const encodings = [word, bytes.toString('hex'), bytes.toString('base64'), [...bytes].join(',')];

/** Everything that prints a value, alone and deep inside another. */
const printers: { readonly [name: string]: (value: unknown) => string } = {
  String: (value) => String(value),
  template: (value) => `${value}`,
  concatenation: (value) => 'a '.concat(Object(value)),
  join: (value) => [value, value].join(' '),
  'JSON.stringify': (value) => JSON.stringify({ deep: [value] }),
  'JSON.stringify as a key': (value) => JSON.stringify({ [String(value)]: 1 }),
  inspect: (value) => inspect({ deep: { deeper: [value] } }, { depth: null, showHidden: true }),
  'inspect without custom functions': (value) =>
    inspect(value, { customInspect: false, depth: null, showHidden: true }),
  'Bun.inspect': (value) => Bun.inspect({ deep: [value], map: new Map([[value, value]]), set: new Set([value]) }),
  'format %s': (value) => format('%s', value),
  'format %o': (value) => format('%o', value),
  'format %O': (value) => format('%O', value),
  'format %j': (value) => format('%j', value),
  'Error message': (value) => inspect(new Error(`failed: ${value}`, { cause: value })),
  'Object.entries': (value) => JSON.stringify(Object.entries(Object(value))),
  'own names': (value) => Reflect.ownKeys(Object(value)).map(String).join(),
  spread: (value) => JSON.stringify({ ...Object(value) }),
  'structured clone': (value) => Bun.inspect(structuredClone(value)),
};

describe('a secret', () => {
  test.each(Object.keys(printers))('does not print by %s', (name) => {
    for (const secret of secrets) {
      const printed = printers[name]?.(secret) ?? '';
      for (const encoded of encodings) expect(printed).not.toContain(encoded);
    }
  });

  test('does not print on any console', async () => {
    const program = `
      import { Secret } from ${JSON.stringify(`${import.meta.dir}/../../src/core/secret.ts`)};
      const secret = new Secret(${JSON.stringify(word)});
      console.log(secret, [secret], { secret }); console.error('%s %o %O %j', secret, secret, secret, secret);
      console.table([{ secret }]); console.dir({ secret }, { depth: null }); console.info(new Map([[secret, secret]]));`;
    const child = Bun.spawn([process.execPath, '-e', program], { stdout: 'pipe', stderr: 'pipe' });
    const printed = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
    expect(await child.exited).toBe(0);
    expect(printed).toContain('[secret]');
    expect(printed).not.toContain(word);
  });

  test('reveals to whoever asks by name', () => {
    expect(new Secret(word).reveal()).toBe(word);
  });
});
