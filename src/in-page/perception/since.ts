import type {
  SameItems,
  WalkAnswer,
  WalkedFrameContent,
  WalkedItem,
} from "../../pages/perception-protocol.ts";

/** What the last walk of this document answered. */
let last: { readonly number: number; readonly content: WalkedFrameContent } | null = null;
let walks = 0;

/**
 * What a walk found, as its caller needs to be told: of what is as the walk `since` found it, whose
 * answer the caller still has, only that it is. Between two looks at a page most of it stays as it
 * is, and saying and reading it anew takes about as long as finding it.
 */
export function sinceThen(content: WalkedFrameContent, since: number | null): WalkAnswer {
  const before = last !== null && last.number === since ? last.content : null;
  walks += 1;
  last = { number: walks, content };
  if (before === null) return { ...content, number: walks };
  const hasWays = isSame(before.ways, content.ways) && isSame(before.itemWays, content.itemWays);
  return {
    ...content,
    number: walks,
    items: shortened(content.items, before.items),
    ...(hasWays && { ways: null, itemWays: null }),
  };
}

function shortened(
  items: readonly WalkedItem[],
  before: readonly WalkedItem[],
): readonly (WalkedItem | SameItems)[] {
  const told: (WalkedItem | SameItems)[] = [];
  let places: ReadonlyMap<string, number> | null = null;
  /** Where the next one should be, if it is as before. */
  let next = 0;
  let run: [kind: "same", from: number, count: number] | null = null;
  for (const item of items) {
    if (!isSame(before[next], item)) {
      places ??= placesOf(before);
      const place = places.get(nameOf(item));
      if (place === undefined || !isSame(before[place], item)) {
        told.push(item);
        run = null;
        // One that changed stands where it stood; one that is new pushes the others on.
        if (place !== undefined) next = place + 1;
        continue;
      }
      next = place;
    }
    if (run !== null && run[1] + run[2] === next) run[2] += 1;
    else {
      run = ["same", next, 1];
      told.push(run);
    }
    next += 1;
  }
  return told;
}

function placesOf(items: readonly WalkedItem[]): ReadonlyMap<string, number> {
  return new Map(items.map((item, index) => [nameOf(item), index]));
}

/** What an item is found again by: an element's key, or what a text says. */
function nameOf(item: WalkedItem): string {
  if (!("kind" in item)) return `${item[0]} ${item[1]}`;
  return item.kind === "frame" ? `frame ${item.key}` : `scroller ${item.name}`;
}

/** Whether two values of plain JSON are the same. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let index = 0; index < a.length; index += 1) {
      if (!isSame(a[index], b[index])) return false;
    }
    return true;
  }
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  let count = 0;
  for (const name in one) {
    if (!isSame(one[name], other[name])) return false;
    count += 1;
  }
  for (const _ in other) count -= 1;
  return count === 0;
}
