/**
 * The tables in docs/ that say what the code says. `bun check/documents.ts` writes them anew between their marks;
 * `test/docs/documents.test.ts` fails where a document and the code differ.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { TSchema } from '@sinclair/typebox';
import { commands } from '../src/cli/commands.ts';
import { describeSchema, settingVariable, variables } from '../src/config.ts';
import { settingKeys, settings } from '../src/core/settings.ts';
import { importTable } from './architecture.ts';
import { markdownTable } from './markdown.ts';

const shownDefault = (value: unknown): string =>
  value === null || value === '' || (Array.isArray(value) && value.length === 0) ? '' : `\`${String(value)}\``;

const configurationTable = (): string =>
  markdownTable(
    ['variable', 'default', 'meaning'],
    Object.values(variables).map((variable) => [
      `\`${variable.name}\``,
      shownDefault(variable.default),
      `${variable.sentence}${variable.secret ? ' Secret.' : ''}`,
    ]),
  );

const settingsTable = (): string =>
  markdownTable(
    ['setting', 'accepts', 'default', 'set for', 'meaning'],
    settingKeys.map((key) => {
      const row: { schema: TSchema; default: unknown; scope: string; sentence: string } = settings[key];
      const layers = row.scope === 'client' ? 'realm, client' : 'realm';
      return [
        `\`${key}\`<br>\`${settingVariable(key)}\``,
        describeSchema(row.schema),
        shownDefault(row.default),
        layers,
        row.sentence,
      ];
    }),
  );

const commandTable = (): string =>
  markdownTable(
    ['command', 'what it does'],
    commands.map((command) => [`\`limen ${command.name}\``, command.summary]),
  );

/** Each generated part, by document and mark. */
export const parts: readonly { readonly path: string; readonly mark: string; readonly text: () => string }[] = [
  { path: 'docs/ARCHITECTURE.md', mark: 'rooms', text: importTable },
  { path: 'docs/operations.md', mark: 'configuration', text: configurationTable },
  { path: 'docs/operations.md', mark: 'settings', text: settingsTable },
  { path: 'docs/operations.md', mark: 'commands', text: commandTable },
];

const between = (mark: string): RegExp => new RegExp(`(<!-- ${mark}: [^>]*-->\n)(?:[\\s\\S]*?\n)?(<!-- /${mark} -->)`);

/** The document with the part written anew; null: it has no place for it. */
export function withPart(document: string, mark: string, text: string): string | null {
  const place = between(mark);
  return place.test(document) ? document.replace(place, (_, start, end) => `${start}\n${text}\n\n${end}`) : null;
}

if (import.meta.main) {
  for (const { path, mark, text } of parts) {
    const file = new URL(`../${path}`, import.meta.url);
    const written = withPart(readFileSync(file, 'utf8'), mark, text());
    if (written === null) throw new Error(`${path} has no place marked ${mark}`);
    writeFileSync(file, written);
  }
}
