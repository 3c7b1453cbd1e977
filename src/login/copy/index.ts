import { type Hole, html, type Safe } from '../html.ts';
import { de } from './de.ts';
import { en } from './en.ts';

type English = typeof en;
export type CopyKey = keyof English;

/** All texts of one language: data, so no markup. `{name}` stands for a value. */
export type Copy = { readonly [Key in Exclude<CopyKey, 'dir'>]: string } & { readonly dir: 'ltr' | 'rtl' };

const copies = { en, de } as const satisfies { readonly [locale: string]: Copy };

export type Locale = keyof typeof copies;
export const locales = ['en', 'de'] as const satisfies readonly Locale[];
export const defaultLocale: Locale = 'en';

export const copyOf = (locale: Locale): Copy => copies[locale];

type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | Names<Rest> : never;

/** A value for each name in a text. */
export type Values<Key extends CopyKey, Value> = { readonly [Name in Names<English[Key]>]: Value };

/** A text with its values, as markup. */
export function say<Key extends CopyKey>(copy: Copy, key: Key, values: Values<Key, Hole>): Safe {
  const given = new Map<string, Hole>(Object.entries(values));
  return html`${split(copy[key]).map((part) => (part.name === null ? part.text : given.get(part.name)))}`;
}

/** A text with its values, as text. */
export function sayText<Key extends CopyKey>(copy: Copy, key: Key, values: Values<Key, string>): string {
  const given = new Map<string, string>(Object.entries(values));
  return split(copy[key])
    .map((part) => (part.name === null ? part.text : given.get(part.name)))
    .join('');
}

type Part = { readonly text: string; readonly name: string | null };

/** Values are put in once: braces inside a value are text. */
const split = (text: string): readonly Part[] =>
  text.split(/(\{[a-z_]+\})/).map((part, index) => ({ text: part, name: index % 2 === 1 ? part.slice(1, -1) : null }));
