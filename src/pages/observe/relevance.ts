import type { PageElement } from "./observation.ts";

/** Words that say nothing about what is wanted. */
const stopWords: ReadonlySet<string> = new Set(
  "a an and are as at be by can find for from get give go i in into is it me my of on or page please show that the this to up want what where which with you your".split(
    " ",
  ),
);

/** BM25's parameters as they are commonly set. */
const saturation = 1.2;
const lengthWeight = 0.5;

/** Elements that have to do with the words of an instruction, best first; all of them where none has. */
export function rankByInstructions(
  elements: readonly PageElement[],
  instructions: string,
): readonly PageElement[] {
  const wanted = new Set(wordsOf(instructions));
  if (wanted.size === 0) return elements;
  const documents = elements.map((element) => ({ element, words: wordsOf(textOf(element)) }));
  const average =
    documents.reduce((sum, { words }) => sum + words.length, 0) / Math.max(1, documents.length);
  const frequency = new Map<string, number>();
  for (const { words } of documents) {
    for (const word of new Set(words)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  }
  const scored = documents.map(({ element, words }) => {
    let score = 0;
    for (const word of wanted) {
      const count = words.filter((candidate) => candidate === word).length;
      if (count === 0) continue;
      const holding = frequency.get(word) ?? 0;
      const rarity = Math.log(1 + (documents.length - holding + 0.5) / (holding + 0.5));
      const length = 1 - lengthWeight + (lengthWeight * words.length) / Math.max(1, average);
      score += (rarity * (count * (saturation + 1))) / (count + saturation * length);
    }
    return { element, score };
  });
  const relevant = scored.filter(({ score }) => score > 0);
  if (relevant.length === 0) return elements;
  return relevant.sort((a, b) => b.score - a.score).map(({ element }) => element);
}

/** The `most` elements that matter most, in the order they came in. */
export function mostImportant(
  elements: readonly PageElement[],
  most: number,
): readonly PageElement[] {
  if (elements.length <= most) return elements;
  const kept = new Set(
    elements
      .map((element, index) => ({ element, index }))
      .sort((a, b) => importance(b.element) - importance(a.element) || a.index - b.index)
      .slice(0, most)
      .map(({ element }) => element),
  );
  return elements.filter((element) => kept.has(element));
}

/** Open dialogs before the viewport, what can be operated now before the rest. */
function importance(element: PageElement): number {
  return (
    (element.layer > 0 ? 8 : 0) +
    (element.place === "viewport" ? 4 : 0) +
    (element.coveredBy === null ? 2 : 0) +
    (element.state.disabled === true ? 0 : 1)
  );
}

function textOf(element: PageElement): string {
  const { name, role, description, placeholder, context, value, inputType, options } = element;
  return [
    name,
    name,
    role,
    inputType,
    description,
    placeholder,
    context,
    element.isSecret ? "password secret" : value,
    ...options.slice(0, 20).map(({ text }) => text),
    element.attributes["name"],
  ]
    .filter((part) => typeof part === "string")
    .join(" ");
}

function wordsOf(text: string): readonly string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [])
    .filter((word) => !stopWords.has(word))
    .map(stemOf);
}

/** Endings that do not change what a word is about; enough to join `search`, `searches` and `searching`. */
function stemOf(word: string): string {
  if (word.length < 5) return word.replace(/(?<=\w{3})s$/, "");
  return word.replace(/(?:ies|ing|ed|es|s)$/, "");
}
