import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseArguments } from '../../src/cli/arguments.ts';
import { defineCommand } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import type { DemoOptions } from '../../src/cli/index.ts';
import { limen } from './terminal.ts';

const command = defineCommand({
  name: 'thing make',
  summary: 'Make a thing.',
  options: {
    name: { type: 'argument', sentence: 'Its name.' },
    colour: { type: 'text', value: '<colour>', sentence: 'Its colour.' },
    shape: { type: 'text', choices: ['round', 'square'], required: true, sentence: 'Its shape.' },
    part: { type: 'list', sentence: 'A part.' },
    loud: { type: 'flag', sentence: 'Make noise.' },
  },
  examples: [],
  run: async () => 0,
});

describe('what is typed', () => {
  test.each([
    [['x', '--shape', 'round'], { name: 'x', shape: 'round', colour: undefined, part: [], loud: false }],
    [['--shape=square', '--loud', 'x'], { name: 'x', shape: 'square', colour: undefined, part: [], loud: true }],
    [
      ['x', '--part', 'a', '--shape', 'round', '--part=b', '--colour', 'red'],
      { name: 'x', shape: 'round', colour: 'red', part: ['a', 'b'], loud: false },
    ],
    [['--shape', 'round', '--', '--x'], { name: '--x', shape: 'round', colour: undefined, part: [], loud: false }],
  ])('%j is taken', (words, values) => {
    expect(parseArguments(words, command)).toEqual({ ok: true, value: values });
  });

  test.each([
    [['--shape', 'round'], '<name> is missing: Its name.'],
    [['x'], '--shape is missing: Its shape.'],
    [['x', 'y', '--shape', 'round'], '"y" is one word too many for `limen thing make`'],
    [['x', '--shape', 'oval'], '--shape is one of round, square; got "oval"'],
    [['x', '--shape', 'round', '--shape', 'square'], '--shape is given twice'],
    [['x', '--shape'], '--shape needs a value: <value>'],
    [['x', '--colour='], '--colour needs a value: <colour>'],
    [['x', '--loud=yes'], '--loud takes no value'],
    [['x', '--color', 'red'], '`limen thing make` has no option --color; did you mean --colour?'],
    [['x', '--zzzzzz'], '`limen thing make` has no option --zzzzzz; see `limen thing make --help`'],
    [['x', '-l'], '`limen thing make` has no option -l; see `limen thing make --help`'],
    [['x', '--no-loud'], '`limen thing make` has no option --no-loud; see `limen thing make --help`'],
    [['x', '--name', 'y'], '`limen thing make` has no option --name; see `limen thing make --help`'],
    [['x', '--__proto__', 'y'], '`limen thing make` has no option --__proto__; see `limen thing make --help`'],
  ])('%j is refused', (words, line) => {
    expect(parseArguments(words, command)).toEqual({ ok: false, error: line });
  });

  test('is either taken whole or refused, and never throws', () => {
    const word = fc.oneof(
      fc.constantFrom('--shape', 'round', '--part', '--loud', '--', '--colour=', '-x'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), (words) => {
        const parsed = parseArguments(words, command);
        if (!parsed.ok) expect(parsed.error.length).toBeGreaterThan(5);
        else expect(['round', 'square']).toContain(String(parsed.value['shape']));
      }),
    );
  });
});

describe('calling', () => {
  test('--version says the version and nothing else', async () => {
    expect(await limen(['--version'])).toEqual({ code: 0, out: '9.8.7', err: '' });
  });

  test('without a command: shows all of them, and fails', async () => {
    const { code, out } = await limen([]);
    expect(code).toBe(2);
    for (const { name } of commands) expect(out).toContain(`  ${name} `);
  });

  test.each([['--help'], ['help'], ['-h']])('%s shows all commands', async (word) => {
    const { code, out } = await limen([word]);
    expect(code).toBe(0);
    for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`  ${name} +${summary.slice(0, 10)}`));
  });

  test('a group without a command lists its commands only', async () => {
    const { code, out } = await limen(['realm']);
    expect(code).toBe(2);
    expect(out).toContain('realm create');
    expect(out).not.toContain('client create');
    expect((await limen(['realm', '--help'])).code).toBe(0);
  });

  test.each([
    [['srve'], 'there is no command "srve"; did you mean `limen serve`?'],
    [['realm', 'creat', 'x'], 'there is no command "realm creat"; did you mean `limen realm create`?'],
    [['clent', 'list'], 'there is no command "clent"; did you mean `limen client list`?'],
    [['realm', 'abolish'], 'there is no command "realm abolish"; see `limen realm --help`'],
    [['xyzzyxyzzy'], 'there is no command "xyzzyxyzzy"; see `limen --help`'],
  ])('%j is refused with a suggestion', async (argv, line) => {
    expect(await limen(argv)).toEqual({ code: 2, out: '', err: line });
  });

  test('a wrong option runs nothing', async () => {
    let served = false;
    const serve = async () => {
      served = true;
      return 0;
    };
    const ran = await limen(['serve', '--prot', '1'], {}, {}, { serve });
    expect(ran).toEqual({ code: 2, out: '', err: '`limen serve` has no option --prot; see `limen serve --help`' });
    expect(served).toBe(false);
  });
});

