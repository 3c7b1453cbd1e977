/** One start tag as a browser would read it; values are still escaped. */
export type Tag = { readonly name: string; readonly attributes: readonly (readonly [string, string])[] };

/** The start tags of a document in order, by a parser that is not ours. */
export function tagsOf(markup: string): readonly Tag[] {
  const tags: Tag[] = [];
  new HTMLRewriter()
    .on('*', {
      element(element) {
        tags.push({
          name: element.tagName,
          attributes: [...element.attributes].map(([key = '', value = '']): readonly [string, string] => [key, value]),
        });
      },
    })
    .transform(markup);
  return tags;
}

export const attribute = (tag: Tag | undefined, name: string): string | undefined =>
  tag?.attributes.find(([key]) => key === name)?.[1];

export const withId = (markup: string, id: string): Tag | undefined =>
  tagsOf(markup).find((tag) => attribute(tag, 'id') === id);

export const named = (markup: string, name: string): readonly Tag[] =>
  tagsOf(markup).filter((tag) => attribute(tag, 'name') === name);

/** What `Bun.escapeHTML` made of a value, back again. */
export const unescapeHtml = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&');
