/** A JSON object of somebody else: nothing about its members is known. */
export type Json = { readonly [name: string]: unknown };

/** The one place where a parsed object gets its type. */
export function jsonObject(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export const textOf = (object: Json, name: string): string | null => {
  const value = object[name];
  return typeof value === 'string' ? value : null;
};

/** An empty list where it is absent or is no list of texts. */
export const textsOf = (object: Json, name: string): readonly string[] => {
  const value = object[name];
  return Array.isArray(value) && value.every((item): item is string => typeof item === 'string') ? value : [];
};
