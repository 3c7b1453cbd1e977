import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Glob } from 'bun';
import { parts, withPart } from '../../check/documents.ts';
import { parseArguments } from '../../src/cli/arguments.ts';
import { commands } from '../../src/cli/commands.ts';
import { settingVariable, variables } from '../../src/config.ts';
import { settingKeys } from '../../src/core/settings.ts';

const root = join(import.meta.dir, '..', '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', ...new Glob('docs/**/*.md').scanSync({ cwd: root })];

describe('generated parts say what the code says (`bun check/documents.ts` writes them)', () => {
  test.each(parts.map((part) => [`${part.path}: ${part.mark}`, part] as const))('%s', (_, { path, mark, text }) => {
    const document = read(path);
    expect(withPart(document, mark, text()) === document).toBe(true);
  });

  test('a part that differs is found', () => {
    const document = 'a\n<!-- x: made -->\nold\n<!-- /x -->\nb';
    expect(withPart(document, 'x', '$& new')).toBe('a\n<!-- x: made -->\n\n$& new\n\n<!-- /x -->\nb');
    expect(withPart(document, 'y', 'new')).toBeNull();
  });
});

test.each(documents)('%s: its links within the project lead somewhere', (path) => {
  const links = [...read(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(root, dirname(path), link)));
  expect(broken).toEqual([]);
});

test.each(documents)('%s: every variable it names exists', (path) => {
  const known = [
    ...Object.values(variables).map(({ name }) => name),
    ...settingKeys.map(settingVariable),
    'LIMEN_SETTING_',
  ];
  const named = [...read(path).matchAll(/\bLIMEN_[A-Z_]*/g)].map(([name]) => name);
  expect(named.filter((name) => name !== 'LIMEN_' && !known.includes(name))).toEqual([]);
});

test.each(documents)('%s: every command it shows can be called so', (path) => {
  const lines = [...read(path).matchAll(/(?:^|`|\$\()limen ([a-z][^`#\n)]*)/gm)].map(([, line = '']) => line.trim());
  const faults = lines.flatMap((line) => {
    const words = [...line.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
    const command = commands.find(({ name }) => words.join(' ').startsWith(name));
    if (command === undefined) return [`there is no command: limen ${line}`];
    // A bare name in running text is no call.
    const rest = words.slice(command.name.split(' ').length);
    if (rest.length === 0 || rest.includes('--help')) return [];
    const parsed = parseArguments(
      rest.map((word) => word.replace(/^key=value$/, 'lockout=true')),
      command,
    );
    return parsed.ok ? [] : [`limen ${line}: ${parsed.error}`];
  });
  expect(faults).toEqual([]);
});

test('README.md begins with the two commands, which package.json has', () => {
  const commandLines = [...read('README.md').matchAll(/^(npx .*|bun run .*)$/gm)].map(([line]) =>
    line.replace(/ +#.*$/, ''),
  );
  expect(commandLines.slice(0, 2)).toEqual(['npx --yes bun@1.4.5 run demo', 'npx --yes bun@1.4.5 run check']);
  const { scripts, packageManager }: { scripts: object; packageManager: string } = JSON.parse(read('package.json'));
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['demo', 'check']));
  expect(packageManager).toBe('bun@1.4.5');
});

test('.ci/run can be executed, and runs the same command', () => {
  expect(statSync(join(root, '.ci/run')).mode & 0o111).toBe(0o111);
  expect(read('.ci/run')).toMatch(/^exec npx --yes bun@1\.4\.5 run --silent check$/m);
  expect(read('.github/workflows/ci.yml')).toContain('run: .ci/run');
});
