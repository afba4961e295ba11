/** Kinds of text that the browser shows as they stand, in a page that it makes around them. */
const shownAsText = /^(?:text\/(?!html|xml)|application\/(?:json|javascript|.*\+json))/;

/** The text of a document that is no page, e.g. a JSON answer; null for pages. */
export function plainDocument(): string | null {
  const { contentType } = document;
  if (!shownAsText.test(contentType)) return null;
  const text = document.body?.textContent ?? "";
  if (!/json$/.test(contentType)) return text;
  return `\`\`\`json\n${pretty(text)}\n\`\`\``;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
