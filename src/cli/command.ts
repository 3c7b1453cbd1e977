import type { CliDeps } from './deps.ts';

/** How a value is given: the word after the command, `--name value`, `--name` alone, or `--name value` any number of times. */
export type Option = {
  readonly type: 'argument' | 'text' | 'flag' | 'list';
  readonly sentence: string;
  /** What stands for the value in help: `<uri>`. */
  readonly value?: string;
  readonly required?: true;
  /** The only values there are. */
  readonly choices?: readonly string[];
};

export type OptionTable = { readonly [name: string]: Option };

export type Values<Options extends OptionTable> = { readonly [Name in keyof Options]: ValueOf<Options[Name]> };

type ValueOf<One extends Option> = One['type'] extends 'flag'
  ? boolean
  : One['type'] extends 'list'
    ? readonly string[]
    : One['type'] extends 'argument'
      ? string
      : One['required'] extends true
        ? Choice<One>
        : Choice<One> | undefined;

type Choice<One extends Option> = One['choices'] extends readonly string[] ? One['choices'][number] : string;

/** One row of `commands.ts`; help is derived from it. Exit codes: 0 done, 1 refused or failed, 2 wrongly called. */
export type Command = {
  /** The words it is called by: `realm create`. */
  readonly name: string;
  readonly summary: string;
  readonly options: OptionTable;
  readonly examples: readonly string[];
  readonly run: (values: ParsedValues, deps: CliDeps) => Promise<number>;
};

export type ParsedValues = { readonly [name: string]: string | boolean | readonly string[] | undefined };

export function defineCommand<const Options extends OptionTable>(command: {
  readonly name: string;
  readonly summary: string;
  readonly options: Options;
  readonly examples: readonly string[];
  readonly run: (values: Values<Options>, deps: CliDeps) => Promise<number>;
}): Command {
  return { ...command, run: (values, deps) => command.run(typed<Options>(values), deps) };
}

/** The boundary between what `arguments.ts` checked against the table and the table's type. */
const typed = <Options extends OptionTable>(values: ParsedValues): Values<Options> => values as Values<Options>;

/** For every command that answers with data. */
export const jsonOption = { type: 'flag', sentence: 'Answer in JSON, for scripts.' } as const satisfies Option;
