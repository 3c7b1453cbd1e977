/** What may stand in a hole of `html`. Strings and numbers are escaped; `null`, `undefined` and `false` leave nothing. */
export type Hole = Safe | string | number | null | undefined | false | readonly Hole[];

/**
 * Markup that is inserted as it is. `new Safe(` is the only way around escaping, so a search for it finds every place
 * that must be trusted; a test holds the list.
 */
export class Safe {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/**
 * Markup with every hole escaped for text and for double-quoted attribute values. A hole is never an unquoted value, and
 * in a tag outside quotes it is a call of `attributes`.
 */
export function html(literals: TemplateStringsArray, ...holes: readonly Hole[]): Safe {
  let markup = literals[0] ?? '';
  holes.forEach((hole, index) => {
    markup += render(hole) + (literals[index + 1] ?? '');
  });
  return new Safe(markup);
}

export type Attributes = { readonly [name: string]: string | number | boolean | null };

const attributeName = /^[a-z][a-z-]*$/;

/** Attributes that depend on state: `true` is the bare name, `false` and `null` leave the attribute out. */
export function attributes(values: Attributes): Safe {
  let markup = '';
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === false) continue;
    if (!attributeName.test(name)) throw new Error(`not an attribute name: ${name}`);
    markup += value === true ? ` ${name}` : ` ${name}="${render(value)}"`;
  }
  return new Safe(markup);
}

function render(hole: Hole): string {
  if (hole === null || hole === undefined || hole === false) return '';
  if (hole instanceof Safe) return hole.toString();
  if (typeof hole === 'string') return Bun.escapeHTML(hole);
  if (typeof hole === 'number') return String(hole);
  return hole.map(render).join('');
}
