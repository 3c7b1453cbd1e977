/** A table with aligned columns, as the formatter leaves it. */
export function markdownTable(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = names.map((name, column) => Math.max(3, name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], fill = ' '): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, fill)).join(' | ')} |`;
  const rule = line(
    names.map(() => ''),
    '-',
  );
  return [line(names), rule, ...rows.map((row) => line(row))].join('\n');
}
