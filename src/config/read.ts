import { type Static, type TSchema, Type } from '@sinclair/typebox';
import { Value } from '@sinclair/typebox/value';
import { err, ok, type Result } from '../core/result.ts';

/** Readers turn the text of one variable into its value, or say what is wrong and how to mend it, without the variable's name. */

export type Refusal = { readonly problem: string; readonly mend: string };
export type Read<Value> = (text: string) => Result<Value, Refusal>;

export const refuse = (problem: string, mend: string) => err<Refusal>({ problem, mend });

/** What a person typed, safe to print on one line. Never for the text of a secret. */
export const quote = (typed: string): string => JSON.stringify(typed.length > 60 ? `${typed.slice(0, 60)}…` : typed);

/** The number that decimal digits spell, else NaN: `Number` would also take "", "0x10" and "1e3". */
export const wholeNumber = (typed: string): number => (/^-?\d{1,15}$/.test(typed) ? Number(typed) : Number.NaN);

const checked = <Schema extends TSchema>(schema: Schema, value: unknown, typed: string, accepted: string) => {
  const isRight = (candidate: unknown): candidate is Static<Schema> => Value.Check(schema, candidate);
  return isRight(value) ? ok(value) : refuse(`${quote(typed)} is not accepted`, `write ${accepted}`);
};

export function integer(minimum: number, maximum: number): Read<number> {
  const schema = Type.Integer({ minimum, maximum });
  return (typed) => checked(schema, wholeNumber(typed), typed, `a whole number from ${minimum} to ${maximum}`);
}

export const flag: Read<boolean> = (typed) =>
  checked(Type.Boolean(), typed === 'true' || (typed === 'false' ? false : typed), typed, 'true or false');

export function oneOf<const Choice extends string>(choices: readonly Choice[]): Read<Choice> {
  return (typed) => {
    const choice = choices.find((candidate) => candidate === typed);
    return choice === undefined
      ? refuse(`${quote(typed)} is not accepted`, `write one of ${choices.join(', ')}`)
      : ok(choice);
  };
}

export const text: Read<string> = (typed) => ok(typed);

/** The parts of a list separated by white space or commas. */
export const listOf = (typed: string): readonly string[] => typed.split(/[\s,]+/).filter((part) => part !== '');
