import { parseArgs } from 'node:util';
import { nearestName } from '../core/nearest_name.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Command, Option, ParsedValues } from './command.ts';

/** The values of a command's options out of the words after its name, or one line saying what is wrong. */
export function parseArguments(words: readonly string[], command: Command): Result<ParsedValues, string> {
  const named = Object.entries(command.options).filter(([, option]) => option.type !== 'argument');
  const argumentName = Object.keys(command.options).find((name) => command.options[name]?.type === 'argument');
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(named.map(([name, option]) => [name, { type: typeOf(option), multiple: true }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const values: { [name: string]: string | boolean | readonly string[] | undefined } = Object.fromEntries(
    named.map(([name, { type }]) => [name, type === 'flag' ? false : type === 'list' ? [] : undefined]),
  );
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional') {
      if (argumentName === undefined || values[argumentName] !== undefined) {
        return err(`"${token.value}" is one word too many for \`limen ${command.name}\``);
      }
      values[argumentName] = token.value;
      continue;
    }
    const option = token.rawName.startsWith('--') ? optionOf(command, token.name) : undefined;
    if (option === undefined || option.type === 'argument') return err(unknownOption(token.rawName, command));
    const value = readValue(token.rawName, token.value, option, values[token.name]);
    if (!value.ok) return value;
    values[token.name] = value.value;
  }
  const missing = Object.entries(command.options).find(
    ([name, option]) => (option.type === 'argument' || option.required === true) && values[name] === undefined,
  );
  if (missing === undefined) return ok(values);
  const [name, option] = missing;
  return err(`${option.type === 'argument' ? `<${name}>` : `--${name}`} is missing: ${option.sentence}`);
}

const optionOf = (command: Command, name: string): Option | undefined =>
  Object.hasOwn(command.options, name) ? command.options[name] : undefined;

const typeOf = (option: Option): 'boolean' | 'string' => (option.type === 'flag' ? 'boolean' : 'string');

function readValue(
  spelling: string,
  value: string | undefined,
  option: Option,
  before: ParsedValues[string],
): Result<string | boolean | readonly string[], string> {
  if (option.type === 'flag') return value === undefined ? ok(true) : err(`${spelling} takes no value`);
  if (value === undefined || value === '') return err(`${spelling} needs a value: ${option.value ?? '<value>'}`);
  if (option.choices?.includes(value) === false) {
    return err(`${spelling} is one of ${option.choices.join(', ')}; got "${value}"`);
  }
  if (option.type === 'list') return ok([...(Array.isArray(before) ? before : []), value]);
  return before === undefined ? ok(value) : err(`${spelling} is given twice`);
}

function unknownOption(spelling: string, command: Command): string {
  const known = Object.entries(command.options).filter(([, option]) => option.type !== 'argument');
  const nearest = nearestName(spelling.replace(/^-+/, ''), [...known.map(([name]) => name), 'help']);
  const hint = nearest === undefined ? `see \`limen ${command.name} --help\`` : `did you mean --${nearest}?`;
  return `\`limen ${command.name}\` has no option ${spelling}; ${hint}`;
}
