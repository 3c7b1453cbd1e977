import type { Sql } from './database.ts';

/** What the driver sends as one parameter. */
type Value = string | number | boolean | Uint8Array | readonly string[] | null;

/** A string is SQL of ours, there when the module loads; what a request brings can only come out of a function. */
type Hole<Input> = string | ((input: Input) => Value) | Fragment<Input>;

/** A piece of a statement, with its parameters. */
export type Fragment<Input> = { readonly parts: readonly string[]; readonly holes: readonly Hole<Input>[] };

export type Statement<Input, Row> = (sql: Sql, input: Input) => Promise<readonly Row[]>;

export const fragment = <Input>(parts: TemplateStringsArray, ...holes: readonly Hole<Input>[]): Fragment<Input> => ({
  parts,
  holes,
});

/**
 * A prepared statement whose text is made once, where `sql` composes it anew for each call: for the hot path, where that
 * costs the driver more than sending it. A function that stands in two places is one parameter.
 */
export function statement<Input, Row extends object>(
  parts: TemplateStringsArray,
  ...holes: readonly Hole<Input>[]
): Statement<Input, Row> {
  const reads: ((input: Input) => Value)[] = [];
  const numberOf = (read: (input: Input) => Value): number => {
    const known = reads.indexOf(read);
    return known === -1 ? reads.push(read) : known + 1;
  };
  const textOf = (hole: Hole<Input>): string => {
    if (typeof hole === 'string') return hole;
    return typeof hole === 'function' ? `$${numberOf(hole)}` : join(hole);
  };
  const join = (piece: Fragment<Input>): string =>
    piece.parts.reduce((sofar, part, index) => `${sofar}${textOf(piece.holes[index - 1] ?? '')}${part}`);
  const text = join({ parts, holes });
  return (sql, input) =>
    sql.unsafe<Row[]>(
      text,
      reads.map((read) => read(input)),
      { prepare: true },
    );
}
