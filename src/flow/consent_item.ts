/**
 * What a person consents to is a list of words: a scope by its wire name, or a resource (RFC 8707). No scope has a space in
 * it (RFC 6749 §3.3), so neither can be taken for the other.
 */
const prefix = 'resource ';

export const resourceItem = (uri: string): string => `${prefix}${uri}`;

/** null: the item is a scope. */
export const resourceOfItem = (item: string): string | null =>
  item.startsWith(prefix) ? item.slice(prefix.length) : null;
