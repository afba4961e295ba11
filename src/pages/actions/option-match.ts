/** An option of a choice, as its page shows it. */
export interface Option {
  readonly label: string;
  readonly value: string;
  readonly disabled: boolean;
}

/** How many options a message names. */
const mostNamed = 10;

/** By the very text, then the very value, then the text without regard to case, marks and white space; -1 for none. */
export function indexOfOption(options: readonly Option[], wanted: string): number {
  const near = loose(wanted);
  const tests: readonly ((option: Option) => boolean)[] = [
    ({ label }) => label === wanted.trim(),
    ({ value }) => value === wanted,
    ({ label }) => near !== "" && loose(label) === near,
    ({ value }) => near !== "" && loose(value) === near,
    // `3` is `03`.
    ({ label, value }) =>
      isNumber(near) &&
      [label, value].some((text) => isNumber(text) && Number(text) === Number(near)),
  ];
  for (const test of tests) {
    const index = options.findIndex(test);
    if (index !== -1) return index;
  }
  // The beginning of a text only where there is no doubt which one is meant.
  const begun = options.flatMap(({ label }, index) =>
    near !== "" && loose(label).startsWith(near) ? [index] : [],
  );
  return begun.length === 1 ? (begun[0] ?? -1) : -1;
}

/** The options of a choice for a message, those most like what was wanted first. */
export function optionsInWords(options: readonly Option[], wanted: string): string {
  const ordered = [...options].sort((a, b) => likeness(b, wanted) - likeness(a, wanted));
  const named = ordered.slice(0, mostNamed).map(({ label }) => `"${label}"`);
  const more = options.length > named.length ? ` and ${options.length - named.length} more` : "";
  return `${named.join(", ")}${more}`;
}

/** The share of letter pairs that two texts have in common, 0 to 1. */
function likeness({ label, value }: Option, wanted: string): number {
  return Math.max(
    sharedPairs(loose(label), loose(wanted)),
    sharedPairs(loose(value), loose(wanted)),
  );
}

function sharedPairs(one: string, other: string): number {
  const pairs = pairsOf(one);
  const others = pairsOf(other);
  if (pairs.size === 0 || others.size === 0) return 0;
  const shared = [...pairs].filter((pair) => others.has(pair)).length;
  return (2 * shared) / (pairs.size + others.size);
}

function pairsOf(text: string): ReadonlySet<string> {
  return new Set([...text].slice(1).map((letter, index) => `${[...text][index]}${letter}`));
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text);
}

function loose(text: string): string {
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "");
}
