/** A hole of an `html` template that does not stand in text or inside double quotes. */
export type BadHole = { readonly expression: string; readonly why: 'unquoted' | 'in_tag' | 'single_quoted' };

type State = 'text' | 'tag' | 'double' | 'single';

/**
 * The holes of every `html` template in a source, nested ones too, that stand where escaping does not protect. In a tag,
 * outside quotes, only what `attributes(` made may stand: a call of it, or a name that was given one.
 */
export function badHoles(source: string): readonly BadHole[] {
  const made = new Set([...source.matchAll(/const (\w+) = attributes\(/g)].map((match) => match[1]));
  return templates(source).flatMap(({ literals, expressions }) => {
    let state: State = 'text';
    return expressions.flatMap((expression, index): readonly BadHole[] => {
      const before = literals[index] ?? '';
      state = advance(state, before);
      const trusted = expression.startsWith('attributes(') || made.has(expression);
      if (state === 'text' || state === 'double' || (state === 'tag' && trusted && !before.endsWith('='))) return [];
      if (state === 'single') return [{ expression, why: 'single_quoted' }];
      return [{ expression, why: before.endsWith('=') ? 'unquoted' : 'in_tag' }];
    });
  });
}

function advance(from: State, markup: string): State {
  let state = from;
  for (let index = 0; index < markup.length; index += 1) {
    const letter = markup[index] ?? '';
    if (state === 'text') {
      if (letter === '<' && /[a-z/!]/i.test(markup[index + 1] ?? 'a')) state = 'tag';
    } else if (state === 'tag') {
      state = letter === '>' ? 'text' : letter === '"' ? 'double' : letter === "'" ? 'single' : 'tag';
    } else if ((state === 'double' && letter === '"') || (state === 'single' && letter === "'")) state = 'tag';
  }
  return state;
}

type Template = { readonly literals: readonly string[]; readonly expressions: readonly string[] };

function templates(source: string): readonly Template[] {
  return [...source.matchAll(/\bhtml`/g)].map((match) => readTemplate(source, match.index + match[0].length).template);
}

function readTemplate(source: string, start: number): { readonly template: Template; readonly end: number } {
  const literals: string[] = [];
  const expressions: string[] = [];
  let from = start;
  let at = start;
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '\\') at += 2;
    else if (source.startsWith('${', at)) {
      const end = endOfExpression(source, at + 2);
      literals.push(source.slice(from, at));
      expressions.push(source.slice(at + 2, end).trim());
      at = end + 1;
      from = at;
    } else at += 1;
  }
  literals.push(source.slice(from, at));
  return { template: { literals, expressions }, end: at };
}

function endOfExpression(source: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < source.length) {
    const letter = source[at];
    if (letter === '`') at = readTemplate(source, at + 1).end;
    else if (letter === "'" || letter === '"') at = source.indexOf(letter, at + 1);
    else if (letter === '{') depth += 1;
    else if (letter === '}' && depth === 0) return at;
    else if (letter === '}') depth -= 1;
    at += 1;
  }
  throw new Error('a hole without an end');
}
