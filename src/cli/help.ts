import type { Command, Option } from './command.ts';

const title = 'Limen: a self-hosted OpenID Provider.';

/** All commands, or those of a group (`realm`). */
export function helpForAll(commands: readonly Command[], version: string, group: string | null): string {
  const shown = commands.filter((command) => group === null || command.name.startsWith(`${group} `));
  const rows = shown.map((command) => [command.name, command.summary] as const);
  const usage = group === null ? 'limen <command> [options]' : `limen ${group} <command> [options]`;
  return [
    ...(group === null ? [`${title} Version ${version}.`, ''] : []),
    `Usage: ${usage}`,
    '',
    ...columns(rows),
    '',
    `\`limen ${group ?? '<command>'}${group === null ? '' : ' <command>'} --help\` says more.`,
  ].join('\n');
}

export function helpForCommand(command: Command): string {
  const entries = Object.entries(command.options);
  const words = entries.flatMap(([name, option]) => usageWord(name, option));
  const rows = entries.map(([name, option]) => [spelling(name, option), sentenceOf(option)] as const);
  return [
    command.summary,
    '',
    `Usage: limen ${[command.name, ...words, '[options]'].join(' ')}`,
    '',
    ...columns([...rows, ['--help', 'Show this.']]),
    ...(command.examples.length === 0 ? [] : ['', 'Examples:', ...command.examples.map((example) => `  ${example}`)]),
  ].join('\n');
}

function usageWord(name: string, option: Option): readonly string[] {
  if (option.type === 'argument') return [`<${name}>`];
  return option.required === true ? [spelling(name, option)] : [];
}

function spelling(name: string, option: Option): string {
  if (option.type === 'argument') return `<${name}>`;
  if (option.type === 'flag') return `--${name}`;
  return `--${name} ${option.choices?.join('|') ?? option.value ?? '<value>'}`;
}

const sentenceOf = (option: Option): string =>
  option.type === 'list' ? `${option.sentence} May be given several times.` : option.sentence;

/** Two columns; a sentence whose word is too long for the first starts on the next line. */
function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const widest = 30;
  const width = Math.min(widest, Math.max(...rows.map(([word]) => word.length)));
  return rows.flatMap(([word, sentence]) =>
    word.length > width
      ? [`  ${word}`, `  ${' '.repeat(width)}  ${sentence}`]
      : [`  ${word.padEnd(width)}  ${sentence}`],
  );
}
