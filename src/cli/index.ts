/**
 * The cli room: `limen <command>`, a file per command, all of them in `commands.ts`. It may use every room; nothing but
 * `main.ts` imports it. It reads neither the environment nor the terminal itself: both are in `CliDeps`.
 */
import { nearestName } from '../core/nearest_name.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import { commands } from './commands.ts';
import type { CliDeps } from './deps.ts';
import { helpForAll, helpForCommand } from './help.ts';

export type { Administration, CliDeps, DemoOptions, Terminal } from './deps.ts';
export { processTerminal } from './terminal.ts';
export { type ProcessDeps, wireCli } from './wiring.ts';

export const exitCode = { done: 0, refused: 1, wronglyCalled: 2 } as const;

/**
 * Runs one command.
 * @param argv the words after the program's name.
 * @returns the exit code: 0 done, 1 refused or failed, 2 wrongly called.
 */
export async function runCli(argv: readonly string[], deps: CliDeps): Promise<number> {
  const { terminal, version } = deps;
  const wantsHelp = argv[0] === 'help' || isHelp(argv);
  const words = argv[0] === 'help' ? argv.slice(1) : argv;
  if (words[0] === '--version' || words[0] === '-v') {
    terminal.out(version);
    return exitCode.done;
  }
  const found = find(words);
  if (found !== undefined && wantsHelp) {
    terminal.out(helpForCommand(found.command));
    return exitCode.done;
  }
  if (found !== undefined) return run(found.command, found.rest, deps);
  const [group] = words;
  const isGroup = group !== undefined && commands.some((command) => command.name.startsWith(`${group} `));
  const isComplete = group === undefined || group.startsWith('-') || (isGroup && (words[1] ?? '-').startsWith('-'));
  if (isComplete && (wantsHelp || words.length === 0 || (isGroup && words.length === 1))) {
    terminal.out(helpForAll(commands, version, isGroup ? group : null));
    return wantsHelp ? exitCode.done : exitCode.wronglyCalled;
  }
  terminal.err(unknownCommand(words));
  return exitCode.wronglyCalled;
}

const isHelp = (words: readonly string[]): boolean => {
  const end = words.indexOf('--');
  return words.slice(0, end === -1 ? undefined : end).some((word) => word === '--help' || word === '-h');
};

async function run(command: Command, words: readonly string[], deps: CliDeps): Promise<number> {
  const values = parseArguments(words, command);
  if (values.ok) return await command.run(values.value, deps);
  deps.terminal.err(values.error);
  return exitCode.wronglyCalled;
}

function find(words: readonly string[]): { readonly command: Command; readonly rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const command = commands.find((candidate) => candidate.name === name);
    if (command !== undefined) return { command, rest: words.slice(length) };
  }
  return undefined;
}

function unknownCommand(words: readonly string[]): string {
  const [first = '', second = ''] = words;
  const names = commands.map((command) => command.name);
  const inGroup = names.filter((name) => name.startsWith(`${first} `)).map((name) => name.slice(first.length + 1));
  if (inGroup.length > 0) {
    const nearest = nearestName(second, inGroup);
    const hint =
      nearest === undefined ? `see \`limen ${first} --help\`` : `did you mean \`limen ${first} ${nearest}\`?`;
    return `there is no command "${first} ${second}"; ${hint}`;
  }
  const nearest = nearestName(`${first} ${second}`, names) ?? nearestName(first, [...names, ...groups()]);
  const hint = nearest === undefined ? 'see `limen --help`' : `did you mean \`limen ${nearest}\`?`;
  return `there is no command "${first}"; ${hint}`;
}

const groups = (): readonly string[] => [...new Set(commands.flatMap(({ name }) => name.match(/^\w+(?= )/) ?? []))];
