import type { Terminal } from './deps.ts';

export type Cell = string | number | boolean | null | undefined;

const shown = (cell: Cell): string => {
  if (cell === null || cell === undefined || cell === '') return '–';
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  return printable(String(cell));
};

/** Names and claims come from people: what would move the cursor or colour the terminal is written out. */
export const printable = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** Columns under their names, as wide as their widest cell. */
export function formatTable(names: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [names, ...rows.map((row) => row.map(shown))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `name: value`, one line each, values aligned. */
export function formatRecord(fields: readonly (readonly [name: string, value: Cell | readonly string[]])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length)) + 1;
  const text = (value: Cell | readonly string[]): string =>
    typeof value === 'object' && value !== null ? shown(value.join(' ')) : shown(value);
  return fields.map(([name, value]) => `${`${name}:`.padEnd(width)} ${text(value)}`).join('\n');
}

/** The document for scripts, or the text for people. */
export function answer(terminal: Terminal, asJson: boolean, document: unknown, text: string): void {
  terminal.out(asJson ? JSON.stringify(document, null, 2) : text);
}
