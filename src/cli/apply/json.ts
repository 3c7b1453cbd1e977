import { err, ok, type Result } from '../../core/result.ts';
import type { Refused } from '../administration.ts';

/** RFC 8259 and RFC 7493 §2.3: no comments, no trailing commas, and no member twice in one object, where the last would win. */
export function parseStrictJson(source: string): Result<unknown, Refused> {
  try {
    const value: unknown = JSON.parse(source);
    const faults = repeatedMembers(source).map(
      ({ name, line }) => `line ${line}: the member ${name} is there already in this object; remove one`,
    );
    return faults.length === 0 ? ok(value) : err(faults);
  } catch (thrown) {
    const why = thrown instanceof SyntaxError ? thrown.message.replace(/^JSON Parse error: /, '') : 'it cannot be read';
    return err([`the document is not JSON (RFC 8259; no comments, no trailing commas): ${why}`]);
  }
}

type Repeated = { readonly name: string; readonly line: number };

/** Of a text that is JSON: what is written twice in one object, however it is escaped. */
function repeatedMembers(source: string): readonly Repeated[] {
  const found: Repeated[] = [];
  const open: Set<string>[] = [];
  for (const { 0: token, 1: text, index } of source.matchAll(/("(?:[^"\\]|\\.)*")(?=\s*:)|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (text !== undefined) {
      const name = String(JSON.parse(text));
      const names = open.at(-1);
      if (names?.has(name) === true) found.push({ name, line: source.slice(0, index).split('\n').length });
      names?.add(name);
    }
  }
  return found;
}