describe.each(commands.map((each) => [each.name, each] as const))('%s', (name, each) => {
  test('--help says what it is, how it is called and each of its options', async () => {
    const { code, out } = await limen([...name.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toStartWith(each.summary);
    expect(out).toContain(`Usage: limen ${name}`);
    for (const [option, { type, sentence }] of Object.entries(each.options)) {
      expect(out).toContain(type === 'argument' ? `<${option}>` : `--${option}`);
      expect(out).toContain(sentence);
    }
    for (const example of each.examples) expect(out).toContain(example);
  });

  test('has a summary of one sentence or two, and takes no password as an argument', () => {
    expect(each.summary).toMatch(/^[A-Z].*\.$/);
    const options = Object.entries(each.options).filter(([option]) => /password|secret/.test(option));
    expect(options.filter(([, { type }]) => type !== 'flag')).toEqual([]);
  });

  test('its examples can be parsed', () => {
    for (const example of each.examples) {
      const words = [...example.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
      const start = words.findIndex((word, index) => word === 'limen' && words[index + 1] === name.split(' ')[0]);
      const end = words.indexOf('<');
      if (start === -1) continue;
      const rest = words.slice(start + 1 + name.split(' ').length, end === -1 ? undefined : end);
      expect(parseArguments(rest, each)).toMatchObject({ ok: true });
    }
  });
});

describe('demo', () => {
  const called = async (...argv: string[]) => {
    const seen: DemoOptions[] = [];
    const demo = async (options: DemoOptions) => {
      seen.push(options);
      return 0;
    };
    return { ran: await limen(['demo', ...argv], {}, {}, { demo }), seen };
  };

  test('has its documented ports and folder', async () => {
    expect((await called()).seen).toEqual([{ port: 4010, relyingPartyPort: 4020, dataFolder: '.limen' }]);
  });

  test('takes others', async () => {
    const { seen } = await called('--port', '1', '--rp-port=65535', '--data-dir', 'a b');
    expect(seen).toEqual([{ port: 1, relyingPartyPort: 65535, dataFolder: 'a b' }]);
  });

  test.each([[['--port', '0']], [['--port', '65536']], [['--rp-port', '4x']], [['--port', '4020']]])(
    '%j is refused and starts nothing',
    async (argv) => {
      const { ran, seen } = await called(...argv);
      expect(ran.code).toBe(2);
      expect(ran.err).toContain('--port and --rp-port');
      expect(seen).toEqual([]);
    },
  );
});

describe('serve', () => {
  test('is refused without what it needs, all of it at once', async () => {
    const { code, err } = await limen(['serve'], { LIMEN_PROT: '1' });
    expect(code).toBe(2);
    expect(err.split('\n').map((line) => line.split(':')[0])).toEqual([
      'LIMEN_PROT',
      'DATABASE_URL',
      'LIMEN_SECRETS',
      'LIMEN_PUBLIC_URL',
    ]);
  });
});

test('secrets generate makes what LIMEN_SECRETS takes, another each time', async () => {
  const first = await limen(['secrets', 'generate']);
  const second = await limen(['secrets', 'generate', '--json']);
  const { secret }: { secret: string } = JSON.parse(second.out);
  expect(first.out).not.toBe(secret);
  const environment = {
    DATABASE_URL: 'postgres://localhost/x',
    LIMEN_SECRETS: `${first.out} ${secret}`,
    LIMEN_PUBLIC_URL: 'https://id.example.com',
  };
  expect((await limen(['serve'], environment, {}, { serve: async () => 42 })).code).toBe(42);
});
